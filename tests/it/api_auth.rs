//! The lifecycle of a session over the API: register, sign in, authenticate, sign out.

use rollcall::settings::Settings;

use crate::support::prelude::*;

on_both!(
    app: a_new_person_registers,
    an_e_mail_is_taken_whatever_its_case,
    signing_in_returns_tokens_and_the_session,
    a_session_lives_from_login_to_logout,
    an_unknown_e_mail_and_a_wrong_password_look_the_same,
    a_client_names_its_device_in_the_body,
    a_client_names_its_device_in_headers,
    every_login_opens_its_own_session,
    logging_out_everywhere_ends_every_device,
    a_signed_out_device_is_refused_at_once,
    a_request_without_a_token_is_unauthenticated,
    an_expired_access_token_is_refused,
);
on_both!(database: nobody_registers_where_sign_up_is_off, a_session_outlives_a_restart);

async fn a_new_person_registers(app: &TestApp) {
    let body =
        json!({"email": "ada@example.org", "password": PASSWORD, "full_name": "Ada Lovelace"});
    let response = app
        .anyone()
        .post("/api/v1/auth/register", &body)
        .await
        .expect(201);
    insta::assert_json_snapshot!(response.json(), {".id" => "[id]"}, @r#"
    {
      "created_at": "2031-05-17T08:30:00.000000Z",
      "email": "ada@example.org",
      "email_verified": false,
      "full_name": "Ada Lovelace",
      "id": "[id]",
      "is_admin": false
    }
    "#);
}

async fn an_e_mail_is_taken_whatever_its_case(app: &TestApp) {
    app.register("ada@example.org").await;
    let body = json!({"email": "ADA@example.org", "password": PASSWORD});
    let problem = app
        .anyone()
        .post("/api/v1/auth/register", &body)
        .await
        .problem(409, "email_taken");
    insta::assert_json_snapshot!(problem, @r#"
    {
      "code": "email_taken",
      "detail": "Sign in with it, or use another one.",
      "status": 409,
      "title": "There is already an account with that e-mail",
      "type": "about:blank"
    }
    "#);
}

async fn signing_in_returns_tokens_and_the_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let response = app.try_login(&ada, FIREFOX).await.expect(200);
    assert_eq!(response.header("cache-control"), "no-store");
    insta::assert_json_snapshot!(response.json(), {
        ".access_token" => "[token]",
        ".refresh_token" => "[token]",
        ".refresh_expires_in" => "[seconds]",
        ".session.id" => "[id]",
        ".session.user_id" => "[id]",
        ".session.expires_at" => "[time]",
    }, @r#"
    {
      "access_token": "[token]",
      "expires_in": 300,
      "refresh_expires_in": "[seconds]",
      "refresh_token": "[token]",
      "session": {
        "bound_since": null,
        "browser": "Firefox",
        "created_at": "2031-05-17T08:30:00.000000Z",
        "device_id": null,
        "device_kind": "desktop",
        "device_name": "Firefox on Windows",
        "expires_at": "[time]",
        "id": "[id]",
        "idle_exempt": false,
        "ip_address": "127.0.0.1",
        "is_active": true,
        "is_current": true,
        "last_used_at": "2031-05-17T08:30:00.000000Z",
        "location_city": null,
        "location_country": null,
        "os": "Windows",
        "user_id": "[id]"
      },
      "token_type": "Bearer"
    }
    "#);
}

async fn a_session_lives_from_login_to_logout(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let me = laptop.get("/api/v1/me").await.expect(200).json();
    assert_eq!(me["email"], "ada@example.org");
    assert_eq!(laptop.current().await.expect(200).json()["id"], laptop.id());

    app.advance(Duration::from_secs(4 * 60));
    laptop.refresh().await;
    app.advance(Duration::from_secs(4 * 60));
    assert_eq!(laptop.current().await.expect(200).json()["id"], laptop.id());

    let response = laptop.post("/api/v1/auth/logout").await.expect(204);
    assert_eq!(response.text, "");
    laptop.current().await.problem(401, "unauthenticated");
    app.anyone()
        .refresh(&laptop.refresh_token)
        .await
        .problem(401, "invalid_token");
    assert_eq!(
        app.database.of_the_session("ended_reason").as_deref(),
        Some("signed_out")
    );
}

async fn an_unknown_e_mail_and_a_wrong_password_look_the_same(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let wrong = Person {
        password: "not her password".into(),
        ..ada
    };
    let unknown = Person {
        email: "nobody@example.org".into(),
        ..wrong.clone()
    };
    let to_wrong = app.try_login(&wrong, FIREFOX).await.expect(401);
    let to_unknown = app.try_login(&unknown, FIREFOX).await.expect(401);
    assert_eq!(to_wrong.text, to_unknown.text);
    insta::assert_json_snapshot!(to_wrong.problem(401, "invalid_credentials"), @r#"
    {
      "code": "invalid_credentials",
      "detail": "Check both and try again.",
      "status": 401,
      "title": "The e-mail or the password is wrong",
      "type": "about:blank"
    }
    "#);
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn a_client_names_its_device_in_the_body(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let body = json!({
        "email": ada.email, "password": ada.password, "device_name": "Ada's tablet", "device_id": "tablet-1",
    });
    let session = app
        .anyone()
        .post("/api/v1/auth/login", &body)
        .await
        .expect(200)
        .json()["session"]
        .clone();
    assert_eq!(session["device_name"], "Ada's tablet");
    assert_eq!(session["device_id"], "tablet-1");
}

async fn a_client_names_its_device_in_headers(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("x-device-name", "Ada's watch")
        .header("x-device-id", "watch-1")
        .json(&json!({"email": ada.email, "password": ada.password}));
    let session = TestResponse::to(request).await.expect(200).json()["session"].clone();
    assert_eq!(session["device_name"], "Ada's watch");
    assert_eq!(session["device_id"], "watch-1");
}

async fn every_login_opens_its_own_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    assert_ne!(laptop.id(), phone.id());
    laptop.current().await.expect(200);
    phone.current().await.expect(200);
}

async fn logging_out_everywhere_ends_every_device(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    let his = app.login(&bob, FIREFOX).await;
    let response = laptop.post("/api/v1/auth/logout-all").await.expect(200);
    assert_eq!(response.json(), json!({"ended": 2}));
    laptop.current().await.problem(401, "unauthenticated");
    phone.current().await.problem(401, "unauthenticated");
    his.current().await.expect(200);
}

async fn a_signed_out_device_is_refused_at_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    phone.current().await.expect(200);
    laptop
        .delete(&format!("/api/v1/sessions/{}", phone.id()))
        .await
        .expect(204);
    phone.current().await.problem(401, "unauthenticated");
    app.anyone()
        .refresh(&phone.refresh_token)
        .await
        .problem(401, "invalid_token");
    assert_eq!(
        app.database
            .sessions_where("ended_reason = 'signed_out_remotely'"),
        1
    );
}

async fn a_request_without_a_token_is_unauthenticated(app: &TestApp) {
    let response = app.anyone().get("/api/v1/me").await;
    assert!(
        response.header("www-authenticate").starts_with("Bearer"),
        "{:?}",
        response.headers
    );
    insta::assert_json_snapshot!(response.problem(401, "unauthenticated"), @r#"
    {
      "code": "unauthenticated",
      "detail": "The session has ended or never existed. Sign in again.",
      "status": 401,
      "title": "You are not signed in",
      "type": "about:blank"
    }
    "#);
}

async fn an_expired_access_token_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(299));
    laptop.current().await.expect(200);
    app.advance(Duration::from_secs(2));
    laptop.current().await.problem(401, "invalid_token");
}

async fn nobody_registers_where_sign_up_is_off(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.sign_up = false).await;
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    app.anyone()
        .post("/api/v1/auth/register", &body)
        .await
        .problem(404, "not_found");
    app.stop().await;
}

async fn a_session_outlives_a_restart(database: Database) {
    // The port changes with the restart; the issuer of the tokens, the public URL, must not.
    let with_public_url =
        |settings: &mut Settings| settings.public_url = "http://login.example.org".parse().ok();
    let app = TestApp::start_with(database, with_public_url).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let app = TestApp::start_with(app.stop_and_keep_database().await, with_public_url).await;
    let request = app
        .anyone()
        .request("GET", "/api/v1/sessions/current")
        .bearer_auth(&laptop.access_token);
    TestResponse::to(request).await.expect(200);
    app.anyone()
        .refresh(&laptop.refresh_token)
        .await
        .expect(200);
    app.stop().await;
}
