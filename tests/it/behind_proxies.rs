//! Forward-auth through the real nginx and the real Caddy, each with its file of docs/: a person, a
//! browser and programs in front of a small application, and what the application receives.

use std::sync::Arc;

use reqwest::cookie::{CookieStore, Jar};
use reqwest::header::HeaderValue;
use reqwest::{Client, RequestBuilder, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::http_client;
use crate::support::application::Received;
use crate::support::html;
use crate::support::prelude::*;
use crate::support::proxy::{Kind, Proxy, Rule};
use crate::support::webdriver::{Script, WebDriver};

/// Generates a test for each proxy and database from each function.
macro_rules! behind_each {
    ($rule:expr; $($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::support::{database::Database, proxy::Kind, run_async};

            #[test]
            fn nginx_sqlite() {
                on(Kind::Nginx, Database::sqlite());
            }

            #[test]
            fn nginx_postgres() {
                on(Kind::Nginx, Database::postgres());
            }

            #[test]
            fn caddy_sqlite() {
                on(Kind::Caddy, Database::sqlite());
            }

            #[test]
            fn caddy_postgres() {
                on(Kind::Caddy, Database::postgres());
            }

            fn on(kind: Kind, database: Database) {
                run_async(async {
                    let site = super::Site::start(kind, $rule, database).await;
                    super::$name(&site).await;
                    site.stop().await;
                });
            }
        }
    )+};
}

behind_each!(
    super::Rule::SignedIn;
    a_person_signs_in_on_the_way_and_is_named,
    chromium_signs_in_on_the_way_with_script,
    chromium_signs_in_on_the_way_without_script,
    the_application_receives_no_cookie_of_ours,
    what_a_client_claims_is_replaced,
    a_query_and_an_authorization_are_the_application_s_business,
    every_method_and_body_passes,
    a_web_socket_opens_for_a_signed_in_person_only,
    another_host_is_not_let_in,
    the_application_is_named_on_the_page_of_the_device,
);

behind_each!(super::Rule::Admin; administrators_only_where_the_path_says_so);

const HTML: &str = "text/html,application/xhtml+xml";
/// Redirects that a browser follows before it calls them a loop, about.
const MAX_REDIRECTS: usize = 10;

/// Rollcall at `login.example.org` and the small application at `app.example.org`.
struct Site {
    kind: Kind,
    app: TestApp,
    proxy: Proxy,
    ada: Person,
    port: u16,
    login: String,
    application: String,
}

/// A client with its cookies.
struct Visitor {
    http: Client,
    jar: Arc<Jar>,
}

impl Site {
    async fn start(kind: Kind, rule: Rule, database: Database) -> Self {
        let address = Proxy::free_address();
        let port = address.port();
        let url = |host: &str| format!("http://{host}.example.org:{port}");
        let login = url("login");
        let app = TestApp::start_with(database, |settings| {
            settings.public_url = login.parse().ok();
            settings.cookie_domain = Some("example.org".into());
            settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
            settings.forward_auth.allowed_hosts = vec![format!("app.example.org:{port}")];
        })
        .await;
        let proxy = Proxy::start(kind, rule, address, &app.base()).await;
        let ada = app.register("ada@example.org").await;
        Self {
            kind,
            app,
            proxy,
            ada,
            port,
            login,
            application: url("app"),
        }
    }

    async fn stop(self) {
        self.proxy.stop().await;
        self.app.stop().await;
    }

    fn visitor(&self) -> Visitor {
        let jar = Arc::new(Jar::default());
        let address = ([127, 0, 0, 1], self.port).into();
        let hosts = ["login.example.org", "app.example.org", "evil.example.org"];
        let builder = hosts.iter().fold(http_client(), |builder, host| {
            builder.resolve(host, address)
        });
        let http = builder.cookie_provider(jar.clone()).build();
        Visitor {
            http: http.expect("a client"),
            jar,
        }
    }

    async fn signed_in_visitor(&self) -> Visitor {
        let visitor = self.visitor();
        self.sign_in(&visitor, "/").await;
        visitor
    }

    /// Opens a page of the application, and signs in on the way.
    async fn sign_in(&self, visitor: &Visitor, path: &str) -> TestResponse {
        let page = visitor.open(&self.at(path)).await.expect(200);
        let form = html::forms(&page.text).remove(0);
        let mut fields: Vec<(&str, &str)> = form
            .hidden
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        fields.extend([("email", self.ada.email.as_str()), ("password", PASSWORD)]);
        let sent = visitor
            .http
            .post(format!("{}{}", self.login, form.action))
            .header("accept", HTML)
            .form(&fields);
        let response = TestResponse::to(sent).await;
        visitor
            .follow(&self.login.parse().expect("a URL"), response)
            .await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.application)
    }

    /// Returns the visitor's cookies for the application, as a header.
    fn cookies(&self, visitor: &Visitor) -> String {
        let url = self.application.parse().expect("a URL");
        let cookies = visitor.jar.cookies(&url).expect("cookies");
        cookies.to_str().expect("text").to_owned()
    }
}

impl Visitor {
    fn get(&self, url: &str) -> RequestBuilder {
        self.http.get(url)
    }

    /// Opens a page as a browser does, wherever it leads.
    async fn open(&self, url: &str) -> TestResponse {
        let first = self.get(url).header("accept", HTML);
        let response = TestResponse::to(first).await;
        self.follow(&url.parse().expect("a URL"), response).await
    }

    async fn follow(&self, from: &Url, response: TestResponse) -> TestResponse {
        let (mut url, mut response) = (from.clone(), response);
        for _ in 0..MAX_REDIRECTS {
            let target = match response.status {
                302 | 303 => response.header("location"),
                _ => match response.header("refresh").split_once("url=") {
                    Some((_, target)) => target,
                    None => return response,
                },
            };
            url = url.join(target).expect("a URL");
            let next = self.get(url.as_str()).header("accept", HTML);
            response = TestResponse::to(next).await;
        }
        panic!("it goes round in circles at {url}");
    }
}

async fn a_person_signs_in_on_the_way_and_is_named(site: &Site) {
    let visitor = site.visitor();
    let path = "/a?b=c&d=e%20f&group=nobody";
    TestResponse::to(visitor.get(&site.at(path)))
        .await
        .expect(401);
    let received = Received::from_response(site.sign_in(&visitor, path).await);
    assert_eq!(received.uri, path);
    assert_eq!(received.header("remote-email"), "ada@example.org");
    assert_eq!(received.header("remote-name"), "Ada Lovelace");
    assert_eq!(received.header("remote-user").len(), 36);
    assert_eq!(received.header("remote-session").len(), 36);
    assert_eq!(received.header("x-forwarded-for"), "127.0.0.1");
    // The page of Rollcall itself knows the same session.
    let devices = visitor.open(&format!("{}/devices", site.login)).await;
    devices.expect(200).expect_words("127.0.0.1");

    site.app
        .database
        .execute("UPDATE user_sessions SET is_active = false, ended_reason = 'admin'");
    TestResponse::to(visitor.get(&site.at(path)))
        .await
        .expect(401);
    let page = visitor.open(&site.at(path)).await.expect(200);
    assert!(page.text.contains("name=\"password\""), "{}", page.text);
    Received::from_response(site.sign_in(&visitor, path).await);
}

async fn chromium_signs_in_on_the_way_with_script(site: &Site) {
    chromium_signs_in(site, Script::On).await;
}

async fn chromium_signs_in_on_the_way_without_script(site: &Site) {
    chromium_signs_in(site, Script::Off).await;
}

async fn chromium_signs_in(site: &Site, script: Script) {
    let driver = WebDriver::start();
    let browser = driver.open(&site.application, script).await;
    let path = "/a?b=c&d=e";
    for _ in 0..2 {
        browser.open(path).await;
        browser.complete_sign_in(&site.ada).await;
        browser.is_at(&site.at(path)).await;
        let shown = browser.words_in("body").await;
        let received: Received = serde_json::from_str(&shown).expect("a request");
        assert_eq!(received.uri, path);
        assert_eq!(received.header("remote-email"), "ada@example.org");
        assert_eq!(received.header("cookie"), "");
        site.app
            .database
            .execute("UPDATE user_sessions SET is_active = false, ended_reason = 'admin'");
    }
    browser.close().await;
}

async fn the_application_receives_no_cookie_of_ours(site: &Site) {
    let visitor = site.signed_in_visitor().await;
    let ours = site.cookies(&visitor);
    assert!(ours.contains("rollcall_forward="), "{ours}");
    assert!(!ours.contains("rollcall_session="), "{ours}");
    let large = "v".repeat(6000);
    let (large_a, large_b) = (format!("a={large}"), format!("b={large}"));
    let all = format!(
        "{ours}; rollcall_session=x; __Host-rollcall_session=x; __Host-rollcall_device=x; \
         __Secure-rollcall_forward=x; rollcall_bound=x"
    );
    let cases: [(&[&[u8]], String); 7] = [
        (&[all.as_bytes()], String::new()),
        (&[all.as_bytes(), b"a=1"], "a=1".into()),
        (
            &[b"a=1; a=2", all.as_bytes(), b"b=\"x y\"; bare"],
            "a=1; a=2; b=\"x y\"; bare".into(),
        ),
        (
            &[
                ours.as_bytes(),
                b"a={\"b\": \"{http.request.host}\"}; c=$host%7B",
            ],
            "a={\"b\": \"{http.request.host}\"}; c=$host%7B".into(),
        ),
        (
            &[ours.as_bytes(), b"a=\xe9\xc3\xa9"],
            "a=\u{e9}\u{c3}\u{a9}".into(),
        ),
        (&[b"a=\xff", ours.as_bytes()], "a=\u{ff}".into()),
        (
            &[large_a.as_bytes(), ours.as_bytes(), large_b.as_bytes()],
            format!("{large_a}; {large_b}"),
        ),
    ];
    for (lines, left) in cases {
        let request = visitor.get(&site.at("/"));
        let request = lines.iter().fold(request, |request, line| {
            request.header("cookie", HeaderValue::from_bytes(line).expect("bytes"))
        });
        // Caddy's file has a header of its own for them.
        let request = match site.kind {
            Kind::Caddy => request.header("x-rollcall-cookie", "rollcall_session=x"),
            Kind::Nginx => request,
        };
        let received = Received::from_response(TestResponse::to(request).await);
        assert_eq!(received.header("cookie"), left);
        let of_ours = received
            .headers
            .iter()
            .find(|(_, value)| value.contains("rollcall_"));
        assert_eq!(of_ours, None);
    }
    // A program with a token has no cookie.
    let laptop = site.app.login(&site.ada, FIREFOX).await;
    let request = site.visitor().get(&site.at("/"));
    let received = request.bearer_auth(&laptop.access_token);
    let received = Received::from_response(TestResponse::to(received).await);
    assert_eq!(received.lines("cookie"), Vec::<&str>::new());
}

async fn what_a_client_claims_is_replaced(site: &Site) {
    let visitor = site.signed_in_visitor().await;
    let evil = format!("http://evil.example.org:{}/", site.port);
    let claims = [
        ("remote-user", "root"),
        ("remote-email", "root@example.org"),
        ("remote-name", "root"),
        ("remote-session", "root"),
        ("remote_user", "root"),
        ("remote.user", "root"),
        ("remote-groups", "admins"),
        ("x-original-url", &evil),
        ("x-original-method", "GET"),
        ("x-forwarded-host", "evil.example.org"),
        ("x-forwarded-uri", "/evil"),
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "192.0.2.66"),
        ("x-real-ip", "192.0.2.66"),
        ("x-rewrite-url", "/evil"),
        ("forwarded", "for=192.0.2.66;host=evil.example.org"),
        ("cf-connecting-ip", "192.0.2.66"),
        ("cf-ipcountry", "XX"),
    ];
    let claimed = |request: RequestBuilder| {
        claims.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    };
    let received = claimed(visitor.get(&site.at("/a")));
    let received = Received::from_response(TestResponse::to(received).await);
    assert_eq!(received.header("remote-email"), "ada@example.org");
    assert_eq!(received.header("remote-name"), "Ada Lovelace");
    assert_eq!(received.header("x-forwarded-for"), "127.0.0.1");
    for (name, value) in &received.headers {
        let is_claimed = ["root", "evil", "192.0.2.66", "XX"]
            .iter()
            .any(|claim| value.contains(claim));
        // nginx passes on headers of other names: it has no wildcards.
        assert!(!is_claimed, "{name}: {value}");
    }
    // What is not asserted is the client's as little as the rest.
    site.app
        .database
        .execute("UPDATE users SET email_verified_at = NULL, full_name = NULL");
    let received = claimed(visitor.get(&site.at("/a")));
    let received = Received::from_response(TestResponse::to(received).await);
    assert_eq!(received.header("remote-email"), "");
    assert_eq!(received.header("remote-name"), "");
    // `Connection` names headers to be dropped.
    let dropping = visitor.get(&site.at("/a")).header(
        "connection",
        "remote-user, x-forwarded-host, x-rollcall-cookie, cookie",
    );
    let received = Received::from_response(TestResponse::to(dropping).await);
    assert_eq!(received.header("remote-user").len(), 36);
    assert_eq!(received.header("cookie"), "");

    // Nobody is let in, nor led elsewhere, by what they claim.
    let stranger = site.visitor();
    TestResponse::to(claimed(stranger.get(&site.at("/a"))))
        .await
        .expect(401);
    let page = claimed(stranger.get(&site.at("/a"))).header("accept", HTML);
    let location = TestResponse::to(page).await.expect(302);
    let location = location.header("location");
    let next = format!("next=http%3A%2F%2Fapp.example.org%3A{}%2Fa", site.port);
    assert_eq!(location, format!("{}/sign-in?{next}", site.login));
    // The session's address is the client's, not a claimed one.
    let devices = claimed(visitor.get(&format!("{}/devices", site.login)));
    let devices = TestResponse::to(devices).await.expect(200);
    assert!(!devices.text.contains("192.0.2.66"), "{}", devices.text);
}

async fn a_query_and_an_authorization_are_the_application_s_business(site: &Site) {
    let visitor = site.signed_in_visitor().await;
    for query in [
        "?x=1&group=admin",
        "?group=nobody",
        "?",
        "?%zz&%",
        "?a[]={b}",
    ] {
        let path = format!("/a{query}");
        let received = TestResponse::to(visitor.get(&site.at(&path))).await;
        assert_eq!(Received::from_response(received).uri, path);
    }
    let stranger = site.visitor();
    for value in ["Basic YWRhOng=", "Bearer theirs", "Bearer", "", "Digest x"] {
        for page in [false, true] {
            let url = site.at("/a");
            let accept = if page { HTML } else { "*/*" };
            let request = |visitor: &Visitor| {
                let request = visitor.get(&url).header("accept", accept);
                request.header("authorization", value)
            };
            let received = TestResponse::to(request(&visitor)).await;
            let received = Received::from_response(received);
            assert_eq!(received.header("authorization"), value);
            let refused = TestResponse::to(request(&stranger)).await;
            assert_eq!(refused.status, if page { 302 } else { 401 }, "{value}");
        }
    }
    // The application's own 401 is its own.
    let own = visitor.get(&site.at("/own-401")).header("accept", HTML);
    let own = TestResponse::to(own).await.expect(401);
    assert_eq!(own.headers.get("location"), None);
}

async fn every_method_and_body_passes(site: &Site) {
    let (visitor, stranger) = (site.signed_in_visitor().await, site.visitor());
    let request = |visitor: &Visitor, method: &str, body: usize| {
        let method = method.parse().expect("a method");
        let request = visitor.http.request(method, site.at("/a?x=1"));
        let request = request.header("accept", HTML);
        if body > 0 {
            request.body(vec![b'x'; body])
        } else {
            request
        }
    };
    for (method, body) in [
        ("POST", 5),
        ("POST", 3 << 20),
        ("PUT", 100_000),
        ("PATCH", 1),
        ("DELETE", 0),
        ("OPTIONS", 0),
        ("PROPFIND", 10),
    ] {
        let received = TestResponse::to(request(&visitor, method, body)).await;
        let received = Received::from_response(received);
        assert_eq!(
            (received.method.as_str(), received.body_bytes),
            (method, body)
        );
        assert_eq!(received.header("remote-email"), "ada@example.org");
        let refused = TestResponse::to(request(&stranger, method, body.min(5))).await;
        assert_eq!(refused.status, 401, "{method}");
        assert_eq!(refused.headers.get("location"), None, "{method}");
    }
    let waiting = request(&visitor, "POST", 2000).header("expect", "100-continue");
    let received = Received::from_response(TestResponse::to(waiting).await);
    assert_eq!(received.body_bytes, 2000);
    let head = TestResponse::to(request(&visitor, "HEAD", 0)).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    let head = TestResponse::to(request(&stranger, "HEAD", 0))
        .await
        .expect(302);
    assert!(head.header("location").starts_with(&site.login));
    let preflight = request(&stranger, "OPTIONS", 0)
        .header("origin", "https://other.example")
        .header("access-control-request-method", "PUT")
        .header("remote-user", "root")
        .header("cookie", "a=1; rollcall_session=x");
    let received = Received::from_response(TestResponse::to(preflight).await);
    assert_eq!(received.header("remote-user"), "");
    assert_eq!(received.header("cookie"), "a=1");
}

async fn a_web_socket_opens_for_a_signed_in_person_only(site: &Site) {
    let visitor = site.signed_in_visitor().await;
    let cookies = format!("{}; a=1", site.cookies(&visitor));
    let refused = handshake(site, "websocket", "a=1").await;
    let head = read_head(refused).await.1;
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert!(!head.to_lowercase().contains("\r\nlocation:"), "{head}");

    let (mut socket, head) = read_head(handshake(site, "WebSocket", &cookies).await).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.to_lowercase().contains("x-seen-cookie: a=1\r\n"),
        "{head}"
    );
    assert!(
        head.to_lowercase().contains("x-seen-remote-user: "),
        "{head}"
    );
    for message in ["hello", "again"] {
        socket.write_all(message.as_bytes()).await.expect("sending");
        let mut echoed = [0; 5];
        socket.read_exact(&mut echoed).await.expect("an echo");
        assert_eq!(&echoed, message.as_bytes());
    }
    // No other protocol, over which a client could go past the checks.
    let (_, head) = read_head(handshake(site, "h2c", &cookies).await).await;
    assert!(head.starts_with("HTTP/1.1 426 "), "{head}");
}

/// Asks for another protocol, as a browser asks for a web socket.
async fn handshake(site: &Site, protocol: &str, cookies: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", site.port))
        .await
        .expect("the proxy listens");
    let request = format!(
        "GET /socket HTTP/1.1\r\nHost: app.example.org:{}\r\nAccept: {HTML}\r\nCookie: {cookies}\r\n\
         Connection: keep-alive, Upgrade\r\nUpgrade: {protocol}\r\nOrigin: {}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        site.port, site.application
    );
    socket
        .write_all(request.as_bytes())
        .await
        .expect("the request is sent");
    socket
}

async fn read_head(mut socket: TcpStream) -> (TcpStream, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("a response"));
    }
    (socket, String::from_utf8_lossy(&head).into_owned())
}

async fn the_application_is_named_on_the_page_of_the_device(site: &Site) {
    let visitor = site.signed_in_visitor().await;
    visitor.open(&site.at("/notes")).await.expect(200);
    site.app.flush_application_uses().await;
    let current = format!("{}/api/v1/sessions/current", site.login);
    let current = visitor.open(&current).await.expect(200).json();
    let id = current["id"].as_str().expect("an id");
    let page = visitor.open(&format!("{}/devices/{id}", site.login)).await;
    let host = format!("app.example.org:{}", site.port);
    page.expect(200)
        .expect_words(&format!("Applications {host} · just now"));
}

async fn another_host_is_not_let_in(site: &Site) {
    let visitor = site.signed_in_visitor().await;
    let cookies = site.cookies(&visitor);
    for host in [
        "evil.example.org",
        "app.example.org.evil.example",
        "app.example.org:1",
    ] {
        for accept in [HTML, "*/*"] {
            let request = visitor
                .get(&site.at("/a"))
                .header("host", host)
                .header("accept", accept)
                .header("cookie", &cookies);
            let response = TestResponse::to(request).await;
            let shown = format!("{:?} {host}: {response:?}", site.kind);
            assert!(!response.text.contains("remote-"), "{shown}");
            assert_ne!(response.status, 302, "{shown}");
        }
    }
    // The request line names a host that isn't allowed, and `Host` one that is.
    let port = site.port;
    let request = format!(
        "GET http://secret.example.org:{port}/a HTTP/1.1\r\nHost: app.example.org:{port}\r\n\
         Cookie: {cookies}\r\nConnection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .await
        .expect("a response");
    assert!(!response.contains("remote-"), "{:?}: {response}", site.kind);
    assert!(
        !response.starts_with("HTTP/1.1 200") || site.kind == Kind::Caddy,
        "{response}"
    );
}

async fn administrators_only_where_the_path_says_so(site: &Site) {
    let visitor = site.visitor();
    let refused = site.sign_in(&visitor, "/a?group=admin").await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    visitor.open(&site.at("/?x=1")).await.expect(403);
    site.app
        .database
        .execute("UPDATE users SET is_admin = true");
    let received = visitor.open(&site.at("/a?x=1")).await;
    assert_eq!(Received::from_response(received).uri, "/a?x=1");
    TestResponse::to(site.visitor().get(&site.at("/a")))
        .await
        .expect(401);
}
