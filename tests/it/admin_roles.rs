//! What each role may do to people: auditors read, administrators change, and an application's key
//! disables people and does nothing else to them.

use serde_json::Value;

use crate::support::admin::{Admin, USERS, account_events, id_of};
use crate::support::prelude::*;

on_both!(
    app: an_auditor_reads_people_and_changes_nobody,
    a_key_disables_people_and_does_nothing_else_to_them,
    a_role_takes_effect_with_the_next_request,
    one_who_was_demoted_acts_no_more,
    an_administrator_demotes_themself_where_there_is_another,
);

const ADA: &str = "ada@example.org";

async fn an_auditor_reads_people_and_changes_nobody(app: &TestApp) {
    let eve = app.register("eve@example.org").await;
    app.set_role(&eve, "auditor");
    app.register(ADA).await;
    let id = id_of(app, ADA);
    let device = app.login(&eve, FIREFOX).await;
    let list = device.get(USERS).await.expect(200).json();
    assert_eq!(list["users"].as_array().map(Vec::len), Some(2));
    let shown = device
        .get(&format!("{USERS}/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(shown["email"], ADA);
    assert!(shown.get("ip_address").is_none());
    for (method, path, body) in acts(&id) {
        let request = device.request(method, &format!("{USERS}{path}"));
        let response = TestResponse::to(request.json(&body)).await;
        response.problem(404, "not_found");
    }
    assert_eq!(account_events(app, &id), Vec::<String>::new());
}

async fn a_key_disables_people_and_does_nothing_else_to_them(app: &TestApp) {
    let ada = app.register(ADA).await;
    let id = id_of(app, ADA);
    let laptop = app.login(&ada, FIREFOX).await;
    let (reads, writes) = (app.create_key("admin:read"), app.create_key("admin:write"));
    let send = async |key: &str, method: &str, path: &str, body: &Value| {
        let request = app.anyone().request(method, &format!("{USERS}{path}"));
        TestResponse::to(request.bearer_auth(key).json(body)).await
    };
    for key in [&reads, &writes] {
        send(key, "GET", &format!("/{id}"), &json!({}))
            .await
            .expect(200);
    }
    for (method, path, body) in acts(&id) {
        let is_allowed = path.ends_with("/disable");
        let response = send(&reads, method, &path, &body).await;
        match is_allowed {
            true => response.problem(403, "insufficient_scope"),
            false => response.problem(404, "not_found"),
        };
        if !is_allowed {
            send(&writes, method, &path, &body)
                .await
                .problem(404, "not_found");
        }
    }
    laptop.current().await.expect(200);
    let path = format!("/{id}/disable");
    let disabled = send(&writes, "POST", &path, &json!({"reason": "Fraud"})).await;
    assert_eq!(disabled.expect(200).json()["ended"], 1);
    laptop.current().await.problem(401, "unauthenticated");
    assert_eq!(account_events(app, &id), ["disabled::Fraud"]);
    let by = "SELECT count(*) AS value FROM session_events
              WHERE kind = 'disabled' AND by_application_id IS NOT NULL AND by_user_id IS NULL
                AND ip_address IS NOT NULL";
    assert_eq!(app.database.number(by), 1);
}

async fn a_role_takes_effect_with_the_next_request(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let ada = app.register(ADA).await;
    let id = id_of(app, ADA);
    let laptop = app.login(&ada, FIREFOX).await;
    let status = async || laptop.get(USERS).await.status;
    assert_eq!(status().await, 404);
    for (role, expected) in [("auditor", 200), ("admin", 200), ("person", 404)] {
        let body = json!({"role": role});
        admin
            .send("PATCH", &format!("/{id}"), &body)
            .await
            .expect(200);
        app.advance(Duration::from_secs(1));
        assert_eq!(status().await, expected, "{role}");
        assert_eq!(admin.person(&id).await["role"], role);
    }
    assert_eq!(
        account_events(app, &id),
        [
            "role_changed:auditor:",
            "role_changed:admin:",
            "role_changed:person:"
        ]
    );
}

async fn one_who_was_demoted_acts_no_more(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let other = Admin::start(app, "root@example.org").await;
    let body = json!({"role": "person", "reason": "Left the team"});
    admin
        .send("PATCH", &format!("/{}", other.id), &body)
        .await
        .expect(200);
    let revenge = json!({"role": "person"});
    let response = other
        .send("PATCH", &format!("/{}", admin.id), &revenge)
        .await;
    response.problem(404, "not_found");
}

async fn an_administrator_demotes_themself_where_there_is_another(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let path = format!("/{}", admin.id);
    let body = json!({"role": "auditor"});
    admin
        .send("PATCH", &path, &body)
        .await
        .problem(409, "last_admin");
    Admin::start(app, "root@example.org").await;
    let response = admin.send("PATCH", &path, &body).await.expect(200);
    assert_eq!(response.json()["role"], "auditor");
    admin
        .send("PATCH", &path, &json!({"role": "admin"}))
        .await
        .problem(404, "not_found");
    admin.get("").await.expect(200);
}

/// Every request that changes a person, or sends more of them than an auditor sees.
fn acts(id: &str) -> Vec<(&'static str, String, Value)> {
    vec![
        (
            "POST",
            String::new(),
            json!({"email": "bob@example.org", "invite": true}),
        ),
        ("PATCH", format!("/{id}"), json!({"role": "admin"})),
        ("DELETE", format!("/{id}"), json!({"email": ADA})),
        ("POST", format!("/{id}/disable"), json!({"reason": "X"})),
        ("POST", format!("/{id}/enable"), json!({})),
        ("POST", format!("/{id}/verify-email"), json!({})),
        ("POST", format!("/{id}/reset-link"), json!({})),
        ("POST", format!("/{id}/invite"), json!({})),
        ("POST", format!("/{id}/export"), json!({})),
    ]
}
