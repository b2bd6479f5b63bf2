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
    an_untouched_list_becomes_a_long_one_at_once,
    an_untouched_long_list_becomes_a_short_one_at_once,
    a_list_with_a_tick_waits_while_all_else_is_shown,
    a_list_with_an_open_device_waits_while_all_else_is_shown,
    a_page_that_names_what_it_does_announces_a_change,
    the_title_counts_what_needs_attention,
    every_page_says_why_it_was_signed_out,
    a_page_without_script_says_why_it_was_signed_out,
    a_hidden_page_catches_up,
    what_was_typed_survives_a_sign_out_elsewhere,
    a_page_that_is_signed_out_keeps_what_is_typed,
    a_page_that_is_signed_out_says_so_before_the_server_answers,
    a_page_that_is_signed_out_is_not_for_another_person,
    what_was_typed_is_not_sent_for_another_person,
    what_was_typed_is_not_restored_for_another_person,
    an_answer_in_another_tab_is_shown,
    a_setting_that_is_saved_elsewhere_is_shown,
    show_keeps_search_text_and_ticks,
    back_brings_exactly_the_ticks_that_were_there,
    many_changes_are_few_requests,
    a_broken_response_ends_no_updates,
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

    /// Returns a browser at this many other devices, and the last of them.
    async fn open_with_others(&self, count: usize) -> (Chromium, Device) {
        let browser = self.open(Script::On).await;
        let mut last = None;
        for n in 2..count {
            let id = format!("d{n}");
            let login = self
                .app
                .login_from(&self.ada, IPHONE, "203.0.113.7", Some(&id));
            last = Some(login.await);
        }
        self.app.advance(Duration::from_secs(1));
        browser.open("/devices").await;
        browser.has(1, "#device-list").await;
        run(&browser, "window.isOpenSince = 'before'").await;
        (browser, last.expect("another device"))
    }

    /// Signs in on a device of a new kind, and expects the page to show all but the list.
    async fn sign_in_on_android(&self, browser: &Chromium) {
        let alerts = browser.count(ALERTS).await.expect("a page");
        self.app.advance(Duration::from_secs(1));
        self.app.login(&self.ada, ANDROID).await;
        browser.has(alerts + 1, ALERTS).await;
        self.expect_patched(browser, 14).await;
    }

    async fn expect_patched(&self, browser: &Chromium, devices: usize) {
        let devices = format!("{devices} devices");
        crate::support::eventually("the summary", async || {
            browser.words_in(".lead").await.contains(&devices)
        })
        .await;
        assert_eq!(read(browser, "window.isOpenSince").await, "before");
        let title = read(browser, "document.title").await;
        let alerts = browser.count(ALERTS).await.expect("a page");
        let title = title.as_str().expect("a title");
        assert!(title.starts_with(&format!("({alerts})")), "{title}");
        browser.has(1, ".device-list").await;
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

const SHORT: &str = "[data-shape='short']";
const LONG: &str = "[data-shape='long']";
const BOX: &str = "input[name='device']";

async fn an_untouched_list_becomes_a_long_one_at_once(database: Database) {
    let fixture = set_up(database).await;
    let (browser, _) = fixture.open_with_others(12).await;
    browser.has(1, SHORT).await;
    fixture.sign_in_on_android(&browser).await;
    browser.has(1, LONG).await;
    browser.has(13, BOX).await;
    browser.has(0, "#changed").await;
    // It is used like the one before it.
    browser.has(1, "[data-tick-all]:not([hidden])").await;
    let tick = "document.querySelector('[data-tick-all] input').click()";
    run(&browser, tick).await;
    browser.has(13, &format!("{BOX}:checked")).await;
    let button = browser.words_in("[data-ticked]").await;
    assert_eq!(button, "Sign out 13 selected");
    fixture.stop(browser).await;
}

async fn an_untouched_long_list_becomes_a_short_one_at_once(database: Database) {
    let fixture = set_up(database).await;
    let (browser, phone) = fixture.open_with_others(13).await;
    browser.has(1, LONG).await;
    phone.post("/api/v1/auth/logout").await.expect(204);
    browser.has(1, SHORT).await;
    browser.has(12, BOX).await;
    fixture.expect_patched(&browser, 13).await;
    browser.has(0, "#changed").await;
    fixture.stop(browser).await;
}

async fn a_list_with_a_tick_waits_while_all_else_is_shown(database: Database) {
    let fixture = set_up(database).await;
    let (browser, _) = fixture.open_with_others(12).await;
    let ticked = format!("{BOX}:checked");
    run(
        &browser,
        &format!("document.querySelector(\"{BOX}\").click()"),
    )
    .await;
    fixture.sign_in_on_android(&browser).await;
    browser.has(1, "#changed[role='status'] button").await;
    browser.has(1, SHORT).await;
    browser.has(12, BOX).await;
    browser.has(1, &ticked).await;
    browser.press("#changed button").await;
    browser.has(1, LONG).await;
    browser.has(1, &ticked).await;
    browser.has(0, "#changed").await;
    fixture.stop(browser).await;
}

async fn a_list_with_an_open_device_waits_while_all_else_is_shown(database: Database) {
    let fixture = set_up(database).await;
    let (browser, phone) = fixture.open_with_others(13).await;
    run(
        &browser,
        "document.querySelector('.device-list li details').open = true",
    )
    .await;
    phone.post("/api/v1/auth/logout").await.expect(204);
    browser.has(1, "#changed[role='status'] button").await;
    browser.has(1, LONG).await;
    fixture.expect_patched(&browser, 13).await;
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
    // The title goes on being about the same devices, and counts what needs attention.
    let title = read(&browser, "document.title").await;
    let title = title.as_str().expect("a title");
    assert!(title.starts_with(&format!("(1) {before}")), "{title}");
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

const TYPED: &str = "What you typed is still here";
const NAME_FORM: &str = "form[action='/account/name']";
/// What is to be read on the page, but for the bar.
const SHOWN: &str =
    "[...document.querySelectorAll('#main :is(h1, h2, p, li, label, button, a, summary)')]
    .filter((it) => !it.closest('#changed') && it.checkVisibility())
    .map((it) => it.textContent.trim()).join(' ')";

fn is_shown(css: &str) -> String {
    format!("document.querySelector(\"{css}\").checkVisibility()")
}

/// The name is typed, and the session ends elsewhere. Nothing is lost, and nothing need be.
async fn a_page_that_is_signed_out_keeps_what_is_typed(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.open("/account").await;
    browser.type_into("#full_name", " King").await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    fixture.app.confirm_sign_ins();
    phone.delete("/api/v1/sessions/others").await.expect(200);
    browser
        .has(1, "#changed[role='status'] a[target='_blank']")
        .await;
    // It says why, as the sign-in page does.
    crate::support::eventually("why it was", async || {
        let words = browser.words_in("#changed").await;
        words.starts_with("This device was signed out from Safari on iPhone, ")
    })
    .await;
    let words = browser.words_in("#changed").await;
    assert!(words.contains(TYPED), "{words}");
    assert!(words.ends_with("Sign in (in a new tab)"), "{words}");
    assert_eq!(browser.path().await, "/account");
    // Nothing else of the page is left to whoever has the device.
    assert_eq!(read(&browser, &is_shown(NAME_FORM)).await, true);
    let shown = read(&browser, SHOWN).await;
    assert_eq!(shown.as_str(), Some("Name Save your name"));
    // Signed in again in another tab, the page is of use again.
    browser.new_tab().await;
    browser.open("/sign-in").await;
    fixture.app.advance(Duration::from_secs(1));
    browser.complete_sign_in(&fixture.ada).await;
    browser.arrives_at("/devices").await;
    browser.go_to_tab(0).await;
    run(&browser, "dispatchEvent(new Event('focus'))").await;
    browser.has(0, "#changed a").await;
    crate::support::eventually("that it can be sent", async || {
        browser
            .words_in("#changed")
            .await
            .contains("signed in again")
    })
    .await;
    assert_eq!(browser.value_of("#full_name").await, "Ada Lovelace King");
    assert_eq!(read(&browser, &is_shown("#main h1")).await, true);
    // The bar lies over the foot of the window.
    let middle = "document.getElementById('full_name').scrollIntoView({ block: 'center' })";
    run(&browser, middle).await;
    browser.press("form[action='/account/name'] button").await;
    browser.has(1, "p[role='status'].notice").await;
    assert_eq!(browser.value_of("#full_name").await, "Ada Lovelace King");
    fixture.stop(browser).await;
}

async fn a_page_that_is_signed_out_says_so_before_the_server_answers(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.open("/account").await;
    browser.type_into("#full_name", " King").await;
    let delay = "const load = window.fetch;
        window.fetch = (...all) => new Promise((answer) => { window.go = () => answer(load(...all)); })";
    run(&browser, delay).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    fixture.app.confirm_sign_ins();
    phone.delete("/api/v1/sessions/others").await.expect(200);
    browser.has(1, "#changed[role='status'] a").await;
    let words = browser.words_in("#changed").await;
    let words_at_once = "This device was signed out. What you typed is still here.";
    assert!(words.starts_with(words_at_once), "{words}");
    run(&browser, "window.go()").await;
    crate::support::eventually("why it was", async || {
        let words = browser.words_in("#changed").await;
        words.starts_with("This device was signed out from Safari on iPhone, ")
            && words.ends_with("Sign in (in a new tab)")
    })
    .await;
    browser.has(1, "#changed a").await;
    fixture.stop(browser).await;
}

async fn a_page_that_is_signed_out_is_not_for_another_person(database: Database) {
    let fixture = set_up(database).await;
    let bob = fixture.app.register("bob@example.org").await;
    let browser = fixture.open(Script::On).await;
    browser.open("/account").await;
    browser.type_into("#full_name", " King").await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    phone.delete("/api/v1/sessions/others").await.expect(200);
    browser.has(1, "#changed a").await;
    let token = "document.querySelector(\"form[action='/account/name'] [name=csrf]\").value";
    let before = read(&browser, token).await;
    browser.new_tab().await;
    browser.open("/sign-in").await;
    fixture.app.advance(Duration::from_secs(1));
    browser.complete_sign_in(&bob).await;
    browser.arrives_at("/devices").await;
    browser.go_to_tab(0).await;
    run(&browser, "dispatchEvent(new Event('focus'))").await;
    fixture.app.advance(Duration::from_secs(1));
    fixture.app.login(&bob, IPHONE).await;
    run(&browser, "refreshIn(0)").await;
    crate::support::eventually("a request", async || {
        read(&browser, "loadedAt > 0 && !isLoading").await == true
    })
    .await;
    assert_eq!(read(&browser, token).await, before);
    crate::support::eventually("who is signed in", async || {
        let words = browser.words_in("#changed").await;
        words.contains("Somebody else is signed in") && words.contains(TYPED)
    })
    .await;
    browser.has(0, "#changed a").await;
    assert_eq!(read(&browser, &is_shown("#main h1")).await, false);
    assert_eq!(browser.value_of("#full_name").await, "Ada Lovelace King");
    fixture.stop(browser).await;
}

/// Bob signs in in another tab, and what Ada typed is sent at once: in nobody's name.
async fn what_was_typed_is_not_sent_for_another_person(database: Database) {
    let fixture = set_up(database).await;
    let bob = fixture.app.register("bob@example.org").await;
    let browser = fixture.open(Script::On).await;
    browser.open("/account").await;
    browser.type_into("#full_name", " King").await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    phone.delete("/api/v1/sessions/others").await.expect(200);
    browser.has(1, "#changed a").await;
    browser.new_tab().await;
    browser.open("/sign-in").await;
    browser.complete_sign_in(&bob).await;
    browser.arrives_at("/devices").await;
    browser.go_to_tab(0).await;
    let middle = "document.getElementById('full_name').scrollIntoView({ block: 'center' })";
    run(&browser, middle).await;
    browser.press("form[action='/account/name'] button").await;
    crate::support::eventually("who is signed in", async || {
        let words = browser.words_in("#changed").await;
        words.contains("nothing is sent from here")
    })
    .await;
    browser.press("form[action='/account/name'] button").await;
    assert_eq!(browser.value_of("#full_name").await, "Ada Lovelace King");
    assert_eq!(browser.path().await, "/account");
    let sql = "SELECT count(*) AS value FROM users WHERE full_name LIKE '%King'";
    assert_eq!(fixture.app.database.number(sql), 0);
    fixture.stop(browser).await;
}

/// *Show* stores what is typed for the page that comes next at the address.
async fn what_was_typed_is_not_restored_for_another_person(database: Database) {
    let fixture = set_up(database).await;
    let bob = fixture.app.register("bob@example.org").await;
    let browser = fixture.open(Script::On).await;
    for (person, shown) in [(&bob, "Ada Lovelace"), (&fixture.ada, "Ada Lovelace King")] {
        browser.open("/account").await;
        run(&browser, "stopListening(); changes = { close() {} }").await;
        browser.type_into("#full_name", " King").await;
        let phone = fixture.app.login(&fixture.ada, IPHONE).await;
        phone.delete("/api/v1/sessions/others").await.expect(200);
        run(&browser, "storeFields(); location.assign('/account')").await;
        browser.arrives_at("/sign-in").await;
        fixture.app.advance(Duration::from_secs(1));
        browser.complete_sign_in(person).await;
        browser.arrives_at("/account").await;
        assert_eq!(browser.value_of("#full_name").await, shown);
        run(&browser, "sessionStorage.clear()").await;
        browser.open("/devices").await;
        browser
            .press("header form[action='/sign-out'] button")
            .await;
        browser.arrives_at("/sign-in").await;
        browser.open("/sign-in").await;
        browser.complete_sign_in(&fixture.ada).await;
        browser.arrives_at("/devices").await;
    }
    fixture.stop(browser).await;
}

async fn an_answer_in_another_tab_is_shown(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    fixture.sign_in_elsewhere().await;
    browser.open("/devices").await;
    let open = read(
        &browser,
        &format!("document.querySelectorAll(\"{ALERTS}\").length"),
    )
    .await;
    let open = open.as_u64().expect("a number") as usize;
    assert!(open > 0);
    run(&browser, "window.isOpenSince = 'before'").await;
    fixture.app.advance(Duration::from_secs(1));
    browser.new_tab().await;
    browser.open("/devices").await;
    browser
        .press("form[action^='/alerts/'][action$='/yes'] button")
        .await;
    browser.has(open - 1, ALERTS).await;
    browser.go_to_tab(0).await;
    browser.has(open - 1, ALERTS).await;
    assert_eq!(read(&browser, "window.isOpenSince").await, "before");
    fixture.stop(browser).await;
}

/// A choice that nobody has touched becomes what it is, and a failed save leads back to that.
async fn a_setting_that_is_saved_elsewhere_is_shown(database: Database) {
    let fixture = set_up(database).await;
    let elsewhere = fixture.app.signed_in_browser(&fixture.ada, FIREFOX).await;
    let browser = fixture.open(Script::On).await;
    assert_eq!(browser.value_of("#idle_limit").await, "");
    fixture.app.advance(Duration::from_secs(1));
    let fields = [("idle_limit", "week")];
    elsewhere
        .submit("/account", "/account/idle-limit", &fields)
        .await
        .expect(303);
    crate::support::eventually("the choice", async || {
        browser.value_of("#idle_limit").await == "week"
    })
    .await;
    browser.has(0, "#changed").await;
    run(
        &browser,
        "window.fetch = () => Promise.reject(new TypeError('offline'));
         const field = document.getElementById('idle_limit');
         field.value = 'month';
         field.dispatchEvent(new Event('change', { bubbles: true }))",
    )
    .await;
    crate::support::eventually("the choice again", async || {
        browser.value_of("#idle_limit").await == "week"
    })
    .await;
    fixture.stop(browser).await;
}

async fn show_keeps_search_text_and_ticks(database: Database) {
    let fixture = set_up(database).await;
    for n in 0..13 {
        let id = format!("d{n}");
        let from = (IPHONE, "203.0.113.7", Some(id.as_str()));
        fixture
            .app
            .login_from(&fixture.ada, from.0, from.1, from.2)
            .await;
    }
    let browser = fixture.open(Script::On).await;
    browser.type_into("input[name='q']", "Fire").await;
    run(
        &browser,
        "document.querySelectorAll('input[name=device]')[1].click(); announceChange()",
    )
    .await;
    browser.has(1, "#changed button").await;
    run(&browser, "scrollTo(0, 200); window.isOpenSince = 'before'").await;
    let ticked = "document.querySelector('input[name=device]:checked').value";
    let before = read(&browser, ticked).await;
    run(
        &browser,
        "document.querySelector('#changed button').click()",
    )
    .await;
    crate::support::eventually("the page again", async || {
        read(
            &browser,
            "window.isOpenSince === undefined && document.readyState === 'complete'",
        )
        .await
            == true
    })
    .await;
    assert_eq!(browser.value_of("input[name='q']").await, "Fire");
    browser.has(1, "input[name='device']:checked").await;
    assert_eq!(read(&browser, ticked).await, before);
    assert_eq!(read(&browser, "Math.round(scrollY)").await, 200);
    fixture.stop(browser).await;
}

async fn back_brings_exactly_the_ticks_that_were_there(database: Database) {
    const TICKED: &str = "input[name='device']:checked";

    let fixture = set_up(database).await;
    for id in ["a", "b"] {
        fixture
            .app
            .login_from(&fixture.ada, IPHONE, "203.0.113.7", Some(id))
            .await;
    }
    fixture.app.advance(Duration::from_secs(100 * 24 * 60 * 60));
    let browser = fixture.open(Script::On).await;
    browser.open("/devices?unused=90").await;
    browser.has(2, TICKED).await;
    browser.press(TICKED).await;
    browser.has(1, TICKED).await;
    let left = format!("document.querySelector(\"{TICKED}\").value");
    let before = read(&browser, &left).await;
    browser.press("[data-ticked]").await;
    browser.arrives_at("/devices/sign-out-selected").await;
    browser.go_back().await;
    browser.arrives_at("/devices").await;
    browser.has(1, TICKED).await;
    assert_eq!(read(&browser, &left).await, before);
    fixture.stop(browser).await;
}

const REQUESTS: &str = "performance.getEntriesByType('resource')
    .filter((entry) => entry.initiatorType === 'fetch').length";

async fn many_changes_are_few_requests(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.has(2, OTHERS).await;
    let before = read(&browser, REQUESTS).await.as_u64().expect("a number");
    run(
        &browser,
        "for (let n = 0; n < 50; n++) setTimeout(() => refreshIn(0), 40 * n)",
    )
    .await;
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let after = read(&browser, REQUESTS).await.as_u64().expect("a number");
    assert!((1..=4).contains(&(after - before)), "{before} to {after}");
    fixture.stop(browser).await;
}

async fn a_broken_response_ends_no_updates(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.has(2, OTHERS).await;
    run(
        &browser,
        "const real = window.fetch;
         window.fetch = () => {
           window.fetch = real;
           return Promise.resolve({ status: 200, text: () => Promise.reject(new TypeError('broken')) });
         }",
    )
    .await;
    fixture.sign_in_elsewhere().await;
    crate::support::eventually("a broken response", async || {
        read(&browser, "failures > 0").await == true
    })
    .await;
    browser.has(2, OTHERS).await;
    fixture.sign_in_elsewhere().await;
    browser.has(4, OTHERS).await;
    fixture.stop(browser).await;
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
    fixture.app.confirm_sign_ins();
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
