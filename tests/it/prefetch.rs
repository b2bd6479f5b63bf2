//! Pages that a browser prefetches or prerenders are refused, so that nothing is read or used
//! unseen.

use rollcall::server::routes::PAGES;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: no_page_is_prefetched,
    a_prefetch_is_no_use_of_a_session,
    a_prefetch_does_not_open_a_link,
    programs_and_static_files_are_served,
    other_purposes_are_served,
);

const HEADERS: [(&str, &str); 10] = [
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prefetch;prerender"),
    ("sec-purpose", "prefetch; prerender"),
    ("sec-purpose", "Prefetch;anonymous-client-ip"),
    ("sec-purpose", "prerender"),
    ("sec-purpose", "other, prefetch"),
    ("purpose", "prefetch"),
    ("x-moz", "prefetch"),
    ("x-purpose", "preview"),
    ("X-Purpose", "PREFETCH"),
];

#[track_caller]
fn assert_refused(response: &TestResponse, what: &str) {
    assert_eq!(response.status, 503, "{what}: {response:?}");
    assert_eq!(response.text, "", "{what}");
    assert_eq!(response.header("set-cookie"), "", "{what}");
    assert_eq!(response.header("cache-control"), "no-store", "{what}");
    assert_eq!(response.header("x-content-type-options"), "nosniff");
}

async fn no_page_is_prefetched(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let signed_in = app.signed_in_browser(&ada, FIREFOX).await;
    for route in PAGES.iter().filter(|route| route.method == "GET") {
        let path = route
            .path
            .replace("{id}", "019ab0de-0000-7000-8000-000000000000")
            .replace("{token}", "forged");
        for browser in [&signed_in, &app.browser(FIREFOX)] {
            let response = browser.get_with(&path, &HEADERS[..1]).await;
            assert_refused(&response, &path);
        }
    }
    for header in HEADERS {
        let response = app.browser(FIREFOX).get_with("/sign-in", &[header]).await;
        assert_refused(&response, &format!("{header:?}"));
        let response = app.browser(FIREFOX).get_with("/nowhere", &[header]).await;
        assert_refused(&response, &format!("{header:?}"));
    }
    signed_in.get("/devices").await.expect(200);
}

async fn a_prefetch_is_no_use_of_a_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.flush().await;
    app.advance(Duration::from_secs(60));
    for header in HEADERS {
        browser.get_with("/devices", &[header]).await.expect(503);
    }
    app.flush().await;
    assert_eq!(app.database.sessions_where("last_used_at > created_at"), 0);
    browser.get("/devices").await.expect(200);
    app.flush().await;
    assert_eq!(app.database.sessions_where("last_used_at > created_at"), 1);
}

async fn a_prefetch_does_not_open_a_link(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let run = Program::with(&app.database).run(&["user", "reset-link", &ada.email]);
    let output = run.expect_done();
    let (_, token) = output.split_once("/reset-password/").expect("a link");
    let token = token.split_whitespace().next().unwrap_or_default();
    let path = format!("/reset-password/{token}");
    // The command's clock is the real one.
    app.database
        .execute("UPDATE password_resets SET expires_at = '2031-05-17 09:00:00.000000'");
    let browser = app.browser(FIREFOX);
    let response = browser.get_with(&path, &HEADERS[..1]).await;
    assert_refused(&response, "a link");
    browser.get(&path).await.expect(200);
}

/// A proxy passes the headers of an application's request on to `/auth/verify`.
async fn programs_and_static_files_are_served(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get("/devices").await.expect(200);
    let files = crate::support::html::attributes(&page.text, "src");
    for path in ["/api/v1/me", "/health/live", "/.well-known/jwks.json"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
    {
        let response = browser.get_with(path, &HEADERS[..1]).await;
        assert_eq!(response.status, 200, "{path}");
    }
    // Nobody is let in without the page that a proxy states; the check is made all the same.
    let response = browser.get_with("/auth/verify", &HEADERS[..1]).await;
    response.problem(401, "unauthenticated");
}

async fn other_purposes_are_served(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    for header in [
        ("sec-purpose", ""),
        ("sec-purpose", "prefetching"),
        ("purpose", "fetch"),
        ("x-moz", "other"),
    ] {
        browser.get_with("/sign-in", &[header]).await.expect(200);
    }
}
