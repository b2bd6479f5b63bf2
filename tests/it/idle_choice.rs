//! The idle limit that people choose for their own devices, within the service's.

use crate::support::prelude::*;

on_both!(
    app: a_stricter_limit_applies_to_present_and_future_devices,
    a_stricter_limit_ends_sessions_idle_for_longer,
    without_a_choice_the_services_limit_applies_again,
    a_refresh_applies_the_chosen_limit,
    an_unknown_choice_is_refused,
    a_longer_limit_needs_the_password,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn choose(browser: &Browser, limit: &str) {
    let response = browser
        .submit("/account", "/account/idle-limit", &[("idle_limit", limit)])
        .await
        .expect(303);
    browser
        .follow(&response)
        .await
        .expect(200)
        .expect_words("Saved.");
}

async fn a_stricter_limit_applies_to_present_and_future_devices(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let before = app.login(&ada, IPHONE).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    choose(&browser, "week").await;
    let after = app.login(&ada, IPHONE).await;
    let page = browser.get("/account").await.expect(200);
    assert!(page.text.contains(r#"<option value="week" selected>"#));
    app.advance(6 * DAY);
    for device in [&before, &after] {
        app.anyone()
            .refresh(&device.refresh_token)
            .await
            .expect(200);
    }
    app.advance(7 * DAY);
    app.sweep().await;
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn a_stricter_limit_ends_sessions_idle_for_longer(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let idle_phone = app.login(&ada, IPHONE).await;
    app.advance(8 * DAY);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    // It names the device first, and then it is confirmed: here by a page of any later time.
    let fields = [("idle_limit", "week"), ("confirmed", "4000000000000000")];
    browser
        .submit("/account", "/account/idle-limit", &fields)
        .await
        .expect(303);
    app.anyone()
        .refresh(&idle_phone.refresh_token)
        .await
        .problem(401, "invalid_token");
    browser
        .get("/devices")
        .await
        .expect(200)
        .expect_words("You are signed in only here.");
}

async fn without_a_choice_the_services_limit_applies_again(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.confirm_sign_ins();
    choose(&browser, "week").await;
    choose(&browser, "").await;
    app.advance(100 * DAY);
    app.anyone().refresh(&phone.refresh_token).await.expect(200);
}

async fn a_refresh_applies_the_chosen_limit(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    choose(&browser, "month").await;
    let mut phone = app.login(&ada, IPHONE).await;
    for _ in 0..3 {
        app.advance(29 * DAY);
        phone.refresh().await;
    }
    app.advance(30 * DAY);
    app.anyone()
        .refresh(&phone.refresh_token)
        .await
        .problem(401, "invalid_token");
}

async fn an_unknown_choice_is_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let fields = [("idle_limit", "forever")];
    browser
        .submit("/account", "/account/idle-limit", &fields)
        .await
        .expect(400)
        .expect_words("Choose one of the options under “Sign out devices not used for”.");
    assert_eq!(
        app.database
            .number("SELECT count(idle_limit_seconds) AS value FROM users"),
        0
    );
}

async fn a_longer_limit_needs_the_password(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    choose(&browser, "week").await;
    app.advance(Duration::from_secs(11 * 60));
    // A stricter one, or the same, needs none.
    choose(&browser, "week").await;
    for longer in ["month", ""] {
        let fields = [("idle_limit", longer)];
        browser
            .submit("/account", "/account/idle-limit", &fields)
            .await
            .expect(403)
            .expect_words("Enter your password");
    }
    let chosen = "SELECT count(*) AS value FROM users WHERE idle_limit_seconds = 604800";
    assert_eq!(app.database.number(chosen), 1);
    let form = browser.form("/account", "/account/idle-limit").await;
    let confirm = browser
        .send(&form, &[("idle_limit", "month")])
        .await
        .expect(403);
    let confirm = crate::support::html::forms_to(&confirm.text, "/confirm").remove(0);
    let again = browser
        .send(&confirm, &[("password", PASSWORD)])
        .await
        .expect(307);
    assert_eq!(again.header("location"), "/account/idle-limit");
    choose(&browser, "month").await;
}
