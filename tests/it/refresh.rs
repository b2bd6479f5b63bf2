//! Refresh tokens: each is used once, with a short grace period; token reuse after it ends the
//! session.

use std::collections::BTreeSet;

use actix_web::rt::spawn;

use crate::support::prelude::*;

on_both!(
    app: refreshing_returns_new_tokens_for_the_same_session,
    a_token_replayed_within_the_grace_period_gets_the_same_successor,
    two_refreshes_at_the_same_time_get_the_same_successor,
    fifty_refreshes_at_once_all_get_usable_tokens,
    the_grace_period_includes_its_last_second,
    a_token_replayed_after_the_grace_period_ends_the_session,
    a_refresh_token_of_an_expired_session_is_refused,
    a_tampered_refresh_token_is_refused_and_ends_nothing,
    a_tampered_access_token_is_refused,
    one_kind_of_token_is_refused_as_the_other,
);
on_both!(
    database: a_refresh_from_a_new_address_is_recorded,
);

async fn refreshing_returns_new_tokens_for_the_same_session(app: &TestApp) {
    let laptop = signed_in(app).await;
    app.advance(Duration::from_secs(60));
    let body = app
        .anyone()
        .refresh(&laptop.refresh_token)
        .await
        .expect(200)
        .json();
    assert_ne!(body["access_token"], laptop.access_token);
    assert_ne!(body["refresh_token"], laptop.refresh_token);
    assert_eq!(body["session"]["id"], laptop.session["id"]);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn a_token_replayed_within_the_grace_period_gets_the_same_successor(app: &TestApp) {
    let laptop = signed_in(app).await;
    let first = app
        .anyone()
        .refresh(&laptop.refresh_token)
        .await
        .expect(200)
        .json();
    let second = app
        .anyone()
        .refresh(&laptop.refresh_token)
        .await
        .expect(200)
        .json();
    assert_eq!(first["refresh_token"], second["refresh_token"]);

    app.advance(Duration::from_secs(9));
    let jti = app.database.of_the_session("refresh_token_jti");
    app.anyone()
        .refresh(&laptop.refresh_token)
        .await
        .expect(200);
    assert_eq!(app.database.of_the_session("refresh_token_jti"), jti);
}

async fn two_refreshes_at_the_same_time_get_the_same_successor(app: &TestApp) {
    let laptop = signed_in(app).await;
    let (one_tab, other_tab) = (app.anyone(), app.anyone());
    let requests = (
        one_tab.refresh(&laptop.refresh_token),
        other_tab.refresh(&laptop.refresh_token),
    );
    let (one, other) = tokio::join!(requests.0, requests.1);
    assert_eq!(
        one.expect(200).json()["refresh_token"],
        other.expect(200).json()["refresh_token"]
    );
}

async fn fifty_refreshes_at_once_all_get_usable_tokens(app: &TestApp) {
    let laptop = signed_in(app).await;
    let refreshes: Vec<_> = (0..50)
        .map(|_| {
            let (anyone, token) = (app.anyone(), laptop.refresh_token.clone());
            spawn(async move { anyone.refresh(&token).await })
        })
        .collect();
    let mut successors = BTreeSet::new();
    for refresh in refreshes {
        let body = refresh.await.expect("a response").expect(200).json();
        let access = body["access_token"].as_str().expect("a token").to_owned();
        let request = app.anyone().request("GET", "/api/v1/sessions/current");
        TestResponse::to(request.bearer_auth(access))
            .await
            .expect(200);
        successors.insert(body["refresh_token"].as_str().expect("a token").to_owned());
    }
    assert_eq!(successors.len(), 1, "one current JTI");
    assert_eq!(app.database.sessions_where("is_active"), 1);
    let successor = successors.pop_first().expect("a token");
    app.anyone().refresh(&successor).await.expect(200);
}

async fn a_refresh_from_a_new_address_is_recorded(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    })
    .await;
    let mut laptop = signed_in(&app).await;
    for _ in 0..2 {
        let request = app
            .anyone()
            .request("POST", "/api/v1/auth/refresh")
            .header("x-forwarded-for", "198.51.100.7")
            .json(&json!({"refresh_token": laptop.refresh_token}));
        let body = TestResponse::to(request).await.expect(200).json();
        assert_eq!(body["session"]["ip_address"], "198.51.100.7");
        laptop.refresh_token = body["refresh_token"].as_str().expect("a token").to_owned();
    }
    let query = "SELECT count(*) AS value FROM session_events
                WHERE kind = 'refreshed' AND ip_address = '198.51.100.7'";
    assert_eq!(app.database.number(query), 1, "once, not at every refresh");
    app.stop().await;
}

async fn the_grace_period_includes_its_last_second(app: &TestApp) {
    let laptop = signed_in(app).await;
    let first = app
        .anyone()
        .refresh(&laptop.refresh_token)
        .await
        .expect(200)
        .json();
    app.advance(Duration::from_secs(10));
    let again = app
        .anyone()
        .refresh(&laptop.refresh_token)
        .await
        .expect(200)
        .json();
    assert_eq!(again["refresh_token"], first["refresh_token"]);
}

async fn a_token_replayed_after_the_grace_period_ends_the_session(app: &TestApp) {
    let mut laptop = signed_in(app).await;
    let stolen = laptop.refresh_token.clone();
    laptop.refresh().await;
    laptop.current().await.expect(200);
    app.advance(Duration::from_secs(11));

    app.anyone()
        .refresh(&stolen)
        .await
        .problem(401, "invalid_token");
    assert_ended_by_reuse(app);
    laptop.current().await.problem(401, "unauthenticated");
    app.anyone()
        .refresh(&laptop.refresh_token)
        .await
        .problem(401, "invalid_token");
}

async fn a_refresh_token_of_an_expired_session_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let body = app.try_login(&ada, FIREFOX).await.expect(200).json();
    let token = body["refresh_token"].as_str().expect("a token");
    let seconds = body["refresh_expires_in"].as_u64().expect("seconds");
    app.advance(Duration::from_secs(seconds + 1));
    app.anyone()
        .refresh(token)
        .await
        .problem(401, "invalid_token");
}

async fn a_tampered_refresh_token_is_refused_and_ends_nothing(app: &TestApp) {
    let laptop = signed_in(app).await;
    let token = &laptop.refresh_token;
    for bad in [
        tampered(token),
        token[..token.len() / 2].to_owned(),
        String::new(),
        "x".repeat(5_000),
    ] {
        app.anyone()
            .refresh(&bad)
            .await
            .problem(401, "invalid_token");
    }
    laptop.current().await.expect(200);
}

async fn a_tampered_access_token_is_refused(app: &TestApp) {
    let mut laptop = signed_in(app).await;
    let token = laptop.access_token.clone();
    for bad in [
        tampered(&token),
        without_signature(&token),
        "nonsense".to_owned(),
    ] {
        laptop.access_token = bad;
        laptop.current().await.problem(401, "invalid_token");
    }
    laptop.access_token = token;
    laptop.current().await.expect(200);
}

async fn one_kind_of_token_is_refused_as_the_other(app: &TestApp) {
    let mut laptop = signed_in(app).await;
    app.anyone()
        .refresh(&laptop.access_token)
        .await
        .problem(401, "invalid_token");
    laptop.access_token = laptop.refresh_token.clone();
    laptop.current().await.problem(401, "invalid_token");
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn signed_in(app: &TestApp) -> Device {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await
}

#[track_caller]
fn assert_ended_by_reuse(app: &TestApp) {
    assert_eq!(app.database.sessions_where("is_active"), 0);
    assert_eq!(
        app.database.of_the_session("ended_reason").as_deref(),
        Some("reuse_detected")
    );
    let events = "SELECT count(*) AS value FROM session_events WHERE kind = 'ended' AND detail = 'reuse_detected'";
    assert_eq!(app.database.number(events), 1);
}

/// Returns the token with one character in its middle changed.
fn tampered(token: &str) -> String {
    let (before, after) = token.split_at(token.len() / 2);
    let changed = if after.starts_with('A') { 'B' } else { 'A' };
    format!("{before}{changed}{}", &after[1..])
}

/// Returns the token as an unsigned one, with `alg` set to `none`.
fn without_signature(token: &str) -> String {
    let claims = token.split('.').nth(1).expect("a JWT");
    // {"alg":"none","typ":"at+jwt"}
    format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}.")
}
