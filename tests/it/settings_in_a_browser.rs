//! Settings that save themselves, and the way back from the page that requests the password, in a real
//! browser.

use crate::support::app::behind_proxy;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: with_script_a_setting_saves_as_it_is_changed,
    with_script_a_setting_that_fails_is_put_back,
    with_script_a_setting_that_an_unconfirmed_device_may_not_change_says_why,
    with_script_a_setting_leads_nobody_to_another_page,
    without_script_each_setting_has_its_button,
    cancel_leads_back_with_script,
    cancel_leads_back_without_script,
);

const IDLE: &str = "form[action='/account/idle-limit']";
const ADDRESSES: &str = "form[action='/account/addresses']";
const WEEK: &str = "SELECT count(*) AS value FROM users WHERE idle_limit_seconds = 604800";
const CHOOSE: &str = "const field = document.querySelector(arguments[0] + ' select');
    field.value = arguments[1];
    field.dispatchEvent(new Event('change', {bubbles: true}));
    arguments[arguments.length - 1](null);";

async fn choose(browser: &Chromium, form: &str, value: &str) {
    browser.run(CHOOSE, vec![json!(form), json!(value)]).await;
}

/// Waits until the form says something that begins with `words`.
async fn says(browser: &Chromium, form: &str, words: &str) {
    let status = format!("{form} [role='status']");
    browser.has(1, &status).await;
    for _ in 0..100 {
        let output = browser.words_in(&status).await;
        if output.starts_with(words) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "{form} does not say {words}: {}",
        browser.words_in(&status).await
    );
}

async fn with_script_a_setting_saves_as_it_is_changed(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    browser.open("/account").await;
    browser.has(1, &format!("{IDLE} button[hidden]")).await;
    choose(&browser, IDLE, "week").await;
    says(&browser, IDLE, "Saved").await;
    assert_eq!(browser.path().await, "/account");
    assert_eq!(app.database.number(WEEK), 1);
    // What deletes addresses waits for its button.
    choose(&browser, ADDRESSES, "none").await;
    browser
        .has(1, &format!("{ADDRESSES} button:not([hidden])"))
        .await;
    browser
        .has(0, &format!("{ADDRESSES} [role='status']"))
        .await;
    browser.close().await;
    app.stop().await;
}

async fn with_script_a_setting_that_fails_is_put_back(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    browser.open("/account").await;
    const BREAK: &str = "const field = document.querySelector(arguments[0] + ' select');
        field.add(new Option('never', 'never'));
        arguments[arguments.length - 1](null);";
    browser.run(BREAK, vec![json!(IDLE)]).await;
    choose(&browser, IDLE, "never").await;
    says(&browser, IDLE, "It was not saved").await;
    assert_eq!(browser.value_of(&format!("{IDLE} select")).await, "");
    const OFFLINE: &str = "window.fetch = () => Promise.reject(new TypeError('offline'));
        arguments[arguments.length - 1](null);";
    browser.run(OFFLINE, vec![]).await;
    choose(&browser, IDLE, "week").await;
    says(
        &browser,
        IDLE,
        "It was not saved: the service does not answer",
    )
    .await;
    assert_eq!(browser.value_of(&format!("{IDLE} select")).await, "");
    assert_eq!(app.database.number(WEEK), 0);
    browser.close().await;
    app.stop().await;
}

async fn with_script_a_setting_that_an_unconfirmed_device_may_not_change_says_why(
    database: Database,
) {
    let app = TestApp::start_with(database, behind_proxy).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, IPHONE, "203.0.113.7", Some("phone"))
        .await;
    app.advance(Duration::from_secs(60));
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    browser.open("/account").await;
    let before = browser.value_of(&format!("{IDLE} select")).await;
    choose(&browser, IDLE, "week").await;
    says(
        &browser,
        IDLE,
        "Nothing was changed. This device signed in recently, and nobody has confirmed it yet.",
    )
    .await;
    browser.has(1, &format!("{IDLE} button[hidden]")).await;
    assert_eq!(browser.value_of(&format!("{IDLE} select")).await, before);
    assert_eq!(app.database.number(WEEK), 0);
    browser.close().await;
    app.stop().await;
}

async fn with_script_a_setting_leads_nobody_to_another_page(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    app.advance(Duration::from_secs(8 * 24 * 60 * 60));
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    browser.open("/account").await;
    choose(&browser, IDLE, "week").await;
    says(&browser, IDLE, "Not saved yet").await;
    assert_eq!(browser.path().await, "/account");
    assert_eq!(app.database.number(WEEK), 0);
    browser.press(&format!("{IDLE} button")).await;
    browser.has(1, "input[name='confirmed']").await;
    let words = browser.words_in("main").await;
    assert!(words.contains("Safari on iPhone"), "{words}");
    browser
        .press("form[action='/account/idle-limit'] button")
        .await;
    browser.arrives_at("/account").await;
    browser.has(1, "p[role='status'].notice").await;
    let words = browser.words_in("p.notice").await;
    assert!(words.contains("Safari on iPhone is signed out"), "{words}");
    browser.close().await;
    app.stop().await;
}

async fn without_script_each_setting_has_its_button(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::Off).await;
    browser.sign_in(&ada).await;
    browser.open("/devices").await;
    browser.type_into(&format!("{IDLE} select"), "7 days").await;
    browser.press(&format!("{IDLE} button")).await;
    browser.has(1, "[role='status']").await;
    browser.arrives_at("/devices").await;
    let words = browser.words_in("[role='status']").await;
    assert!(words.contains("Saved."), "{words}");
    assert_eq!(app.database.number(WEEK), 1);
    browser.close().await;
    app.stop().await;
}

async fn cancel_leads_back_with_script(database: Database) {
    cancel(database, Script::On).await;
}

async fn cancel_leads_back_without_script(database: Database) {
    cancel(database, Script::Off).await;
}

async fn cancel(database: Database, script: Script) {
    const SIGN_OUT: &str = "main form[action$='/sign-out'] button";

    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), script).await;
    browser.sign_in(&ada).await;
    let phone = app.login(&ada, IPHONE).await;
    let device = format!("/devices/{}", phone.id());
    browser.open(&device).await;
    app.advance(Duration::from_secs(11 * 60));
    browser.press(SIGN_OUT).await;
    browser.has(1, "form[action='/confirm']").await;
    let words = browser.words_in("main").await;
    assert!(words.contains("Sign out Safari on iPhone?"), "{words}");
    // A wrong password does not forget the way back.
    browser.type_into("#password", "not it").await;
    browser.press("form[action='/confirm'] button").await;
    browser.has(1, "[role='alert']").await;
    browser.press("form[action='/confirm'] a").await;
    browser.arrives_at(&device).await;
    let live = "SELECT count(*) AS value FROM user_sessions WHERE is_active";
    assert_eq!(app.database.number(live), 2);
    browser.close().await;
    app.stop().await;
}
