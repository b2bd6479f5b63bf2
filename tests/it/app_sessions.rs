//! Sessions that are opened by applications that authenticate people themselves.

use actix_web::rt::spawn;
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: a_session_is_opened_for_a_new_subject,
    the_same_subject_is_the_same_person,
    a_stated_address_is_only_shown,
    concurrent_first_sessions_create_one_person,
    sessions_are_refreshed_listed_and_ended,
    an_unknown_address_counts_as_the_same_network,
    no_password_opens_an_external_account,
    an_application_needs_the_scope,
    what_the_application_sends_is_validated,
    an_unknown_subject_has_no_sessions,
);

struct Shop<'a> {
    app: &'a TestApp,
    secret: String,
}

impl<'a> Shop<'a> {
    fn with_scope(app: &'a TestApp, scope: &str) -> Self {
        // Each key makes an application.
        let name = format!("shop with {scope}");
        let add = ["api-key", "add", "--name", &name, "--scope", scope];
        let output = Program::with(&app.database).run(&add).expect_done();
        let secret = output.lines().find_map(|line| line.strip_prefix("secret"));
        Self {
            app,
            secret: secret.expect("a secret").trim().to_owned(),
        }
    }

    fn new(app: &'a TestApp) -> Self {
        Self::with_scope(app, "sessions")
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let path = format!("/api/v1/app/sessions{path}");
        self.app
            .anyone()
            .request(method, &path)
            .bearer_auth(&self.secret)
    }

    async fn open(&self, body: &Value) -> TestResponse {
        TestResponse::to(self.request("POST", "").json(body)).await
    }

    async fn device(&self, body: &Value) -> Device {
        Device::from_login(self.app.base(), &self.open(body).await.expect(201))
    }
}

async fn a_session_is_opened_for_a_new_subject(app: &TestApp) {
    let body = json!({
        "subject": "customer-7", "email": "Ada@example.org", "full_name": "Ada Lovelace",
        "user_agent": IPHONE, "ip_address": "::ffff:198.51.100.7", "device_id": "d-1",
    });
    let phone = Shop::new(app).device(&body).await;
    assert_eq!(phone.session["device_name"], "Safari on iPhone");
    assert_eq!(phone.session["ip_address"], "198.51.100.7");
    assert_eq!(phone.session["device_id"], "d-1");
    let me = phone.get("/api/v1/me").await.expect(200).json();
    assert_eq!(me["email"], "ada@example.org");
    assert_eq!(me["full_name"], "Ada Lovelace");
    assert_eq!(phone.listed().await.len(), 1);
}

async fn the_same_subject_is_the_same_person(app: &TestApp) {
    let shop = Shop::new(app);
    let one = shop.device(&json!({"subject": "customer-7"})).await;
    let two = shop.device(&json!({"subject": "customer-7"})).await;
    let other = shop.device(&json!({"subject": "customer-8"})).await;
    assert_eq!(one.session["user_id"], two.session["user_id"]);
    assert_ne!(one.session["user_id"], other.session["user_id"]);
}

/// An application may state any address, also one of somebody else: it opens no account and is
/// asserted to nobody.
async fn a_stated_address_is_only_shown(app: &TestApp) {
    let shop = Shop::new(app);
    let ada = app.register("ada@example.org").await;
    for subject in ["customer-9", "customer-10"] {
        let body = json!({"subject": subject, "email": "ada@example.org"});
        let customer = shop.device(&body).await;
        let me = customer.get("/api/v1/me").await.expect(200).json();
        assert_eq!(me["email"], "ada@example.org");
        assert_eq!(me["email_verified"], false);
        let verified = customer.get("/auth/verify").await.expect(200);
        assert_eq!(verified.header("remote-email"), "");
        assert_eq!(verified.header("remote-name"), "");
    }
    let me = app
        .login(&ada, FIREFOX)
        .await
        .get("/api/v1/me")
        .await
        .json();
    assert_eq!(me["full_name"], "Ada Lovelace");
    // An address that only an application states is free.
    let body = json!({"subject": "customer-11", "email": "grace@example.org"});
    shop.device(&body).await;
    app.register("grace@example.org").await;
}

async fn concurrent_first_sessions_create_one_person(app: &TestApp) {
    let shop = Shop::new(app);
    let openings: Vec<_> = (0..10)
        .map(|_| {
            let request = shop
                .request("POST", "")
                .json(&json!({"subject": "customer-7"}));
            spawn(async move { TestResponse::to(request).await })
        })
        .collect();
    for opening in openings {
        opening.await.expect("a response").expect(201);
    }
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        1
    );
    assert_eq!(app.database.sessions_where("is_active"), 10);
}

async fn sessions_are_refreshed_listed_and_ended(app: &TestApp) {
    let shop = Shop::new(app);
    let phone = shop
        .device(&json!({"subject": "a b&c", "user_agent": IPHONE}))
        .await;
    let laptop = shop
        .device(&json!({"subject": "a b&c", "user_agent": FIREFOX}))
        .await;
    let body = json!({"refresh_token": phone.refresh_token, "ip_address": "203.0.113.9"});
    let refreshed = TestResponse::to(shop.request("POST", "/refresh").json(&body))
        .await
        .expect(200)
        .json();
    assert_eq!(refreshed["session"]["ip_address"], "203.0.113.9");
    assert_ne!(refreshed["refresh_token"], phone.refresh_token.as_str());

    let own = ("x-subject", "a%20b%26c");
    let listed = TestResponse::to(shop.request("GET", "").header(own.0, own.1))
        .await
        .expect(200)
        .json();
    assert_eq!(listed["total"], 2);
    let one = format!("/{}", phone.id());
    for _ in 0..2 {
        TestResponse::to(shop.request("DELETE", &one).header(own.0, own.1))
            .await
            .expect(204);
    }
    phone.current().await.problem(401, "unauthenticated");
    shop.device(&json!({"subject": "somebody else"})).await;
    let foreign = format!("/{}", laptop.id());
    TestResponse::to(
        shop.request("DELETE", &foreign)
            .header("x-subject", "somebody else"),
    )
    .await
    .problem(404, "not_found");
    let ended = TestResponse::to(shop.request("DELETE", "").header(own.0, own.1))
        .await
        .expect(200)
        .json();
    assert_eq!(ended, json!({"ended": 1}));
    laptop.current().await.problem(401, "unauthenticated");
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let root = app.signed_in_browser(&root, FIREFOX).await;
    let path = format!("/admin/sessions/{}", laptop.id());
    let page = root.get(&path).await.expect(200);
    let page = page.expect_words("Ended by an application");
    assert!(!page.words().contains("another device"), "{}", page.words());
}

async fn an_unknown_address_counts_as_the_same_network(app: &TestApp) {
    let shop = Shop::new(app);
    let (home, elsewhere) = (Some("203.0.113.7"), Some("198.51.100.7"));
    for (spent_from, sent_again_from, status) in [
        (None, elsewhere, 200),
        (home, None, 200),
        (None, None, 200),
        (home, elsewhere, 401),
    ] {
        let refresh = async |token: &str, ip: Option<&str>| {
            let body = json!({"refresh_token": token, "ip_address": ip});
            TestResponse::to(shop.request("POST", "/refresh").json(&body)).await
        };
        let device = shop.device(&json!({"subject": "customer-7"})).await;
        let spent = refresh(&device.refresh_token, spent_from).await;
        let spent = spent.expect(200).json();
        let access = spent["access_token"].as_str().expect("a token");
        app.anyone().current(access).await.expect(200);
        let again = refresh(&device.refresh_token, sent_again_from).await;
        assert_eq!(again.status, status, "{spent_from:?} {sent_again_from:?}");
    }
}

async fn no_password_opens_an_external_account(app: &TestApp) {
    let body = json!({"subject": "customer-7", "email": "ada@example.org"});
    Shop::new(app).device(&body).await;
    for password in ["!", "", "customer-7", PASSWORD] {
        let body = json!({"email": "ada@example.org", "password": password});
        let response = app.anyone().post("/api/v1/auth/login", &body).await;
        response.problem(401, "invalid_credentials");
    }
}

async fn an_application_needs_the_scope(app: &TestApp) {
    let shop = Shop::with_scope(app, "tokens");
    let body = json!({"subject": "customer-7"});
    shop.open(&body).await.problem(403, "insufficient_scope");
    let response = app.anyone().post("/api/v1/app/sessions", &body).await;
    response.problem(401, "invalid_client");
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        0
    );
    // Nor does another key do anything with a session that there is.
    let phone = Shop::new(app).device(&body).await;
    let one = format!("/{}", phone.id());
    let token = json!({"refresh_token": phone.refresh_token});
    for (method, path, body) in [
        ("POST", "/refresh", Some(token)),
        ("GET", "", None),
        ("DELETE", one.as_str(), None),
        ("DELETE", "", None),
    ] {
        let mut request = shop.request(method, path);
        if body.is_none() {
            request = request.header("x-subject", "customer-7");
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = TestResponse::to(request).await;
        response.problem(403, "insufficient_scope");
    }
    phone.current().await.expect(200);
    assert_eq!(
        app.database.of_the_session("rotation_count").as_deref(),
        Some("0")
    );
}

async fn what_the_application_sends_is_validated(app: &TestApp) {
    let shop = Shop::new(app);
    for (field, body) in [
        ("subject", json!({"subject": " "})),
        ("subject", json!({"subject": "x".repeat(256)})),
        (
            "ip_address",
            json!({"subject": "a", "ip_address": "198.51.100.7, 6.6.6.6"}),
        ),
        ("email", json!({"subject": "a", "email": "nobody"})),
        ("password", json!({"subject": "a", "password": "x"})),
    ] {
        let problem = shop.open(&body).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        0
    );
}

async fn an_unknown_subject_has_no_sessions(app: &TestApp) {
    let shop = Shop::new(app);
    for method in ["GET", "DELETE"] {
        let request = shop.request(method, "").header("x-subject", "nobody");
        TestResponse::to(request).await.problem(404, "not_found");
    }
}
