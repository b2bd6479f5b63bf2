//! *Back*, *Forward* and a reload after forms that failed, and after acts that needed the password, in
//! headless Chromium: no page asks whether to send a form again, and what was typed is there.

use crate::support::database::Database;
use crate::support::prelude::*;
use crate::support::webdriver::{Chromium, Script, WebDriver};

on_both!(
    database: after_wrong_passwords_back_leads_to_the_sign_in_page,
    without_script_back_asks_nothing_after_wrong_passwords,
    without_script_a_failed_form_is_reloaded_as_it_was,
    without_script_a_step_up_is_gone_back_from,
    without_script_back_tells_the_truth_after_a_step_up,
    a_failed_form_is_reloaded_with_what_was_typed,
    after_wrong_account_passwords_back_leads_to_the_account,
    a_step_up_is_gone_back_from_and_forward_to,
    after_a_sign_out_with_step_up_back_tells_the_truth,
    after_a_selection_with_step_up_back_tells_the_truth,
    after_a_deletion_back_leads_to_sign_in,
    cancel_leads_back_to_a_new_key_as_it_was_typed,
    cancel_leads_back_to_a_new_person_as_typed,
    what_was_sent_is_not_there_on_a_page_that_is_opened_anew,
);

const PASSED: Duration = Duration::from_secs(11 * 60);
const PASSWORD_FIELD: &str = "input[name='password']";
const STEP_UP: &str = "form[action='/confirm']";

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

    /// Returns a browser that is signed in as Ada.
    async fn signed_in(&self) -> Chromium {
        self.signed_in_with(Script::On).await
    }

    async fn signed_in_with(&self, script: Script) -> Chromium {
        let browser = self.open(script).await;
        browser.sign_in(&self.ada).await;
        browser
    }

    async fn stop(self, browser: Chromium) {
        browser.close().await;
        self.app.stop().await;
    }
}

/// Loads the page again, as the browser's button does.
async fn reload(browser: &Chromium) {
    browser
        .command("Page.reload", json!({"ignoreCache": false}))
        .await;
}

async fn go_by(browser: &Chromium, step: i64) {
    // A browser's error page would keep WebDriver's own command waiting.
    let history = browser
        .command("Page.getNavigationHistory", json!({}))
        .await;
    let current = history["currentIndex"].as_i64().expect("a number");
    let index = usize::try_from(current + step).expect("a page before");
    let entry = json!({"entryId": history["entries"][index]["id"]});
    browser.command("Page.navigateToHistoryEntry", entry).await;
}

async fn confirm_with(browser: &Chromium, password: &str) {
    browser.has(1, STEP_UP).await;
    browser.type_into(PASSWORD_FIELD, password).await;
    browser.press(&format!("{STEP_UP} button")).await;
}

async fn after_wrong_passwords_back_leads_to_the_sign_in_page(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.open("/sign-in?next=/account").await;
    browser
        .type_into("input[name='email']", &fixture.ada.email)
        .await;
    for _ in 0..2 {
        browser.type_into(PASSWORD_FIELD, "not it at all").await;
        browser.press("form[action^='/sign-in'] button").await;
        browser.has(1, "[role='alert']").await;
    }
    for step in [-1, -1, 1, 1] {
        go_by(&browser, step).await;
        browser.has(0, "[role='alert']").await;
        browser
            .is_at(&format!("{}/sign-in?next=/account", fixture.app.base()))
            .await;
        let email = browser.value_of("input[name='email']").await;
        assert_eq!(email, fixture.ada.email, "{step}");
        assert_eq!(browser.value_of(PASSWORD_FIELD).await, "");
    }
    browser.type_into(PASSWORD_FIELD, PASSWORD).await;
    browser.press("form[action^='/sign-in'] button").await;
    browser.arrives_at("/account").await;
    fixture.stop(browser).await;
}

async fn without_script_back_asks_nothing_after_wrong_passwords(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::Off).await;
    browser.open("/sign-in?next=/account").await;
    let email = fixture.ada.email.as_str();
    browser.type_into("input[name='email']", email).await;
    for _ in 0..2 {
        browser.type_into(PASSWORD_FIELD, "not it at all").await;
        browser.press("form[action^='/sign-in'] button").await;
        browser.has(1, "[role='alert']").await;
    }
    for (step, alerts) in [(-1, 0), (-1, 0), (1, 0), (1, 1)] {
        go_by(&browser, step).await;
        browser.has(alerts, "[role='alert']").await;
        browser.has(1, "form[action^='/sign-in']").await;
        browser.arrives_at("/sign-in").await;
    }
    reload(&browser).await;
    browser.has(1, "[role='alert']").await;
    assert_eq!(browser.value_of("input[name='email']").await, email);
    browser.type_into(PASSWORD_FIELD, PASSWORD).await;
    browser.press("form[action^='/sign-in'] button").await;
    browser.arrives_at("/account").await;
    // Of somebody who is signed in, none asks for that again.
    go_by(&browser, -1).await;
    browser.has(0, "form[action^='/sign-in']").await;
    browser.arrives_at("/account").await;
    fixture.stop(browser).await;
}

async fn without_script_a_failed_form_is_reloaded_as_it_was(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.signed_in_with(Script::Off).await;
    browser.open("/account").await;
    let form = "form[action='/account/password']";
    for _ in 0..2 {
        browser
            .type_into(&format!("{form} input[name='current_password']"), "not it")
            .await;
        browser
            .type_into("input[name='new_password']", "another quiet river")
            .await;
        browser.press(&format!("{form} button")).await;
        browser.has(1, "#form-problems").await;
        browser.arrives_at("/account").await;
    }
    reload(&browser).await;
    browser.has(1, "#form-problems").await;
    assert_eq!(browser.value_of("input[name='new_password']").await, "");
    for (step, problems) in [(-1, 0), (-1, 0), (1, 0), (1, 1)] {
        go_by(&browser, step).await;
        browser.has(problems, "#form-problems").await;
        browser.has(1, form).await;
        browser.arrives_at("/account").await;
    }
    fixture.stop(browser).await;
}

async fn without_script_a_step_up_is_gone_back_from(database: Database) {
    let fixture = set_up(database).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    let browser = fixture.signed_in_with(Script::Off).await;
    let device = format!("/devices/{}", phone.id());
    browser.open(&device).await;
    fixture.app.advance(PASSED);
    let sign_out = format!("form[action='{device}/sign-out']");
    browser.press(&format!("{sign_out} button")).await;
    confirm_with(&browser, "not it at all").await;
    browser.has(1, "[role='alert']").await;
    reload(&browser).await;
    browser.has(1, "[role='alert']").await;
    // The first answer is not the last one any more: it leads where *Cancel* does.
    for step in [-1, -1, 1] {
        go_by(&browser, step).await;
        browser.has(1, &sign_out).await;
        browser.arrives_at(&device).await;
    }
    go_by(&browser, 1).await;
    browser.has(1, STEP_UP).await;
    assert_eq!(fixture.app.database.sessions_where("is_active"), 2);
    fixture.stop(browser).await;
}

async fn without_script_back_tells_the_truth_after_a_step_up(database: Database) {
    let fixture = set_up(database).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    let browser = fixture.signed_in_with(Script::Off).await;
    let sign_out = format!("form[action='/devices/{}/sign-out'] button", phone.id());
    browser.has(1, &sign_out).await;
    fixture.app.advance(PASSED);
    browser.press(&sign_out).await;
    confirm_with(&browser, PASSWORD).await;
    browser.has(1, "p[role='status']").await;
    for _ in 0..2 {
        go_by(&browser, -1).await;
        browser.has(0, "p[role='status']").await;
        browser.has(0, STEP_UP).await;
        browser.arrives_at("/devices").await;
        browser.has(0, &sign_out).await;
    }
    browser.open("/account/delete").await;
    fixture.app.advance(PASSED);
    browser
        .type_into("input[name='typed']", &fixture.ada.email)
        .await;
    browser.press("form[action='/account/delete'] button").await;
    confirm_with(&browser, PASSWORD).await;
    browser.arrives_at("/sign-in").await;
    go_by(&browser, -1).await;
    browser.has(1, "form[action^='/sign-in']").await;
    browser.arrives_at("/sign-in").await;
    fixture.stop(browser).await;
}

async fn a_failed_form_is_reloaded_with_what_was_typed(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.signed_in().await;
    browser.open("/account").await;
    let unlimit =
        "document.getElementById('full_name').removeAttribute('maxlength'); arguments[0]()";
    browser.run(unlimit, vec![]).await;
    let long = "x".repeat(300);
    browser.type_into("#full_name", &long).await;
    browser.press("form[action='/account/name'] button").await;
    browser.has(1, "#form-problems").await;
    assert_eq!(browser.path().await, "/account");
    reload(&browser).await;
    browser.has(0, "#form-problems").await;
    let name = browser.value_of("#full_name").await;
    assert!(name.ends_with(&long), "{name}");
    fixture.stop(browser).await;
}

async fn after_wrong_account_passwords_back_leads_to_the_account(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.signed_in().await;
    browser.open("/account").await;
    for _ in 0..2 {
        browser
            .type_into("input[name='current_password']", "not it at all")
            .await;
        browser
            .type_into("input[name='new_password']", "another quiet river")
            .await;
        browser
            .press("form[action='/account/password'] button")
            .await;
        browser.has(1, "[role='alert']").await;
    }
    for step in [-1, -1, 1] {
        go_by(&browser, step).await;
        browser.has(0, "[role='alert']").await;
        browser.arrives_at("/account").await;
        let heading = browser.words_in("h1").await;
        assert_eq!(heading, "Account", "{step}");
        assert_eq!(browser.value_of("input[name='new_password']").await, "");
    }
    fixture.stop(browser).await;
}

async fn a_step_up_is_gone_back_from_and_forward_to(database: Database) {
    let fixture = set_up(database).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    let browser = fixture.signed_in().await;
    let device = format!("/devices/{}", phone.id());
    browser.open(&device).await;
    fixture.app.advance(PASSED);
    browser
        .press(&format!("form[action='{device}/sign-out'] button"))
        .await;
    confirm_with(&browser, "not it at all").await;
    browser.has(1, "[role='alert']").await;
    // Both answers are the page that one came from.
    for step in [-1, 1, -1] {
        go_by(&browser, step).await;
        browser.has(0, STEP_UP).await;
        browser.arrives_at(&device).await;
        browser
            .has(1, &format!("form[action='{device}/sign-out']"))
            .await;
    }
    assert_eq!(fixture.app.database.sessions_where("is_active"), 2);
    fixture.stop(browser).await;
}

async fn after_a_sign_out_with_step_up_back_tells_the_truth(database: Database) {
    let fixture = set_up(database).await;
    let phone = fixture.app.login(&fixture.ada, IPHONE).await;
    let browser = fixture.signed_in().await;
    let sign_out = format!("form[action='/devices/{}/sign-out'] button", phone.id());
    browser.has(1, &sign_out).await;
    fixture.app.advance(PASSED);
    browser.press(&sign_out).await;
    confirm_with(&browser, PASSWORD).await;
    browser.has(1, "p[role='status']").await;
    go_by(&browser, -1).await;
    browser.has(0, "p[role='status']").await;
    browser.arrives_at("/devices").await;
    browser.has(0, &sign_out).await;
    let summary = browser.words_in(".lead").await;
    assert!(summary.contains("only here"), "{summary}");
    reload(&browser).await;
    browser.has(0, &sign_out).await;
    fixture.stop(browser).await;
}

async fn after_a_selection_with_step_up_back_tells_the_truth(database: Database) {
    let fixture = set_up(database).await;
    let phone = fixture.app.login_named(&fixture.ada, IPHONE, "Phone").await;
    fixture
        .app
        .login_named(&fixture.ada, IPHONE, "Tablet")
        .await;
    let browser = fixture.signed_in().await;
    let selected = format!("/devices/sign-out-selected?device={}", phone.id());
    browser.open(&selected).await;
    fixture.app.advance(PASSED);
    browser.press("form.acts button").await;
    confirm_with(&browser, PASSWORD).await;
    browser.has(1, "p[role='status']").await;
    browser.arrives_at("/devices").await;
    for _ in 0..2 {
        go_by(&browser, -1).await;
        browser.arrives_at("/devices/sign-out-selected").await;
        browser.has(0, STEP_UP).await;
        let heading = browser.words_in("h1").await;
        assert_eq!(heading, "Already signed out");
    }
    fixture.stop(browser).await;
}

async fn after_a_deletion_back_leads_to_sign_in(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.signed_in().await;
    browser.open("/account/delete").await;
    fixture.app.advance(PASSED);
    browser
        .type_into("input[name='typed']", &fixture.ada.email)
        .await;
    browser.press("form[action='/account/delete'] button").await;
    confirm_with(&browser, PASSWORD).await;
    browser.arrives_at("/sign-in").await;
    go_by(&browser, -1).await;
    browser
        .is_at(&format!(
            "{}/sign-in?next=%2Faccount%2Fdelete",
            fixture.app.base()
        ))
        .await;
    browser.has(1, "form[action^='/sign-in']").await;
    fixture.stop(browser).await;
}

async fn cancel_leads_back_to_a_new_key_as_it_was_typed(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.set_role(&fixture.ada, "admin");
    let browser = fixture.signed_in().await;
    browser.open("/admin/applications").await;
    fixture.app.advance(PASSED);
    let form = "form[action='/admin/api-keys']";
    browser.type_into("#name", "Storefront").await;
    browser.press(&format!("{form} input[name='tokens']")).await;
    browser.press(&format!("{form} button")).await;
    browser.has(1, STEP_UP).await;
    let heading = browser.words_in("h1").await;
    assert_eq!(
        heading,
        "Create an API key for the new application Storefront?"
    );
    browser.press(&format!("{STEP_UP} a.button")).await;
    browser.arrives_at("/admin/applications").await;
    browser.has(1, form).await;
    assert_eq!(browser.value_of("#name").await, "Storefront");
    browser
        .has(1, &format!("{form} input[name='tokens']:checked"))
        .await;
    // Later, it begins anew.
    browser.open("/admin/applications").await;
    browser.has(1, form).await;
    assert_eq!(browser.value_of("#name").await, "");
    fixture.stop(browser).await;
}

async fn cancel_leads_back_to_a_new_person_as_typed(database: Database) {
    let fixture = set_up(database).await;
    fixture.app.set_role(&fixture.ada, "admin");
    let browser = fixture.signed_in().await;
    browser.open("/admin/users/invite").await;
    fixture.app.advance(PASSED);
    browser
        .type_into("input[name='email']", "bob@example.org")
        .await;
    browser
        .press("form[action='/admin/users/invite'] button")
        .await;
    browser.has(1, STEP_UP).await;
    let heading = browser.words_in("h1").await;
    assert_eq!(heading, "Invite bob@example.org?");
    browser.press(&format!("{STEP_UP} a.button")).await;
    // Not to the form, which needs the password as well.
    browser.arrives_at("/admin/users").await;
    browser.press("a[href='/admin/users/invite']").await;
    confirm_with(&browser, PASSWORD).await;
    browser.arrives_at("/admin/users/invite").await;
    browser.has(1, "form[action='/admin/users/invite']").await;
    let email = browser.value_of("input[name='email']").await;
    assert_eq!(email, "bob@example.org");
    fixture.stop(browser).await;
}

async fn what_was_sent_is_not_there_on_a_page_that_is_opened_anew(database: Database) {
    let fixture = set_up(database).await;
    let browser = fixture.open(Script::On).await;
    browser.open("/sign-in").await;
    browser
        .type_into("input[name='email']", &fixture.ada.email)
        .await;
    browser.type_into(PASSWORD_FIELD, "not it at all").await;
    browser.press("form[action^='/sign-in'] button").await;
    browser.has(1, "[role='alert']").await;
    browser.open("/sign-in").await;
    browser.has(0, "[role='alert']").await;
    assert_eq!(browser.value_of("input[name='email']").await, "");
    fixture.stop(browser).await;
}
