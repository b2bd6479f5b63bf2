//! A request whose headers arrive with good credentials, and whose body is held back until they
//! are worth nothing: it changes nothing then.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::smtp::SmtpServer;

on_both!(
    app: a_form_that_was_held_back_comes_too_late,
    a_form_with_a_cookie_that_was_replaced_meanwhile_needs_the_password,
    a_request_of_a_program_that_was_held_back_comes_too_late,
    an_application_whose_key_was_revoked_meanwhile_opens_no_session,
    a_body_that_arrives_in_time_is_served,
);
on_both!(database: a_click_on_a_link_that_was_held_back_needs_the_password);

const COOKIE: &str = "rollcall_session";
const FORM: &str = "application/x-www-form-urlencoded";
const FORMS: [(&str, &str); 6] = [
    ("/account/name", "full_name=Thief"),
    ("/account/email", "email=thief%40example.org"),
    ("/account/delete", "confirmed=yes"),
    ("/account/addresses", "addresses=none"),
    ("/devices/sign-out-others", "confirmed=yes"),
    ("/devices/sign-out-everywhere", "confirmed=yes"),
];

/// A request of which the last byte is yet to be sent.
struct Held {
    stream: TcpStream,
    last: u8,
}

impl Held {
    /// Sends all but the last byte. Returns once the server has read the headers.
    async fn send(app: &TestApp, start: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let address = app.base().replace("http://", "");
        let mut stream = TcpStream::connect(&address).await.expect("the server");
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let head = format!(
            "{start} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nexpect: 100-continue\r\n\
             content-length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut proceed = [0; 25];
        stream.read_exact(&mut proceed).await.expect("a response");
        assert!(proceed.starts_with(b"HTTP/1.1 100"), "{proceed:?}");
        let (last, start) = body.as_bytes().split_last().expect("a body");
        stream.write_all(start).await.expect("sent");
        Self {
            stream,
            last: *last,
        }
    }

    /// Sends the last byte. Returns the response.
    async fn complete(mut self) -> String {
        self.stream.write_all(&[self.last]).await.expect("sent");
        let mut response = String::new();
        let read = self.stream.read_to_string(&mut response).await;
        read.expect("a response");
        response
    }
}

/// Sends every form with the browser's cookie, all but its last byte.
async fn delay_forms(app: &TestApp, browser: &Browser) -> Vec<Held> {
    let (cookie, csrf) = credentials(browser).await;
    let headers = [("cookie", cookie.as_str()), ("content-type", FORM)];
    let mut held = Vec::new();
    for (path, fields) in FORMS {
        let body = format!("csrf={csrf}&{fields}");
        held.push(Held::send(app, &format!("POST {path}"), &headers, &body).await);
    }
    // By then the server would have resolved the callers of all of them.
    for _ in 0..3 {
        browser.get("/account").await.expect(200);
    }
    held
}

async fn credentials(browser: &Browser) -> (String, String) {
    let form = browser.form("/account", "/account/name").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let (_, csrf) = csrf.expect("a CSRF token");
    let cookie = browser.cookie(COOKIE).expect("a cookie");
    (format!("{COOKIE}={cookie}"), csrf.clone())
}

async fn a_form_that_was_held_back_comes_too_late(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let owner = app.signed_in_browser(&ada, FIREFOX).await;
    app.login(&ada, IPHONE).await;
    let held = delay_forms(app, &owner).await;
    let (_, csrf) = credentials(&owner).await;
    let fields = [("csrf", csrf.as_str())];
    let everywhere = owner.post("/devices/sign-out-everywhere", &fields);
    everywhere.await.expect(303);
    let phone = app.login(&ada, IPHONE).await;
    for held in held {
        let response = held.complete().await;
        assert!(response.starts_with("HTTP/1.1 303"), "{response}");
        assert!(response.contains("location: /sign-in"), "{response}");
    }
    assert_unchanged(app);
    phone.current().await.expect(200);
}

async fn a_form_with_a_cookie_that_was_replaced_meanwhile_needs_the_password(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let owner = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let held = delay_forms(app, &owner).await;
    let confirmed = owner.submit("/confirm", "/confirm", &[("password", PASSWORD)]);
    confirmed.await.expect(303);
    for held in held {
        let response = held.complete().await;
        assert!(response.starts_with("HTTP/1.1 403"), "{response}");
        assert!(response.contains("Enter your password"), "{response}");
    }
    assert_unchanged(app);
    phone.current().await.expect(200);
    owner.get("/account/export").await.expect(200);
}

async fn a_request_of_a_program_that_was_held_back_comes_too_late(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let (cookie, csrf) = credentials(&browser).await;
    let bearer = format!("Bearer {}", laptop.access_token);
    let json = ("content-type", "application/json");
    let by_bearer = [("authorization", bearer.as_str()), json];
    let by_cookie = [
        ("cookie", cookie.as_str()),
        ("x-csrf-token", csrf.as_str()),
        json,
    ];
    let one = format!("/api/v1/sessions/{}", phone.id());
    let rename = json!({"device_name": "Thief"}).to_string();
    let password = json!({"password": PASSWORD}).to_string();
    let mut held = Vec::new();
    for headers in [&by_bearer[..], &by_cookie[..]] {
        for (start, body) in [
            (format!("PATCH {one}"), rename.as_str()),
            (format!("DELETE {one}"), "{}"),
            ("DELETE /api/v1/sessions/others".into(), "{}"),
            ("POST /api/v1/auth/logout-all".into(), "{}"),
            ("POST /api/v1/auth/confirm".into(), &password),
        ] {
            held.push(Held::send(app, &start, headers, body).await);
        }
    }
    for _ in 0..3 {
        browser.get("/account").await.expect(200);
    }
    let others = phone.delete("/api/v1/sessions/others").await;
    assert_eq!(others.expect(200).json()["ended"], 2);
    for held in held {
        let response = held.complete().await;
        assert!(response.starts_with("HTTP/1.1 401"), "{response}");
        assert!(!response.contains("access_token"), "{response}");
    }
    let session: Value = phone.current().await.expect(200).json();
    assert_eq!(session["device_name"], "Safari on iPhone");
}

async fn an_application_whose_key_was_revoked_meanwhile_opens_no_session(app: &TestApp) {
    let add = ["api-key", "add", "--name", "shop", "--scope", "sessions"];
    let output = Program::with(&app.database).run(&add).expect_done();
    let secret = output.lines().find_map(|line| line.strip_prefix("secret"));
    let bearer = format!("Bearer {}", secret.expect("a secret").trim());
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let body = json!({"subject": "ada"}).to_string();
    let held = Held::send(app, "POST /api/v1/app/sessions", &headers, &body).await;
    app.anyone().get("/health/ready").await.expect(200);
    app.database.execute("DELETE FROM api_keys");
    let response = held.complete().await;
    assert!(response.starts_with("HTTP/1.1 401"), "{response}");
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn a_click_on_a_link_that_was_held_back_needs_the_password(database: Database) {
    let server = SmtpServer::start();
    let app = TestApp::start_with_mail(database, &server, |_| {}).await;
    let ada = app.register_unverified("ada@example.org").await;
    app.deliver_mail().await;
    let link = server.wait_for(1).await.remove(0).link("/verify-email/");
    let owner = app.signed_in_browser(&ada, FIREFOX).await;
    let (cookie, csrf) = credentials(&owner).await;
    let headers = [("cookie", cookie.as_str()), ("content-type", FORM)];
    let body = format!("csrf={csrf}&answer=mine");
    let held = Held::send(&app, &format!("POST {link}"), &headers, &body).await;
    for _ in 0..3 {
        owner.get("/account").await.expect(200);
    }
    owner
        .submit(
            "/devices/sign-out-everywhere",
            "/devices/sign-out-everywhere",
            &[],
        )
        .await
        .expect(303);
    let response = held.complete().await;
    assert!(response.starts_with("HTTP/1.1 403"), "{response}");
    let verified = "SELECT count(*) AS value FROM users WHERE email_verified_at IS NOT NULL";
    assert_eq!(app.database.number(verified), 0);
    server.stop();
    app.stop().await;
}

async fn a_body_that_arrives_in_time_is_served(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let owner = app.signed_in_browser(&ada, FIREFOX).await;
    let (cookie, csrf) = credentials(&owner).await;
    let headers = [("cookie", cookie.as_str()), ("content-type", FORM)];
    let body = format!("csrf={csrf}&full_name=Ada%20Byron");
    let held = Held::send(app, "POST /account/name", &headers, &body).await;
    let response = held.complete().await;
    assert!(response.contains("location: /account"), "{response}");
    let named = "SELECT count(*) AS value FROM users WHERE full_name = 'Ada Byron'";
    assert_eq!(app.database.number(named), 1);
}

fn assert_unchanged(app: &TestApp) {
    let changed = "SELECT count(*) AS value FROM users
                   WHERE email <> 'ada@example.org' OR full_name <> 'Ada Lovelace'
                      OR address_keeping <> 'whole'";
    assert_eq!(app.database.number(changed), 0);
    let people = "SELECT count(*) AS value FROM users";
    assert_eq!(app.database.number(people), 1);
    let pending = "SELECT count(*) AS value FROM email_verifications";
    assert_eq!(app.database.number(pending), 0);
}
