//! Introspection (RFC 7662) and revocation (RFC 7009): one test for each rule.

use reqwest::RequestBuilder;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: rfc_7662_2_1_the_caller_must_be_authorized,
    rfc_7662_2_1_a_token_is_required,
    rfc_7662_2_1_a_wrong_hint_is_ignored,
    rfc_7662_2_1_get_is_not_allowed,
    rfc_7662_2_2_an_active_access_token_is_described,
    rfc_7662_2_2_an_active_refresh_token_is_described,
    rfc_7662_2_2_every_invalid_token_is_inactive,
    rfc_7662_4_a_response_is_not_cached,
    rfc_7009_2_1_the_caller_must_be_authorized,
    rfc_7009_2_1_revoking_a_refresh_token_revokes_its_access_tokens,
    rfc_7009_2_1_an_access_token_is_revoked,
    rfc_7009_2_2_an_unknown_token_is_no_error,
    rfc_7009_2_2_revoking_twice_ends_the_session_once,
    rfc_7009_2_2_1_a_token_is_required,
    introspection_is_not_a_use_of_the_session,
    a_revoked_key_is_refused,
    a_secret_is_stored_only_as_a_digest,
);

/// An API key of an application.
struct Key {
    id: String,
    secret: String,
}

fn add_key(app: &TestApp) -> Key {
    add_key_with(app, "tokens:any")
}

fn add_key_with(app: &TestApp, scope: &str) -> Key {
    let program = Program::with(&app.database);
    // Each key makes an application.
    let name = format!("shop with {scope}");
    let add = ["api-key", "add", "--name", &name, "--scope", scope];
    let output = program.run(&add).expect_done();
    let after = |name: &str| {
        let line = output.lines().find_map(|line| line.strip_prefix(name));
        line.expect("a line").trim().to_owned()
    };
    Key {
        id: after("id"),
        secret: after("secret"),
    }
}

fn request(app: &TestApp, key: &Key, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    app.anyone()
        .request("POST", path)
        .basic_auth(&key.id, Some(&key.secret))
        .form(fields)
}

async fn introspect(app: &TestApp, key: &Key, token: &str) -> serde_json::Value {
    let request = request(app, key, "/oauth/introspect", &[("token", token)]);
    TestResponse::to(request).await.expect(200).json()
}

async fn revoke(app: &TestApp, key: &Key, token: &str) {
    let request = request(app, key, "/oauth/revoke", &[("token", token)]);
    let response = TestResponse::to(request).await.expect(200);
    assert_eq!(response.text, "");
}

async fn must_be_authorized(app: &TestApp, path: &str) {
    let key = add_key(app);
    let form = [("token", "x")];
    let plain = || app.anyone().request("POST", path).form(&form);
    let stranger = "01a20a58-74ca-734e-96bd-fa45bbbf7ce7";
    for (what, request) in [
        ("nobody", plain()),
        (
            "a wrong secret",
            plain().basic_auth(&key.id, Some("rck_no")),
        ),
        (
            "another key's id",
            plain().basic_auth(stranger, Some(&key.secret)),
        ),
        ("a wrong Bearer", plain().bearer_auth("rck_no")),
        ("no Base64", plain().header("authorization", "Basic %%%")),
    ] {
        let response = TestResponse::to(request).await.expect(401);
        assert_eq!(response.json()["error"], "invalid_client", "{what}");
        assert_eq!(
            response.header("www-authenticate"),
            r#"Basic realm="rollcall""#
        );
    }
    let other = add_key_with(app, "sessions");
    let response = TestResponse::to(plain().bearer_auth(&other.secret)).await;
    assert_eq!(response.expect(403).json()["error"], "unauthorized_client");
    TestResponse::to(plain().bearer_auth(&key.secret))
        .await
        .expect(200);
}

async fn a_token_is_required(app: &TestApp, path: &str) {
    let key = add_key(app);
    for fields in [
        vec![],
        vec![("token", "")],
        vec![("token_type_hint", "access_token")],
    ] {
        let response = TestResponse::to(request(app, &key, path, &fields))
            .await
            .expect(400);
        assert_eq!(response.json()["error"], "invalid_request");
    }
    let json = app.anyone().request("POST", path).bearer_auth(&key.secret);
    let response = TestResponse::to(json.json(&json!({"token": "x"})))
        .await
        .expect(400);
    assert_eq!(response.json()["error"], "invalid_request");
}

async fn rfc_7662_2_1_the_caller_must_be_authorized(app: &TestApp) {
    must_be_authorized(app, "/oauth/introspect").await;
}

async fn rfc_7662_2_1_a_token_is_required(app: &TestApp) {
    a_token_is_required(app, "/oauth/introspect").await;
}

async fn rfc_7662_2_1_a_wrong_hint_is_ignored(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    for hint in ["access_token", "refresh_token", "nonsense"] {
        for token in [&laptop.access_token, &laptop.refresh_token] {
            let fields = [("token", token.as_str()), ("token_type_hint", hint)];
            let response = TestResponse::to(request(app, &key, "/oauth/introspect", &fields)).await;
            assert_eq!(response.expect(200).json()["active"], true, "{hint}");
        }
    }
}

async fn rfc_7662_2_1_get_is_not_allowed(app: &TestApp) {
    app.anyone()
        .get("/oauth/introspect?token=x")
        .await
        .expect(405);
}

async fn rfc_7662_2_2_an_active_access_token_is_described(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    let response = introspect(app, &key, &laptop.access_token).await;
    insta::assert_json_snapshot!(response, {
        ".iss" => "[issuer]", ".sid" => "[session]", ".sub" => "[person]",
    }, @r#"
    {
      "acr": "urn:rollcall:password",
      "active": true,
      "aud": "rollcall",
      "auth_time": 1936773000,
      "exp": 1936773300,
      "iat": 1936773000,
      "iss": "[issuer]",
      "sid": "[session]",
      "sub": "[person]",
      "token_type": "Bearer",
      "username": "ada@example.org"
    }
    "#);
    assert_eq!(response["sid"], laptop.session["id"]);
    assert_eq!(response["sub"], laptop.session["user_id"]);
    assert_eq!(response["iss"], app.base());
}

async fn rfc_7662_2_2_an_active_refresh_token_is_described(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    let response = introspect(app, &key, &laptop.refresh_token).await;
    assert_eq!(response["active"], true);
    assert_eq!(response["sid"], laptop.session["id"]);
    assert_eq!(response["acr"], "urn:rollcall:password");
    assert_eq!(response["auth_time"], response["iat"]);
    assert!(response.get("token_type").is_none());
    assert!(
        response.get("jti").is_none(),
        "the JTI is not part of the response"
    );
}

async fn rfc_7662_2_2_every_invalid_token_is_inactive(app: &TestApp) {
    let key = add_key(app);
    let mut spent = laptop(app).await;
    let old = spent.refresh_token.clone();
    spent.refresh().await;
    let ended = Device::from_login(app.base(), &app.try_login(&ada(), FIREFOX).await);
    ended.post("/api/v1/auth/logout").await.expect(204);
    let late = Device::from_login(app.base(), &app.try_login(&ada(), FIREFOX).await);
    app.advance(Duration::from_secs(300));
    let forged = format!("{}x", spent.refresh_token);
    for (what, token) in [
        ("garbage", "nonsense"),
        ("forged", &forged),
        ("a spent refresh token", &old),
        ("an ended session's access token", &ended.access_token),
        ("an ended session's refresh token", &ended.refresh_token),
        ("an expired access token", &late.access_token),
    ] {
        let response = introspect(app, &key, token).await;
        assert_eq!(response, json!({"active": false}), "{what}");
    }
    let alive = introspect(app, &key, &late.refresh_token).await;
    assert_eq!(alive["active"], true);
}

async fn rfc_7662_4_a_response_is_not_cached(app: &TestApp) {
    let key = add_key(app);
    let request = request(app, &key, "/oauth/introspect", &[("token", "x")]);
    let response = TestResponse::to(request).await.expect(200);
    assert_eq!(response.header("cache-control"), "no-store");
}

async fn rfc_7009_2_1_the_caller_must_be_authorized(app: &TestApp) {
    must_be_authorized(app, "/oauth/revoke").await;
}

async fn rfc_7009_2_1_revoking_a_refresh_token_revokes_its_access_tokens(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    revoke(app, &key, &laptop.refresh_token).await;
    laptop.current().await.problem(401, "unauthenticated");
    app.anyone()
        .refresh(&laptop.refresh_token)
        .await
        .problem(401, "invalid_token");
}

async fn rfc_7009_2_1_an_access_token_is_revoked(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    let other = Device::from_login(app.base(), &app.try_login(&ada(), IPHONE).await);
    revoke(app, &key, &laptop.access_token).await;
    laptop.current().await.problem(401, "unauthenticated");
    other.current().await.expect(200);
    let browser = app.signed_in_browser(&ada(), IPHONE).await;
    for path in ["/devices".to_owned(), format!("/devices/{}", laptop.id())] {
        let page = browser.get(&path).await.expect(200);
        let words = page.words().replace(['\u{2068}', '\u{2069}'], "");
        let cause = "Signed out by the application shop with tokens:any";
        assert!(words.contains(cause), "{path}: {words}");
    }
}

async fn rfc_7009_2_2_an_unknown_token_is_no_error(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    for token in ["nonsense", &format!("{}x", laptop.refresh_token)] {
        revoke(app, &key, token).await;
    }
    laptop.current().await.expect(200);
}

async fn rfc_7009_2_2_revoking_twice_ends_the_session_once(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    revoke(app, &key, &laptop.refresh_token).await;
    revoke(app, &key, &laptop.refresh_token).await;
    let ended = "SELECT count(*) AS value FROM session_events WHERE kind = 'ended'";
    assert_eq!(app.database.number(ended), 1);
}

async fn rfc_7009_2_2_1_a_token_is_required(app: &TestApp) {
    a_token_is_required(app, "/oauth/revoke").await;
}

async fn introspection_is_not_a_use_of_the_session(app: &TestApp) {
    let (key, laptop) = (add_key(app), laptop(app).await);
    let before = app.database.of_the_session("last_used_at");
    app.advance(Duration::from_secs(60));
    introspect(app, &key, &laptop.access_token).await;
    app.flush().await;
    assert_eq!(app.database.of_the_session("last_used_at"), before);
}

async fn a_revoked_key_is_refused(app: &TestApp) {
    let key = add_key(app);
    introspect(app, &key, "x").await;
    let program = Program::with(&app.database);
    let listed = program.run(&["api-key", "list"]).expect_done();
    assert!(
        listed.contains("shop") && listed.contains("used 2031-05-17"),
        "{listed}"
    );
    program.run(&["api-key", "revoke", &key.id]).expect_done();
    let request = request(app, &key, "/oauth/introspect", &[("token", "x")]);
    TestResponse::to(request).await.expect(401);
    program
        .run(&["api-key", "revoke", &key.id])
        .expect_failed(1);
}

async fn a_secret_is_stored_only_as_a_digest(app: &TestApp) {
    let key = add_key(app);
    let stored = app
        .database
        .texts("SELECT secret_hash AS value FROM api_keys");
    let stored = stored[0].as_deref().expect("a digest");
    assert_eq!(stored.len(), 64);
    assert!(!stored.contains(&key.secret));
    let listed = Program::with(&app.database)
        .run(&["api-key", "list"])
        .expect_done();
    assert!(!listed.contains(&key.secret));
}

async fn laptop(app: &TestApp) -> Device {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await
}

fn ada() -> Person {
    Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    }
}
