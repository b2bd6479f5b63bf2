//! Whole scenarios in headless Chromium, with JavaScript and without.

use crate::support::database::Database;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: a_device_is_signed_out_from_another_one,
    a_device_is_signed_out_from_another_one_without_script,
    an_open_page_goes_to_sign_in_when_its_session_ends,
    an_action_continues_after_the_step_up,
    a_new_sign_in_is_shown_at_once_and_signed_out,
    a_new_sign_in_is_shown_and_signed_out_without_script,
    all_of_a_page_are_ticked_at_once,
    without_script_each_is_ticked_by_itself,
);

/// The button that signs out another device.
const SIGN_OUT_OTHER: &str = "form[action^='/devices/'][action$='/sign-out'] button";

async fn a_device_is_signed_out_from_another_one(database: Database) {
    sign_out_from_another(database, Script::On).await;
}

async fn a_device_is_signed_out_from_another_one_without_script(database: Database) {
    sign_out_from_another(database, Script::Off).await;
}

async fn sign_out_from_another(database: Database, script: Script) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), script).await;
    let desktop = driver.open(&app.base(), script).await;
    laptop.sign_in(&ada).await;
    desktop.sign_in(&ada).await;
    let summary = desktop.words_in("main").await;
    assert!(summary.contains("2 devices"), "{summary}");
    desktop.has(1, SIGN_OUT_OTHER).await;

    desktop.press(SIGN_OUT_OTHER).await;
    desktop.has(1, "[role='status']").await;
    desktop.has(0, SIGN_OUT_OTHER).await;
    let message = desktop.words_in("[role='status']").await;
    assert!(message.contains("signed out"), "{message}");
    desktop.open("/devices").await;
    desktop.has(0, "[role='status']").await;

    laptop.open("/devices").await;
    laptop.arrives_at("/sign-in").await;
    desktop.open("/devices").await;
    assert_eq!(desktop.path().await, "/devices");

    laptop.close().await;
    desktop.close().await;
    app.stop().await;
}

async fn an_open_page_goes_to_sign_in_when_its_session_ends(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), Script::On).await;
    laptop.sign_in(&ada).await;
    laptop.has(0, SIGN_OUT_OTHER).await;
    app.advance(Duration::from_secs(1));
    let phone = app.login(&ada, IPHONE).await;
    laptop.has(1, SIGN_OUT_OTHER).await;
    app.advance(Duration::from_secs(1));
    phone.delete("/api/v1/sessions/others").await.expect(200);
    laptop.arrives_at("/sign-in").await;
    laptop.close().await;
    app.stop().await;
}

/// Without JavaScript: status 307 makes the browser itself post the form again.
async fn an_action_continues_after_the_step_up(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), Script::Off).await;
    laptop.sign_in(&ada).await;
    let phone = app.login(&ada, IPHONE).await;
    laptop.open("/devices").await;
    app.advance(Duration::from_secs(11 * 60));
    laptop.press(SIGN_OUT_OTHER).await;
    laptop.has(1, "form[action='/confirm']").await;
    let prompt = laptop.words_in("main").await;
    assert!(prompt.contains("Enter your password"), "{prompt}");
    laptop.type_into("input[name='password']", PASSWORD).await;
    laptop.press("form[action='/confirm'] button").await;
    laptop.arrives_at("/devices").await;
    laptop.has(1, "[role='status']").await;
    let message = laptop.words_in("[role='status']").await;
    assert!(
        message.contains("Safari on iPhone is signed out"),
        "{message}"
    );
    app.anyone()
        .refresh(&phone.refresh_token)
        .await
        .problem(401, "invalid_token");
    laptop.close().await;
    app.stop().await;
}

async fn a_new_sign_in_is_shown_at_once_and_signed_out(database: Database) {
    report_new_sign_in(database, Script::On).await;
}

async fn a_new_sign_in_is_shown_and_signed_out_without_script(database: Database) {
    report_new_sign_in(database, Script::Off).await;
}

/// Reports the alert of a new sign-in with its button. With JavaScript, "Was this you?" appears on
/// an open page by itself.
async fn report_new_sign_in(database: Database, script: Script) {
    const REPORT: &str = "form[action^='/alerts/'][action$='/no'] button";

    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let laptop = driver.open(&app.base(), script).await;
    laptop.sign_in(&ada).await;
    laptop.has(0, REPORT).await;
    app.advance(Duration::from_secs(1));
    let stranger = app.login(&ada, IPHONE).await;
    if script == Script::Off {
        laptop.open("/devices").await;
    }
    laptop.has(1, REPORT).await;
    let prompt = laptop.words_in("#was-this-you").await;
    assert!(prompt.contains("Safari on iPhone"), "{prompt}");
    laptop.press(REPORT).await;
    laptop.has(1, "[role='status']").await;
    laptop.has(0, REPORT).await;
    let notice = laptop.words_in("[role='status']").await;
    assert!(
        notice.contains("Safari on iPhone is signed out"),
        "{notice}"
    );
    stranger.current().await.problem(401, "unauthenticated");
    laptop.close().await;
    app.stop().await;
}

/// Returns a browser of an administrator at the list of sessions, of which there are four.
async fn administrate(app: &TestApp, driver: &WebDriver, script: Script) -> Chromium {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let ada = app.register("ada@example.org").await;
    for agent in [FIREFOX, IPHONE, IPHONE] {
        app.login(&ada, agent).await;
    }
    let browser = driver.open(&app.base(), script).await;
    browser.sign_in(&root).await;
    browser.open("/admin/sessions?sort=opened").await;
    browser
}

const TICKED: &str = "input[name='session']:checked";
const END_TICKED: &str = "[data-ticked]";

async fn all_of_a_page_are_ticked_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let browser = administrate(&app, &driver, Script::On).await;
    browser.has(1, "[data-ticked]:disabled").await;
    browser.press("[data-tick-all] input").await;
    browser.has(4, TICKED).await;
    assert_eq!(browser.words_in(END_TICKED).await, "End 4 ticked…");
    let label = browser.words_in("[data-tick-all]").await;
    assert_eq!(label, "Tick all on this page · 4 of 4 ticked");
    browser.press("tbody tr:last-child input").await;
    browser.has(3, TICKED).await;
    browser.has(1, "[data-tick-all] input:indeterminate").await;
    browser.press(END_TICKED).await;
    browser.arrives_at("/admin/sessions/end").await;
    // The browser goes back to the list, and forwards to the page, without asking to send a form again.
    browser.go_back().await;
    browser.arrives_at("/admin/sessions").await;
    browser.has(1, "[aria-sort='ascending']").await;
    browser.go_forward().await;
    browser.arrives_at("/admin/sessions/end").await;
    browser.has(1, "form[action='/admin/sessions/end']").await;
    browser.close().await;
    app.stop().await;
}

async fn without_script_each_is_ticked_by_itself(database: Database) {
    let app = TestApp::start(database).await;
    let driver = WebDriver::start();
    let browser = administrate(&app, &driver, Script::Off).await;
    browser.has(0, ":disabled").await;
    browser.has(1, "[data-tick-all][hidden]").await;
    browser.press("tbody tr:first-child input").await;
    browser.press(END_TICKED).await;
    browser.arrives_at("/admin/sessions/end").await;
    browser.has(1, "input[name='session']").await;
    browser.close().await;
    app.stop().await;
}
