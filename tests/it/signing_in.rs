//! Sign-in under load, with outdated hashes and behind a proxy.

use actix_web::rt::spawn;
use reqwest::header::HeaderValue;
use rollcall::settings::{PasswordSettings, TrustedHeader};

use crate::support::prelude::*;

on_both!(
    database: sign_ins_beyond_the_queue_are_refused,
    a_hash_with_outdated_parameters_is_renewed_at_sign_in,
    the_address_is_taken_from_a_trusted_proxy,
    a_header_that_is_not_text_does_not_hide_the_address,
    only_the_trusted_header_is_read,
    the_address_is_not_taken_from_an_untrusted_client,
);

async fn sign_ins_beyond_the_queue_are_refused(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.passwords = PasswordSettings {
            memory_kib: 4 * 1024,
            iterations: 40,
            threads: 1,
            queue: 2,
            ..PasswordSettings::default()
        };
    })
    .await;
    // The tries of one person wait for each other, before they are in the queue.
    let mut people = Vec::new();
    for n in 0..6 {
        people.push(app.register(&format!("p{n}@example.org")).await);
    }
    let flood: Vec<_> = people
        .iter()
        .flat_map(|person| [person; 4])
        .map(|person| {
            let anyone = app.anyone();
            let body = json!({"email": person.email, "password": person.password});
            spawn(async move { anyone.post("/api/v1/auth/login", &body).await })
        })
        .collect();
    let (mut accepted, mut refused) = (0, 0);
    for response in flood {
        let response = response.await.expect("a response");
        if response.status == 503 {
            assert!(!response.header("retry-after").is_empty());
            response.problem(503, "busy");
            refused += 1;
        } else {
            response.expect(200);
            accepted += 1;
        }
    }
    assert!(accepted >= 1, "no sign-in was accepted");
    assert!(refused >= 1, "no sign-in was refused");
    assert_eq!(app.database.sessions_where("is_active"), accepted);
    app.login(&people[0], FIREFOX).await;
    app.stop().await;
}

async fn a_hash_with_outdated_parameters_is_renewed_at_sign_in(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let before = hash_of(&app.database);
    app.login(&ada, FIREFOX).await;
    assert_eq!(hash_of(&app.database), before, "nothing to renew");

    let database = app.stop_and_keep_database().await;
    let app = TestApp::start_with(database, |settings| settings.passwords.iterations = 3).await;
    app.login(&ada, FIREFOX).await;
    let after = hash_of(&app.database);
    assert!(after.starts_with("$argon2id$v=19$m=8,t=3,p=1$"), "{after}");
    app.login(&ada, FIREFOX).await;
    app.stop().await;
}

async fn the_address_is_taken_from_a_trusted_proxy(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    assert_eq!(
        address_after_login_through_a_proxy(&app).await,
        "2001:db8::7"
    );
    app.stop().await;
}

/// A client can send any bytes in the header; the proxy appends the client's address to them.
async fn a_header_that_is_not_text_does_not_hide_the_address(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let line = HeaderValue::from_bytes(b"\xff, 198.51.100.7").expect("a header");
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("x-forwarded-for", line)
        .header("forwarded", "for=6.6.6.6")
        .json(&json!({"email": ada.email, "password": ada.password}));
    let body = TestResponse::to(request).await.expect(200).json();
    assert_eq!(body["session"]["ip_address"], "198.51.100.7");
    app.stop().await;
}

/// A proxy on an IPv4-mapped network, which writes one header and passes the other on.
async fn only_the_trusted_header_is_read(database: Database) {
    let mut database = database;
    for (header, expected) in [
        (TrustedHeader::XForwardedFor, "198.51.100.7"),
        (TrustedHeader::Forwarded, "203.0.113.9"),
    ] {
        let app = TestApp::start_with(database, |settings| {
            let network = "::ffff:127.0.0.0/104".parse().expect("a network");
            settings.trusted_proxies = vec![network];
            settings.trusted_header = header;
        })
        .await;
        let email = format!("{expected}@example.org");
        let ada = app.register(&email).await;
        let request = app
            .anyone()
            .request("POST", "/api/v1/auth/login")
            .header("x-forwarded-for", "198.51.100.7,")
            .header(
                "forwarded",
                r#"for=6.6.6.6, for="203.0.113.9:_gate";host="a\", for=6.6.6.6""#,
            )
            .json(&json!({"email": ada.email, "password": ada.password}));
        let body = TestResponse::to(request).await.expect(200).json();
        assert_eq!(body["session"]["ip_address"], expected);
        database = app.stop_and_keep_database().await;
    }
}

async fn the_address_is_not_taken_from_an_untrusted_client(database: Database) {
    let app = TestApp::start(database).await;
    assert_eq!(address_after_login_through_a_proxy(&app).await, "127.0.0.1");
    app.stop().await;
}

async fn address_after_login_through_a_proxy(app: &TestApp) -> String {
    let ada = app.register("ada@example.org").await;
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("x-forwarded-for", "6.6.6.6, 2001:DB8:0::7")
        .json(&json!({"email": ada.email, "password": ada.password}));
    let body = TestResponse::to(request).await.expect(200).json();
    body["session"]["ip_address"]
        .as_str()
        .expect("an address")
        .to_owned()
}

fn hash_of(database: &Database) -> String {
    let rows = database.texts("SELECT password_hash AS value FROM users");
    rows.into_iter().next().flatten().expect("a hash")
}
