//! Several tabs of one Chromium, the *Back* button, and a Chromium that sends no cookies.

use crate::support::database::Database;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: a_first_visit_that_another_tab_overtook_signs_in,
    a_form_of_another_tab_signs_in_after_a_sign_in,
    a_form_of_another_tab_leads_back_after_a_sign_out,
    back_after_a_sign_out_shows_no_devices,
    back_after_a_sign_out_shows_no_devices_without_script,
    back_after_a_sign_in_goes_on,
    without_cookies_the_page_says_so,
    a_button_that_is_pressed_twice_signs_in_once,
    the_second_press_of_a_double_click_presses_nothing_on_the_next_page,
    a_shared_browser_is_cleared_on_request,
);

const SIGN_IN: &str = "form[action^='/sign-in'] button";
const SIGN_OUT: &str = "form[action='/sign-out'] button";

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
    async fn open(&self, script: Script) -> Chromium {
        self.driver.open(&self.app.base(), script).await
    }

    async fn type_credentials(&self, browser: &Chromium, person: &Person) {
        browser
            .type_into("input[name='email']", &person.email)
            .await;
        let password = "input[name='password']";
        browser.type_into(password, &person.password).await;
    }

    async fn stop(self, browser: Chromium) {
        browser.close().await;
        self.app.stop().await;
    }
}

async fn a_first_visit_that_another_tab_overtook_signs_in(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::Off).await;
    browser.open("/sign-in").await;
    fixture.type_credentials(&browser, &fixture.ada).await;
    // As if both pages had been requested before either response.
    browser.forget_cookies().await;
    browser.new_tab().await;
    browser.open("/sign-in").await;
    browser.go_to_tab(0).await;
    browser.press(SIGN_IN).await;
    browser.arrives_at("/devices").await;
    fixture.stop(browser).await;
}

async fn a_form_of_another_tab_signs_in_after_a_sign_in(database: Database) {
    let fixture = set_up(database).await;
    let bob = fixture.app.register("bob@example.org").await;
    let browser = fixture.open(Script::On).await;
    browser.open("/sign-in?next=/account").await;
    fixture.type_credentials(&browser, &fixture.ada).await;
    browser.new_tab().await;
    browser.sign_in(&bob).await;
    browser.go_to_tab(0).await;
    browser.press(SIGN_IN).await;
    browser.arrives_at("/account").await;
    let page = browser.words_in("main").await;
    assert!(page.contains("ada@example.org"), "{page}");
    assert_eq!(fixture.app.database.sessions_where("is_active"), 1);
    fixture.stop(browser).await;
}

async fn a_form_of_another_tab_leads_back_after_a_sign_out(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::Off).await;
    browser.sign_in(&fixture.ada).await;
    browser.open("/account").await;
    browser.new_tab().await;
    browser.open("/devices").await;
    browser.press(SIGN_OUT).await;
    browser.arrives_at("/sign-in").await;
    browser.go_to_tab(0).await;
    browser.press("form[action='/account/name'] button").await;
    browser.arrives_at("/sign-in").await;
    fixture.type_credentials(&browser, &fixture.ada).await;
    browser.press(SIGN_IN).await;
    browser.arrives_at("/unsent-form").await;
    fixture.stop(browser).await;
}

async fn back_after_a_sign_out_shows_no_devices(database: Database) {
    back_after_a_sign_out(database, Script::On).await;
}

async fn back_after_a_sign_out_shows_no_devices_without_script(database: Database) {
    back_after_a_sign_out(database, Script::Off).await;
}

/// Signs out here, and is signed out from elsewhere.
async fn back_after_a_sign_out(database: Database, script: Script) {
    let fixture = set_up(database).await;
    let browser = fixture.open(script).await;
    for is_elsewhere in [false, true] {
        browser.sign_in(&fixture.ada).await;
        browser.open("/account").await;
        browser.open("/devices").await;
        match is_elsewhere {
            false => browser.press(SIGN_OUT).await,
            true => {
                let phone = fixture.app.login(&fixture.ada, IPHONE).await;
                phone.delete("/api/v1/sessions/others").await.expect(200);
                browser.open("/devices").await;
            }
        }
        browser.arrives_at("/sign-in").await;
        for _ in 0..2 {
            browser.go_back().await;
            browser.arrives_at("/sign-in").await;
            browser.has(1, SIGN_IN).await;
            let page = browser.words_in("body").await;
            assert!(!page.contains("You are signed in"), "{page}");
        }
    }
    fixture.stop(browser).await;
}

async fn back_after_a_sign_in_goes_on(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::Off).await;
    browser.sign_in(&fixture.ada).await;
    browser.go_back().await;
    browser.arrives_at("/devices").await;
    fixture.stop(browser).await;
}

async fn without_cookies_the_page_says_so(database: Database) {
    let fixture = set_up(database).await;
    let base = fixture.app.base();
    let browser = fixture.driver.open_without_cookies(&base).await;
    for _ in 0..2 {
        browser.open("/sign-in").await;
        fixture.type_credentials(&browser, &fixture.ada).await;
        browser.press(SIGN_IN).await;
        browser.has(1, "[role='alert']").await;
        let notice = browser.words_in("[role='alert']").await;
        assert!(notice.contains("sent no cookies"), "{notice}");
        let email = browser.value_of("input[name='email']").await;
        assert_eq!(email, fixture.ada.email);
    }
    assert_eq!(fixture.app.database.sessions_where("is_active"), 0);
    fixture.stop(browser).await;
}

async fn a_button_that_is_pressed_twice_signs_in_once(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.open("/sign-in").await;
    fixture.type_credentials(&browser, &fixture.ada).await;
    browser.press_twice(SIGN_IN).await;
    browser.arrives_at("/devices").await;
    assert_eq!(fixture.app.database.sessions_where("is_active"), 1);
    browser.press_twice(SIGN_OUT).await;
    browser.arrives_at("/sign-in").await;
    assert_eq!(fixture.app.database.sessions_where("is_active"), 0);
    fixture.stop(browser).await;
}

async fn the_second_press_of_a_double_click_presses_nothing_on_the_next_page(database: Database) {
    const ACCOUNT: &str = "nav a[href='/account']";
    const MARK: &str = "window.isMarked = true; arguments[0]()";
    const LATER: &str = "window.later = 600; arguments[0]()";
    const IS_MARKED: &str = "arguments[0](window.isMarked === true)";

    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    // All at one time, until it is later.
    let clock = "Date.now = () => 1900000000000 + (window.later || 0)";
    let clock = json!({ "source": clock });
    browser
        .command("Page.addScriptToEvaluateOnNewDocument", clock)
        .await;
    browser.sign_in(&fixture.ada).await;
    browser.press(ACCOUNT).await;
    browser.arrives_at("/account").await;
    browser.run(MARK, vec![]).await;
    browser.press(ACCOUNT).await;
    assert_eq!(browser.run(IS_MARKED, vec![]).await, json!(true));
    browser.run(LATER, vec![]).await;
    browser.press(ACCOUNT).await;
    assert_eq!(browser.run(IS_MARKED, vec![]).await, json!(false));
    fixture.stop(browser).await;
}

async fn a_shared_browser_is_cleared_on_request(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::Off).await;
    browser.sign_in(&fixture.ada).await;
    browser.press(SIGN_OUT).await;
    browser.arrives_at("/sign-in").await;
    browser.press("form[action='/sign-out/clear'] button").await;
    browser.arrives_at("/sign-out/clear").await;
    let page = browser.words_in("main").await;
    assert!(page.contains("Your browser is deleting it"), "{page}");
    browser.sign_in(&fixture.ada).await;
    fixture.stop(browser).await;
}
