//! "Was this you?" and the steps after a report in headless Chromium, with JavaScript and without, on
//! a phone and on a desktop.

use rollcall::settings::Settings;

use crate::support::mmdb::Mmdb;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: the_alert_leads_and_its_answers_stand_apart,
    the_alert_leads_and_its_answers_stand_apart_without_script,
    the_dots_of_the_map_lead_to_their_devices,
);

/// Where Ada was before.
const HERE: &str = "203.0.113.24";
const OSLO: &str = "198.18.0.66";
const SYDNEY: &str = "198.51.100.5";

fn with_places(settings: &mut Settings, folder: &std::path::Path) {
    let city = |name: &str, code: &str, north: f64, east: f64| json!({"city": name, "country_code": code, "latitude": north, "longitude": east});
    let path = folder.join("places.mmdb");
    Mmdb::new("City")
        .with("203.0.113.0/24", city("Lisbon", "PT", 38.72, -9.14))
        .with("198.18.0.0/24", city("Oslo", "NO", 59.91, 10.75))
        .with("198.51.100.0/24", city("Sydney", "AU", -33.87, 151.21))
        .write(&path);
    crate::support::app::behind_proxy(settings);
    settings.places.files = vec![path];
}

async fn start(database: Database) -> (TestApp, Person) {
    let folder = database.folder().to_owned();
    let app = TestApp::start_with(database, |settings| with_places(settings, &folder)).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, "curl/8.14.1", HERE, None).await;
    (app, ada)
}

/// Gives the page a width in pixels.
async fn resize(browser: &Chromium, width: u32) {
    let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
    browser
        .command("Emulation.setDeviceMetricsOverride", size)
        .await;
}

/// Returns a number that an expression about the page results in; works without script as well.
async fn measure(browser: &Chromium, expression: &str) -> f64 {
    let parameters = json!({"expression": expression, "returnByValue": true});
    let found = browser.command("Runtime.evaluate", parameters).await;
    let value = found["result"]["value"].as_f64();
    value.unwrap_or_else(|| panic!("{expression}: {found}"))
}

async fn the_alert_leads_and_its_answers_stand_apart(database: Database) {
    answers_stand_apart(database, Script::On).await;
}

async fn the_alert_leads_and_its_answers_stand_apart_without_script(database: Database) {
    answers_stand_apart(database, Script::Off).await;
}

async fn answers_stand_apart(database: Database, script: Script) {
    const GAP: &str = "(() => { const [no, yes] = [...document.querySelectorAll('.answers button')].map(it => it.getBoundingClientRect()); return Math.max(yes.left - no.right, yes.top - no.bottom); })()";
    const IS_STACKED: &str = "(() => { const [no, yes] = [...document.querySelectorAll('.answers button')].map(it => it.getBoundingClientRect()); return Number(yes.top >= no.bottom); })()";
    const SIDEWAYS: &str =
        "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    const IS_FIRST: &str = "Number(document.querySelector('main section').className === 'alarm')";

    let (app, ada) = start(database).await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), script).await;
    laptop.sign_in(&ada).await;
    // What the browser's own sign-in raised is confirmed.
    app.database.execute(
        "UPDATE alerts SET answer = 'mine', answered_at = at, settled_by = id WHERE answer IS NULL",
    );
    app.advance(Duration::from_secs(25 * 60));
    app.login_from(&ada, IPHONE, OSLO, None).await;
    laptop.open("/devices").await;
    laptop.has(1, ".alarm").await;
    for (width, is_stacked) in [(320, 1.0), (1280, 0.0)] {
        resize(&laptop, width).await;
        if script == Script::On {
            let gap = measure(&laptop, GAP).await;
            assert!(gap >= 32.0, "{gap} at {width}");
            assert!((measure(&laptop, IS_STACKED).await - is_stacked).abs() < 0.1);
            assert!(measure(&laptop, SIDEWAYS).await < 1.0, "at {width}");
            assert!(measure(&laptop, IS_FIRST).await > 0.5);
        }
    }
    let words = laptop.words_in(".alarm").await;
    assert!(words.contains("nobody travels that fast"), "{words}");
    laptop.press(".alarm .filled").await;
    laptop.has(1, ".path").await;
    let message = laptop.words_in("[role='status']").await;
    assert!(
        message.contains("is signed out, and no longer counts as yours."),
        "{message}"
    );
    for step in ["others", "password", "email"] {
        laptop
            .press(&format!("form[action$='/steps/{step}/skip'] button"))
            .await;
        laptop
            .has(0, &format!("form[action$='/steps/{step}/skip']"))
            .await;
    }
    // What was skipped can be taken up again.
    laptop.has(1, "details.path").await;
    laptop.close().await;
    app.stop().await;
}

async fn the_dots_of_the_map_lead_to_their_devices(database: Database) {
    const SMALLEST: &str = "Math.min(...[...document.querySelectorAll('.map .dot')].flatMap(it => { const { width, height } = it.getBoundingClientRect(); return [width, height]; }))";
    const OUTSIDE: &str = "(() => { const map = document.querySelector('.map svg').getBoundingClientRect(); return [...document.querySelectorAll('.map .dot')].map(it => it.getBoundingClientRect()).filter(it => it.left < map.left || it.right > map.right || it.top < map.top - 8 || it.bottom > map.bottom + 8).length; })()";

    let (app, ada) = start(database).await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), Script::On).await;
    laptop.sign_in(&ada).await;
    let oslo = app.login_from(&ada, IPHONE, OSLO, None).await;
    for ip in [OSLO, SYDNEY] {
        laptop.open("/devices").await;
        for width in [320, 1280] {
            resize(&laptop, width).await;
            let smallest = measure(&laptop, SMALLEST).await;
            assert!(smallest >= 10.0, "{smallest} at {width} with {ip}");
            assert!(measure(&laptop, OUTSIDE).await < 1.0, "at {width}");
        }
        app.login_from(&ada, IPHONE, SYDNEY, None).await;
    }
    let dot = format!(".map a[href='#device-{}'] .dot", oslo.id());
    laptop.press(&dot).await;
    laptop
        .has(1, &format!("#device-{}:target", oslo.id()))
        .await;
    laptop
        .press(&format!("#device-{} .on-map", oslo.id()))
        .await;
    laptop.has(1, ".map p:target").await;
    laptop.close().await;
    app.stop().await;
}
