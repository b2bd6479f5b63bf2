//! The export of a person: all of it, whatever it is, sent while it is read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::admin::{Admin, id_of};
use crate::support::bulk::add_sessions;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: an_export_has_all_sessions_events_and_alerts,
    an_export_has_each_session_once_while_they_end,
    an_export_that_breaks_off_is_not_complete,
    an_export_that_fails_at_its_beginning_has_a_status,
);

fn ids(file: &Value) -> BTreeSet<String> {
    let sessions = file["sessions"].as_array().expect("sessions");
    let ids: BTreeSet<String> = sessions
        .iter()
        .map(|session| session["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.len(), sessions.len(), "a session twice");
    ids
}

/// More than a page of everything, and more events than once were exported.
async fn an_export_has_all_sessions_events_and_alerts(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    add_sessions(&app.database, &laptop, 1_300, "Netscape");
    app.database.execute(
        "UPDATE user_sessions SET is_active = false, ended_at = created_at, ended_reason = 'admin'
         WHERE browser = 'Netscape' AND id IN (SELECT id FROM user_sessions WHERE browser = 'Netscape' LIMIT 700)",
    );
    // Those that have expired and are not marked yet are sessions as well.
    app.database.execute(
        "UPDATE user_sessions SET expires_at = created_at WHERE is_active AND browser = 'Netscape'
         AND id IN (SELECT id FROM user_sessions WHERE is_active AND browser = 'Netscape' LIMIT 10)",
    );
    let (id, _) = app.database.random_id_and_text();
    app.database.execute(&format!(
        "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < 12000)
         INSERT INTO session_events (id, user_id, kind, at)
         SELECT {id}, id, 'name_changed', created_at FROM users, copy WHERE email = 'ada@example.org'"
    ));
    let events = app.database.number(&format!(
        "SELECT count(*) AS value FROM session_events WHERE user_id = {}",
        app.database.id(&id_of(app, "ada@example.org"))
    ));
    let response = browser.get("/account/export").await.expect(200);
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(
        response.header("content-disposition"),
        r#"attachment; filename="rollcall.json""#
    );
    let file = response.json();
    assert_eq!(ids(&file).len(), 1_302);
    let count = |name: &str| i64::try_from(file[name].as_array().expect("a list").len());
    assert_eq!(count("events"), Ok(events));
    assert_eq!(file["account"]["email"], "ada@example.org");
    let path = format!("/{}/export", id_of(app, "ada@example.org"));
    let export = admin.send("POST", &path, &json!({})).await.expect(200);
    let file = export.json();
    assert_eq!(ids(&file).len(), 1_302);
    assert_eq!(
        file["events"].as_array().expect("a list").len() as i64,
        events + 1,
        "that it was exported besides"
    );
    assert!(file["sessions"][0]["device_id"].is_null());
    let printed = Program::with(&app.database)
        .run(&["user", "export", "--email", "ada@example.org"])
        .expect_done();
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(ids(&printed), ids(&file));
}

/// Sessions end between the parts.
async fn an_export_has_each_session_once_while_they_end(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    add_sessions(&app.database, &laptop, 3_000, "Netscape");
    let mut response = browser.stream_or_error("/account/export").await;
    let mut file = response
        .chunk()
        .await
        .expect("a part")
        .expect("some")
        .to_vec();
    app.database.execute(
        "UPDATE user_sessions SET is_active = false, ended_at = created_at, ended_reason = 'admin'
         WHERE browser = 'Netscape' AND id IN (SELECT id FROM user_sessions WHERE browser = 'Netscape' LIMIT 1500)",
    );
    while let Some(part) = response.chunk().await.expect("a part") {
        file.extend_from_slice(&part);
    }
    let file: Value = serde_json::from_slice(&file).expect("JSON");
    assert_eq!(ids(&file).len(), 3_002);
}

async fn an_export_that_breaks_off_is_not_complete(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    add_sessions(&app.database, &laptop, 2_000, "Netscape");
    browser.get("/account/export").await.expect(200);
    app.database
        .execute("ALTER TABLE session_events RENAME COLUMN detail TO away");
    let response = browser.stream_or_error("/account/export").await;
    assert!(
        response.bytes().await.is_err(),
        "it ends as if it were whole"
    );
    app.database
        .execute("ALTER TABLE session_events RENAME COLUMN away TO detail");
}

async fn an_export_that_fails_at_its_beginning_has_a_status(app: &TestApp) {
    let admin = Admin::start(app, "root@example.org").await;
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    let path = format!("/{}/export", admin.id);
    // The first part of the file is read, and a later one is not.
    for (from, to) in [("devices", "away"), ("session_applications", "away")] {
        let rename = |from: &str, to: &str| {
            let sql = format!("ALTER TABLE {from} RENAME TO {to}");
            app.database.execute(&sql);
        };
        rename(from, to);
        assert_eq!(browser.get("/account/export").await.status, 500, "{from}");
        let exported = admin.send("POST", &path, &json!({})).await;
        assert_eq!(exported.status, 500, "{from}: {}", exported.text);
        rename(to, from);
    }
    browser.get("/account/export").await.expect(200);
}
