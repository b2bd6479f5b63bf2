//! Whole scenarios in headless Chromium, with JavaScript and without.

use crate::support::database::Database;
use crate::support::prelude::*;
use crate::support::webdriver::{Script, WebDriver};

on_both!(
    database: a_device_is_signed_out_from_another_one,
    a_device_is_signed_out_from_another_one_without_script,
    an_open_page_goes_to_sign_in_when_its_session_ends,
    an_action_continues_after_the_step_up,
    a_new_sign_in_is_shown_at_once_and_signed_out,
    a_new_sign_in_is_shown_and_signed_out_without_script,
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
    assert!(prompt.contains("Your password, please"), "{prompt}");
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
    let prompt = laptop.words_in("[aria-labelledby='was-this-you']").await;
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
