//! Oversized, malformed and tampered headers, cookies and forms.

use crate::support::prelude::*;

on_both!(
    app: a_user_agent_of_64_kib_is_cut_or_refused,
    a_user_agent_of_arbitrary_bytes_is_accepted,
    headers_of_a_megabyte_are_refused,
    a_tampered_cookie_leads_to_sign_in,
    a_tampered_device_cookie_does_no_harm,
    a_form_without_its_csrf_token_changes_nothing,
    a_form_with_another_browsers_csrf_token_changes_nothing,
    signing_in_needs_the_csrf_token,
    a_next_to_another_site_is_not_followed,
);

async fn a_user_agent_of_64_kib_is_cut_or_refused(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let response = app.try_login(&ada, &"M".repeat(64 * 1024)).await;
    assert!(
        response.status == 200 || (400..500).contains(&response.status),
        "{response:?}"
    );
    assert_eq!(app.database.sessions_where("length(user_agent) > 500"), 0);
    app.login(&ada, FIREFOX).await.current().await.expect(200);
}

async fn a_user_agent_of_arbitrary_bytes_is_accepted(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    // The two-byte character at the limit of 500 must not be split; the next value is not UTF-8.
    let two_bytes = format!("{}éééé", "M".repeat(499)).into_bytes();
    for user_agent in [
        two_bytes,
        vec![0xff; 600],
        b"tab\there".to_vec(),
        Vec::new(),
    ] {
        let body = json!({"email": ada.email, "password": ada.password});
        let request = app
            .anyone()
            .request("POST", "/api/v1/auth/login")
            .header("user-agent", user_agent);
        TestResponse::to(request.json(&body)).await.expect(200);
    }
    assert_eq!(app.database.sessions_where("length(user_agent) > 500"), 0);
}

async fn headers_of_a_megabyte_are_refused(app: &TestApp) {
    let request = app
        .anyone()
        .request("GET", "/sign-in")
        .header("x-long", "x".repeat(1024 * 1024));
    // The server may close the connection before it has received the whole request.
    if let Ok(response) = request.send().await {
        assert!(response.status().is_client_error(), "{response:?}");
    }
    app.anyone().get("/sign-in").await.expect(200);
}

async fn a_tampered_cookie_leads_to_sign_in(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let good = browser
        .cookie("rollcall_session")
        .expect("a session cookie");
    let middle = good.len() / 2;
    let other = if &good[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let changed = format!("{}{other}{}", &good[..middle], &good[middle + 1..]);
    for bad in [changed.as_str(), "nonsense", "", &"x".repeat(4000)] {
        browser.set_cookie("rollcall_session", bad);
        let response = browser.get("/devices").await;
        assert!(response.is_to_sign_in(), "{bad:?}: {response:?}");
    }
    browser.set_cookie("rollcall_session", &good);
    browser.get("/devices").await.expect(200);
}

async fn a_tampered_device_cookie_does_no_harm(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    browser.set_cookie("rollcall_device", &"%00%0a'".repeat(100));
    assert_eq!(browser.sign_in(&ada).await.location(), "/devices");
    browser.get("/devices").await.expect(200);
    assert_eq!(app.database.sessions_where("length(device_id) > 255"), 0);
}

async fn a_form_without_its_csrf_token_changes_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for token in [None, Some(""), Some("nonsense")] {
        let token: Vec<_> = token.map(|token| ("csrf", token)).into_iter().collect();
        assert_forms_are_refused(&browser, &phone, &token).await;
    }
    assert_nothing_changed(app, &phone).await;
}

async fn a_form_with_another_browsers_csrf_token_changes_nothing(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let eve = app.register("eve@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let hers = app.signed_in_browser(&ada, FIREFOX).await;
    let form = app
        .signed_in_browser(&eve, FIREFOX)
        .await
        .form("/devices", "/sign-out")
        .await;
    let (_, token) = form
        .hidden
        .iter()
        .find(|(name, _)| name == "csrf")
        .expect("a csrf field");
    assert_forms_are_refused(&hers, &phone, &[("csrf", token)]).await;
    assert_nothing_changed(app, &phone).await;
}

async fn signing_in_needs_the_csrf_token(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.browser(FIREFOX);
    let fields = [
        ("email", ada.email.as_str()),
        ("password", ada.password.as_str()),
    ];
    browser.post("/sign-in", &fields).await.expect(403);
    browser.get("/sign-in").await.expect(200);
    browser.post("/sign-in", &fields).await.expect(403);
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn a_next_to_another_site_is_not_followed(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let fields = |next| {
        [
            ("email", ada.email.as_str()),
            ("password", ada.password.as_str()),
            ("next", next),
        ]
    };
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "javascript:alert(1)",
        "evil.example",
    ] {
        let response = app
            .browser(FIREFOX)
            .submit("/sign-in", "/sign-in", &fields(next))
            .await;
        assert_eq!(response.location(), "/devices", "{next:?}");
    }
    let response = app
        .browser(FIREFOX)
        .submit("/sign-in?next=/account", "/sign-in", &fields("/account"))
        .await;
    assert_eq!(response.location(), "/account");
}

async fn assert_forms_are_refused(browser: &Browser, phone: &Device, token: &[(&str, &str)]) {
    let device = format!("/devices/{}", phone.id());
    let forms: [(String, Vec<(&str, &str)>); 7] = [
        (format!("{device}/sign-out"), vec![]),
        (format!("{device}/rename"), vec![("device_name", "changed")]),
        ("/devices/sign-out-others".into(), vec![]),
        ("/devices/sign-out-everywhere".into(), vec![]),
        ("/sign-out".into(), vec![]),
        ("/account/name".into(), vec![("full_name", "Changed")]),
        (
            "/account/password".into(),
            vec![
                ("current_password", PASSWORD),
                ("new_password", "quite another one"),
            ],
        ),
    ];
    for (action, fields) in forms {
        let response = browser.post(&action, &[&fields, token].concat()).await;
        assert_eq!(response.status, 403, "{action}: {response:?}");
    }
}

async fn assert_nothing_changed(app: &TestApp, phone: &Device) {
    assert_eq!(app.database.sessions_where("NOT is_active"), 0);
    assert_eq!(
        phone.current().await.expect(200).json()["device_name"],
        "Safari on iPhone"
    );
    assert_eq!(
        phone.get("/api/v1/me").await.expect(200).json()["full_name"],
        "Ada Lovelace"
    );
    app.login(
        &Person {
            email: "ada@example.org".into(),
            password: PASSWORD.into(),
        },
        FIREFOX,
    )
    .await;
}
