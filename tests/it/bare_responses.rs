//! The responses to what is no HTTP, which `actix-http` gives itself: they have the security
//! headers, and no byte of another response is changed.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use crate::support::prelude::*;

on_both!(
    app: what_is_no_http_gets_the_security_headers,
    it_gets_them_after_good_requests_too,
    it_gets_them_when_a_body_breaks_off,
    typed_text_comes_back_unchanged,
    a_slow_reader_receives_every_byte,
);
on_both!(database: hsts_is_among_them_where_it_is_reached_over_https);

const BAD: [&str; 14] = [
    "nonsense\r\n\r\n",
    "GET /\r\n\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "GET / HTTP/1.1\r\n: no name\r\n\r\n",
    "GET / HTTP/1.1\r\nbad name: x\r\n\r\n",
    "GET / HTTP/1.1\r\nx: \0\r\n\r\n",
    "GET / HTTP/3.7\r\nhost: x\r\n\r\n",
    "GET /\u{7f} HTTP/1.1\r\nhost: x\r\n\r\n",
    "GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n",
    "POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "POST / HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
    "POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\ntransfer-encoding: gzip, identity\r\n\r\n",
];
/// A bare head, as somebody may type it.
const TYPED: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\
                     date: Sun, 29 Nov 2026 10:00:00 GMT\r\n\r\n";

/// A response as it came through the socket.
#[derive(Debug)]
struct Raw {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Raw {
    fn is_bare(&self) -> bool {
        !self.headers.contains_key("x-request-id")
    }
}

fn address(app: &TestApp) -> String {
    app.base().replace("http://", "")
}

/// Splits what was received into responses; those to `HEAD` have no body.
fn split(mut received: &[u8], is_head: bool) -> Vec<Raw> {
    let mut responses = Vec::new();
    while !received.is_empty() {
        let end = received.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(received)));
        let head = str::from_utf8(&received[..end]).expect("a head of text");
        let (status, lines) = head.split_once("\r\n").unwrap_or((head, ""));
        let lines: Vec<(&str, &str)> = lines
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .collect();
        let headers: BTreeMap<String, String> = lines
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let status: Vec<&str> = status.split(' ').collect();
        assert!(status[0].starts_with("HTTP/1."), "{head}");
        received = &received[end + 4..];
        if status[1] == "100" {
            continue;
        }
        let length = match headers.get("content-length") {
            Some(length) if !is_head => length.parse().expect("a length"),
            _ => 0,
        };
        let (body, rest) = received.split_at(length);
        received = rest;
        responses.push(Raw {
            status: status[1].parse().expect("a status"),
            headers,
            body: body.to_vec(),
        });
    }
    responses
}

async fn exchange(app: &TestApp, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address(app)).await.expect("the server");
    let _ = stream.write_all(request).await;
    let mut received = Vec::new();
    let _ = stream.read_to_end(&mut received).await;
    received
}

/// Sends a request as it is. Returns the responses.
async fn send(app: &TestApp, request: &str) -> Vec<Raw> {
    split(&exchange(app, request.as_bytes()).await, false)
}

/// The security headers of a good response.
async fn expected(app: &TestApp) -> BTreeMap<String, String> {
    let good = app.anyone().get("/health/live").await.expect(200);
    let others = ["content-length", "content-type", "date", "x-request-id"];
    good.headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
        .filter(|(name, _)| !others.contains(&name.as_str()))
        .collect()
}

/// Asserts that the last response is one of `actix-http`'s, and complete.
#[track_caller]
fn assert_completed(responses: &[Raw], expected: &BTreeMap<String, String>, sent: &str) {
    let last = responses.last().unwrap_or_else(|| panic!("{sent:?}"));
    assert!(last.is_bare(), "{sent:?}: {last:?}");
    assert!([400, 431].contains(&last.status), "{sent:?}: {last:?}");
    let mut headers = last.headers.clone();
    for own in ["content-length", "connection", "date"] {
        headers.remove(own);
    }
    assert_eq!(&headers, expected, "{sent:?}");
}

async fn what_is_no_http_gets_the_security_headers(app: &TestApp) {
    let expected = expected(app).await;
    assert!(expected.len() >= 8, "{expected:?}");
    assert!(!expected.contains_key("strict-transport-security"));
    let long = format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(131_072));
    for request in BAD.into_iter().chain([long.as_str()]) {
        let responses = send(app, request).await;
        assert_eq!(responses.len(), 1, "{request:?}: {responses:?}");
        assert_completed(&responses, &expected, request);
    }
}

async fn hsts_is_among_them_where_it_is_reached_over_https(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.public_url = Some("https://login.example.org".parse().expect("a URL"));
    })
    .await;
    let expected = expected(&app).await;
    assert!(expected.contains_key("strict-transport-security"));
    assert_completed(&send(&app, BAD[0]).await, &expected, BAD[0]);
    app.stop().await;
}

async fn it_gets_them_after_good_requests_too(app: &TestApp) {
    let expected = expected(app).await;
    let ok = "GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n";
    for good in [
        ok,
        "GET /sign-in HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /devices HTTP/1.1\r\nhost: x\r\n\r\n",
        "OPTIONS /sign-in HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /nowhere HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        "POST /sign-in HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\na=b",
        &ok.repeat(5),
    ] {
        for bad in BAD {
            let pipelined = send(app, &format!("{good}{bad}")).await;
            let count = good.matches("HTTP/1.").count();
            assert_eq!(pipelined.len(), count + 1, "{good}{bad}: {pipelined:?}");
            assert!(pipelined[..count].iter().all(|one| !one.is_bare()));
            assert_completed(&pipelined, &expected, &format!("{good}{bad}"));
        }
        // A connection is closed whose body wasn't read.
        if !good.starts_with("POST") {
            assert_completed(&send_apart(app, good, BAD[2]).await, &expected, good);
        }
    }
    let head = "HEAD /sign-in HTTP/1.1\r\nhost: x\r\n\r\n";
    for bad in BAD {
        let received = exchange(app, format!("{head}{bad}").as_bytes()).await;
        assert_completed(&split(&received, true), &expected, bad);
    }
}

/// Sends the second part once the response to the first has arrived.
async fn send_apart(app: &TestApp, first: &str, second: &str) -> Vec<Raw> {
    let mut stream = TcpStream::connect(address(app)).await.expect("the server");
    stream.write_all(first.as_bytes()).await.expect("sent");
    let mut received = vec![0];
    stream.read_exact(&mut received).await.expect("a response");
    sleep(Duration::from_millis(100)).await;
    stream.write_all(second.as_bytes()).await.expect("sent");
    let _ = stream.read_to_end(&mut received).await;
    split(&received, false)
}

async fn it_gets_them_when_a_body_breaks_off(app: &TestApp) {
    let expected = expected(app).await;
    let kind = "content-type: application/x-www-form-urlencoded";
    for path in ["/sign-in", "/api/v1/auth/login", "/health/live", "/nowhere"] {
        for body in [
            "zz\r\n",
            "ffffffffffffffffff\r\n",
            "1\r\nab\r\n",
            "3\r\na=b\r\n-1\r\n",
        ] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\n{kind}\r\ntransfer-encoding: chunked\r\n\r\n{body}"
            );
            let responses = send(app, &request).await;
            for response in &responses {
                let policy = response.headers.get("content-security-policy");
                assert!(policy.is_some(), "{request:?}: {response:?}");
            }
            assert!(!responses.is_empty(), "{request:?}");
            if responses.last().is_some_and(Raw::is_bare) {
                assert_completed(&responses, &expected, &request);
            }
        }
    }
}

/// Posts what was typed, and then what is no HTTP.
async fn typed_text_comes_back_unchanged(app: &TestApp) {
    let expected = expected(app).await;
    let page = app.browser(FIREFOX);
    let form = page.form("/sign-in", "/sign-in").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let (_, csrf) = csrf.expect("a CSRF token");
    let device = page.cookie("rollcall_device").expect("a cookie");
    let typed: String = TYPED.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let body = format!("csrf={csrf}&email={typed}&password=wrong");
    let request = format!(
        "POST /sign-in HTTP/1.1\r\nhost: x\r\ncookie: rollcall_device={device}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for end in [BAD[0], "GET /sign-in HTTP/1.1\r\nconnection: close\r\n\r\n"] {
        let responses = send(app, &format!("{request}{end}")).await;
        assert_eq!(responses.len(), 2, "{responses:?}");
        let page = String::from_utf8_lossy(&responses[0].body);
        assert!(page.contains(TYPED), "{page}");
        assert!(page.trim_end().ends_with("</html>"), "{page}");
        if end == BAD[0] {
            assert_completed(&responses, &expected, end);
        }
    }
}

async fn a_slow_reader_receives_every_byte(app: &TestApp) {
    let expected = expected(app).await;
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for _ in 0..40 {
        app.login(&ada, TYPED.lines().next().expect("a line")).await;
    }
    let cookie = browser.cookie("rollcall_session").expect("a cookie");
    let one =
        format!("GET /devices HTTP/1.1\r\nhost: x\r\ncookie: rollcall_session={cookie}\r\n\r\n");
    let fast = send(app, &format!("{one}{}", BAD[0])).await.swap_remove(0);
    assert_eq!(fast.status, 200, "{fast:?}");
    let pipelined = one.repeat(15);

    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(2048).expect("a small buffer");
    let server = address(app).parse().expect("an address");
    let mut stream = socket.connect(server).await.expect("the server");
    let request = format!("{pipelined}{}", BAD[0]);
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut received = Vec::new();
    let mut piece = [0; 1021];
    loop {
        sleep(Duration::from_micros(500)).await;
        match stream.read(&mut piece).await.expect("a piece") {
            0 => break,
            count => received.extend_from_slice(&piece[..count]),
        }
    }
    let responses = split(&received, false);
    assert_eq!(responses.len(), 16);
    for response in &responses[..15] {
        assert_eq!(response.status, 200, "{response:?}");
        let text = String::from_utf8_lossy(&response.body);
        assert_eq!(text, String::from_utf8_lossy(&fast.body));
    }
    assert_completed(&responses, &expected, "the end");
}
