//! Failed forms: the title says so, and the focus is on a summary that links to each field.

use crate::support::database::Database;
use crate::support::html;
use crate::support::prelude::*;
use crate::support::webdriver::{Script, WebDriver};

on_both!(
    app: a_failed_form_of_a_person_has_a_summary,
    a_failed_form_of_an_administrator_has_a_summary,
    a_failed_public_form_has_a_summary,
    a_page_that_did_not_fail_has_none,
    a_choice_that_is_not_offered_is_said_in_words,
);
on_both!(
    database: the_focus_is_on_the_summary,
    the_focus_is_on_the_summary_without_script,
);

/// Expects the summary of a page, whose links lead to fields that the page has.
fn expect_summary(page: &TestResponse, field: &str) {
    assert!(page.status >= 400, "{page:?}");
    assert!(page.text.contains("<title>Error: "), "{page:?}");
    let (_, summary) = page
        .text
        .split_once("id=\"form-problems\"")
        .unwrap_or_else(|| panic!("no summary: {page:?}"));
    let (summary, rest) = summary.split_once("</div>").expect("its end");
    assert!(summary.starts_with('>'), "{summary}");
    let links = html::attributes(summary, "href");
    assert!(links.contains(&format!("#{field}")), "{links:?}");
    for link in links {
        let id = format!("id=\"{}\"", link.trim_start_matches('#'));
        assert!(rest.contains(&id), "{id} is not on the page");
    }
    // The first that wants the focus gets it.
    let (before, _) = page.text.split_once("id=\"form-problems\"").expect("it");
    assert_eq!(before.matches("autofocus").count(), 1);
    assert!(before.ends_with("role=\"alert\" tabindex=\"-1\" autofocus "));
}

async fn a_failed_form_of_a_person_has_a_summary(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let session = browser.get("/api/v1/sessions/current").await.expect(200);
    let device = format!("/devices/{}", session.json()["id"].as_str().expect("an id"));
    let rename = format!("{device}/rename");
    let long = "x".repeat(300);
    for (page, action, fields, field) in [
        (
            "/account",
            "/account/name",
            &[("full_name", long.as_str())][..],
            "full_name",
        ),
        (
            "/account",
            "/account/password",
            &[
                ("current_password", "wrong"),
                ("new_password", "a quite different passphrase"),
            ],
            "current_password",
        ),
        (
            "/account",
            "/account/password",
            &[("current_password", PASSWORD), ("new_password", "short")],
            "new_password",
        ),
        (&device, &rename, &[("device_name", "")], "device_name"),
    ] {
        expect_summary(&browser.submit(page, action, fields).await, field);
    }
    let confirm = browser
        .submit("/confirm", "/confirm", &[("password", "wrong")])
        .await
        .expect(403);
    assert!(confirm.text.contains("<title>Error: "), "{confirm:?}");
    let alert = "role=\"alert\" tabindex=\"-1\" autofocus";
    assert_eq!(confirm.text.matches(alert).count(), 1);
}

async fn a_failed_form_of_an_administrator_has_a_summary(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let bob = app.register("bob@example.org").await;
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let bob = crate::support::admin::id_of(app, &bob.email);
    let person = format!("/admin/users/{bob}");
    let path = |act: &str| format!("{person}/{act}");
    let long = "x".repeat(600);
    for (page, action, fields, field) in [
        (
            path("disable"),
            path("disable"),
            &[("reason", "")][..],
            "reason",
        ),
        (
            path("delete"),
            path("delete"),
            &[("reason", "Left"), ("typed", "no")],
            "typed",
        ),
        (
            path("edit"),
            path("name"),
            &[("full_name", long.as_str())],
            "full_name",
        ),
        (
            path("edit"),
            path("email"),
            &[("email", "root@example.org"), ("reason", "Typo")],
            "email",
        ),
        (
            "/admin/users/new".into(),
            "/admin/users/new".into(),
            &[
                ("email", "no"),
                ("full_name", ""),
                ("new_password", "short"),
                ("role", "person"),
            ],
            "new_password",
        ),
        (
            "/admin/users/invite".into(),
            "/admin/users/invite".into(),
            &[("email", "no"), ("full_name", ""), ("role", "person")],
            "email",
        ),
    ] {
        expect_summary(&browser.submit(&page, &action, fields).await, field);
    }
    for page in [
        "/admin/events?from=never",
        "/admin/users?opened_from=never",
        "/admin/sessions?ip=x",
    ] {
        let page = browser.get(page).await;
        assert_eq!(
            page.status == 400,
            page.text.contains("<title>Error: "),
            "{page:?}"
        );
    }
}

async fn a_failed_public_form_has_a_summary(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let fields = [("full_name", ""), ("email", "no"), ("password", "short")];
    let page = browser.submit("/sign-up", "/sign-up", &fields).await;
    expect_summary(&page, "email");
    expect_summary(&page, "password");
    let fields = [("email", "ada@example.org"), ("password", "wrong")];
    let page = browser.submit("/sign-in", "/sign-in", &fields).await;
    let page = page.expect(401);
    assert!(page.text.contains("<title>Error: Sign in"), "{page:?}");
    let alert = "role=\"alert\" tabindex=\"-1\" autofocus";
    assert_eq!(page.text.matches(alert).count(), 1);
}

async fn a_page_that_did_not_fail_has_none(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for page in ["/devices", "/account", "/confirm"] {
        let page = browser.get(page).await.expect(200);
        assert!(!page.text.contains("Error: "), "{page:?}");
        assert!(!page.text.contains("role=\"alert\""), "{page:?}");
    }
}

async fn the_focus_is_on_the_summary(database: Database) {
    focus(database, Script::On).await;
}

async fn the_focus_is_on_the_summary_without_script(database: Database) {
    focus(database, Script::Off).await;
}

async fn focus(database: Database, script: Script) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let driver = WebDriver::start();
    let browser = driver.open(&app.base(), script).await;
    browser.sign_in(&ada).await;
    browser.open("/account").await;
    browser.type_into("#current_password", "not it").await;
    browser
        .type_into("#new_password", "a quite different passphrase")
        .await;
    browser
        .press("form[action='/account/password'] button")
        .await;
    browser.has(1, "#form-problems:focus").await;
    let words = browser.words_in("#form-problems").await;
    assert!(
        words.contains("Current password: this is not your password."),
        "{words}"
    );
    browser.press("#form-problems a").await;
    browser.has(1, "#current_password:focus").await;
    browser.open("/sign-in").await;
    browser.arrives_at("/devices").await;
    browser.close().await;
    app.stop().await;
}

async fn a_choice_that_is_not_offered_is_said_in_words(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let session = browser.get("/api/v1/sessions/current").await.expect(200);
    let device = format!("/devices/{}", session.json()["id"].as_str().expect("an id"));
    let unused = format!("{device}/when-unused");
    for (page, action, field) in [
        ("/account", "/account/idle-limit", "idle_limit"),
        ("/account", "/account/addresses", "addresses"),
        ("/account", "/account/time-zone", "time_zone"),
        (&device, &unused, "when_unused"),
    ] {
        let refused = browser.submit(page, action, &[(field, "never")]).await;
        let refused = refused
            .expect(400)
            .expect_words("Choose one of the options");
        assert!(
            !refused.words().contains(&format!("{field}:")),
            "{refused:?}"
        );
        assert!(!refused.words().contains("must be"), "{refused:?}");
    }
}
