//! Nothing below `/admin` and `/api/v1/admin` differs from what doesn't exist, for everybody who is
//! neither administrator nor auditor: whatever the method, the body and the CSRF token.

use std::collections::BTreeMap;

use rollcall::server::routes::{API, PAGES};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::prelude::*;

on_both!(
    app: to_strangers_every_path_of_administrators_is_alike,
    to_people_every_path_of_administrators_is_missing,
    to_keys_without_the_scope_every_path_of_administrators_is_missing,
    the_gate_decides_before_the_body_arrives,
);

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
];
/// Paths that don't exist, below those of pages and of the API.
const MISSING: [&str; 2] = ["/admin/nowhere", "/api/v1/admin/nowhere"];

/// What is sent besides the method and the path.
#[derive(Debug, Clone, Copy)]
enum Body {
    None,
    Json,
    Form,
    Nonsense,
    TooLarge,
}

const BODIES: [Body; 5] = [
    Body::None,
    Body::Json,
    Body::Form,
    Body::Nonsense,
    Body::TooLarge,
];

/// Who sends it: some headers, and a CSRF token for forms.
struct Caller {
    headers: Vec<(&'static str, String)>,
    csrf: String,
}

impl Caller {
    fn stranger() -> Self {
        Self {
            headers: Vec::new(),
            csrf: "forged".into(),
        }
    }

    fn bearer(token: &str) -> Self {
        Self {
            headers: vec![("authorization", format!("Bearer {token}"))],
            ..Self::stranger()
        }
    }

    fn cookie(browser: &Browser, csrf: &str) -> Self {
        let cookie = |name: &str| format!("{name}={}", browser.cookie(name).expect("a cookie"));
        let cookies = format!(
            "{}; {}",
            cookie("rollcall_session"),
            cookie("rollcall_device")
        );
        Self {
            headers: vec![("cookie", cookies)],
            csrf: csrf.into(),
        }
    }

    async fn send(&self, app: &TestApp, method: &str, path: &str, body: Body) -> TestResponse {
        let mut request = app.anyone().request(method, path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = match body {
            Body::None => request,
            Body::Json => request.json(&json!({"reason": "x", "ids": [7]})),
            Body::Form => request.form(&[("csrf", &*self.csrf), ("reason", "x")]),
            Body::Nonsense => request.header("content-type", "text/x").body("\u{0}{"),
            Body::TooLarge => request
                .header("content-type", "application/json")
                .body(" ".repeat(70_000)),
        };
        TestResponse::to(request).await
    }

    /// Asserts that paths respond as a missing one does: with the status of pages, or of the API.
    async fn expect_alike(&self, app: &TestApp, paths: &[String], status: [u16; 2]) {
        let mut expected = Vec::new();
        for missing in MISSING {
            for (method, body) in requests() {
                let response = self.send(app, method, missing, body).await;
                expected.push(shape(&response, missing));
            }
        }
        let (pages, api) = expected.split_at(requests().count());
        for path in paths {
            let is_api = path.starts_with("/api/");
            let expected = if is_api { api } else { pages };
            for ((method, body), expected) in requests().zip(expected) {
                let shown = format!("{method} {path} {body:?}");
                let found = self.send(app, method, path, body).await;
                assert_eq!(found.status, status[usize::from(is_api)], "{shown}");
                assert_eq!(&shape(&found, path), expected, "{shown}");
            }
        }
    }
}

/// Every method, and every body with those that may have one.
fn requests() -> impl Iterator<Item = (&'static str, Body)> {
    let bodies = |method: &'static str| match method {
        "POST" => &BODIES[..],
        "PATCH" | "DELETE" => &BODIES[..2],
        _ => &BODIES[..1],
    };
    METHODS
        .into_iter()
        .flat_map(move |method| bodies(method).iter().map(move |body| (method, *body)))
}

/// What a response tells, without ids, times and the path itself.
fn shape(response: &TestResponse, path: &str) -> (u16, BTreeMap<String, String>, String) {
    let mut headers = BTreeMap::new();
    for (name, value) in &response.headers {
        let value = value.to_str().expect("a header of text");
        let value = match name.as_str() {
            // Whether the rest of a body is on its way still, which nobody has read.
            "connection" => continue,
            "x-request-id" | "date" => continue,
            "set-cookie" => value.split('=').next().unwrap_or_default().to_owned(),
            "location" => location(value, path),
            _ => value.to_owned(),
        };
        headers.insert(name.to_string(), value);
    }
    (response.status, headers, response.text.clone())
}

/// Returns a location with the requested page, or the section that it is in, left out.
fn location(value: &str, path: &str) -> String {
    let encoded = |path: &str| path.replace('/', "%2F");
    let section: Vec<&str> = path.splitn(4, '/').take(3).collect();
    let section = encoded(&section.join("/"));
    match value.split_once("next=") {
        Some((before, next)) if next == encoded(path) || next == section => {
            format!("{before}next=")
        }
        _ => value.to_owned(),
    }
}

/// The paths of administrators, each once.
fn paths() -> Vec<String> {
    let id = "019ab0de-0000-7000-8000-000000000000";
    let mut paths: Vec<String> = API
        .iter()
        .chain(PAGES)
        .map(|route| route.path)
        .filter(|path| path.starts_with("/admin") || path.starts_with("/api/v1/admin"))
        .map(|path| path.replace("{id}", id))
        .collect();
    paths.dedup();
    assert!(paths.len() > 50, "only {} paths", paths.len());
    paths.extend(["/admin/", "/admin/a/b/c", "/api/v1/admin", "/api/v1/admin/"].map(Into::into));
    paths
}

async fn to_strangers_every_path_of_administrators_is_alike(app: &TestApp) {
    // A form of the overview itself leads back to another page than one below it.
    let mut below = paths();
    below.retain(|path| path != "/admin" && path != "/admin/");
    Caller::stranger()
        .expect_alike(app, &below, [303, 401])
        .await;
    for (method, body) in requests() {
        for path in ["/admin", "/admin/"] {
            let found = Caller::stranger().send(app, method, path, body).await;
            assert!(found.is_to_sign_in(), "{method} {path}");
        }
    }
    below.retain(|path| path.starts_with("/api/"));
    let forged = Caller::bearer("forged");
    forged.expect_alike(app, &below, [0, 401]).await;
    Caller::bearer(&altered(app.create_key("admin:read")))
        .expect_alike(app, &below, [0, 401])
        .await;
}

/// Returns the key with one character in it exchanged.
fn altered(mut key: String) -> String {
    let at = key.len() - 10;
    let other = if &key[at..=at] == "x" { "y" } else { "x" };
    key.replace_range(at..=at, other);
    key
}

async fn to_people_every_path_of_administrators_is_missing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/account", "/account/name").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let (_, csrf) = csrf.expect("a CSRF token");
    let genuine = Caller::cookie(&browser, csrf);
    let forged = Caller::cookie(&browser, "forged");
    let token = app.login(&ada, FIREFOX).await.access_token;
    let all = paths();
    genuine.expect_alike(app, &all, [404, 404]).await;
    forged.expect_alike(app, &all, [404, 404]).await;
    let mut api = all.clone();
    api.retain(|path| path.starts_with("/api/"));
    Caller::bearer(&token)
        .expect_alike(app, &api, [0, 404])
        .await;
    // Without a recent password, nothing else.
    app.advance(Duration::from_secs(3600));
    genuine.expect_alike(app, &all, [404, 404]).await;
}

async fn to_keys_without_the_scope_every_path_of_administrators_is_missing(app: &TestApp) {
    let key = Caller::bearer(&app.create_key("tokens sessions"));
    let mut api = paths();
    api.retain(|path| path.starts_with("/api/"));
    key.expect_alike(app, &api, [0, 404]).await;
}

/// Who isn't one gets the response at once; the body of an administrator is waited for.
async fn the_gate_decides_before_the_body_arrives(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let token = app.login(&ada, FIREFOX).await.access_token;
    let address = app.base().replace("http://", "");
    for path in ["/api/v1/admin/users", "/api/v1/admin/nowhere"] {
        let mut stream = TcpStream::connect(&address).await.expect("the server");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 9\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.expect("a response");
        assert_eq!(&status, b"HTTP/1.1 404", "{path}");
    }
}
