//! Many sessions at once, and orders to end them.

use serde_json::{Value, json};

use super::api::Device;
use super::app::TestApp;
use super::database::Database;
use super::response::TestResponse;

/// The administrator's path that ends sessions.
pub const END: &str = "/api/v1/admin/sessions/end";

/// Adds `number` live sessions that are like that of `device`, in another browser.
pub fn add_sessions(database: &Database, device: &Device, number: u32, browser: &str) {
    let (id, text) = database.random_id_and_text();
    let like = database.id(&device.id());
    database.execute(&format!(
        "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {number})
         INSERT INTO user_sessions (
             id, user_id, refresh_token_jti, device_name, ip_address, user_agent, last_used_at,
             expires_at, created_at, updated_at, absolute_expires_at, is_remembered, idle_seconds,
             confirmed_at, opened_via, device_kind, browser, os, sweep_at, last_used_bucket
         )
         SELECT
             {id}, user_id, {text}, device_name, ip_address, user_agent, last_used_at, expires_at,
             created_at, updated_at, absolute_expires_at, is_remembered, idle_seconds, confirmed_at,
             opened_via, device_kind, '{browser}', os, sweep_at, last_used_bucket
         FROM user_sessions, copy WHERE user_sessions.id = {like}"
    ));
}

/// Orders that sessions end.
pub async fn order(admin: &Device, body: &Value) -> TestResponse {
    TestResponse::to(admin.request("POST", END).json(body)).await
}

/// Orders that the sessions of a browser end, which are too many to end at once. Returns the job's
/// id.
pub async fn order_browser(admin: &Device, browser: &str) -> String {
    let body = json!({"filter": {"browser": browser}, "reason": "Stolen laptop"});
    let response = order(admin, &body).await.expect(202);
    let id = job_id(&response);
    assert_eq!(
        response.header("location"),
        format!("/api/v1/admin/jobs/{id}")
    );
    id
}

/// Returns the id of the job in a response.
#[track_caller]
pub fn job_id(response: &TestResponse) -> String {
    let id = response.json()["job"]["id"].clone();
    id.as_str().expect("a job").to_owned()
}

/// Returns a job.
pub async fn job(admin: &Device, id: &str) -> Value {
    let path = format!("/api/v1/admin/jobs/{id}");
    admin.get(&path).await.expect(200).json()
}

/// Asserts that as many sessions ended by an administrator, with one event each.
#[track_caller]
pub fn expect_ended_once(app: &TestApp, number: i64) {
    assert_eq!(
        app.database.sessions_where("ended_reason = 'admin'"),
        number
    );
    let events = "FROM session_events WHERE kind = 'ended' AND detail = 'admin'";
    let count = |what: &str| {
        app.database
            .number(&format!("SELECT count({what}) AS value {events}"))
    };
    assert_eq!(count("*"), number, "events");
    assert_eq!(count("DISTINCT session_id"), number, "one event each");
}
