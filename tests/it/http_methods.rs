//! `HEAD`, `OPTIONS` and `Allow` (RFC 9110, 9.3), and what every response carries whatever it
//! answers.

use std::collections::BTreeSet;

use rollcall::server::routes::{API, PAGES, Route};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: head_is_answered_as_get_without_its_body,
    options_lists_the_methods_and_needs_no_sign_in,
    another_method_is_told_which_are_taken,
    an_unknown_path_is_404_for_every_method,
    every_text_states_its_charset,
    a_request_that_cannot_be_read_gets_the_security_headers,
);
on_both!(
    database: a_path_that_does_not_exist_has_no_options,
    hsts_covers_subdomains_only_where_that_is_set,
);

fn example(pattern: &str) -> String {
    pattern
        .replace("{id}", "019ab0de-0000-7000-8000-000000000000")
        .replace("{token}", "forged")
        .replace("{name}", "none.css")
}

fn routes() -> impl Iterator<Item = &'static Route> {
    API.iter().chain(PAGES)
}

/// The methods of each path, as the table has them.
fn allowed(path: &str) -> BTreeSet<String> {
    let mut methods = BTreeSet::from(["OPTIONS".to_owned()]);
    for route in routes().filter(|route| route.path == path) {
        methods.insert(route.method.to_string());
        if route.method == "GET" {
            methods.insert("HEAD".to_owned());
        }
    }
    methods
}

fn listed(response: &TestResponse) -> BTreeSet<String> {
    let allow = response.header("allow");
    allow.split(", ").map(ToOwned::to_owned).collect()
}

async fn head_is_answered_as_get_without_its_body(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let session = browser.cookie("rollcall_session").expect("a cookie");
    let device = browser.cookie("rollcall_device").expect("a cookie");
    let cookies = format!("rollcall_session={session}; rollcall_device={device}");
    let style = app.anyone().get("/sign-in").await.text;
    let style = style.split('"').find(|part| part.ends_with(".css"));
    let mut paths: Vec<String> = routes()
        .filter(|route| route.method == "GET" && route.path != "/devices/changes")
        .map(|route| example(route.path))
        .collect();
    paths.push(style.expect("a stylesheet").to_owned());
    paths.push("/devices/changes?since=never".into());
    for path in paths {
        for cookie in ["", &cookies] {
            let send = async |method: &str| {
                let request = app.anyone().request(method, &path);
                TestResponse::to(request.header("cookie", cookie)).await
            };
            let (get, head) = (send("GET").await, send("HEAD").await);
            assert_eq!(head.status, get.status, "{path}");
            assert!(head.text.is_empty(), "{path}: {}", head.text);
            for (name, value) in &get.headers {
                // The id of the request, the time, and a device cookie are its own.
                if !["x-request-id", "date", "set-cookie"].contains(&name.as_str()) {
                    assert_eq!(head.headers.get(name), Some(value), "{path}: {name}");
                }
            }
            assert_eq!(head.headers.len(), get.headers.len(), "{path}");
        }
    }
}

async fn options_lists_the_methods_and_needs_no_sign_in(app: &TestApp) {
    let admin = Credentials::of_an_administrator(app).await;
    for route in routes() {
        let path = example(route.path);
        let response = admin.send(app, "OPTIONS", &path).await;
        assert_eq!(response.status, 204, "{path}");
        assert!(response.text.is_empty(), "{path}");
        assert_eq!(listed(&response), allowed(route.path), "{path}");
        assert!(
            !response.header("content-security-policy").is_empty(),
            "{path}"
        );
    }
}

async fn another_method_is_told_which_are_taken(app: &TestApp) {
    let admin = Credentials::of_an_administrator(app).await;
    for route in routes() {
        let path = example(route.path);
        for method in ["PUT", "TRACE", "PROPFIND"] {
            let response = admin.send(app, method, &path).await;
            assert_eq!(response.status, 405, "{method} {path}");
            assert_eq!(listed(&response), allowed(route.path), "{method} {path}");
        }
    }
}

/// What an administrator sends to their own paths, where to others no path exists.
struct Credentials {
    cookie: String,
    token: String,
}

impl Credentials {
    async fn of_an_administrator(app: &TestApp) -> Self {
        let root = app.register("root@example.org").await;
        app.set_role(&root, "admin");
        let browser = app.signed_in_browser(&root, FIREFOX).await;
        let session = browser.cookie("rollcall_session").expect("a cookie");
        Self {
            cookie: format!("rollcall_session={session}"),
            token: app.login(&root, FIREFOX).await.access_token,
        }
    }

    async fn send(&self, app: &TestApp, method: &str, path: &str) -> TestResponse {
        let request = app.anyone().request(method, path);
        TestResponse::to(match path {
            path if path.starts_with("/api/v1/admin/") => request.bearer_auth(&self.token),
            path if path.starts_with("/admin") => request.header("cookie", &self.cookie),
            _ => request,
        })
        .await
    }
}

async fn an_unknown_path_is_404_for_every_method(app: &TestApp) {
    for path in ["/nowhere", "/api/v1/nowhere", "/devices/", "/auth", "//"] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
            let response = TestResponse::to(app.anyone().request(method, path)).await;
            assert_eq!(response.status, 404, "{method} {path}");
            assert_eq!(response.header("allow"), "", "{method} {path}");
        }
    }
}

async fn a_path_that_does_not_exist_has_no_options(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.sign_up = false).await;
    for path in ["/sign-up", "/api/v1/auth/register"] {
        let response = TestResponse::to(app.anyone().request("OPTIONS", path)).await;
        assert_eq!(response.status, 404, "{path}");
    }
    app.stop().await;
}

async fn every_text_states_its_charset(app: &TestApp) {
    let page = app.anyone().get("/sign-in").await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let linked: Vec<&str> = page
        .text
        .split('"')
        .filter(|part| part.starts_with("/static/"))
        .map(|part| part.split('#').next().unwrap_or_default())
        .collect();
    let icon = app.anyone().get("/favicon.ico").await;
    let icon = icon.header("location").to_owned();
    assert!(linked.len() >= 3, "{linked:?}");
    for path in linked.into_iter().chain([icon.as_str()]) {
        let file = app.anyone().get(path).await.expect(200);
        let kind = file.header("content-type");
        assert!(kind.ends_with("; charset=utf-8"), "{path}: {kind}");
    }
    assert!(icon.ends_with(".svg"), "{icon}");
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    // The support of the tests compares the type of the stream.
    browser.stream("/devices/changes?since=0").await;
}

/// Requests that this service reads, and not `actix-http` before it.
async fn a_request_that_cannot_be_read_gets_the_security_headers(app: &TestApp) {
    for head in [
        "GET /devices/%ff%00 HTTP/1.1\r\nhost: x",
        "GET /devices/changes?since=x HTTP/1.1\r\nhost: x",
        "GET /%2e%2e/%2f HTTP/1.1\r\nhost: x",
        "GET /auth/verify?group=%ff HTTP/1.1\r\nhost: x",
        "OPTIONS * HTTP/1.1\r\nhost: x",
        "CONNECT example.org:443 HTTP/1.1\r\nhost: x",
        "GET http://example.org/sign-in HTTP/1.1\r\nhost: x",
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 0",
        "POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 0",
        "POST /sign-in HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999",
    ] {
        let response = send_raw(app, &format!("{head}\r\nconnection: close\r\n\r\n")).await;
        assert!(!response.starts_with("HTTP/1.1 5"), "{head}: {response}");
        let response = response.to_ascii_lowercase();
        for header in ["content-security-policy: ", "x-content-type-options: "] {
            assert!(response.contains(header), "{head}: {response}");
        }
    }
}

/// Sends a request as it is. Returns the response.
async fn send_raw(app: &TestApp, request: &str) -> String {
    let address = app.base().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.expect("the server");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response).await;
    String::from_utf8_lossy(&response).into_owned()
}

/// `actix-http` answers these itself, before there is a request.
#[test]
fn a_malformed_request_is_no_error_of_the_service() {
    crate::support::run_async(async {
        let database = Database::sqlite();
        let mut serving = Program::with(&database).serve(&["serve"]);
        let address = serving.base().replace("http://", "");
        let long = "x".repeat(200_000);
        for request in [
            "nonsense\r\n\r\n",
            "GET / HTTP/1.1\r\nbad header\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            &format!("GET / HTTP/1.1\r\nx: {long}"),
        ] {
            let mut stream = TcpStream::connect(&address).await.expect("the server");
            let _ = stream.write_all(request.as_bytes()).await;
            let mut response = Vec::new();
            let _ = stream.read_to_end(&mut response).await;
            let response = String::from_utf8_lossy(&response);
            assert!(!response.starts_with("HTTP/1.1 5"), "{response}");
        }
        assert!(serving.terminate().success());
        let output = serving.output();
        assert!(!output.contains("ERROR"), "{output}");
    });
}

async fn hsts_covers_subdomains_only_where_that_is_set(database: Database) {
    let start = async |database, url: &str, include| {
        let url = url.parse().expect("a URL");
        TestApp::start_with(database, |settings| {
            settings.public_url = Some(url);
            settings.hsts_include_subdomains = include;
        })
        .await
    };
    let mut database = database;
    for (url, include, expected) in [
        ("https://login.example.org", false, "max-age=31536000"),
        (
            "https://login.example.org",
            true,
            "max-age=31536000; includeSubDomains",
        ),
        ("http://login.example.org", true, ""),
    ] {
        let app = start(database, url, include).await;
        let page = app.anyone().get("/sign-in").await.expect(200);
        assert_eq!(page.header("strict-transport-security"), expected);
        database = app.stop_and_keep_database().await;
    }
}
