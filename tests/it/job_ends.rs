//! How jobs that end sessions end themselves: stopped, by whom and why; and with counts that add up.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use futures_util::future::join_all;
use serde_json::Value;

use crate::session_search::request;
use crate::support::admin::{Admin, account_events};
use crate::support::bulk::{
    END, add_sessions, expect_ended_once, job, job_id, order, order_browser,
};
use crate::support::prelude::*;
use crate::support::program::{Program, signal};
use crate::support::{eventually, run_async};

on_both!(
    app: a_job_stops_with_the_key_that_ordered_it,
    a_stopped_job_says_who_stopped_it_and_why,
    a_key_stops_what_it_ordered_alone,
    equal_orders_at_once_report_counts_that_add_up,
    sessions_used_since_the_order_no_longer_match,
    an_id_that_is_no_session_s_is_unknown,
    a_dry_run_refuses_what_the_order_refuses,
);

/// Returns an administrator, and somebody with 450 sessions in "Netscape" besides.
async fn crowd(app: &TestApp) -> (Admin, Device) {
    let admin = Admin::start(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    add_sessions(&app.database, &laptop, 450, "Netscape");
    (admin, laptop)
}

/// Orders with a key that the sessions in "Netscape" end. Returns the job's id.
async fn order_with_key(app: &TestApp, secret: &str) -> String {
    let body = json!({"filter": {"browser": "Netscape"}, "reason": "x"});
    let request = app.anyone().request("POST", END).bearer_auth(secret);
    job_id(&TestResponse::to(request.json(&body)).await.expect(202))
}

/// Asserts that the counts of a job that is done add up to what it was for.
#[track_caller]
fn expect_sum(job: &Value) {
    assert_eq!(job["state"], "done", "{job:#}");
    assert_eq!(job["total"]["is_exact"], true, "{job:#}");
    let number = |name: &str| job[name].as_i64().expect("a number");
    let sum: i64 = [
        "ended",
        "already_over",
        "no_longer_matching",
        "unknown",
        "failed",
    ]
    .into_iter()
    .map(number)
    .sum();
    assert_eq!(job["total"]["count"], sum, "{job:#}");
}

async fn a_job_stops_with_the_key_that_ordered_it(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let program = Program::with(&app.database);
    let add = |name: &str| program.add_key(&["--name", name, "--scope", "admin:write"]);
    for (name, cause) in [
        ("Revoked", "key_revoked"),
        ("Narrowed", "key_revoked"),
        ("Gone", "key_revoked"),
        ("Expired", "key_expired"),
    ] {
        let key = add(name);
        let id = order_with_key(app, &key.secret).await;
        let row = app.database.id(&key.id);
        match name {
            "Revoked" => {
                program.run(&["api-key", "revoke", &key.id]).expect_done();
                // At once, not with the next batch.
                assert_eq!(job(&admin.device, &id).await["state"], "stopped");
            }
            "Narrowed" => app.database.execute(&format!(
                "UPDATE api_keys SET scopes = 'admin:read' WHERE id = {row}"
            )),
            "Gone" => app
                .database
                .execute(&format!("DELETE FROM api_keys WHERE id = {row}")),
            _ => app.database.execute(&format!(
                "UPDATE api_keys SET expires_at = created_at WHERE id = {row}"
            )),
        }
        app.run_bulk_jobs().await;
        let stopped = job(&admin.device, &id).await;
        assert_eq!(stopped["state"], "stopped", "{name}");
        assert_eq!(stopped["stop_cause"], cause, "{name}");
        expect_ended_once(app, 0);
        // Of no person, and in the log all the same.
        let path = format!("/api/v1/admin/events?kind=job_stopped&job={id}");
        let found = admin.device.get(&path).await.expect(200).json();
        assert_eq!(found["events"].as_array().map(Vec::len), Some(1), "{name}");
        assert_eq!(found["events"][0]["detail"], cause, "{name}");
        assert_eq!(found["events"][0]["user_id"], Value::Null, "{name}");
    }
}

async fn a_stopped_job_says_who_stopped_it_and_why(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let other = Admin::start(app, "other@example.org").await;
    let id = order_browser(&admin.device, "Netscape").await;
    let stop = format!("/api/v1/admin/jobs/{id}/stop");
    let body = json!({"reason": "Wrong filter"});
    let request = other.device.request("POST", &stop).json(&body);
    let stopped = TestResponse::to(request).await.expect(200).json();
    assert_eq!(stopped["stop_cause"], "requested");
    assert_eq!(stopped["stopped_by_user_id"], other.id);
    assert_eq!(stopped["stopped_by_application_id"], Value::Null);
    assert_eq!(stopped["stop_reason"], "Wrong filter");
    assert_eq!(
        account_events(app, &admin.id),
        ["job_stopped:requested:Wrong filter"]
    );
    let path = format!("/api/v1/admin/events?kind=job_stopped&job={id}");
    let found = other.device.get(&path).await.expect(200).json();
    assert_eq!(found["events"][0]["by_user_id"], other.id);
    let browser = app.signed_in_browser(&other.person, FIREFOX).await;
    let page = browser.get(&format!("/admin/jobs/{id}")).await.expect(200);
    page.expect_words("It was stopped early")
        .expect_words("other@example.org")
        .expect_words("Wrong filter");
    let events = browser.get(&format!("/admin/events?job={id}")).await;
    events
        .expect(200)
        .expect_words("Job stopped")
        .expect_words("by hand");
    Program::with(&app.database)
        .run(&["event", "list", "--job", &id])
        .expect_done();
    // One that stops by itself is told apart, and says by whose act.
    let id = order_browser(&admin.device, "Netscape").await;
    let body = json!({"role": "person", "reason": "Left us"});
    let demoted = other.send("PATCH", &format!("/{}", admin.id), &body).await;
    demoted.expect(200);
    let stopped = job(&other.device, &id).await;
    assert_eq!(stopped["stop_cause"], "demoted");
    assert_eq!(stopped["stopped_by_user_id"], other.id);
    let page = browser.get(&format!("/admin/jobs/{id}")).await.expect(200);
    page.expect_words("the person who ordered it is no longer an administrator");
    assert!(account_events(app, &admin.id).contains(&"job_stopped:demoted:Left us".to_owned()));
}

async fn a_key_stops_what_it_ordered_alone(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let key = app.create_key("admin:write");
    let stop = async |secret: &str, id: &str| {
        let path = format!("/api/v1/admin/jobs/{id}/stop");
        let request = app.anyone().request("POST", &path).bearer_auth(secret);
        TestResponse::to(request).await
    };
    let of_admin = order_browser(&admin.device, "Netscape").await;
    stop(&key, &of_admin).await.problem(404, "not_found");
    let own = order_with_key(app, &key).await;
    stop(&app.create_key("admin:write"), &own)
        .await
        .problem(404, "not_found");
    stop(&app.create_key("admin:read"), &own)
        .await
        .problem(403, "insufficient_scope");
    for id in [&of_admin, &own] {
        assert_eq!(job(&admin.device, id).await["state"], "running");
    }
    let stopped = stop(&key, &own).await.expect(200).json();
    assert_eq!(stopped["state"], "stopped");
    assert_eq!(
        stopped["stopped_by_application_id"],
        stopped["by_application_id"]
    );
    // An administrator stops any.
    let own = order_with_key(app, &key).await;
    let path = format!("/api/v1/admin/jobs/{own}/stop");
    admin.device.post(&path).await.expect(200);
    assert_eq!(account_events(app, &admin.id), ["job_stopped:requested:"]);
}

async fn equal_orders_at_once_report_counts_that_add_up(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let body = json!({"filter": {"browser": "Netscape"}, "reason": "x"});
    let orders = join_all((0..6).map(|_| order(&admin.device, &body))).await;
    app.run_bulk_jobs().await;
    let mut ended = 0;
    for ordered in orders {
        let id = job_id(&ordered.expect(202));
        let done = job(&admin.device, &id).await;
        expect_sum(&done);
        ended += done["ended"].as_i64().expect("a number");
    }
    assert_eq!(ended, 450);
    expect_ended_once(app, 450);
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    let list = admin.device.get("/api/v1/admin/jobs").await.expect(200);
    for job in list.json()["jobs"].as_array().expect("a list") {
        let path = format!("/admin/jobs/{}", job["id"].as_str().expect("an id"));
        let page = browser.get(&path).await.expect(200);
        let unmatched = job["no_longer_matching"].as_i64().expect("a number");
        if unmatched > 0 {
            page.expect_words(&format!("{unmatched} no longer matched"));
        }
    }
}

async fn sessions_used_since_the_order_no_longer_match(app: &TestApp) {
    let (admin, mut laptop) = crowd(app).await;
    app.advance(Duration::from_secs(3 * 3600));
    let admin = Admin {
        device: app.login(&admin.person, FIREFOX).await,
        ..admin
    };
    let body = json!({"filter": {"user": "ada@example.org", "used_to": "1h"}, "reason": "x"});
    let id = job_id(&order(&admin.device, &body).await.expect(202));
    laptop.refresh().await;
    app.run_bulk_jobs().await;
    let done = job(&admin.device, &id).await;
    expect_sum(&done);
    assert_eq!(
        (&done["ended"], &done["no_longer_matching"]),
        (&json!(450), &json!(1))
    );
}

async fn an_id_that_is_no_session_s_is_unknown(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    let ada = app.register("bob@example.org").await;
    let over = app.login(&ada, FIREFOX).await;
    over.post("/api/v1/auth/logout").await.expect(204);
    let nobody = "019700d5-5a00-7000-8000-000000000000";
    let ids = json!([laptop.id(), over.id(), nobody]);
    let dry = json!({"ids": ids, "dry_run": true});
    let dry = order(&admin.device, &dry).await.expect(200).json();
    let numbers = |json: &Value| {
        ["ended", "already_over", "unknown"].map(|name| json[name].as_i64().expect("a number"))
    };
    assert_eq!(numbers(&dry), [0, 1, 1], "{dry:#}");
    let done = json!({"ids": ids, "reason": "x"});
    let done = order(&admin.device, &done).await.expect(200).json();
    assert_eq!(numbers(&done), [1, 1, 1], "{done:#}");
    expect_sum(&done["job"]);
}

async fn a_dry_run_refuses_what_the_order_refuses(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    for (name, value) in [("user", "nobody@example.org"), ("application", "nope")] {
        let dry = json!({"filter": {name: value}, "dry_run": true});
        let real = json!({"filter": {name: value}, "reason": "x"});
        let dry = order(&admin.device, &dry)
            .await
            .problem(400, "invalid_request");
        let real = order(&admin.device, &real)
            .await
            .problem(400, "invalid_request");
        assert_eq!(dry["errors"], real["errors"]);
        assert_eq!(dry["errors"][0]["field"], format!("filter.{name}"));
        let option = format!("--{name}");
        for more in [&[][..], &["--yes"]] {
            let arguments = [&["session", "end", &option, value, "--browser", "x"], more].concat();
            let command = Program::with(&app.database).run(&arguments);
            assert_eq!(command.status, 1, "{}", command.stderr);
            assert!(command.stderr.contains(name), "{}", command.stderr);
        }
    }
}

/// A file that is being sent when its reader may not read any more breaks off.
#[test]
fn an_export_is_broken_off_once_its_reader_may_not_read() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let (_, laptop) = crowd(&app).await;
        add_sessions(&app.database, &laptop, 30_000, "Firefox");
        let path = "/api/v1/admin/sessions/export?state=any&format=jsonl";
        let cases = ["revoked", "signed out", "demoted", "disabled", "none"];
        for (n, what) in cases.into_iter().enumerate() {
            let email = format!("reader{n}@example.org");
            let reader = Admin::start(&app, &email).await;
            let key = app.create_key("admin:read");
            let secret = if what == "revoked" {
                &key
            } else {
                &reader.device.access_token
            };
            let mut response = request(&app, secret, path)
                .send()
                .await
                .expect("a response");
            assert_eq!(response.status(), 200);
            response.chunk().await.expect("a chunk");
            let of_reader = format!("WHERE email = '{email}'");
            app.database.execute(&match what {
                "revoked" => "UPDATE api_keys SET revoked_at = created_at".to_owned(),
                "demoted" => format!("UPDATE users SET is_admin = false {of_reader}"),
                "disabled" => format!("UPDATE users SET is_active = false {of_reader}"),
                "signed out" => format!(
                    "UPDATE user_sessions SET is_active = false
                     WHERE user_id = (SELECT id FROM users {of_reader})"
                ),
                _ => "SELECT 1".to_owned(),
            });
            let is_broken = loop {
                match response.chunk().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(_) => break true,
                }
            };
            assert_eq!(is_broken, what != "none", "{what}");
        }
        app.stop().await;
    });
}

/// A node is frozen in the middle of a batch: the server ends its transaction, and another node goes on.
#[test]
fn another_node_goes_on_after_one_was_frozen() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let (admin, _) = crowd(&app).await;
        let id = order_browser(&admin.device, "Netscape").await;
        let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
        other
            .batch_execute(
                "BEGIN; SELECT 1 FROM user_sessions WHERE browser = 'Netscape' FOR UPDATE",
            )
            .expect("the locks");
        let node = Program::with(&app.database)
            .env("ROLLCALL_PUBLIC_URL", "http://rollcall.example.org")
            .env("ROLLCALL_JOBS__BULK_INTERVAL", "100ms")
            .serve(&["serve"]);
        let states = |state: &str| {
            app.database.number(&format!(
                "SELECT count(*) AS value FROM pg_stat_activity
                 WHERE datname = current_database() AND {state}"
            ))
        };
        eventually("the node waits", async || {
            states("wait_event_type = 'Lock'") > 0
        })
        .await;
        signal("STOP", &node.id());
        other.batch_execute("COMMIT").expect("the end");
        eventually("it is idle", async || {
            states("state = 'idle in transaction'") > 0
        })
        .await;
        assert_eq!(app.run_bulk_batch().await, 0, "the job is locked");
        eventually("the server ended it", async || {
            states("state = 'idle in transaction'") == 0
        })
        .await;
        app.run_bulk_jobs().await;
        assert_eq!(job(&admin.device, &id).await["state"], "done");
        expect_ended_once(&app, 450);
        signal("CONT", &node.id());
        drop(node);
        app.stop().await;
    });
}
