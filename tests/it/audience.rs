//! Access tokens that are made for one application: who accepts them, and who is told of them.

use rollcall::server::routes::{API, Access};
use serde_json::Value;

use crate::support::api::claims;
use crate::support::prelude::*;
use crate::support::program::{AddedKey, Program};

on_both!(
    app: login_and_refresh_ask_for_an_application,
    an_unknown_audience_changes_nothing,
    no_door_of_the_service_takes_a_token_for_an_application,
    an_application_is_told_of_tokens_that_were_made_for_it,
    an_application_revokes_tokens_that_were_made_for_it,
    introspection_of_a_token_for_an_application_is_its_use,
    only_introspection_that_is_answered_is_a_use,
    an_application_asks_for_its_own_people,
);

fn add(app: &TestApp, name: &str, scope: &str) -> AddedKey {
    Program::with(&app.database).add_key(&["--name", name, "--scope", scope])
}

async fn login(app: &TestApp, audience: &str) -> TestResponse {
    let body = json!({"email": "ada@example.org", "password": PASSWORD, "audience": audience});
    app.anyone().post("/api/v1/auth/login", &body).await
}

async fn login_for(app: &TestApp, key: &AddedKey) -> Device {
    let response = login(app, &key.application).await.expect(200);
    Device::from_login(app.base(), &response)
}

async fn refresh(app: &TestApp, token: &str, audience: &str) -> TestResponse {
    let body = json!({"refresh_token": token, "audience": audience});
    app.anyone().post("/api/v1/auth/refresh", &body).await
}

async fn form(app: &TestApp, key: &AddedKey, path: &str, token: &str) -> TestResponse {
    let request = app.anyone().request("POST", path);
    let request = request.basic_auth(&key.id, Some(&key.secret));
    TestResponse::to(request.form(&[("token", token)])).await
}

async fn introspect(app: &TestApp, key: &AddedKey, token: &str) -> Value {
    let response = form(app, key, "/oauth/introspect", token).await;
    response.expect(200).json()
}

async fn login_and_refresh_ask_for_an_application(app: &TestApp) {
    app.register("ada@example.org").await;
    let (shop, forum) = (add(app, "shop", "tokens"), add(app, "forum", "tokens"));
    for named in ["shop", &shop.application] {
        let body = login(app, named).await.expect(200).json();
        let token = body["access_token"].as_str().expect("a token");
        assert_eq!(claims(token)["aud"], shop.application.as_str());
        assert_eq!(claims(token)["sub"], body["session"]["user_id"]);
    }
    let phone = login_for(app, &shop).await;
    let next = refresh(app, &phone.refresh_token, "forum")
        .await
        .expect(200);
    let next = Device::from_login(app.base(), &next);
    assert_eq!(
        claims(&next.access_token)["aud"],
        forum.application.as_str()
    );
    // Without an audience, the token is for the service again.
    let last = app.anyone().refresh(&next.refresh_token).await.expect(200);
    let last = Device::from_login(app.base(), &last);
    assert_eq!(claims(&last.access_token)["aud"], "rollcall");
    last.current().await.expect(200);
}

async fn an_unknown_audience_changes_nothing(app: &TestApp) {
    app.register("ada@example.org").await;
    let earlier = app.database.id(EARLIER);
    app.database.execute(&format!(
        "INSERT INTO applications (id, name, created_at) VALUES ({earlier}, 'Earlier', '2026-11-20 08:30:00.000000')"
    ));
    let shop = add(app, "shop", "sessions");
    let phone = login_for(app, &shop).await;
    let long = "x".repeat(5_000);
    let names = [
        "", "Shop", "shop ", "nowhere", "Earlier", EARLIER, "rollcall", "*", "\u{0}", &long,
    ];
    for audience in names {
        let refused = login(app, audience).await;
        refused.problem(400, "invalid_target");
        let refused = refresh(app, &phone.refresh_token, audience).await;
        refused.problem(400, "invalid_target");
        let request = app.anyone().request("POST", "/api/v1/app/sessions");
        let body = json!({"subject": "42", "audience": audience});
        let request = request.bearer_auth(&shop.secret).json(&body);
        TestResponse::to(request)
            .await
            .problem(400, "invalid_target");
        // Which applications there are is not told to strangers.
        let body = json!({"email": "ada@example.org", "password": "wrong", "audience": audience});
        let response = app.anyone().post("/api/v1/auth/login", &body).await;
        response.problem(401, "invalid_credentials");
        refresh(app, "nonsense", audience)
            .await
            .problem(401, "invalid_token");
    }
    for wrong in [json!(5), json!(["shop"]), json!({})] {
        let body = json!({"email": "ada@example.org", "password": PASSWORD, "audience": wrong});
        let response = app.anyone().post("/api/v1/auth/login", &body).await;
        response.problem(400, "invalid_request");
    }
    assert_eq!(app.database.sessions_where("true"), 1);
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        1
    );
    refresh(app, &phone.refresh_token, "shop").await.expect(200);
}

const EARLIER: &str = "00000000-0000-7000-8000-000000000000";

async fn no_door_of_the_service_takes_a_token_for_an_application(app: &TestApp) {
    app.register("ada@example.org").await;
    let phone = login_for(app, &add(app, "shop", "tokens")).await;
    let mut doors = 0;
    for route in API.iter().filter(|route| route.access == Access::Api) {
        let path = route.path.replace("{id}", &phone.id());
        let request = phone.request(route.method.as_str(), &path);
        let body = json!({"password": PASSWORD, "device_name": "x", "answer": "mine"});
        let response = TestResponse::to(request.json(&body)).await;
        assert_eq!(response.status, 401, "{} {path}", route.method);
        // What else a proxy passes to forward-auth is the application's business.
        let is_named = path.starts_with("/auth/") || response.text.contains("invalid_token");
        assert!(is_named, "{}", response.text);
        doors += 1;
    }
    assert!(doors > 10, "only {doors} doors");
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn an_application_is_told_of_tokens_that_were_made_for_it(app: &TestApp) {
    app.register("ada@example.org").await;
    let (shop, forum) = (add(app, "shop", "tokens"), add(app, "forum", "tokens"));
    let any = add(app, "resource server", "tokens:any");
    let phone = login_for(app, &shop).await;
    let ada = Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    };
    let own = app.login(&ada, FIREFOX).await;
    let inactive = json!({"active": false});
    for (token, is_for_shop) in [
        (&phone.access_token, true),
        (&phone.refresh_token, false),
        (&own.access_token, false),
        (&own.refresh_token, false),
    ] {
        let response = introspect(app, &shop, token).await;
        assert_eq!(response["active"], is_for_shop);
        if !is_for_shop {
            assert_eq!(response, inactive);
        }
        assert_eq!(introspect(app, &forum, token).await, inactive);
        assert_eq!(introspect(app, &any, token).await["active"], true);
    }
    let response = introspect(app, &shop, &phone.access_token).await;
    assert_eq!(response["aud"], shop.application.as_str());
    assert_eq!(response["username"], "ada@example.org");
    // Another key of the application is told the same.
    let add = ["--application", "shop", "--scope", "tokens"];
    let second = Program::with(&app.database).add_key(&add);
    assert_eq!(
        introspect(app, &second, &phone.access_token).await,
        response
    );
    let sessions =
        Program::with(&app.database).add_key(&["--application", "shop", "--scope", "sessions"]);
    let refused = form(app, &sessions, "/oauth/introspect", &phone.access_token).await;
    assert_eq!(refused.expect(403).json()["error"], "unauthorized_client");
}

async fn an_application_revokes_tokens_that_were_made_for_it(app: &TestApp) {
    app.register("ada@example.org").await;
    let (shop, forum) = (add(app, "shop", "tokens"), add(app, "forum", "tokens"));
    let phone = login_for(app, &shop).await;
    for (key, token) in [
        (&forum, &phone.access_token),
        (&forum, &phone.refresh_token),
        (&shop, &phone.refresh_token),
    ] {
        let response = form(app, key, "/oauth/revoke", token).await.expect(200);
        assert_eq!(response.text, "");
    }
    assert_eq!(app.database.sessions_where("is_active"), 1);
    form(app, &shop, "/oauth/revoke", &phone.access_token)
        .await
        .expect(200);
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

/// The successor of a refresh token was used once its access token was seen: the spent one is then
/// a copy.
async fn introspection_of_a_token_for_an_application_is_its_use(app: &TestApp) {
    app.register("ada@example.org").await;
    let shop = add(app, "shop", "tokens");
    let phone = login_for(app, &shop).await;
    let next = refresh(app, &phone.refresh_token, "shop").await.expect(200);
    let next = next.json();
    introspect(app, &shop, next["access_token"].as_str().expect("a token")).await;
    app.advance(Duration::from_secs(60));
    refresh(app, &phone.refresh_token, "shop")
        .await
        .problem(401, "invalid_token");
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn only_introspection_that_is_answered_is_a_use(app: &TestApp) {
    app.register("ada@example.org").await;
    let (shop, forum) = (add(app, "shop", "tokens"), add(app, "forum", "tokens"));
    let phone = login_for(app, &shop).await;
    let next = refresh(app, &phone.refresh_token, "shop").await.expect(200);
    let next = next.json();
    introspect(app, &forum, next["access_token"].as_str().expect("a token")).await;
    app.advance(Duration::from_secs(60));
    // The response with the successor was lost, as far as anybody knows.
    refresh(app, &phone.refresh_token, "shop").await.expect(200);
}

async fn an_application_asks_for_its_own_people(app: &TestApp) {
    let add = ["--name", "shop", "--scope", "sessions", "--scope", "tokens"];
    let shop = Program::with(&app.database).add_key(&add);
    let send = async |path: &str, body: Value| {
        let request = app.anyone().request("POST", path).bearer_auth(&shop.secret);
        TestResponse::to(request.json(&body)).await
    };
    // Nobody else's: the shop would vouch for a person to the forum.
    Program::with(&app.database).add_key(&["--name", "forum", "--scope", "tokens"]);
    let body = json!({"subject": "42", "audience": "forum"});
    let refused = send("/api/v1/app/sessions", body).await;
    refused.problem(400, "invalid_target");
    let body = json!({"subject": "42", "audience": "shop"});
    let opened = send("/api/v1/app/sessions", body).await.expect(201).json();
    let token = opened["refresh_token"].as_str().expect("a token");
    let body = json!({"refresh_token": token, "audience": "forum"});
    let refused = send("/api/v1/app/sessions/refresh", body).await;
    refused.problem(400, "invalid_target");
    refresh(app, token, "forum")
        .await
        .problem(400, "invalid_target");
    let body = json!({"refresh_token": token, "audience": "shop"});
    let refreshed = send("/api/v1/app/sessions/refresh", body)
        .await
        .expect(200)
        .json();
    for tokens in [opened, refreshed] {
        let token = tokens["access_token"].as_str().expect("a token");
        let response = introspect(app, &shop, token).await;
        assert_eq!(response["active"], true);
        assert_eq!(response["sub"], tokens["session"]["user_id"]);
        app.anyone()
            .current(token)
            .await
            .problem(401, "invalid_token");
    }
}
