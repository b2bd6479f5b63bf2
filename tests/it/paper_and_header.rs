//! What pages are like on paper, and long names on the screen, in a real browser.

use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: paper_has_exact_times_and_nothing_to_press,
    paper_has_the_settings_with_what_is_chosen,
    details_on_paper_have_the_whole_width,
    a_long_name_of_the_service_leaves_the_navigation_in_its_place,
    the_symbol_of_a_browser_stays_on_the_line_of_a_long_name,
    sessions_of_one_minute_have_buttons_of_different_names,
);

/// Returns the text of what is visible and matches, joined by a line each.
const VISIBLE: &str = "const shown = [...document.querySelectorAll(arguments[0])].filter((it) =>
        it.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}) && it.getClientRects().length);
    arguments[arguments.length - 1](shown.map((it) => it.localName + ' ' + it.textContent.trim().slice(0, 60)));";

async fn on_paper(browser: &Chromium) {
    let print = json!({"media": "print"});
    browser.command("Emulation.setEmulatedMedia", print).await;
    // A4 at 96 dots an inch, without margins.
    let size = json!({"width": 718, "height": 1000, "deviceScaleFactor": 1, "mobile": false});
    browser
        .command("Emulation.setDeviceMetricsOverride", size)
        .await;
}

async fn visible(browser: &Chromium, css: &str) -> Vec<String> {
    let found = browser.run(VISIBLE, vec![json!(css)]).await;
    serde_json::from_value(found).expect("texts")
}

/// Starts the application with fourteen devices of a person and a device with two sessions.
async fn start(database: Database) -> (TestApp, Person) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    for n in 0..14 {
        app.login_named(&ada, IPHONE, &format!("Phone {n}")).await;
    }
    (app, ada)
}

async fn paper_has_exact_times_and_nothing_to_press(database: Database) {
    let (app, ada) = start(database).await;
    app.set_role(&ada, "admin");
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    for path in ["/devices", "/account", "/admin", "/admin/sessions"] {
        browser.open(path).await;
        on_paper(&browser).await;
        let acting = "button, .button, input:not(.setting .field > *), nav, [role='search'], .tick, .acting, .review";
        assert_eq!(
            visible(&browser, acting).await,
            Vec::<String>::new(),
            "{path}"
        );
        // The words of a time are of no size; the exact one stands in their place.
        let words = "const worded = [...document.querySelectorAll('time')].filter((it) =>
                /today|yesterday|tomorrow|ago|now/.test(it.textContent) && getComputedStyle(it).fontSize !== '0px');
            arguments[arguments.length - 1](worded.map((it) => it.outerHTML));";
        assert_eq!(browser.run(words, vec![]).await, json!([]), "{path}");
        let relative = "const text = [...document.querySelectorAll('main dd, main li > p, main p')].filter((it) =>
                it.getClientRects().length && !it.closest('.visually-hidden'));
            const own = (it) => [...it.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join(' ');
            arguments[arguments.length - 1](text.map(own).filter((it) => /today|yesterday|tomorrow/.test(it)));";
        assert_eq!(browser.run(relative, vec![]).await, json!([]), "{path}");
    }
    browser.close().await;
    app.stop().await;
}

async fn paper_has_the_settings_with_what_is_chosen(database: Database) {
    let (app, ada) = start(database).await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    browser.open("/account").await;
    on_paper(&browser).await;
    let labels = visible(&browser, "main label").await;
    for label in [
        "Sign out devices not used for",
        "Store my IP addresses",
        "Show times in",
    ] {
        assert!(labels.iter().any(|it| it.contains(label)), "{labels:?}");
    }
    for absent in ["password", "New e-mail"] {
        assert!(!labels.iter().any(|it| it.contains(absent)), "{labels:?}");
    }
    assert_eq!(visible(&browser, "main select").await.len(), 3);
    let styles = "const style = getComputedStyle(document.querySelector('#addresses-stored'));
        arguments[arguments.length - 1]([style.appearance, style.borderTopWidth]);";
    assert_eq!(browser.run(styles, vec![]).await, json!(["none", "0px"]));
    let headings = visible(&browser, "main h2").await;
    assert!(
        !headings.iter().any(|it| it.contains("Password")),
        "{headings:?}"
    );
    browser.close().await;
    app.stop().await;
}

async fn details_on_paper_have_the_whole_width(database: Database) {
    let (app, ada) = start(database).await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    browser.open("/devices").await;
    on_paper(&browser).await;
    let narrow = "const rows = [...document.querySelectorAll('.device')];
        const part = (row) => row.querySelector('dl').getBoundingClientRect().width / row.getBoundingClientRect().width;
        arguments[arguments.length - 1]([rows.length, rows.map(part).filter((it) => !(it > 0.9)).length]);";
    assert_eq!(browser.run(narrow, vec![]).await, json!([15, 0]));
    browser.close().await;
    app.stop().await;
}

async fn a_long_name_of_the_service_leaves_the_navigation_in_its_place(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.site.name = "Department of Agriculture and Rural Affairs, North-West area".into();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    for width in [1280, 768] {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        browser
            .command("Emulation.setDeviceMetricsOverride", size)
            .await;
        let places = "const box = (css) => document.querySelector(css).getBoundingClientRect();
            const [row, brand, nav] = ['.site-row', '.site .brand', '.site nav'].map(box);
            arguments[arguments.length - 1]([nav.left >= brand.right, nav.top < brand.bottom, row.height < 80]);";
        let found = browser.run(places, vec![]).await;
        assert_eq!(found, json!([true, true, true]), "{width}");
    }
    browser.close().await;
    app.stop().await;
}

async fn the_symbol_of_a_browser_stays_on_the_line_of_a_long_name(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login_named(&ada, IPHONE, &"A".repeat(255)).await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    browser.open("/devices").await;
    let lines = "const row = [...document.querySelectorAll('.device')].find((it) => it.textContent.includes('AAAA'));
        const symbol = row.querySelector('h3 .browser-icon').getBoundingClientRect();
        const name = row.querySelector('h3 bdi').getClientRects()[0];
        arguments[arguments.length - 1]([symbol.top < name.top + 24, symbol.bottom > name.top, document.documentElement.scrollWidth <= innerWidth]);";
    assert_eq!(browser.run(lines, vec![]).await, json!([true, true, true]));
    browser.close().await;
    app.stop().await;
}

async fn sessions_of_one_minute_have_buttons_of_different_names(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    for _ in 0..2 {
        app.login_from(&ada, IPHONE, "127.0.0.1", Some("a-phone"))
            .await;
    }
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::Off).await;
    browser.sign_in(&ada).await;
    browser.open("/devices").await;
    let page = browser.words_in("main").await;
    assert!(page.contains("2 sessions"), "{page}");
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let words = laptop.get("/devices").await.expect(200).words();
    for name in ["End session 1 of 2, of", "End session 2 of 2, of"] {
        assert_eq!(words.matches(name).count(), 1, "{name}: {words}");
    }
    browser.close().await;
    app.stop().await;
}
