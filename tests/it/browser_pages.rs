//! Signing in, signing out and the account page, in a browser without JavaScript.

use crate::support::prelude::*;
use crate::support::response::path_of;

on_both!(
    app: the_front_page_leads_to_the_right_place,
    signing_in_leads_to_your_devices,
    a_page_requested_before_signing_in_is_opened_after,
    a_wrong_password_shows_the_form_again,
    a_new_person_signs_up,
    signing_out_leads_to_sign_in,
    a_remembered_session_lasts_longer,
    signing_in_again_replaces_that_browsers_session,
    the_device_cookie_outlives_the_session,
    a_new_password_ends_the_other_sessions,
    a_wrong_current_password_changes_nothing,
    a_person_changes_their_name,
);
on_both!(database: sign_up_is_not_found_where_it_is_off);

const NEW_PASSWORD: &str = "a quite different passphrase";

async fn the_front_page_leads_to_the_right_place(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    assert!(browser.get("/").await.is_to_sign_in());
    browser.sign_in(&ada).await;
    assert_eq!(browser.get("/").await.location(), "/devices");
}

async fn signing_in_leads_to_your_devices(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let response = browser.sign_in(&ada).await;
    assert_eq!(response.location(), "/devices");
    let page = browser.follow(&response).await.expect(200);
    page.expect_words("You are signed in only here.")
        .expect_words("This device")
        .expect_words("Firefox on Windows")
        .expect_words("Active now");
}

async fn a_page_requested_before_signing_in_is_opened_after(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let response = browser.get("/account").await;
    assert!(response.is_to_sign_in());
    let sign_in = response.location().to_owned();
    let fields = [
        ("email", ada.email.as_str()),
        ("password", ada.password.as_str()),
    ];
    assert_eq!(
        browser
            .submit(&sign_in, "/sign-in", &fields)
            .await
            .location(),
        "/account"
    );
}

async fn a_wrong_password_shows_the_form_again(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let mistyped = Person {
        password: "mistyped".into(),
        ..ada.clone()
    };
    let response = browser
        .sign_in(&mistyped)
        .await
        .expect(401)
        .expect_words("The e-mail or the password is wrong");
    assert!(
        response.text.contains("value=\"ada@example.org\""),
        "the e-mail is filled in: {}",
        response.text
    );
    assert!(!response.text.contains("mistyped"), "{}", response.text);
    assert_eq!(app.database.sessions_where("is_active"), 0);
    assert_eq!(browser.sign_in(&ada).await.location(), "/devices");
}

async fn a_new_person_signs_up(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    let fields = [
        ("full_name", "Grace Hopper"),
        ("email", "grace@example.org"),
        ("password", PASSWORD),
    ];
    let response = browser.submit("/sign-up", "/sign-up", &fields).await;
    assert_eq!(response.location(), "/devices");
    browser
        .follow(&response)
        .await
        .expect(200)
        .expect_words("You are signed in only here.");

    let again = app
        .browser(FIREFOX)
        .submit("/sign-up", "/sign-up", &fields)
        .await;
    assert!([400, 409, 422].contains(&again.status), "{again:?}");
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        1
    );
}

async fn signing_out_leads_to_sign_in(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let old_cookie = browser
        .cookie("rollcall_session")
        .expect("a session cookie");
    let response = browser.submit("/devices", "/sign-out", &[]).await;
    assert_eq!(path_of(response.location()), "/sign-in");
    assert!(browser.get("/devices").await.is_to_sign_in());
    assert_eq!(
        app.database.of_the_session("ended_reason").as_deref(),
        Some("signed_out")
    );

    browser.set_cookie("rollcall_session", &old_cookie);
    assert!(
        browser.get("/devices").await.is_to_sign_in(),
        "the cookie of an ended session is refused"
    );
}

async fn a_remembered_session_lasts_longer(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (short, long) = (
        app.signed_in_browser(&ada, FIREFOX).await,
        app.browser(IPHONE),
    );
    let fields = [
        ("email", ada.email.as_str()),
        ("password", ada.password.as_str()),
        ("remember", "on"),
    ];
    long.submit("/sign-in", "/sign-in", &fields)
        .await
        .expect(303);
    app.advance(Duration::from_secs(30 * 24 * 60 * 60));
    assert!(short.get("/devices").await.is_to_sign_in());
    long.get("/devices").await.expect(200);
}

async fn signing_in_again_replaces_that_browsers_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (browser, other) = (
        app.signed_in_browser(&ada, FIREFOX).await,
        app.signed_in_browser(&ada, FIREFOX).await,
    );
    let first = browser
        .cookie("rollcall_session")
        .expect("a session cookie");
    browser.forget_cookie("rollcall_session");
    assert_eq!(browser.sign_in(&ada).await.location(), "/devices");

    assert_eq!(app.database.sessions_where("ended_reason = 'replaced'"), 1);
    assert_eq!(app.database.sessions_where("is_active"), 2);
    other.get("/devices").await.expect(200);
    browser.set_cookie("rollcall_session", &first);
    assert!(browser.get("/devices").await.is_to_sign_in());
}

async fn the_device_cookie_outlives_the_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    browser.sign_in(&ada).await.expect(303);
    assert!(browser.cookie("rollcall_device").is_some());
    let ids = app
        .database
        .texts("SELECT DISTINCT device_id AS value FROM user_sessions");
    assert_eq!(ids.len(), 1, "both sessions are of one device: {ids:?}");
    assert!(ids[0].is_some());
}

async fn a_new_password_ends_the_other_sessions(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (browser, other) = (
        app.signed_in_browser(&ada, FIREFOX).await,
        app.signed_in_browser(&ada, IPHONE).await,
    );
    let phone = app.login(&ada, IPHONE).await;
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", NEW_PASSWORD),
    ];
    let response = browser
        .submit("/account", "/account/password", &fields)
        .await;
    browser.follow(&response).await.expect(200);

    assert!(other.get("/devices").await.is_to_sign_in());
    phone.current().await.problem(401, "unauthenticated");
    assert_eq!(
        app.database
            .sessions_where("ended_reason = 'password_changed'"),
        2
    );
    app.try_login(&ada, FIREFOX)
        .await
        .problem(401, "invalid_credentials");
    app.login(
        &Person {
            password: NEW_PASSWORD.into(),
            ..ada
        },
        FIREFOX,
    )
    .await;
}

async fn a_wrong_current_password_changes_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let fields = [
        ("current_password", "mistyped"),
        ("new_password", NEW_PASSWORD),
    ];
    let response = browser
        .submit("/account", "/account/password", &fields)
        .await;
    assert!([400, 401, 422].contains(&response.status), "{response:?}");
    phone.current().await.expect(200);
    app.login(&ada, FIREFOX).await;
}

async fn a_person_changes_their_name(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let response = browser
        .submit("/account", "/account/name", &[("full_name", "Ada King")])
        .await;
    browser.follow(&response).await.expect(200);
    assert_eq!(
        browser.get("/api/v1/me").await.expect(200).json()["full_name"],
        "Ada King"
    );
}

async fn sign_up_is_not_found_where_it_is_off(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.sign_up = false).await;
    app.browser(FIREFOX).get("/sign-up").await.expect(404);
    let fields = [
        ("full_name", "Eve"),
        ("email", "eve@example.org"),
        ("password", PASSWORD),
    ];
    app.browser(FIREFOX)
        .post("/sign-up", &fields)
        .await
        .expect(404);
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        0
    );
    app.stop().await;
}
