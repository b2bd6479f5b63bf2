//! Open pages in Chromium while something changes elsewhere: nothing that somebody reads, ticks or types is
//! lost, and a page whose session ends says why.

use serde_json::Value;

use crate::support::database::Database;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: a_change_is_patched_into_the_open_page,
    typed_text_focus_and_scroll_survive_a_change,
    a_device_that_is_read_about_is_not_taken_away,
    a_page_that_names_what_it_does_announces_a_change,
    the_title_counts_what_needs_attention,
    every_page_says_why_it_was_signed_out,
    a_page_without_script_says_why_it_was_signed_out,
    a_hidden_page_catches_up,
    what_was_typed_survives_a_sign_out_elsewhere,
    what_was_typed_survives_a_sign_out_elsewhere_without_script,
);

struct Fixture {
    app: TestApp,
    ada: Person,
    driver: WebDriver,
}

async fn set_up(database: Database) -> Fixture {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    Fixture { app, ada, driver }
}

impl Fixture {
    /// Returns a browser of Ada's, at her devices, of which there are three. It is the one that knows her.
    async fn open(&self, script: Script) -> Chromium {
        let browser = self.driver.open(&self.app.base(), script).await;
        browser.sign_in(&self.ada).await;
        for _ in 0..2 {
            self.app.login(&self.ada, FIREFOX).await;
        }
        self.app.advance(Duration::from_secs(1));
        browser.open("/devices").await;
        browser
    }

    /// Signs in on another device.
    async fn sign_in_elsewhere(&self) -> Device {
        self.app.advance(Duration::from_secs(1));
        let phone = self.app.login(&self.ada, IPHONE).await;
        self.app.advance(Duration::from_secs(1));
        phone
    }

    async fn stop(self, browser: Chromium) {
        browser.close().await;
        self.app.stop().await;
    }
}

/// Returns what an expression says of the page.
async fn read(browser: &Chromium, expression: &str) -> Value {
    let script = format!("arguments[arguments.length - 1]({expression})");
    browser.run(&script, Vec::new()).await
}

/// Runs statements in the page.
async fn run(browser: &Chromium, statements: &str) {
    let script = format!("{statements}; arguments[arguments.length - 1](null)");
    browser.run(&script, Vec::new()).await;
}

const ANDROID: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) \
                       Chrome/124.0.0.0 Mobile Safari/537.36";
const OTHERS: &str = ".device-list li.device";
const ALERTS: &str = "form[action^='/alerts/'][action$='/no']";

async fn a_change_is_patched_into_the_open_page(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.has(2, OTHERS).await;
    let alerts = format!("document.querySelectorAll(\"{ALERTS}\").length");
    let before = read(&browser, &alerts).await.as_u64().expect("a number");
    run(&browser, "window.isOpenSince = 'before'").await;
    run(
        &browser,
        "document.querySelector('li.device details').open = true",
    )
    .await;
    let phone = fixture.sign_in_elsewhere().await;
    browser.has(3, OTHERS).await;
    let summary = browser.words_in(".lead").await;
    assert!(summary.contains("4 devices"), "{summary}");
    browser.has(before as usize + 1, ALERTS).await;
    assert_eq!(read(&browser, "window.isOpenSince").await, "before");
    browser.has(1, "li.device details[open]").await;
    fixture.app.advance(Duration::from_secs(1));
    phone.post("/api/v1/auth/logout").await.expect(204);
    browser.has(2, OTHERS).await;
    assert_eq!(read(&browser, "window.isOpenSince").await, "before");
    browser.has(0, "#changed").await;
    fixture.stop(browser).await;
}

async fn typed_text_focus_and_scroll_survive_a_change(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    // A tick and a field, as other parts of the page may have them, in the first other device.
    run(
        &browser,
        "const row = document.querySelector('.device-list li.device');
         row.querySelector('form').insertAdjacentHTML('beforeend',
           '<input type=checkbox name=device><input name=note>')",
    )
    .await;
    browser.press("input[name='device']").await;
    browser.type_into("input[name='note']", "half a sent").await;
    run(&browser, "scrollTo(0, 150)").await;
    let top = "Math.round(document.querySelector('input[name=note]').getBoundingClientRect().top)";
    let before = read(&browser, top).await;
    fixture.sign_in_elsewhere().await;
    browser.has(3, OTHERS).await;
    assert_eq!(browser.value_of("input[name='note']").await, "half a sent");
    browser.has(1, "input[name='device']:checked").await;
    let focus = read(&browser, "document.activeElement.name").await;
    assert_eq!(focus, "note");
    // The browser anchors the scroll position to what is read.
    let after = read(&browser, top).await;
    let moved = (before.as_i64().expect("a number") - after.as_i64().expect("a number")).abs();
    assert!(moved < 400, "{before} and {after}");
    fixture.stop(browser).await;
}

async fn a_device_that_is_read_about_is_not_taken_away(database: Database) {
    let fixture = set_up(database).await;
    let phone = fixture.sign_in_elsewhere().await;
    let browser = fixture.open(Script::On).await;
    let row = format!("[id='device-{}']", phone.id());
    run(
        &browser,
        &format!("document.querySelector(\"{row} details\").open = true"),
    )
    .await;
    fixture.app.advance(Duration::from_secs(1));
    phone.post("/api/v1/auth/logout").await.expect(204);
    browser.has(1, "#changed[role='status'] button").await;
    let words = browser.words_in("#changed").await;
    assert!(words.contains("Something changed."), "{words}");
    browser.has(1, &format!("{row} details[open]")).await;
    browser.press("#changed button").await;
    browser.has(0, &row).await;
    browser.has(0, "#changed").await;
    browser.arrives_at("/devices").await;
    fixture.stop(browser).await;
}

async fn a_page_that_names_what_it_does_announces_a_change(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.open("/devices/sign-out-others").await;
    let before = browser.words_in("h1").await;
    fixture.sign_in_elsewhere().await;
    browser.has(1, "#changed button").await;
    assert_eq!(browser.words_in("h1").await, before);
    browser.has(1, "#attention a").await;
    browser.press("#changed button").await;
    browser.has(0, "#changed").await;
    assert_ne!(browser.words_in("h1").await, before);
    fixture.stop(browser).await;
}

async fn the_title_counts_what_needs_attention(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    for (page, agent) in [("/devices", IPHONE), ("/account", ANDROID)] {
        browser.open(page).await;
        let before = read(&browser, "document.title").await;
        let before = before.as_str().expect("a title").to_owned();
        fixture.app.advance(Duration::from_secs(1));
        fixture.app.login(&fixture.ada, agent).await;
        crate::support::eventually("a title that counts", async || {
            let title = read(&browser, "document.title").await;
            title
                .as_str()
                .is_some_and(|title| title != before && title.starts_with('('))
        })
        .await;
    }
    // Without script it is the server that counts.
    let page = fixture.app.signed_in_browser(&fixture.ada, FIREFOX).await;
    let page = page.get("/account").await.expect(200);
    let (_, title) = page.text.split_once("<title>").expect("a title");
    assert!(
        title.starts_with('(') || !page.text.contains("attention\"><p"),
        "{title}"
    );
    fixture.stop(browser).await;
}

async fn every_page_says_why_it_was_signed_out(database: Database) {
    says_why(database, Script::On).await;
}

async fn a_page_without_script_says_why_it_was_signed_out(database: Database) {
    says_why(database, Script::Off).await;
}

async fn says_why(database: Database, script: Script) {
    let fixture = set_up(database).await;
    fixture.app.set_role(&fixture.ada, "admin");
    let browser = fixture.open(script).await;
    for page in ["/devices", "/account", "/admin", "/admin/users"] {
        browser.open(page).await;
        fixture.app.advance(Duration::from_secs(1));
        let phone = fixture.app.login(&fixture.ada, IPHONE).await;
        fixture.app.advance(Duration::from_secs(1));
        phone.delete("/api/v1/sessions/others").await.expect(200);
        if script == Script::Off {
            browser.open(page).await;
        }
        browser.arrives_at("/sign-in").await;
        let words = browser.words_in("[role='status']").await;
        let expected = "This device was signed out from Safari on iPhone";
        assert!(words.contains(expected), "{page}: {words}");
        browser.complete_sign_in(&fixture.ada).await;
        browser.arrives_at(page).await;
    }
    fixture.stop(browser).await;
}

/// While it is hidden it has no connection; what happened meanwhile is shown with it.
async fn a_hidden_page_catches_up(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.has(2, OTHERS).await;
    let pretend = |hidden: bool| {
        format!(
            "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }});
             document.dispatchEvent(new Event('visibilitychange'))"
        )
    };
    run(&browser, &pretend(true)).await;
    assert_eq!(read(&browser, "changes === null").await, true);
    fixture.sign_in_elsewhere().await;
    run(&browser, &pretend(false)).await;
    browser.has(3, OTHERS).await;
    run(&browser, &pretend(true)).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    phone.delete("/api/v1/sessions/others").await.expect(200);
    run(&browser, &pretend(false)).await;
    browser.arrives_at("/sign-in").await;
    fixture.stop(browser).await;
}

async fn what_was_typed_survives_a_sign_out_elsewhere(database: Database) {
    typed_survives(database, Script::On).await;
}

async fn what_was_typed_survives_a_sign_out_elsewhere_without_script(database: Database) {
    typed_survives(database, Script::Off).await;
}

/// The session ends in another tab, and the form of the first is sent. With script, the page would go to
/// sign-in by itself once it is shown.
async fn typed_survives(database: Database, script: Script) {
    let fixture = set_up(database).await;
    let browser = fixture.open(script).await;
    browser.open("/account").await;
    if script == Script::On {
        run(&browser, "stopListening(); changes = { close() {} }").await;
    }
    browser.type_into("#full_name", "Ada King").await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    phone.delete("/api/v1/sessions/others").await.expect(200);
    browser.press("form[action='/account/name'] button").await;
    browser.arrives_at("/sign-in").await;
    browser.complete_sign_in(&fixture.ada).await;
    browser.arrives_at("/unsent-form").await;
    assert_eq!(browser.value_of("#full_name").await, "Ada LovelaceAda King");
    browser.press("form[action='/account/name'] button").await;
    browser.arrives_at("/account").await;
    assert_eq!(browser.value_of("#full_name").await, "Ada LovelaceAda King");
    // *Back* after a failed form leads to its page.
    browser.type_into("#full_name", &"x".repeat(10)).await;
    browser.open("/account/name").await;
    browser.arrives_at("/account").await;
    fixture.stop(browser).await;
}
