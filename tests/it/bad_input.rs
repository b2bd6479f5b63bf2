//! Invalid request bodies: the response names what is wrong, and nothing is stored.

use crate::support::prelude::*;

on_both!(
    app: malformed_json_is_an_invalid_request,
    an_unknown_field_is_named,
    a_wrong_type_is_named_with_its_path,
    a_missing_field_is_named,
    a_body_of_another_media_type_is_refused,
    a_body_over_the_limit_is_refused,
    a_bad_e_mail_is_refused,
    a_bad_password_is_refused,
    control_characters_are_never_stored,
    markup_in_a_name_is_escaped_on_the_page,
    a_wrong_method_and_an_unknown_path_are_problems_too,
);

const LOGIN: &str = "/api/v1/auth/login";
const REGISTER: &str = "/api/v1/auth/register";

async fn malformed_json_is_an_invalid_request(app: &TestApp) {
    for body in [
        "",
        "{",
        "null",
        "[]",
        "{\"email\":}",
        "\u{feff}{}",
        "{\"email\": \"\\ud800\"}",
    ] {
        post_text(app, LOGIN, body)
            .await
            .problem(400, "invalid_request");
    }
    let deep = "[".repeat(100_000);
    assert!((400..500).contains(&post_text(app, LOGIN, &deep).await.status));
}

async fn an_unknown_field_is_named(app: &TestApp) {
    let body = json!({"email": "ada@example.org", "password": PASSWORD, "colour": "red"});
    let problem = app
        .anyone()
        .post(LOGIN, &body)
        .await
        .problem(400, "invalid_request");
    assert!(problem.to_string().contains("colour"), "{problem:#}");
}

async fn a_wrong_type_is_named_with_its_path(app: &TestApp) {
    let body = json!({"email": 5, "password": PASSWORD});
    let problem = app
        .anyone()
        .post(LOGIN, &body)
        .await
        .problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "email", "{problem:#}");
    let body = json!({"email": "ada@example.org", "password": PASSWORD, "device_name": ["a", "b"]});
    let problem = app
        .anyone()
        .post(LOGIN, &body)
        .await
        .problem(400, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "device_name", "{problem:#}");
}

async fn a_missing_field_is_named(app: &TestApp) {
    let problem = app
        .anyone()
        .post(LOGIN, &json!({"email": "ada@example.org"}))
        .await
        .problem(400, "invalid_request");
    assert!(problem.to_string().contains("password"), "{problem:#}");
}

async fn a_body_of_another_media_type_is_refused(app: &TestApp) {
    let form = app
        .anyone()
        .request("POST", LOGIN)
        .form(&[("email", "ada@example.org"), ("password", PASSWORD)]);
    TestResponse::to(form)
        .await
        .problem(415, "unsupported_media_type");
    let untyped = app.anyone().request("POST", LOGIN).body("{}");
    TestResponse::to(untyped)
        .await
        .problem(415, "unsupported_media_type");
}

async fn a_body_over_the_limit_is_refused(app: &TestApp) {
    let body = json!({"email": "ada@example.org", "password": "x".repeat(256 * 1024)});
    app.anyone()
        .post(LOGIN, &body)
        .await
        .problem(413, "payload_too_large");
}

async fn a_bad_e_mail_is_refused(app: &TestApp) {
    let long = format!("{}@example.org", "a".repeat(300));
    for email in [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada @example.org",
        "ada@exam\nple.org",
        &long,
    ] {
        let response = app
            .anyone()
            .post(REGISTER, &json!({"email": email, "password": PASSWORD}))
            .await;
        let problem = response.problem(400, "invalid_request");
        assert_eq!(
            problem["errors"][0]["field"], "email",
            "{email:?}: {problem:#}"
        );
    }
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        0
    );
}

async fn a_bad_password_is_refused(app: &TestApp) {
    let endless = "x".repeat(10_000);
    for password in ["", "short", &endless] {
        let response = app
            .anyone()
            .post(
                REGISTER,
                &json!({"email": "ada@example.org", "password": password}),
            )
            .await;
        let problem = response.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "password", "{problem:#}");
    }
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        0
    );
}

async fn control_characters_are_never_stored(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    for name in [
        "a\u{0}b",
        "a\u{7}b",
        "a\nb",
        "a\u{1b}[31mb",
        "a\u{85}b",
        "a\u{202e}b",
    ] {
        let path = format!("/api/v1/sessions/{}", laptop.id());
        let response = laptop.patch(&path, &json!({"device_name": name})).await;
        assert!(
            [200, 400].contains(&response.status),
            "{name:?}: {response:?}"
        );
        let stored = app
            .database
            .of_the_session("device_name")
            .unwrap_or_default();
        assert!(
            !stored.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{name:?} is stored as {stored:?}"
        );
    }
}

async fn markup_in_a_name_is_escaped_on_the_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let name = "<script>alert(1)</script>\"'&";
    let body = json!({"email": ada.email, "password": ada.password, "device_name": name});
    app.anyone().post(LOGIN, &body).await.expect(200);
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get("/devices").await.expect(200);
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    page.expect_words("\"'&");
}

async fn a_wrong_method_and_an_unknown_path_are_problems_too(app: &TestApp) {
    app.anyone()
        .get(LOGIN)
        .await
        .problem(405, "method_not_allowed");
    app.anyone()
        .get("/api/v1/no-such-thing")
        .await
        .problem(404, "not_found");
}

async fn post_text(app: &TestApp, path: &str, body: &str) -> TestResponse {
    let request = app
        .anyone()
        .request("POST", path)
        .header("content-type", "application/json");
    TestResponse::to(request.body(body.to_owned())).await
}
