//! Selecting several devices and finding one, in headless Chromium, with JavaScript and without.

use crate::support::database::Database;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: several_are_selected_and_signed_out,
    several_are_selected_and_signed_out_without_script,
    all_are_selected_at_once,
    all_of_many_are_selected_at_once,
    cancelling_keeps_the_search_and_the_selection,
    cancelling_keeps_the_search_and_the_selection_without_script,
    no_button_covers_the_details,
    paper_has_every_device_and_no_button,
    what_is_ticked_goes_along_to_each_list,
    what_is_ticked_goes_along_to_each_list_without_script,
    a_device_among_many_is_found,
    a_device_among_many_is_found_without_script,
);

const SELECTED: &str = "[data-ticked]";
const ROW: &str = "li.device[id^='device-'] input[name='device']";

/// Returns a browser at *Your devices*, with so many others.
async fn open(
    app: &TestApp,
    driver: &WebDriver,
    script: Script,
    others: usize,
) -> (Chromium, Vec<Device>) {
    let ada = app.register("ada@example.org").await;
    let mut devices = Vec::new();
    for n in 0..others {
        let name = format!("Phone {n}.");
        let device = app.login_named(&ada, IPHONE, &name).await;
        devices.push(device);
    }
    let laptop = driver.open(&app.base(), script).await;
    laptop.sign_in(&ada).await;
    (laptop, devices)
}

async fn several_are_selected_and_signed_out(database: Database) {
    select_several(database, Script::On).await;
}

async fn several_are_selected_and_signed_out_without_script(database: Database) {
    select_several(database, Script::Off).await;
}

async fn select_several(database: Database, script: Script) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let (laptop, devices) = open(&app, &driver, script, 3).await;
    app.advance(Duration::from_secs(11 * 60));
    laptop.open("/devices").await;
    for device in &devices[..2] {
        laptop
            .press(&format!("input[name='device'][value='{}']", device.id()))
            .await;
    }
    let words = laptop.words_in(SELECTED).await;
    let expected = if script == Script::On {
        "Sign out 2 selected"
    } else {
        "Sign out selected"
    };
    assert_eq!(words, expected);
    laptop.press(SELECTED).await;
    laptop.arrives_at("/devices/sign-out-selected").await;
    let named = laptop.words_in("main").await;
    assert!(named.contains("Sign out 2 devices?"), "{named}");
    // What was selected survives the way back and forth.
    laptop.go_back().await;
    laptop.arrives_at("/devices").await;
    laptop.go_forward().await;
    laptop.arrives_at("/devices/sign-out-selected").await;
    laptop
        .press("form[action='/devices/sign-out-selected'] button")
        .await;
    laptop.has(1, "form[action='/confirm']").await;
    laptop.type_into("input[name='password']", PASSWORD).await;
    laptop.press("form[action='/confirm'] button").await;
    laptop.arrives_at("/devices").await;
    laptop.has(1, "[role='status']").await;
    let message = laptop.words_in("[role='status']").await;
    assert_eq!(message, "2 devices are signed out.");
    let ended = "ended_reason = 'signed_out_remotely'";
    assert_eq!(app.database.sessions_where(ended), 2);
    assert_eq!(app.database.sessions_where("is_active"), 2);
    laptop.close().await;
    app.stop().await;
}

async fn all_are_selected_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let (laptop, _) = open(&app, &driver, Script::On, 3).await;
    laptop.has(3, ROW).await;
    laptop.has(1, "[data-ticked]:disabled").await;
    laptop.press("[data-tick-all] input").await;
    laptop.has(3, "input[name='device']:checked").await;
    assert_eq!(laptop.words_in(SELECTED).await, "Sign out 3 selected");
    laptop.press("input[name='device']").await;
    laptop.has(1, "[data-tick-all] input:indeterminate").await;
    assert_eq!(laptop.words_in(SELECTED).await, "Sign out 2 selected");
    laptop.close().await;
    app.stop().await;
}

async fn all_of_many_are_selected_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let (laptop, _) = open(&app, &driver, Script::On, 20).await;
    let words = laptop.words_in("[data-tick-all]").await;
    assert!(words.starts_with("Select all 20"), "{words}");
    laptop.press("[data-tick-all] input").await;
    laptop.has(20, "input[name='device']:checked").await;
    assert_eq!(laptop.words_in(SELECTED).await, "Sign out 20 selected");
    laptop.press(SELECTED).await;
    laptop.arrives_at("/devices/sign-out-selected").await;
    let named = laptop.words_in("main").await;
    assert!(named.contains("Sign out 20 devices?"), "{named}");
    laptop.close().await;
    app.stop().await;
}

async fn cancelling_keeps_the_search_and_the_selection(database: Database) {
    cancel(database, Script::On).await;
}

async fn cancelling_keeps_the_search_and_the_selection_without_script(database: Database) {
    cancel(database, Script::Off).await;
}

async fn cancel(database: Database, script: Script) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let (laptop, _) = open(&app, &driver, script, 13).await;
    laptop.open("/devices?q=phone+1.").await;
    laptop.has(2, ROW).await;
    laptop.press(ROW).await;
    laptop.press(&format!("li.device ~ {ROW}")).await;
    laptop.press(SELECTED).await;
    laptop.arrives_at("/devices/sign-out-selected").await;
    laptop.press("form.acts a").await;
    laptop.arrives_at("/devices").await;
    laptop.has(2, "input[name='device']:checked").await;
    assert_eq!(laptop.value_of("input[name='q']").await, "phone 1.");
    laptop.close().await;
    app.stop().await;
}

/// Returns the summaries of details that a button covers, or that are not inside the page.
const COVERED: &str = r"
    document.documentElement.style.fontSize = arguments[0];
    const box = (element) => element.getBoundingClientRect();
    const rows = [...document.querySelectorAll('li.device')].filter((row) => row.checkVisibility());
    const covered = rows.filter((row) => {
        const [a, b] = [row.querySelector('summary'), row.querySelector('button')].map(box);
        const overlaps = a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
        return overlaps || a.left < 0 || a.right > innerWidth || b.right > innerWidth;
    });
    arguments[1](covered.length + ' of ' + rows.length);";

async fn no_button_covers_the_details(database: Database) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    for others in [3, 13] {
        let (laptop, _) = open(&app, &driver, Script::On, others).await;
        for width in [320, 390, 570, 800] {
            let size =
                json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
            laptop
                .command("Emulation.setDeviceMetricsOverride", size)
                .await;
            for text in ["100%", "200%"] {
                let covered = laptop.run(COVERED, vec![json!(text)]).await;
                let covered = covered.as_str().expect("a text");
                let shown = 1 + others.min(12);
                assert_eq!(covered, format!("0 of {shown}"), "{width} px, {text}");
            }
        }
        laptop.close().await;
        app.database.execute("DELETE FROM users");
    }
    app.stop().await;
}

async fn paper_has_every_device_and_no_button(database: Database) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let (laptop, _) = open(&app, &driver, Script::On, 20).await;
    laptop
        .command("Emulation.setEmulatedMedia", json!({"media": "print"}))
        .await;
    let shown = |css: &str| {
        let script = "arguments[1]([...document.querySelectorAll(arguments[0])]
            .filter((it) => it.checkVisibility({contentVisibilityAuto: true})).length)";
        laptop.run(script, vec![json!(css)])
    };
    assert_eq!(
        shown("#other-devices ~ .device-list li.device h4").await,
        20
    );
    assert_eq!(shown("#other-devices ~ .device-list dt").await, 20 * 8);
    assert_eq!(shown("button, input, .toolbar").await, 0);
    laptop.close().await;
    app.stop().await;
}

async fn what_is_ticked_goes_along_to_each_list(database: Database) {
    tick_on_lists(database, Script::On).await;
}

async fn what_is_ticked_goes_along_to_each_list_without_script(database: Database) {
    tick_on_lists(database, Script::Off).await;
}

async fn tick_on_lists(database: Database, script: Script) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let (laptop, devices) = open(&app, &driver, script, 13).await;
    let box_of = |n: usize| format!("input[name='device'][value='{}']", devices[n].id());
    laptop.type_into("input[name='q']", "phone 7.").await;
    laptop.press("[role='search'] button").await;
    laptop.has(1, ROW).await;
    laptop.press(&box_of(7)).await;
    laptop.type_into("input[name='q']", "phone 5.").await;
    laptop
        .run(
            "document.getElementById('q').value = 'phone 5.'; arguments[0]()",
            vec![],
        )
        .await;
    laptop.press("[role='search'] button").await;
    laptop.has(1, &format!("{ROW}{}", "[value]")).await;
    laptop.has(1, &format!("#select {}", box_of(7))).await;
    laptop.press(&box_of(5)).await;
    if script == Script::On {
        assert_eq!(laptop.words_in(SELECTED).await, "Sign out 2 selected");
        let words = laptop.words_in("[data-selected]").await;
        assert_eq!(words, "2 selected, 1 not shown here.");
    }
    laptop.press(".found button").await;
    laptop.has(13, ROW).await;
    laptop.has(2, "input[name='device']:checked").await;
    laptop.press(SELECTED).await;
    laptop.arrives_at("/devices/sign-out-selected").await;
    let named = laptop.words_in("main").await;
    for name in ["Sign out 2 devices?", "Phone 5.", "Phone 7."] {
        assert!(named.contains(name), "{named}");
    }
    laptop.close().await;
    app.stop().await;
}

async fn a_device_among_many_is_found(database: Database) {
    find_one(database, Script::On).await;
}

async fn a_device_among_many_is_found_without_script(database: Database) {
    find_one(database, Script::Off).await;
}

async fn find_one(database: Database, script: Script) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let (laptop, devices) = open(&app, &driver, script, 13).await;
    laptop.has(1, "details.device-group[open]").await;
    laptop.type_into("input[name='q']", "phone 7.").await;
    laptop.press("[role='search'] button").await;
    laptop.has(1, ROW).await;
    let found = laptop.words_in(".found").await;
    assert!(found.contains("1 of 13 matches “phone 7.”."), "{found}");
    // One press signs it out, although its form is elsewhere on the page.
    laptop
        .press(&format!("#device-{} > button", devices[7].id()))
        .await;
    laptop.has(1, "[role='status']").await;
    let message = laptop.words_in("[role='status']").await;
    assert_eq!(message, "Phone 7. is signed out.");
    devices[7].current().await.problem(401, "unauthenticated");
    laptop.close().await;
    app.stop().await;
}
