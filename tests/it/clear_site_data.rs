//! What a browser clears at a sign-out: its cookie of the session, and more only on request.

use rollcall::server::routes::{Access, PAGES};

use crate::support::prelude::*;

on_both!(
    app: a_sign_out_clears_the_session_cookie_alone,
    what_a_browser_stored_is_cleared_on_request,
    a_forged_request_clears_nothing,
    no_page_of_a_session_is_stored,
);

async fn a_sign_out_clears_the_session_cookie_alone(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    for (page, action) in [
        ("/devices", "/sign-out"),
        (
            "/devices/sign-out-everywhere",
            "/devices/sign-out-everywhere",
        ),
        ("/account/delete", "/account/delete"),
    ] {
        let browser = app.signed_in_browser(&ada, FIREFOX).await;
        let device = browser.cookie("rollcall_device");
        let response = browser
            .submit(page, action, &[("typed", "ada@example.org")])
            .await
            .expect(303);
        assert_eq!(response.header("clear-site-data"), "", "{action}");
        assert_eq!(browser.cookie("rollcall_session"), None, "{action}");
        assert_eq!(browser.cookie("rollcall_device"), device, "{action}");
    }
}

async fn what_a_browser_stored_is_cleared_on_request(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let sign_out = browser.submit("/devices", "/sign-out", &[]).await;
    let page = browser.follow(&sign_out).await.expect(200);
    let form = crate::support::html::forms(&page.text)
        .into_iter()
        .find(|form| form.action == "/sign-out/clear")
        .expect("the form that clears");
    let response = browser.send(&form, &[]).await.expect(200);
    assert_eq!(response.header("clear-site-data"), r#""cache", "storage""#);
    response.expect_words("Your browser is deleting it");
    let page = app.browser(FIREFOX).get("/sign-in").await.expect(200);
    assert!(
        !page.text.contains("/sign-out/clear"),
        "only after a sign-out"
    );
}

async fn a_forged_request_clears_nothing(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let form = app.browser(FIREFOX).form("/sign-in", "/sign-in").await;
    browser.get("/sign-in").await.expect(200);
    let forged = form.aimed_at("/sign-out/clear");
    let response = browser.send(&forged, &[]).await.expect(403);
    assert_eq!(response.header("clear-site-data"), "");
}

/// Nor any redirect to it: *Back* shows nothing of it after a sign-out.
async fn no_page_of_a_session_is_stored(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.database.execute("UPDATE users SET is_admin = true");
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for route in PAGES.iter().filter(|route| route.method == "GET") {
        if !matches!(route.access, Access::SignedIn | Access::Admin)
            || route.path.ends_with("changes")
        {
            continue;
        }
        let path = route
            .path
            .replace("{id}", "019ab0de-0000-7000-8000-000000000000");
        let response = browser.get(&path).await;
        assert_eq!(response.header("cache-control"), "no-store", "{path}");
    }
}
