//! Signing in once more with a live session: its tries have an allowance of their own, and the tenth wrong
//! one ends that session.

use crate::support::html::Form;
use crate::support::prelude::*;

on_both!(
    app: ten_wrong_passwords_at_sign_in_end_the_live_session,
        ten_wrong_passwords_at_the_apis_sign_in_end_the_live_session,
        failures_at_sign_in_and_within_the_session_dont_add_up,
        a_session_of_the_api_signs_in_during_an_attack,
        the_failures_of_a_session_go_with_it,
        what_else_a_sign_in_of_the_api_comes_with_proves_nothing,
);

const DEVICE: &str = "rollcall_device";
const SESSION: &str = "rollcall_session";
const LOGIN: &str = "/api/v1/auth/login";
const WRONG: &str = "a wrong guess";

/// Has somebody guess from elsewhere until a delay is in force for strangers.
async fn attack(app: &TestApp, person: &Person) {
    for _ in 0..6 {
        let body = json!({"email": person.email, "password": WRONG});
        app.anyone().post(LOGIN, &body).await;
    }
    app.try_login(person, IPHONE).await.expect(429);
}

/// Returns a browser that has a session and no proof of its device, with the form for signing in.
async fn with_session(app: &TestApp, person: &Person) -> (Browser, Form) {
    let browser = app.browser(FIREFOX);
    let form = browser.form("/sign-in", "/sign-in").await;
    let before = browser.cookie(DEVICE).expect("a cookie");
    browser.sign_in(person).await.expect(303);
    browser.set_cookie(DEVICE, &before);
    (browser, form)
}

async fn guess(browser: &Browser, form: &Form, person: &Person) -> TestResponse {
    let fields = [("email", person.email.as_str()), ("password", WRONG)];
    browser.send(form, &fields).await
}

#[track_caller]
fn assert_alerted(app: &TestApp) {
    let ended = "ended_reason = 'wrong_passwords'";
    assert_eq!(app.database.sessions_where(ended), 1);
    let alerts = app.database.texts("SELECT kind AS value FROM alerts");
    let expected = Some("wrong_passwords".to_owned());
    assert!(alerts.contains(&expected), "{alerts:?}");
}

async fn ten_wrong_passwords_at_sign_in_end_the_live_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (browser, form) = with_session(app, &ada).await;
    for _ in 0..9 {
        guess(&browser, &form, &ada).await.expect(401);
        app.advance(Duration::from_secs(60));
    }
    browser.get("/devices").await.expect(200);
    guess(&browser, &form, &ada).await.expect(401);
    assert!(browser.get("/devices").await.is_to_sign_in());
    assert_alerted(app);
}

async fn ten_wrong_passwords_at_the_apis_sign_in_end_the_live_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut phone = app.login(&ada, IPHONE).await;
    for _ in 0..10 {
        phone.refresh().await;
        let body = json!({"email": ada.email, "password": WRONG});
        let request = phone.request("POST", LOGIN).json(&body);
        TestResponse::to(request)
            .await
            .problem(401, "invalid_credentials");
        app.advance(Duration::from_secs(60));
    }
    phone.current().await.problem(401, "unauthenticated");
    assert_alerted(app);
}

async fn failures_at_sign_in_and_within_the_session_dont_add_up(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (browser, form) = with_session(app, &ada).await;
    for _ in 0..9 {
        guess(&browser, &form, &ada).await.expect(401);
        app.advance(Duration::from_secs(60));
    }
    browser
        .submit("/confirm", "/confirm", &[("password", WRONG)])
        .await
        .expect(403);
    browser.get("/devices").await.expect(200);
}

async fn a_session_of_the_api_signs_in_during_an_attack(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let (browser, _) = with_session(app, &ada).await;
    attack(app, &ada).await;
    let body = json!({"email": ada.email, "password": PASSWORD});
    let by_token = phone.request("POST", LOGIN).json(&body);
    TestResponse::to(by_token).await.expect(200);
    let form = browser.form("/confirm", "/confirm").await;
    let csrf = form.hidden.iter().find(|(name, _)| name == "csrf");
    let csrf = csrf.expect("a token").1.clone();
    let by_cookie = |csrf: &str| {
        let session = browser.cookie(SESSION).expect("a cookie");
        let request = app.anyone().request("POST", LOGIN);
        let request = request.header("cookie", format!("{SESSION}={session}"));
        request.header("x-csrf-token", csrf).json(&body)
    };
    TestResponse::to(by_cookie(&csrf)).await.expect(200);
    // Another site can't use it.
    TestResponse::to(by_cookie("forged")).await.expect(429);
}

async fn the_failures_of_a_session_go_with_it(app: &TestApp) {
    let rows = "SELECT count(*) AS value FROM account_throttles WHERE key LIKE 'session%'";
    let ada = app.register("ada@example.org").await;
    let (browser, form) = with_session(app, &ada).await;
    guess(&browser, &form, &ada).await.expect(401);
    let confirm = browser.submit("/confirm", "/confirm", &[("password", WRONG)]);
    confirm.await.expect(403);
    app.advance(Duration::from_secs(25 * 60 * 60));
    app.sweep().await;
    // It has expired, and is still listed.
    assert_eq!(app.database.number(rows), 2);
    app.advance(Duration::from_secs(91 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.number(rows), 0);
}

async fn what_else_a_sign_in_of_the_api_comes_with_proves_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let eve = app.register("eve@example.org").await;
    let phone = app.login(&eve, IPHONE).await;
    let body = json!({"email": ada.email, "password": PASSWORD});
    // No error either.
    let others = phone.request("POST", LOGIN).json(&body);
    TestResponse::to(others).await.expect(200);
    let invalid = || {
        let request = app.anyone().request("POST", LOGIN);
        request.header("authorization", "Basic QTpC").json(&body)
    };
    TestResponse::to(invalid()).await.expect(200);
    attack(app, &ada).await;
    let others = phone.request("POST", LOGIN).json(&body);
    TestResponse::to(others).await.expect(429);
    TestResponse::to(invalid()).await.expect(429);
}
