//! Security headers, cache headers and cookie attributes of responses.

use crate::support::html;
use crate::support::prelude::*;
use crate::support::response::path_of;

on_both!(
    app: every_response_has_the_security_headers,
    personal_responses_are_not_cached,
    static_files_are_cached_for_a_year,
    pages_have_no_inline_script_or_style,
    cookies_are_host_only,
);
on_both!(database: over_https_cookies_are_secure_and_hsts_is_sent);

const YEAR: &str = "max-age=31536000";

async fn every_response_has_the_security_headers(app: &TestApp) {
    let browser = signed_in(app).await;
    let page = browser.get("/devices").await.expect(200);
    let responses = [
        browser.get("/").await.expect(303),
        browser.get("/no-such-page").await.expect(404),
        browser.post("/sign-out", &[]).await.expect(403),
        app.browser(FIREFOX).get("/sign-in").await.expect(200),
        browser.get("/api/v1/me").await.expect(200),
        app.anyone().get("/api/v1/me").await.expect(401),
        app.anyone().get("/api/v1/no-such-thing").await.expect(404),
        app.anyone().get("/health/live").await.expect(200),
        browser.get(&stylesheet(&page)).await.expect(200),
        page,
    ];
    responses.iter().for_each(assert_security_headers);
}

#[track_caller]
fn assert_security_headers(response: &TestResponse) {
    let policy = response.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") || policy.contains("default-src 'self'"),
        "{response:?}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    for directive in ["frame-ancestors 'none'", "base-uri 'none'", "form-action"] {
        assert!(policy.contains(directive), "{directive} is not in {policy}");
    }
    assert_eq!(
        response.header("x-content-type-options"),
        "nosniff",
        "{response:?}"
    );
    assert!(
        ["same-origin", "no-referrer"].contains(&response.header("referrer-policy")),
        "{response:?}"
    );
    assert!(
        response.header("permissions-policy").contains("camera=()"),
        "{response:?}"
    );
    assert_eq!(
        response.header("strict-transport-security"),
        "",
        "not over plain HTTP"
    );
    assert_eq!(response.header("server"), "");
}

async fn personal_responses_are_not_cached(app: &TestApp) {
    let browser = signed_in(app).await;
    for path in [
        "/devices",
        "/devices/sign-out-others",
        "/account",
        "/sign-in",
        "/api/v1/me",
        "/api/v1/sessions/me",
    ] {
        let response = browser.get(path).await;
        assert!(
            response.header("cache-control").contains("no-store"),
            "{path}: {response:?}"
        );
    }
    let refused = app.browser(FIREFOX).get("/devices").await;
    assert!(
        refused.header("cache-control").contains("no-store"),
        "{refused:?}"
    );
}

async fn static_files_are_cached_for_a_year(app: &TestApp) {
    let page = app.browser(FIREFOX).get("/sign-in").await.expect(200);
    for path in static_files(&page) {
        let response = app.anyone().get(&path).await.expect(200);
        let cache = response.header("cache-control");
        assert!(
            cache.contains(YEAR) && cache.contains("immutable"),
            "{path}: {cache}"
        );
        assert!(!response.text.is_empty());
    }
    // The 404 for another version's file name must not be cached: that version may run next.
    let unknown = stylesheet(&page).replace(".css", "0.css");
    let response = app.anyone().get(&unknown).await.expect(404);
    assert!(
        !response.header("cache-control").contains(YEAR),
        "{response:?}"
    );
    app.anyone().get("/static/../Cargo.toml").await.expect(404);
    app.anyone()
        .get("/static/..%2fCargo.toml")
        .await
        .expect(404);
}

async fn pages_have_no_inline_script_or_style(app: &TestApp) {
    let browser = signed_in(app).await;
    for path in [
        "/devices",
        "/devices/sign-out-others",
        "/account",
        "/no-such-page",
    ] {
        let page = browser.get(path).await.text;
        assert!(
            !page.contains("<style") && !page.contains(" style=\""),
            "{path}"
        );
        assert!(
            !page.contains(" onclick=") && !page.contains("javascript:"),
            "{path}"
        );
        let inline = page
            .split("<script")
            .skip(1)
            .find(|script| !script.contains("></script>"));
        assert_eq!(inline, None, "{path}");
    }
}

async fn cookies_are_host_only(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let response = app.browser(FIREFOX).sign_in(&ada).await;
    let cookies = set_cookies(&response);
    let session = cookie(&cookies, "rollcall_session");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(session.contains(attribute), "{session}");
    }
    assert!(
        cookies
            .iter()
            .all(|cookie| !cookie.contains("Secure") && !cookie.contains("Domain")),
        "{cookies:?}"
    );
}

async fn over_https_cookies_are_secure_and_hsts_is_sent(database: Database) {
    let https = "https://login.example.org".parse().expect("a URL");
    let app = TestApp::start_with(database, |settings| settings.public_url = Some(https)).await;
    let ada = app.register("ada@example.org").await;

    // A client sends `Secure` cookies over HTTPS only, so the test passes them on itself, as the
    // proxy in front would.
    let page = app.anyone().get("/sign-in").await.expect(200);
    assert!(
        page.header("strict-transport-security").contains(YEAR),
        "{page:?}"
    );
    let form = html::forms(&page.text).remove(0);
    let mut fields = form.hidden;
    fields.extend([
        ("email".to_owned(), ada.email),
        ("password".to_owned(), ada.password),
    ]);
    let sent: Vec<_> = set_cookies(&page)
        .iter()
        .map(|cookie| pair(cookie).to_owned())
        .collect();
    let request = app
        .anyone()
        .request("POST", path_of(&form.action))
        .header("cookie", sent.join("; "));
    let response = TestResponse::to(request.form(&fields)).await;
    assert_eq!(response.location(), "/devices");

    let renamed = rename_with(&app, &[set_cookies(&page), set_cookies(&response)].concat()).await;
    let cookies = [
        set_cookies(&page),
        set_cookies(&response),
        set_cookies(&renamed),
    ]
    .concat();
    for name in [
        "__Host-rollcall_session",
        "__Host-rollcall_device",
        "__Host-rollcall_notice",
    ] {
        cookie(&cookies, name);
    }
    for cookie in &cookies {
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        assert!(
            cookie.contains("Secure") && cookie.contains("Path=/") && !cookie.contains("Domain"),
            "{cookie}"
        );
    }
    app.stop().await;
}

/// Changes the name of the person, with these cookies.
async fn rename_with(app: &TestApp, cookies: &[String]) -> TestResponse {
    let sent: Vec<_> = cookies.iter().map(|cookie| pair(cookie)).collect();
    let request = |method, path| {
        let request = app.anyone().request(method, path);
        request.header("cookie", sent.join("; "))
    };
    let page = TestResponse::to(request("GET", "/account")).await;
    let mut forms = html::forms(&page.expect(200).text).into_iter();
    let form = forms.find(|form| form.action == "/account/name");
    let mut fields = form.expect("the form of the name").hidden;
    fields.push(("full_name".to_owned(), "Ada King".to_owned()));
    TestResponse::to(request("POST", "/account/name").form(&fields)).await
}

async fn signed_in(app: &TestApp) -> Browser {
    let ada = app.register("ada@example.org").await;
    app.signed_in_browser(&ada, FIREFOX).await
}

fn set_cookies(response: &TestResponse) -> Vec<String> {
    let values = response.headers.get_all("set-cookie").iter();
    values
        .map(|value| value.to_str().expect("a cookie of text").to_owned())
        .collect()
}

#[track_caller]
fn cookie<'a>(cookies: &'a [String], name: &str) -> &'a str {
    let prefix = format!("{name}=");
    let found = cookies
        .iter()
        .rev()
        .find(|cookie| cookie.starts_with(&prefix));
    found.unwrap_or_else(|| panic!("no {name} in {cookies:?}"))
}

fn pair(cookie: &str) -> &str {
    cookie.split(';').next().unwrap_or_default()
}

fn static_files(page: &TestResponse) -> Vec<String> {
    let links = [
        html::attributes(&page.text, "href"),
        html::attributes(&page.text, "src"),
    ]
    .concat();
    let files: Vec<_> = links
        .iter()
        .map(|link| path_of(link).to_owned())
        .filter(|path| path.starts_with("/static/"))
        .collect();
    assert!(!files.is_empty(), "{}", page.text);
    files
}

fn stylesheet(page: &TestResponse) -> String {
    static_files(page)
        .into_iter()
        .find(|path| path.ends_with(".css"))
        .expect("a stylesheet")
}
