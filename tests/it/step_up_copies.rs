//! Step-up belongs to the one who gave the password: a copy of the cookie or of a token from before
//! gains nothing by it.

use actix_web::rt::spawn;
use rollcall::server::routes::{API, Access, PAGES, Route};
use serde_json::Value;

use crate::support::api::claims;
use crate::support::html;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: an_old_cookie_reads_and_changes_nothing,
    an_old_cookie_changes_nothing_over_the_api,
    an_old_cookie_opens_no_administrator_s_page,
    every_form_refuses_an_old_cookie,
    the_form_of_a_tab_that_was_overtaken_is_not_lost,
    a_forged_form_with_an_old_cookie_is_not_offered_for_step_up,
    an_old_cookie_signs_out,
    the_stream_of_an_old_cookie_ends_at_once,
    two_confirmations_at_once_leave_one_good_cookie,
    confirming_over_the_api_with_a_cookie_renews_the_cookie,
    a_caller_with_a_cookie_is_never_sent_a_token,
    tokens_say_when_the_password_was_given,
    an_access_token_from_before_a_step_up_gains_nothing,
    a_refresh_token_from_before_a_step_up_gains_nothing,
    a_token_passes_step_up_to_the_last_second_of_the_window,
    a_session_that_an_application_opened_passes_no_step_up,
);

const WINDOW: Duration = Duration::from_secs(10 * 60);
const SECOND: Duration = Duration::from_secs(1);
const COOKIE: &str = "rollcall_session";

/// The owner's browser, which has just given its password, and a copy of its cookie from before.
struct Copied {
    owner: Browser,
    thief: Browser,
    /// A CSRF token of the session.
    csrf: String,
    person: Person,
}

impl Copied {
    async fn just_confirmed(app: &TestApp) -> Self {
        let person = app.register("ada@example.org").await;
        Self::of(app, person).await
    }

    async fn of(app: &TestApp, person: Person) -> Self {
        let owner = app.signed_in_browser(&person, FIREFOX).await;
        let stolen = owner.cookie(COOKIE).expect("a cookie");
        let thief = app.browser(IPHONE);
        thief.set_cookie(COOKIE, &stolen);
        let form = thief.form("/account", "/account/name").await;
        let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
        let (_, csrf) = csrf.expect("a CSRF token").clone();
        app.advance(WINDOW + SECOND);
        confirm(&owner).await;
        Self {
            owner,
            thief,
            csrf,
            person,
        }
    }
}

async fn confirm(browser: &Browser) {
    let form = browser.form("/confirm", "/confirm").await;
    let confirmed = browser.send(&form, &[("password", PASSWORD)]);
    confirmed.await.expect(303);
}

async fn an_old_cookie_reads_and_changes_nothing(app: &TestApp) {
    let Copied {
        owner,
        thief,
        csrf,
        person,
    } = Copied::just_confirmed(app).await;
    let phone = app.login(&person, IPHONE).await;
    for path in ["/devices", "/account", "/api/v1/me"] {
        thief.get(path).await.expect(200);
    }
    let export = thief.get("/account/export").await;
    assert!(export.location().starts_with("/confirm"));
    for (path, field) in [
        ("/devices/sign-out-everywhere", ("", "")),
        ("/devices/sign-out-others", ("", "")),
        ("/account/email", ("email", "thief@example.org")),
        ("/account/delete", ("", "")),
        ("/account/name", ("full_name", "Thief")),
        ("/account/addresses", ("addresses", "none")),
        ("/account/alerts", ("", "")),
        ("/account/idle-limit", ("idle_limit", "year")),
    ] {
        let response = thief.post(path, &[("csrf", &csrf), field]).await;
        let response = response.expect(403);
        response.expect_words("Enter your password");
    }
    let rename = format!("/devices/{}/rename", phone.id());
    let fields = [("csrf", csrf.as_str()), ("device_name", "Thief")];
    thief.post(&rename, &fields).await.expect(403);

    assert_eq!(app.database.sessions_where("is_active"), 2);
    assert_eq!(app.database.sessions_where("device_name = 'Thief'"), 0);
    let changed = "SELECT count(*) AS value FROM users
                   WHERE email <> 'ada@example.org' OR full_name <> 'Ada Lovelace'
                      OR address_keeping <> 'whole' OR NOT alert_emails";
    assert_eq!(app.database.number(changed), 0);
    // The owner's cookie passes, and the copy is soon worth nothing.
    owner.get("/account/export").await.expect(200);
    app.advance(Duration::from_secs(11));
    assert!(thief.get("/devices").await.is_to_sign_in());
    owner.get("/account/export").await.expect(200);
}

async fn an_old_cookie_changes_nothing_over_the_api(app: &TestApp) {
    let Copied { owner, thief, .. } = Copied::just_confirmed(app).await;
    let phone = app.login(&Copied::person(), IPHONE).await;
    let one = format!("/api/v1/sessions/{}", phone.id());
    let rename = Some(json!({"device_name": "Thief"}));
    for (method, path, body) in [
        ("POST", "/api/v1/auth/logout-all", None),
        ("DELETE", "/api/v1/sessions/others", None),
        ("DELETE", "/api/v1/sessions/expired", None),
        ("DELETE", one.as_str(), None),
        ("PATCH", one.as_str(), rename),
    ] {
        let response = by_cookie(app, &thief, method, path, body).await;
        response.problem(401, "step_up_required");
    }
    assert_eq!(app.database.sessions_where("is_active"), 2);
    assert_eq!(app.database.sessions_where("device_name = 'Thief'"), 0);
    by_cookie(app, &owner, "DELETE", &one, None)
        .await
        .expect(204);
}

async fn an_old_cookie_opens_no_administrator_s_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.database.execute("UPDATE users SET is_admin = true");
    let Copied {
        owner, thief, csrf, ..
    } = Copied::of(app, ada).await;
    let page = thief.get("/admin/api-keys").await;
    assert!(page.location().starts_with("/confirm"), "{page:?}");
    let fields = [("csrf", csrf.as_str()), ("name", "x"), ("sessions", "on")];
    let created = thief.post("/admin/api-keys", &fields).await.expect(403);
    created.expect_words("Enter your password");
    let keys = "SELECT count(*) AS value FROM api_keys";
    assert_eq!(app.database.number(keys), 0);
    owner.get("/admin/applications").await.expect(200);
}

async fn every_form_refuses_an_old_cookie(app: &TestApp) {
    let Copied { thief, csrf, .. } = Copied::just_confirmed(app).await;
    let mut checked = 0;
    for route in PAGES {
        let is_form = route.method == "POST" && route.access == Access::SignedIn;
        if !is_form || ["/sign-out", "/confirm"].contains(&route.path) {
            continue;
        }
        let path = route
            .path
            .replace("{id}", "019700d5-5a00-7000-8000-000000000000");
        // Every field that any of them has, so that no form is refused as such.
        let fields = [
            ("csrf", csrf.as_str()),
            ("addresses", "none"),
            ("current_password", PASSWORD),
            ("device_name", "Thief"),
            ("email", "thief@example.org"),
            ("full_name", "Thief"),
            ("idle_limit", "year"),
            ("time_zone", "Europe/Paris"),
            ("device", "019700d5-5a00-7000-8000-000000000000"),
            ("typed", "ada@example.org"),
            ("when_unused", "stays-signed-in"),
            ("new_password", "another battery staple"),
        ];
        let response = thief.post(&path, &fields).await;
        let response = response.expect(403);
        assert!(!response.headers.contains_key("set-cookie"), "{path}");
        response.expect_words("Enter your password");
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} forms");
}

async fn the_form_of_a_tab_that_was_overtaken_is_not_lost(app: &TestApp) {
    let Copied {
        owner, thief, csrf, ..
    } = Copied::just_confirmed(app).await;
    // On its way with the old cookie when the other tab's confirmation came back.
    let fields = [
        ("csrf", csrf.as_str()),
        ("full_name", "Ada of the other tab"),
    ];
    let page = thief.post("/account/name", &fields).await.expect(403);
    let prompt = html::forms(&page.text)
        .into_iter()
        .find(|form| form.action == "/confirm")
        .expect("the form of the step-up");
    let confirmed = owner.send(&prompt, &[("password", PASSWORD)]).await;
    let confirmed = confirmed.expect(307);
    assert_eq!(confirmed.header("location"), "/account/name");
    let form = prompt.aimed_at("/account/name");
    owner.send(&form, &[]).await.expect(303);
    let named = "SELECT count(*) AS value FROM users WHERE full_name = 'Ada of the other tab'";
    assert_eq!(app.database.number(named), 1);
}

async fn a_forged_form_with_an_old_cookie_is_not_offered_for_step_up(app: &TestApp) {
    let Copied { thief, .. } = Copied::just_confirmed(app).await;
    for csrf in ["", "forged"] {
        let fields = [("csrf", csrf), ("email", "thief@example.org")];
        let response = thief.post("/account/email", &fields).await.expect(403);
        assert!(!response.text.contains("thief@example.org"), "{csrf}");
        assert!(!response.words().contains("Enter your password"), "{csrf}");
    }
}

async fn an_old_cookie_signs_out(app: &TestApp) {
    let Copied {
        owner, thief, csrf, ..
    } = Copied::just_confirmed(app).await;
    let response = thief.post("/sign-out", &[("csrf", &csrf)]).await;
    assert!(response.is_to_sign_in());
    assert!(owner.get("/devices").await.is_to_sign_in());
    let Copied { owner, thief, .. } = Copied::of(app, Copied::person()).await;
    let response = by_cookie(app, &thief, "POST", "/api/v1/auth/logout", None).await;
    response.expect(204);
    assert!(owner.get("/devices").await.is_to_sign_in());
}

async fn the_stream_of_an_old_cookie_ends_at_once(app: &TestApp) {
    let Copied { thief, .. } = Copied::just_confirmed(app).await;
    let since = app.clock.now().timestamp_micros();
    let path = format!("/devices/changes?since={since}");
    let mut stream = thief.stream(&path).await;
    let mut text = String::new();
    // It would wait for changes otherwise, and the test for its end.
    while let Some(chunk) = stream.chunk().await.expect("a chunk") {
        text.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
    }
    assert!(text.starts_with("retry:"), "{text}");
}

async fn two_confirmations_at_once_leave_one_good_cookie(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let before = browser.cookie(COOKIE).expect("a cookie");
    let form = browser.form("/confirm", "/confirm").await;
    let (_, csrf) = form
        .hidden
        .iter()
        .find(|(name, _)| name == "csrf")
        .expect("one");
    let confirmations: Vec<_> = (0..6)
        .map(|_| {
            let tab = app.browser(FIREFOX);
            tab.set_cookie(COOKIE, &before);
            let csrf = csrf.clone();
            spawn(async move {
                let fields = [("csrf", csrf.as_str()), ("password", PASSWORD)];
                tab.post("/confirm", &fields).await.expect(303);
                tab
            })
        })
        .collect();
    let mut tabs = Vec::new();
    for confirmation in confirmations {
        tabs.push(confirmation.await.expect("a response"));
    }
    // One that comes after the others has a cookie that they have replaced.
    let late = app.browser(FIREFOX);
    late.set_cookie(COOKIE, &before);
    let fields = [("csrf", csrf.as_str()), ("password", PASSWORD)];
    late.post("/confirm", &fields).await.expect(303);
    tabs.push(late);
    app.advance(Duration::from_secs(11));
    assert!(browser.get("/devices").await.is_to_sign_in());
    for tab in tabs {
        tab.get("/devices").await.expect(200);
        tab.get("/account/export").await.expect(200);
    }
}

async fn confirming_over_the_api_with_a_cookie_renews_the_cookie(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let before = browser.cookie(COOKIE).expect("a cookie");
    let copy = app.browser(IPHONE);
    copy.set_cookie(COOKIE, &before);
    app.advance(WINDOW + SECOND);
    let path = "/api/v1/auth/confirm";
    let wrong = Some(json!({"password": "wrong"}));
    let response = by_cookie(app, &browser, "POST", path, wrong).await;
    response.problem(401, "invalid_credentials");
    let right = Some(json!({"password": PASSWORD}));
    let response = by_cookie(app, &browser, "POST", path, right)
        .await
        .expect(200);
    let body = response.json();
    assert_eq!(
        body.as_object().map(serde_json::Map::len),
        Some(1),
        "{body}"
    );
    assert_eq!(body["session"]["is_current"], true);
    let set = response.header("set-cookie").to_owned();
    let value = set
        .strip_prefix("rollcall_session=")
        .and_then(|rest| rest.split(';').next())
        .expect("the renewed cookie");
    browser.set_cookie(COOKIE, value);
    app.advance(Duration::from_secs(11));
    browser.get("/account/export").await.expect(200);
    assert!(copy.get("/devices").await.is_to_sign_in());
}

async fn a_caller_with_a_cookie_is_never_sent_a_token(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    // At `/auth/verify` the session cookie opens nothing.
    let is_api =
        |route: &&Route| route.access == Access::Api && !route.path.starts_with("/auth/verify");
    for route in API.iter().filter(is_api) {
        let browser = app.signed_in_browser(&ada, FIREFOX).await;
        let own = by_cookie(app, &browser, "GET", "/api/v1/sessions/current", None).await;
        let own = own.expect(200).json()["id"].clone();
        let path = route.path.replace("{id}", own.as_str().expect("an id"));
        let body = match route.path {
            "/api/v1/auth/confirm" => Some(json!({"password": PASSWORD})),
            path if path.starts_with("/api/v1/alerts/") => Some(json!({"answer": "mine"})),
            path if path.ends_with("{id}") => Some(json!({"device_name": "Mine"})),
            _ => None,
        };
        let response = by_cookie(app, &browser, route.method.as_str(), &path, body).await;
        let shown = format!("{} {path}: {}", route.method, response.text);
        assert!(response.status < 500 && response.status != 401, "{shown}");
        for word in ["token", "jti", "eyJ"] {
            assert!(!response.text.contains(word), "{shown}");
        }
    }
}

async fn tokens_say_when_the_password_was_given(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let signed_in = app.clock.now().timestamp();
    for _ in 0..3 {
        for token in [&laptop.access_token, &laptop.refresh_token] {
            assert_eq!(claims(token)["auth_time"], signed_in);
            assert_eq!(claims(token)["acr"], "urn:rollcall:password");
        }
        app.advance(Duration::from_secs(120));
        laptop.refresh().await;
    }
    let body = confirm_by_token(app, &laptop.access_token).await;
    for name in ["access_token", "refresh_token"] {
        let token = body[name].as_str().expect("a token");
        assert_eq!(claims(token)["auth_time"], app.clock.now().timestamp());
        assert_eq!(claims(token)["acr"], "urn:rollcall:password");
    }
}

async fn an_access_token_from_before_a_step_up_gains_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    app.advance(WINDOW + SECOND);
    laptop.refresh().await;
    let stolen = laptop.access_token.clone();
    let body = confirm_by_token(app, &laptop.access_token).await;
    let own = body["access_token"].as_str().expect("a token");
    let one = format!("/api/v1/sessions/{}", phone.id());
    for (method, path) in [
        ("POST", "/api/v1/auth/logout-all"),
        ("DELETE", "/api/v1/sessions/others"),
        ("DELETE", one.as_str()),
    ] {
        by_token(app, &stolen, method, path)
            .await
            .problem(401, "step_up_required");
    }
    assert_eq!(app.database.sessions_where("is_active"), 2);
    by_token(app, own, "DELETE", &one).await.expect(204);
}

async fn a_refresh_token_from_before_a_step_up_gains_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    app.advance(WINDOW + SECOND);
    laptop.refresh().await;
    let other_tab = laptop.refresh_token.clone();
    let body = confirm_by_token(app, &laptop.access_token).await;
    let own = body["access_token"].as_str().expect("a token");
    app.anyone().current(own).await.expect(200);
    // Within the grace period it gets the current one, based on its own password.
    let got = app.anyone().refresh(&other_tab).await.expect(200).json();
    let got = got["access_token"].as_str().expect("a token");
    app.anyone().current(got).await.expect(200);
    by_token(app, got, "POST", "/api/v1/auth/logout-all")
        .await
        .problem(401, "step_up_required");
    by_token(app, own, "POST", "/api/v1/auth/logout-all")
        .await
        .expect(200);
}

async fn a_token_passes_step_up_to_the_last_second_of_the_window(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let path = "/api/v1/sessions/others";
    app.advance(WINDOW);
    laptop.refresh().await;
    laptop.delete(path).await.expect(200);
    app.advance(SECOND);
    laptop.delete(path).await.problem(401, "step_up_required");
}

async fn a_session_that_an_application_opened_passes_no_step_up(app: &TestApp) {
    let add = ["api-key", "add", "--name", "shop", "--scope", "sessions"];
    let output = Program::with(&app.database).run(&add).expect_done();
    let secret = output.lines().find_map(|line| line.strip_prefix("secret"));
    let secret = secret.expect("a secret").trim();
    let send = async |path: &str, body: Value| {
        let request = app.anyone().request("POST", path).bearer_auth(secret);
        TestResponse::to(request.json(&body)).await.json()
    };
    let opened = send("/api/v1/app/sessions", json!({"subject": "customer-7"})).await;
    let token = opened["refresh_token"].clone();
    let refreshed = send(
        "/api/v1/app/sessions/refresh",
        json!({"refresh_token": token}),
    )
    .await;
    for body in [opened, refreshed] {
        for name in ["access_token", "refresh_token"] {
            let claims = claims(body[name].as_str().expect("a token"));
            assert!(claims.get("auth_time").is_none(), "{claims}");
            assert!(claims.get("acr").is_none(), "{claims}");
        }
        let access = body["access_token"].as_str().expect("a token");
        by_token(app, access, "DELETE", "/api/v1/sessions/others")
            .await
            .problem(401, "step_up_required");
    }
}

impl Copied {
    fn person() -> Person {
        Person {
            email: "ada@example.org".into(),
            password: PASSWORD.into(),
        }
    }
}

async fn confirm_by_token(app: &TestApp, access_token: &str) -> Value {
    let request = app.anyone().request("POST", "/api/v1/auth/confirm");
    let request = request.bearer_auth(access_token);
    let response = TestResponse::to(request.json(&json!({"password": PASSWORD}))).await;
    response.expect(200).json()
}

async fn by_token(app: &TestApp, token: &str, method: &str, path: &str) -> TestResponse {
    TestResponse::to(app.anyone().request(method, path).bearer_auth(token)).await
}

/// Sends a request of the API as a script of the page does, with the cookie and a CSRF token.
async fn by_cookie(
    app: &TestApp,
    browser: &Browser,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> TestResponse {
    let form = browser.form("/account", "/account/name").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let (_, csrf) = csrf.expect("a CSRF token");
    let cookie = browser.cookie(COOKIE).expect("a cookie");
    let mut request = app
        .anyone()
        .request(method, path)
        .header("cookie", format!("{COOKIE}={cookie}"))
        .header("x-csrf-token", csrf);
    if let Some(body) = body {
        request = request.json(&body);
    }
    TestResponse::to(request).await
}
