//! A copy of the session cookie of a bound session does nothing at all.

use rollcall::server::routes::{API, Access, PAGES, Route};

use crate::support::bound::{BOUND, use_https};
use crate::support::bound_browser::BoundBrowser;
use crate::support::bound_session::BoundSession;
use crate::support::outgoing::{NAVIGATION, Outgoing};
use crate::support::prelude::*;

on_both!(
    database: a_copy_opens_no_page_and_gets_no_answer,
    a_copy_does_nothing_not_even_sign_out,
    a_copy_gets_nothing_from_public_pages,
    a_copy_of_both_cookies_is_worth_eleven_minutes,
    a_forged_cookie_is_none,
    a_stream_ends_with_the_proof_that_it_was_opened_with,
    a_stream_from_before_the_registration_ends_soon,
    a_copy_ends_no_session_of_another_person,
    forward_auth_is_not_bound,
);

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

async fn a_copy_opens_no_page_and_gets_no_answer(database: Database) {
    let BoundSession {
        app,
        mut owner,
        mut thief,
        ..
    } = BoundSession::start(database).await;
    let response = thief.get("/devices?q=x").await;
    assert_eq!(response.location(), "/sign-in?next=%2Fdevices%3Fq%3Dx");
    assert!(thief.is_unproven(&response).await);
    // The sign-in page says it wherever it is opened, and no name is on it.
    let page = thief.get("/sign-in").await.expect(200);
    assert!(!page.text.contains("ada@example.org"), "{}", page.words());
    for path in [
        "/api/v1/me",
        "/api/v1/sessions/me",
        "/api/v1/sessions/current",
    ] {
        let request = Outgoing::script("GET", path, "", None);
        let response = thief.send(&request).await;
        response.problem(401, "proof_required");
    }
    let since = app.clock.now().timestamp_micros();
    let stream = thief.get(&format!("/devices/changes?since={since}")).await;
    assert!(stream.is_to_sign_in(), "{stream:?}");
    owner.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_copy_does_nothing_not_even_sign_out(database: Database) {
    let BoundSession {
        app,
        ada,
        mut owner,
        thief,
    } = BoundSession::start(database).await;
    app.set_role(&ada, "admin");
    app.login(&ada, IPHONE).await;
    let csrf = owner.csrf().await;
    let state = "SELECT kind AS value FROM session_events WHERE user_id IS NOT NULL AND kind <> 'used_without_key'
        UNION ALL SELECT 'a person' FROM users
        UNION ALL SELECT 'a session' FROM user_sessions WHERE is_active
        UNION ALL SELECT 'an answer' FROM alerts WHERE answered_at IS NOT NULL
        ORDER BY 1";
    let before = app.database.texts(state);
    let alert = app.database.number("SELECT count(*) AS value FROM alerts");
    assert!(alert > 0, "nothing to answer");
    let id = owner.id();
    let mut checked = 0;
    let needs_session = |route: &&Route| {
        let is_open = matches!(
            route.access,
            Access::Public | Access::Token | Access::Application(_)
        );
        // That has a cookie of its own.
        !is_open && !route.path.starts_with("/auth/verify")
    };
    for route in PAGES.iter().chain(API).filter(needs_session) {
        let is_page = PAGES.iter().any(|page| page.path == route.path);
        let path = route
            .path
            .replace("{id}", &id)
            .replace("{token}", "forged")
            .replace("/devices/changes", "/devices/changes?since=0");
        let request = match route.method.as_str() {
            "GET" => Outgoing::page(&path, &NAVIGATION),
            _ if is_page => Outgoing::form(
                &path,
                &[
                    ("csrf", &csrf),
                    ("password", PASSWORD),
                    ("current_password", PASSWORD),
                    ("full_name", "Thief"),
                    ("device_name", "Thief"),
                    ("typed", "ada@example.org"),
                    // So that no form is refused as such.
                    ("addresses", "none"),
                    ("email", "thief@example.org"),
                    ("idle_limit", "year"),
                    ("time_zone", "Europe/Paris"),
                    ("when_unused", "stays-signed-in"),
                    ("new_password", "another battery staple"),
                ],
            ),
            method => {
                let body = match route.path {
                    "/api/v1/auth/confirm" => json!({"password": PASSWORD}),
                    path if path.starts_with("/api/v1/alerts/") => json!({"answer": "mine"}),
                    _ => json!({"device_name": "Thief"}),
                };
                Outgoing::script(method, &path, &csrf, Some(body))
            }
        };
        let response = thief.clone().send_now(&request).await;
        let shown = format!(
            "{} {path}: {} {}",
            route.method, response.status, response.text
        );
        match is_page {
            true => assert!(response.is_to_sign_in(), "{shown}"),
            false => assert_eq!(response.status, 401, "{shown}"),
        }
        checked += 1;
    }
    assert!(checked > 120, "only {checked}");
    assert_eq!(app.database.texts(state), before);
    assert_eq!(app.database.sessions_where("device_name = 'Thief'"), 0);
    owner.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_copy_gets_nothing_from_public_pages(database: Database) {
    let BoundSession { app, mut thief, .. } = BoundSession::start(database).await;
    let home = thief.get("/").await;
    assert!(home.is_to_sign_in(), "{home:?}");
    for path in ["/sign-in", "/sign-up", "/forgot-password", "/not-there"] {
        let page = thief.get(path).await;
        assert!([200, 404].contains(&page.status), "{path}: {page:?}");
        for shown in ["ada@example.org", "Ada Lovelace", "/sign-out\""] {
            assert!(!page.text.contains(shown), "{path}: {}", page.text);
        }
    }
    app.stop().await;
}

async fn a_copy_of_both_cookies_is_worth_eleven_minutes(database: Database) {
    let BoundSession { app, mut owner, .. } = BoundSession::start(database).await;
    owner.forget_cookie(BOUND);
    owner.get("/devices").await.expect(200);
    let mut thief = owner.copied_to(&app, FIREFOX);
    app.advance(10 * MINUTE + 59 * SECOND);
    // Requests that were under way when it expired.
    thief.get("/devices").await.expect(200);
    app.advance(SECOND);
    let response = thief
        .send_now(&Outgoing::page("/devices", &NAVIGATION))
        .await;
    assert_ne!(response.status, 200);
    let response = thief.get("/devices").await;
    assert!(thief.is_unproven(&response).await, "{response:?}");
    app.stop().await;
}

async fn a_forged_cookie_is_none(database: Database) {
    let BoundSession {
        app,
        ada,
        mut owner,
        mut thief,
    } = BoundSession::start(database).await;
    let mut other = BoundBrowser::bound(&app, &ada, IPHONE).await;
    owner.forget_cookie(BOUND);
    owner.get("/devices").await.expect(200);
    other.forget_cookie(BOUND);
    other.get("/devices").await.expect(200);
    let good = owner.cookie(BOUND).expect("a cookie");
    let of_another = other.cookie(BOUND).expect("a cookie");
    let mut forged = vec![
        of_another,
        String::new(),
        "x".into(),
        "é".into(),
        "A".repeat(3_000),
    ];
    for at in [0, 4, good.len() / 2, good.len() - 2] {
        let other = if good.as_bytes()[at] == b'A' {
            "B"
        } else {
            "A"
        };
        forged.push(format!("{}{other}{}", &good[..at], &good[at + 1..]));
    }
    for value in forged {
        thief.set_cookie(BOUND, &value);
        let request = Outgoing::page("/devices", &NAVIGATION);
        let response = thief.send_now(&request).await;
        assert!(response.is_to_sign_in(), "{value}: {response:?}");
    }
    thief.set_cookie(BOUND, &good);
    thief.get("/devices").await.expect(200);
    app.stop().await;
}

/// A sign-in replaces the session of the browser that it is made in: not that of a cookie which was copied
/// into it.
async fn a_stream_ends_with_the_proof_that_it_was_opened_with(database: Database) {
    let BoundSession {
        app,
        ada,
        mut owner,
        ..
    } = BoundSession::start(database).await;
    owner.forget_cookie(BOUND);
    owner.get("/devices").await.expect(200);
    let mut stream = owner.copied_to(&app, FIREFOX).listen().await;
    let first = stream.chunk().await.expect("a stream").expect("a chunk");
    assert!(first.starts_with(b"retry:"), "{first:?}");
    app.advance(11 * MINUTE);
    app.login(&ada, IPHONE).await;
    assert_eq!(stream.chunk().await.expect("its end"), None);
    // The owner's browser opens another one.
    owner.get("/devices").await.expect(200);
    owner.listen().await;
    app.stop().await;
}

/// So the page asks once more, and that brings the bound cookie; nobody has to click.
async fn a_stream_from_before_the_registration_ends_soon(database: Database) {
    let app = TestApp::start_with(database, use_https).await;
    let ada = app.register("ada@example.org").await;
    let mut owner = BoundBrowser::new(&app, FIREFOX);
    owner.sign_in(&ada).await.expect(303);
    owner.get("/devices").await.expect(200);
    let mut stream = owner.listen().await;
    let first = stream.chunk().await.expect("a stream").expect("a chunk");
    assert!(first.starts_with(b"retry:"), "{first:?}");
    owner.register().await.expect(200);
    app.advance(Duration::from_secs(6));
    app.login(&ada, IPHONE).await;
    assert_eq!(stream.chunk().await.expect("its end"), None);
    let bound = "bound_at IS NOT NULL";
    assert_eq!(app.database.sessions_where(bound), 0);
    owner.listen().await;
    assert_eq!(app.database.sessions_where(bound), 1);
    app.stop().await;
}

async fn a_copy_ends_no_session_of_another_person(database: Database) {
    let BoundSession {
        app,
        mut owner,
        mut thief,
        ..
    } = BoundSession::start(database).await;
    let eve = app.register("eve@example.org").await;
    thief.sign_in(&eve).await.expect(303);
    thief
        .get("/account")
        .await
        .expect(200)
        .expect_words("eve@example.org");
    owner.get("/devices").await.expect(200);
    let mut thief = owner.copied_to(&app, FIREFOX);
    thief.forget_cookie(BOUND);
    let fields = [
        ("full_name", ""),
        ("email", "eve2@example.org"),
        ("password", PASSWORD),
    ];
    thief
        .submit("/sign-up", "/sign-up", &fields)
        .await
        .expect(303);
    owner.get("/devices").await.expect(200);
    app.stop().await;
}

async fn forward_auth_is_not_bound(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        use_https(settings);
        settings.forward_auth.allowed_hosts = vec!["app.example.org".into()];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let mut owner = BoundBrowser::bound(&app, &ada, FIREFOX).await;
    app.advance(11 * MINUTE);
    let verify = Outgoing::new(
        "GET",
        "/auth/verify",
        &[("x-original-url", "https://app.example.org/")],
    );
    owner.send_now(&verify).await.expect(200);
    owner.forget_cookie("__Host-rollcall_forward");
    owner.send_now(&verify).await.expect(401);
    app.stop().await;
}
