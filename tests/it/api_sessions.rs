//! A person's sessions over the API: listing, renaming and ending them. Those of other people are
//! not found.

use serde_json::Value;

use crate::support::prelude::*;

on_both!(
    app: the_list_has_the_newest_use_first_and_marks_the_current_one,
    the_current_session_is_the_callers,
    a_session_exposes_no_secret,
    history_shows_why_and_when_a_session_ended,
    history_is_listed_page_by_page,
    a_device_is_renamed,
    a_name_too_long_or_empty_is_refused,
    ending_the_others_leaves_the_callers,
    ending_the_expired_ones_counts_them,
    ending_a_session_is_idempotent,
    another_persons_session_does_not_exist,
    a_malformed_id_is_not_found,
    a_browsers_cookie_authenticates_api_reads,
    a_browsers_cookie_changes_nothing_without_its_csrf_token,
);

async fn the_list_has_the_newest_use_first_and_marks_the_current_one(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(60));
    let _phone = app.login(&ada, IPHONE).await;
    let list = laptop.get("/api/v1/sessions/me").await.expect(200).json();
    insta::assert_json_snapshot!(list, {
        ".sessions[].id" => "[id]",
        ".sessions[].user_id" => "[id]",
        ".sessions[].expires_at" => "[time]",
        ".sessions[].last_used_at" => "[time]",
        ".devices[].last_used_at" => "[time]",
        ".devices[].session_ids[]" => "[id]",
    }, @r#"
    {
      "devices": [
        {
          "device_id": null,
          "device_kind": "phone",
          "device_name": "Safari on iPhone",
          "is_current": false,
          "last_used_at": "[time]",
          "session_ids": [
            "[id]"
          ]
        },
        {
          "device_id": null,
          "device_kind": "desktop",
          "device_name": "Firefox on Windows",
          "is_current": true,
          "last_used_at": "[time]",
          "session_ids": [
            "[id]"
          ]
        }
      ],
      "sessions": [
        {
          "bound_since": null,
          "browser": "Safari",
          "created_at": "2031-05-17T08:31:00.000000Z",
          "device_id": null,
          "device_kind": "phone",
          "device_name": "Safari on iPhone",
          "expires_at": "[time]",
          "id": "[id]",
          "idle_exempt": false,
          "ip_address": "127.0.0.1",
          "is_active": true,
          "is_current": false,
          "last_used_at": "[time]",
          "location_city": null,
          "location_country": null,
          "os": "iOS",
          "user_id": "[id]"
        },
        {
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
          "last_used_at": "[time]",
          "location_city": null,
          "location_country": null,
          "os": "Windows",
          "user_id": "[id]"
        }
      ],
      "total": 2
    }
    "#);
}

async fn the_current_session_is_the_callers(app: &TestApp) {
    let (laptop, phone) = laptop_and_phone(app).await;
    for device in [laptop, phone] {
        let session = device.current().await.expect(200).json();
        assert_eq!(session["id"], device.id());
        assert_eq!(session["is_current"], true);
    }
}

async fn a_session_exposes_no_secret(app: &TestApp) {
    let (laptop, _) = laptop_and_phone(app).await;
    let jtis = app
        .database
        .texts("SELECT refresh_token_jti AS value FROM user_sessions");
    for path in [
        "/api/v1/sessions/me",
        "/api/v1/sessions/current",
        "/api/v1/me",
    ] {
        let text = laptop.get(path).await.expect(200).text;
        assert!(
            !text.contains("jti") && !text.contains("user_agent") && !text.contains("Mozilla"),
            "{text}"
        );
        assert!(
            !text.contains("password") && !text.contains("argon2"),
            "{text}"
        );
        assert!(
            jtis.iter().flatten().all(|jti| !text.contains(jti)),
            "{text}"
        );
    }
}

async fn history_shows_why_and_when_a_session_ended(app: &TestApp) {
    let (laptop, phone) = laptop_and_phone(app).await;
    app.advance(Duration::from_secs(60));
    laptop.delete(&session_path(&phone)).await.expect(204);
    let history = laptop
        .get("/api/v1/sessions/history")
        .await
        .expect(200)
        .json();
    let ended = history["sessions"].as_array().expect("a list");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["id"], phone.id());
    assert_eq!(ended[0]["is_active"], false);
    assert_eq!(ended[0]["ended_reason"], "signed_out_remotely");
    assert_eq!(ended[0]["ended_at"], "2031-05-17T08:31:00.000000Z");
    assert_eq!(history["next_cursor"], Value::Null);
}

async fn history_is_listed_page_by_page(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        let phone = app.login(&ada, IPHONE).await;
        phone.post("/api/v1/auth/logout").await.expect(204);
        expected.insert(0, phone.id());
        app.advance(Duration::from_secs(1));
    }
    let mut found = Vec::new();
    let mut path = "/api/v1/sessions/history?limit=2".to_owned();
    for size in [2, 2, 1] {
        let page = laptop.get(&path).await.expect(200).json();
        let sessions = page["sessions"].as_array().expect("a list");
        assert_eq!(sessions.len(), size);
        found.extend(
            sessions
                .iter()
                .map(|session| session["id"].as_str().expect("an id").to_owned()),
        );
        path = format!(
            "/api/v1/sessions/history?limit=2&cursor={}",
            page["next_cursor"].as_str().unwrap_or("none")
        );
    }
    assert!(path.ends_with("cursor=none"), "{path}");
    assert_eq!(found, expected);
    laptop
        .get("/api/v1/sessions/history?cursor=nonsense")
        .await
        .problem(400, "invalid_request");
}

async fn a_device_is_renamed(app: &TestApp) {
    let (laptop, phone) = laptop_and_phone(app).await;
    let response = laptop
        .patch(
            &session_path(&phone),
            &json!({"device_name": "Ada's phone"}),
        )
        .await
        .expect(200);
    assert_eq!(response.json()["device_name"], "Ada's phone");
    assert_eq!(
        phone.current().await.expect(200).json()["device_name"],
        "Ada's phone"
    );
}

async fn a_name_too_long_or_empty_is_refused(app: &TestApp) {
    let (laptop, phone) = laptop_and_phone(app).await;
    for name in [String::new(), "   ".to_owned(), "x".repeat(256)] {
        let response = laptop
            .patch(&session_path(&phone), &json!({"device_name": name}))
            .await;
        let problem = response.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], "device_name", "{problem:#}");
    }
    assert_eq!(
        phone.current().await.expect(200).json()["device_name"],
        "Safari on iPhone"
    );
}

async fn ending_the_others_leaves_the_callers(app: &TestApp) {
    let (laptop, phone) = laptop_and_phone(app).await;
    let bob = app.register("bob@example.org").await;
    let his = app.login(&bob, FIREFOX).await;
    assert_eq!(
        laptop
            .delete("/api/v1/sessions/others")
            .await
            .expect(200)
            .json(),
        json!({"ended": 1})
    );
    phone.current().await.problem(401, "unauthenticated");
    laptop.current().await.expect(200);
    his.current().await.expect(200);
    assert_eq!(
        laptop
            .delete("/api/v1/sessions/others")
            .await
            .expect(200)
            .json(),
        json!({"ended": 0})
    );
}

async fn ending_the_expired_ones_counts_them(app: &TestApp) {
    let (laptop, phone) = laptop_and_phone(app).await;
    app.database.execute(&format!(
        "UPDATE user_sessions SET expires_at = created_at WHERE id = {}",
        app.database.id(&phone.id())
    ));
    app.advance(Duration::from_secs(1));
    assert_eq!(
        laptop
            .delete("/api/v1/sessions/expired")
            .await
            .expect(200)
            .json(),
        json!({"ended": 1})
    );
    assert_eq!(app.database.sessions_where("ended_reason = 'expired'"), 1);
    laptop.current().await.expect(200);
}

async fn ending_a_session_is_idempotent(app: &TestApp) {
    let (laptop, phone) = laptop_and_phone(app).await;
    laptop.delete(&session_path(&phone)).await.expect(204);
    app.advance(Duration::from_secs(1));
    laptop.delete(&session_path(&phone)).await.expect(204);
    let history = laptop
        .get("/api/v1/sessions/history")
        .await
        .expect(200)
        .json();
    assert_eq!(
        history["sessions"][0]["ended_at"],
        "2031-05-17T08:30:00.000000Z"
    );
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM session_events WHERE kind = 'ended'"),
        1
    );
}

async fn another_persons_session_does_not_exist(app: &TestApp) {
    let (laptop, _) = laptop_and_phone(app).await;
    let bob = app.register("bob@example.org").await;
    let (his, his_browser) = (
        app.login(&bob, FIREFOX).await,
        app.signed_in_browser(&bob, FIREFOX).await,
    );
    let (hers, unknown) = (laptop.id(), "019700d5-5a00-7000-8000-000000000000");
    let path = |id: &str| format!("/api/v1/sessions/{id}");

    let name = json!({"device_name": "mine now"});
    let renamed = his.patch(&path(&hers), &name).await.expect(404);
    assert_eq!(
        renamed.text,
        his.patch(&path(unknown), &name).await.expect(404).text
    );
    let ended = his.delete(&path(&hers)).await.expect(404);
    assert_eq!(
        ended.text,
        his.delete(&path(unknown)).await.expect(404).text
    );
    let page = his_browser
        .get(&format!("/devices/{hers}"))
        .await
        .expect(404);
    assert_eq!(
        page.text,
        his_browser
            .get(&format!("/devices/{unknown}"))
            .await
            .expect(404)
            .text
    );

    assert_eq!(
        laptop.current().await.expect(200).json()["device_name"],
        "Firefox on Windows"
    );
    insta::assert_json_snapshot!(ended.problem(404, "not_found"), @r#"
    {
      "code": "not_found",
      "detail": "This does not exist, or no longer exists.",
      "status": 404,
      "title": "Not found",
      "type": "about:blank"
    }
    "#);
}

async fn a_malformed_id_is_not_found(app: &TestApp) {
    let (laptop, _) = laptop_and_phone(app).await;
    for id in [
        "1",
        "not-an-id",
        "%00",
        "019700d5-5a00-7000-8000-00000000000g",
    ] {
        laptop
            .delete(&format!("/api/v1/sessions/{id}"))
            .await
            .problem(404, "not_found");
    }
}

async fn a_browsers_cookie_authenticates_api_reads(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    assert_eq!(
        browser.get("/api/v1/me").await.expect(200).json()["email"],
        "ada@example.org"
    );
    assert_eq!(
        browser.get("/api/v1/sessions/me").await.expect(200).json()["total"],
        1
    );
}

async fn a_browsers_cookie_changes_nothing_without_its_csrf_token(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let cookie = browser.cookie("rollcall_session").expect("a cookie");
    for (method, path) in [
        ("DELETE", "/api/v1/sessions/others"),
        ("POST", "/api/v1/auth/logout-all"),
    ] {
        for token in ["", "forged"] {
            let request = app
                .anyone()
                .request(method, path)
                .header("cookie", format!("rollcall_session={cookie}"))
                .header("x-csrf-token", token);
            let response = TestResponse::to(request).await;
            response.problem(403, "csrf");
        }
    }
    phone.current().await.expect(200);
    browser.get("/api/v1/me").await.expect(200);
}

async fn laptop_and_phone(app: &TestApp) -> (Device, Device) {
    let ada = app.register("ada@example.org").await;
    (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    )
}

fn session_path(device: &Device) -> String {
    format!("/api/v1/sessions/{}", device.id())
}
