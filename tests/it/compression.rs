//! What is compressed, and what never is: whatever has a secret beside text that somebody else can
//! choose (BREACH), and what is streamed.

use std::io::Read;

use reqwest::Response;

use crate::support::html;
use crate::support::prelude::*;
use crate::support::proxy::{Kind, Proxy, Rule};
use crate::support::response::path_of;

on_both!(
    app: a_static_file_is_compressed_as_the_client_prefers,
    a_client_that_takes_no_compression_gets_the_file_as_it_is,
    a_public_page_is_compressed_where_nothing_is_reflected,
    a_page_with_an_answer_is_not_compressed,
    pages_of_people_streams_and_the_api_are_not_compressed,
    it_passes_nginx_and_caddy_unchanged,
);

/// What browsers send.
const BROWSER: &str = "gzip, deflate, br, zstd";

/// A response with the bytes that were sent.
struct Sent {
    coding: String,
    vary: String,
    length: String,
    body: Vec<u8>,
}

impl Sent {
    async fn of(response: Response) -> Self {
        let header = |name: &str| {
            let values = response.headers().get_all(name).iter();
            let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
            values.join(", ")
        };
        let (coding, vary, length) = (
            header("content-encoding"),
            header("vary"),
            header("content-length"),
        );
        let body = response.bytes().await.expect("a body").to_vec();
        Self {
            coding,
            vary,
            length,
            body,
        }
    }

    /// Returns the text that was compressed.
    fn text(&self) -> String {
        let mut text = String::new();
        let read = match self.coding.as_str() {
            "br" => brotli::Decompressor::new(&*self.body, 4096).read_to_string(&mut text),
            "gzip" => flate2::read::GzDecoder::new(&*self.body).read_to_string(&mut text),
            "" => (&*self.body).read_to_string(&mut text),
            other => panic!("compressed as {other}"),
        };
        read.expect("a text");
        text
    }
}

async fn request(app: &TestApp, method: &str, path: &str, headers: &[(&str, &str)]) -> Sent {
    let mut request = app.anyone().request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Sent::of(request.send().await.expect("a response")).await
}

async fn get(app: &TestApp, path: &str, accepted: &str) -> Sent {
    request(app, "GET", path, &[("accept-encoding", accepted)]).await
}

/// Returns the paths of the static files of a page.
async fn static_files(app: &TestApp) -> Vec<String> {
    let page = app.browser(FIREFOX).get("/sign-in").await.expect(200);
    let links = [
        html::attributes(&page.text, "href"),
        html::attributes(&page.text, "src"),
    ];
    let paths = links.concat();
    let paths = paths.iter().map(|link| path_of(link).to_owned());
    paths.filter(|path| path.starts_with("/static/")).collect()
}

async fn stylesheet(app: &TestApp) -> String {
    let mut files = static_files(app).await.into_iter();
    let found = files.find(|path| path.ends_with(".css"));
    found.expect("a stylesheet")
}

async fn a_static_file_is_compressed_as_the_client_prefers(app: &TestApp) {
    let path = stylesheet(app).await;
    let plain = get(app, &path, "identity").await;
    for (accepted, coding) in [
        (BROWSER, "br"),
        ("gzip", "gzip"),
        ("br;q=0.5, gzip;q=0.9", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
    ] {
        let sent = get(app, &path, accepted).await;
        assert_eq!(sent.coding, coding, "{accepted}");
        assert_eq!(sent.text(), plain.text(), "{accepted}");
        assert_eq!(sent.length, sent.body.len().to_string(), "{accepted}");
        assert!(sent.body.len() * 3 < plain.body.len(), "{accepted}");
        assert_eq!(sent.vary, "accept-encoding", "a cache tells them apart");
    }
    // HEAD has the headers of GET.
    let accepted = [("accept-encoding", BROWSER)];
    let head = request(app, "HEAD", &path, &accepted).await;
    let compressed = get(app, &path, BROWSER).await;
    assert_eq!((head.coding.as_str(), head.body.len()), ("br", 0));
    assert_eq!(head.length, compressed.length);
    // A part of a compressed file would be of no use: the whole is sent (RFC 9110, 14.2).
    let part = [("accept-encoding", BROWSER), ("range", "bytes=0-9")];
    let part = request(app, "GET", &path, &part).await;
    assert_eq!(part.body, compressed.body);
}

async fn a_client_that_takes_no_compression_gets_the_file_as_it_is(app: &TestApp) {
    for path in static_files(app).await {
        let plain = get(app, &path, "identity").await;
        for accepted in [
            "",
            "br;q=0, gzip;q=0",
            "*;q=0",
            "zstd",
            "identity, br;q=0.1",
        ] {
            let sent = get(app, &path, accepted).await;
            assert_eq!(sent.coding, "", "{path}: {accepted}");
            assert_eq!(sent.body, plain.body, "{path}: {accepted}");
            assert_eq!(sent.vary, "accept-encoding", "{path}: {accepted}");
        }
    }
}

async fn a_public_page_is_compressed_where_nothing_is_reflected(app: &TestApp) {
    for path in ["/sign-in", "/sign-up"] {
        let sent = get(app, path, BROWSER).await;
        assert_eq!(
            (sent.coding.as_str(), &*sent.vary),
            ("br", "accept-encoding")
        );
        assert!(sent.text().contains("</html>"), "{path}");
        assert_eq!(get(app, path, "gzip").await.coding, "gzip", "{path}");
    }
    // The query is reflected beside the CSRF token.
    let sent = get(app, "/sign-in?next=%2Faccount", BROWSER).await;
    assert_eq!(sent.coding, "");
    assert!(sent.text().contains("/account"));
    assert_eq!(get(app, "/sign-in?", BROWSER).await.coding, "br");
}

async fn a_page_with_an_answer_is_not_compressed(app: &TestApp) {
    // The form is shown again with what was typed.
    let browser = app.browser(FIREFOX);
    let form = browser.form("/sign-in", "/sign-in").await;
    let typed = [("email", "chosen@example.org"), ("password", "wrong")];
    let accepted = [("accept-encoding", BROWSER)];
    let response = browser.send_with(&form, &typed, &accepted).await;
    assert!(response.text.contains("chosen@example.org"));
    assert_eq!(response.header("content-encoding"), "");
    // A notice may name what somebody else has named.
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let page = browser.get_with("/sign-in", &accepted).await.expect(200);
    assert!(page.text.contains("signed out"), "{}", page.text);
    assert_eq!(page.header("content-encoding"), "");
}

async fn pages_of_people_streams_and_the_api_are_not_compressed(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let accepted = [("accept-encoding", BROWSER)];
    for path in [
        "/devices",
        "/account",
        "/devices/sign-out-others",
        "/nowhere",
        "/api/v1/me",
        "/api/v1/sessions/me",
        "/.well-known/jwks.json",
    ] {
        let response = browser.get_with(path, &accepted).await;
        assert_eq!(response.header("content-encoding"), "", "{path}");
    }
    let stream = browser.stream("/devices/changes?since=0").await;
    assert!(stream.headers().get("content-encoding").is_none());
}

async fn it_passes_nginx_and_caddy_unchanged(app: &TestApp) {
    let path = stylesheet(app).await;
    let direct = get(app, &path, BROWSER).await;
    for kind in [Kind::Nginx, Kind::Caddy] {
        let address = Proxy::free_address();
        let proxy = Proxy::start(kind, Rule::SignedIn, address, &app.base()).await;
        let http = crate::support::app::http_client();
        let http = http.resolve("login.example.org", address).build();
        let http = http.expect("a client");
        let url = format!("http://login.example.org:{}{path}", address.port());
        for (accepted, coding) in [(BROWSER, "br"), ("gzip", "gzip"), ("identity", "")] {
            let response = http.get(&url).header("accept-encoding", accepted).send();
            let sent = Sent::of(response.await.expect("a response")).await;
            assert_eq!(sent.coding, coding, "{kind:?}: {accepted}");
            assert_eq!(sent.text(), direct.text(), "{kind:?}: {accepted}");
        }
        proxy.stop().await;
    }
}
