//! An open page while something is answered or signed out elsewhere: no button comes to lie where another one
//! was, and no notice outlives what it says.

use serde_json::Value;

use crate::support::database::Database;
use crate::support::html;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: an_alert_that_is_answered_elsewhere_keeps_its_place,
    a_notice_goes_when_it_is_no_longer_true,
);
on_both!(app: a_notice_is_worded_anew_for_its_own_page_alone,);

const UNATTENDED: (&str, &str) = ("x-unattended", "1");
const CURL: &str = "curl/8.14.1";

async fn read(browser: &Chromium, expression: &str) -> Value {
    let script = format!("arguments[arguments.length - 1]({expression})");
    browser.run(&script, Vec::new()).await
}

/// Returns where the buttons of the last alert are in the window.
async fn last_answers(browser: &Chromium) -> Value {
    read(
        browser,
        "[...document.querySelectorAll('.alarm:last-child .answers button')].map((button) => {
           const { left, top } = button.getBoundingClientRect();
           return [left, top];
         })",
    )
    .await
}

async fn an_alert_that_is_answered_elsewhere_keeps_its_place(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    let elsewhere = app.signed_in_browser(&ada, FIREFOX).await;
    app.confirm_sign_ins();
    for agent in [IPHONE, CURL] {
        app.advance(Duration::from_secs(1));
        app.login(&ada, agent).await;
    }
    app.advance(Duration::from_secs(1));
    browser.open("/devices").await;
    browser.has(2, ".alarm").await;
    let before = last_answers(&browser).await;
    assert_eq!(before.as_array().map(Vec::len), Some(2));
    elsewhere.answer_alert("/yes").await;
    browser.has(1, ".alarm[data-answered]").await;
    browser
        .has(1, "form[action^='/alerts/'][action$='/no']")
        .await;
    let words = browser.words_in(".alarm[data-answered] .answers").await;
    assert!(
        words.starts_with("It was answered “Yes, it was me” on "),
        "{words}"
    );
    assert_eq!(last_answers(&browser).await, before);
    browser.open("/devices").await;
    browser.has(1, ".alarm").await;
    browser.has(0, ".alarm[data-answered]").await;
    browser.close().await;
    app.stop().await;
}

async fn a_notice_goes_when_it_is_no_longer_true(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), Script::On).await;
    browser.sign_in(&ada).await;
    app.advance(Duration::from_secs(1));
    let phone = app.login(&ada, IPHONE).await;
    app.advance(Duration::from_secs(1));
    browser.open("/devices").await;
    browser.press("form[action$='/yes'] button").await;
    browser.has(1, ".notice[data-notice]").await;
    let words = browser.words_in(".notice").await;
    assert_eq!(words, "Good: it was you. Safari on iPhone stays signed in.");
    // Another change leaves it.
    app.advance(Duration::from_secs(1));
    app.login(&ada, CURL).await;
    browser.has(1, ".alarm").await;
    browser.has(1, ".notice").await;
    app.advance(Duration::from_secs(1));
    phone.post("/api/v1/auth/logout").await.expect(204);
    browser.has(0, ".notice").await;
    browser.close().await;
    app.stop().await;
}

async fn a_notice_is_worded_anew_for_its_own_page_alone(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(1));
    app.login(&ada, IPHONE).await;
    let page = laptop.answer_alert("/yes").await;
    let token = html::attributes(&page.text, "data-notice").remove(0);
    let stated = [UNATTENDED, ("x-shown-notice", token.as_str())];
    const WORDS: &str = "Safari on iPhone stays signed in.";
    for _ in 0..2 {
        let again = laptop.get_with("/devices", &stated).await.expect(200);
        again.expect_words(WORDS);
    }
    let is_shown = async |browser: &Browser, headers: &[(&str, &str)]| {
        let page = browser.get_with("/devices", headers).await.expect(200);
        page.words().contains(WORDS)
    };
    assert!(!is_shown(&laptop, &stated[1..]).await);
    let other = app.signed_in_browser(&ada, FIREFOX).await;
    assert!(!is_shown(&other, &stated).await);
    let forged = format!("{token}x");
    let forged = [UNATTENDED, ("x-shown-notice", forged.as_str())];
    assert!(!is_shown(&laptop, &forged).await);
    // A device of that name signs in again.
    app.advance(Duration::from_secs(1));
    app.login(&ada, IPHONE).await;
    assert!(!is_shown(&laptop, &stated).await);
}
