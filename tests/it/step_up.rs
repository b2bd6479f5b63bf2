//! Step-up: some requests need a recently given password, and continue once it is given.

use crate::support::html;
use crate::support::prelude::*;

on_both!(
    app: signing_out_this_device_needs_no_step_up,
    a_recently_given_password_is_enough,
    signing_out_another_device_continues_after_a_step_up,
    a_wrong_password_leaves_the_action_pending,
    signing_out_the_others_continues_after_a_step_up,
    the_action_redirects_to_no_other_host,
    the_cookie_from_before_a_step_up_is_refused,
    an_api_client_gets_a_step_up_challenge,
    the_export_needs_a_step_up_and_is_complete,
    deleting_the_account_needs_a_step_up_and_deletes_everything,
    a_new_password_is_a_step_up_and_changes_the_cookie,
);
on_both!(
    database: beyond_the_limit_the_least_recently_used_session_ends,
);

const WINDOW: Duration = Duration::from_secs(10 * 60);
const SECOND: Duration = Duration::from_secs(1);
const CHALLENGE: &str = concat!(
    r#"Bearer error="insufficient_user_authentication", "#,
    r#"error_description="The password must have been given within the last 600 seconds", "#,
    r#"acr_values="urn:rollcall:password", max_age="600""#
);

async fn signing_out_this_device_needs_no_step_up(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(WINDOW + SECOND);
    let response = browser.submit("/devices", "/sign-out", &[]).await;
    assert!(response.is_to_sign_in());
    let phone = app.login(&ada, IPHONE).await;
    app.advance(Duration::from_secs(4 * 60));
    phone.post("/api/v1/auth/logout").await.expect(204);
}

async fn a_recently_given_password_is_enough(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    app.advance(WINDOW);
    let path = laptop.sign_out_paths().await.remove(0);
    let response = laptop.submit("/devices", &path, &[]).await;
    let page = laptop.follow(&response).await.expect(200);
    page.expect_words("Safari on iPhone is signed out.");
    assert!(phone.get("/devices").await.is_to_sign_in());
}

async fn signing_out_another_device_continues_after_a_step_up(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    let path = laptop.sign_out_paths().await.remove(0);
    // The page is opened within the window, which ends before the form is posted.
    let form = laptop.form("/devices", &path).await;
    app.advance(WINDOW + SECOND);
    let response = laptop.send(&form, &[]).await.expect(403);
    let response = response.expect_words("Enter your password");
    let prompt_form = html::forms(&response.text)
        .into_iter()
        .find(|form| form.action == "/confirm");
    let prompt_form = prompt_form.expect("the form of the step-up");
    phone.get("/devices").await.expect(200);

    let confirmed = laptop
        .send(&prompt_form, &[("password", PASSWORD)])
        .await
        .expect(307);
    assert_eq!(confirmed.header("location"), path);
    let done = laptop.send(&form, &[("password", PASSWORD)]).await;
    let page = laptop.follow(&done).await.expect(200);
    page.expect_words("Safari on iPhone is signed out.");
    assert!(phone.get("/devices").await.is_to_sign_in());
}

async fn a_wrong_password_leaves_the_action_pending(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    let path = laptop.sign_out_paths().await.remove(0);
    let form = laptop.form("/devices", &path).await;
    app.advance(WINDOW + SECOND);
    let fields = [
        ("password", "not the one"),
        ("act", &path),
        ("extra", "kept"),
    ];
    let page = laptop
        .send(&form.aimed_at("/confirm"), &fields)
        .await
        .expect(403);
    assert!(
        page.text.contains(&format!(r#"name="act" value="{path}""#)),
        "{}",
        page.text
    );
    assert!(page.text.contains(r#"name="extra" value="kept""#));
    assert!(
        !page.text.contains("not the one"),
        "a password is on the page"
    );
    laptop.send(&form, &[]).await.expect(403);
    phone.get("/devices").await.expect(200);
}

async fn signing_out_the_others_continues_after_a_step_up(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    for path in ["/devices/sign-out-others", "/devices/sign-out-everywhere"] {
        let form = laptop.form(path, path).await;
        app.advance(WINDOW + SECOND);
        laptop
            .send(&form, &[])
            .await
            .expect(403)
            .expect_words("Enter your password");
    }
    let form = laptop
        .form("/devices/sign-out-others", "/devices/sign-out-others")
        .await;
    let fields = [("password", PASSWORD), ("act", "/devices/sign-out-others")];
    laptop
        .send(&form.aimed_at("/confirm"), &fields)
        .await
        .expect(307);
    laptop.send(&form, &[]).await.expect(303);
    assert!(phone.get("/devices").await.is_to_sign_in());
}

async fn the_action_redirects_to_no_other_host(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let form = browser.form("/confirm", "/confirm").await;
    for elsewhere in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
        let fields = [("password", PASSWORD), ("act", elsewhere)];
        let response = browser
            .send(&form.aimed_at("/confirm"), &fields)
            .await
            .expect(303);
        assert_eq!(response.location(), "/devices", "{elsewhere}");
        let fields = [("password", PASSWORD), ("next", elsewhere)];
        let response = browser
            .send(&form.aimed_at("/confirm"), &fields)
            .await
            .expect(303);
        assert_eq!(response.location(), "/devices", "{elsewhere}");
    }
}

async fn the_cookie_from_before_a_step_up_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let stolen = browser.cookie("rollcall_session").expect("a cookie");
    let form = browser.form("/confirm", "/confirm").await;
    browser
        .send(&form.aimed_at("/confirm"), &[("password", PASSWORD)])
        .await
        .expect(303);
    browser.get("/devices").await.expect(200);

    let thief = app.browser(IPHONE);
    thief.set_cookie("rollcall_session", &stolen);
    thief.get("/devices").await.expect(200); // As a request in progress: within the grace period.
    app.advance(Duration::from_secs(11));
    assert!(thief.get("/devices").await.is_to_sign_in());
    browser.get("/devices").await.expect(200);
}

async fn an_api_client_gets_a_step_up_challenge(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    app.advance(WINDOW + SECOND);
    laptop.refresh().await;
    let one = format!("/api/v1/sessions/{}", phone.id());
    for (method, path) in [
        ("DELETE", one.as_str()),
        ("DELETE", "/api/v1/sessions/others"),
        ("POST", "/api/v1/auth/logout-all"),
    ] {
        let response = TestResponse::to(laptop.request(method, path)).await;
        assert_eq!(response.header("www-authenticate"), CHALLENGE);
        response.problem(401, "step_up_required");
    }
    let wrong = laptop
        .request("POST", "/api/v1/auth/confirm")
        .json(&json!({"password": "no"}));
    TestResponse::to(wrong)
        .await
        .problem(401, "invalid_credentials");
    let right = laptop
        .request("POST", "/api/v1/auth/confirm")
        .json(&json!({"password": PASSWORD}));
    let body = TestResponse::to(right).await.expect(200).json();
    assert_ne!(body["refresh_token"], laptop.refresh_token.as_str());
    // The token from before the step-up gains nothing by it.
    TestResponse::to(laptop.request("DELETE", &one))
        .await
        .problem(401, "step_up_required");
    let access = body["access_token"].as_str().expect("a token");
    let delete = app.anyone().request("DELETE", &one).bearer_auth(access);
    TestResponse::to(delete).await.expect(204);
    assert_eq!(app.database.sessions_where("is_active"), 1);
}

async fn a_new_password_is_a_step_up_and_changes_the_cookie(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let before = browser.cookie("rollcall_session").expect("a cookie");
    app.advance(WINDOW + SECOND);
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another battery staple"),
    ];
    browser
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    assert_ne!(
        browser.cookie("rollcall_session").expect("a cookie"),
        before
    );
    let response = browser
        .submit(
            "/devices/sign-out-everywhere",
            "/devices/sign-out-everywhere",
            &[],
        )
        .await;
    assert!(response.is_to_sign_in());
}

async fn the_export_needs_a_step_up_and_is_complete(app: &TestApp) {
    let (laptop, phone, _) = laptop_and_phone(app).await;
    phone.submit("/devices", "/sign-out", &[]).await.expect(303);
    app.advance(WINDOW + SECOND);
    let response = laptop.get("/account/export").await.expect(303);
    assert_eq!(response.location(), "/confirm?next=%2Faccount%2Fexport");
    let form = laptop.form(response.location(), "/confirm").await;
    let confirmed = laptop
        .send(&form, &[("password", PASSWORD)])
        .await
        .expect(303);
    let file = laptop.follow(&confirmed).await.expect(200);
    assert!(file.header("content-disposition").starts_with("attachment"));
    let export = file.json();
    assert_eq!(export["account"]["email"], "ada@example.org");
    assert_eq!(export["sessions"].as_array().map(Vec::len), Some(2));
    assert_eq!(export["sessions"][1]["ended_reason"], "signed_out");
    assert_eq!(export["events"].as_array().map(Vec::len), Some(3));
    assert!(
        !file.text.contains("jti") && !file.text.contains("argon2"),
        "{}",
        file.text
    );
}

async fn deleting_the_account_needs_a_step_up_and_deletes_everything(app: &TestApp) {
    let (laptop, phone, ada) = laptop_and_phone(app).await;
    let form = laptop.form("/account/delete", "/account/delete").await;
    app.advance(WINDOW + SECOND);
    let typed = [("typed", "ada@example.org")];
    laptop.send(&form, &typed).await.expect(403);
    let fields = [("password", PASSWORD), ("act", "/account/delete")];
    laptop
        .send(&form.aimed_at("/confirm"), &fields)
        .await
        .expect(307);
    let response = laptop.send(&form, &typed).await.expect(303);
    assert_eq!(response.location(), "/sign-in");
    let page = laptop.follow(&response).await.expect(200);
    page.expect_words("Your account is deleted");
    let events = "session_events WHERE ip_address IS NOT NULL OR device IS NOT NULL";
    for table in ["users", "user_sessions", events] {
        let rows = format!("SELECT count(*) AS value FROM {table}");
        assert_eq!(app.database.number(&rows), 0, "{table}");
    }
    assert!(phone.get("/devices").await.is_to_sign_in());
    app.try_login(&ada, FIREFOX)
        .await
        .problem(401, "invalid_credentials");
}

async fn beyond_the_limit_the_least_recently_used_session_ends(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.sessions.most_per_person = 3).await;
    let ada = app.register("ada@example.org").await;
    let mut devices = Vec::new();
    for _ in 0..3 {
        devices.push(app.login(&ada, FIREFOX).await);
        app.advance(SECOND);
    }
    devices[0].current().await.expect(200);
    app.flush().await;
    let newest = app.login(&ada, IPHONE).await;
    devices[1].current().await.problem(401, "unauthenticated");
    devices[0].current().await.expect(200);
    newest.current().await.expect(200);
    assert_eq!(app.database.sessions_where("ended_reason = 'limit'"), 1);
    assert_eq!(newest.listed().await.len(), 3);
    app.stop().await;
}

async fn laptop_and_phone(app: &TestApp) -> (Browser, Browser, Person) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.signed_in_browser(&ada, IPHONE).await;
    (laptop, phone, ada)
}
