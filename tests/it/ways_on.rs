//! *Back*, and the reload of a failed form's address: each leads to a page, and no page says only that a
//! method is not there.

use std::collections::BTreeSet;

use rollcall::server::routes::{API, PAGES};

use crate::support::prelude::*;
use crate::support::response::path_of;

on_both!(
    app: the_address_of_every_form_leads_to_a_page,
    a_failed_form_is_reloaded_as_its_page,
    the_api_says_which_methods_it_has,
);

const ID: &str = "019ab0de-0000-7000-8000-000000000000";

fn example(pattern: &str) -> String {
    pattern.replace("{id}", ID).replace("{token}", "forged")
}

fn gets() -> BTreeSet<&'static str> {
    let gets = PAGES.iter().filter(|route| route.method == "GET");
    gets.map(|route| route.path).collect()
}

/// The routes that take forms, and are not pages themselves.
fn only_forms() -> impl Iterator<Item = &'static str> {
    let forms = PAGES.iter().filter(|route| route.method == "POST");
    forms
        .map(|route| route.path)
        .filter(|path| !gets().contains(path))
}

async fn the_address_of_every_form_leads_to_a_page(app: &TestApp) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    let stranger = app.browser(FIREFOX);
    assert!(only_forms().count() > 15);
    for path in only_forms() {
        let led = browser.get(&example(path)).await.expect(303);
        let page = path_of(led.location());
        let pattern = page.replace(ID, "{id}").replace("forged", "{token}");
        assert!(gets().contains(pattern.as_str()), "{path} leads to {page}");
        let next = browser.get(led.location()).await;
        // What doesn't exist is not found there, either.
        let is_found = [200, 303].contains(&next.status) || page.contains("forged");
        assert!(is_found || page.contains(ID), "{path}: {}", next.status);
        let response = stranger.get(&example(path)).await.expect(303);
        assert_ne!(path_of(response.location()), path, "{path}");
    }
}

async fn a_failed_form_is_reloaded_as_its_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let long = "x".repeat(300);
    let failed = browser
        .submit("/account", "/account/name", &[("full_name", &long)])
        .await;
    assert_eq!(failed.status, 400);
    let reloaded = browser.get("/account/name").await.expect(303);
    assert_eq!(reloaded.location(), "/account");
    browser.follow(&reloaded).await.expect(200);
}

async fn the_api_says_which_methods_it_has(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let token = app.login(&ada, FIREFOX).await.access_token;
    for route in API.iter().filter(|route| route.method == "POST") {
        let has_get = |other: &&rollcall::server::routes::Route| {
            other.path == route.path && other.method == "GET"
        };
        if API.iter().any(|other| has_get(&other)) || route.path.starts_with("/api/v1/admin/") {
            continue;
        }
        let request = app.anyone().request("GET", &example(route.path));
        let response = TestResponse::to(request.bearer_auth(&token)).await;
        assert_eq!(response.status, 405, "{}", route.path);
        assert!(response.header("allow").contains("POST"), "{}", route.path);
    }
}
