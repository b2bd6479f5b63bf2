//! The nodes, and what their jobs do: each has a row while it runs, and reports its jobs.

use crate::support::prelude::*;

on_both!(
    app: a_node_is_listed_while_it_runs,
    a_node_that_died_is_no_longer_alive_after_a_minute,
    what_the_jobs_did_is_reported,
);
on_both!(database: a_clean_stop_takes_the_node_off_the_list);

async fn nodes(app: &TestApp) -> Vec<serde_json::Value> {
    let overview = overview(app).await;
    overview["nodes"].as_array().expect("nodes").clone()
}

async fn overview(app: &TestApp) -> serde_json::Value {
    let key = app.create_key("admin:read");
    let request = app.anyone().request("GET", "/api/v1/admin/overview");
    TestResponse::to(request.bearer_auth(key))
        .await
        .expect(200)
        .json()
}

async fn a_node_is_listed_while_it_runs(app: &TestApp) {
    let listed = nodes(app).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        format!("http://{}", listed[0]["listen"].as_str().expect("text")),
        app.base()
    );
    assert_eq!(listed[0]["clock_offset_ms"], 0);
    let other = app.another_node(|_| {}).await;
    assert_eq!(nodes(app).await.len(), 2);
    other.stop().await;
    assert_eq!(nodes(app).await.len(), 1);
}

async fn a_node_that_died_is_no_longer_alive_after_a_minute(app: &TestApp) {
    let other = app.another_node(|_| {}).await;
    app.advance(Duration::from_secs(61));
    app.write_heartbeat().await;
    assert_eq!(nodes(app).await.len(), 1);
    other.write_heartbeat().await;
    assert_eq!(nodes(app).await.len(), 2);
    // Its row goes after a day.
    let rows = "SELECT count(*) AS value FROM nodes";
    app.advance(Duration::from_secs(24 * 60 * 60 + 1));
    assert_eq!(app.database.number(rows), 2);
    app.write_heartbeat().await;
    assert_eq!(app.database.number(rows), 1);
    other.stop().await;
}

async fn a_clean_stop_takes_the_node_off_the_list(database: Database) {
    let app = TestApp::start(database).await;
    let rows = "SELECT count(*) AS value FROM nodes";
    assert_eq!(app.database.number(rows), 1);
    let database = app.stop_and_keep_database().await;
    assert_eq!(database.number(rows), 0);
}

async fn what_the_jobs_did_is_reported(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    app.add_up_counts().await;
    app.database
        .execute("UPDATE user_sessions SET expires_at = '2031-05-16 00:00:00.000000', sweep_at = '2031-05-16 00:00:00.000000'");
    app.sweep().await;
    app.write_heartbeat().await;
    let listed = nodes(app).await;
    let jobs = listed[0]["jobs"].as_array().expect("jobs");
    let job = |name: &str| {
        let found = jobs.iter().find(|job| job["name"] == name);
        found.unwrap_or_else(|| panic!("no job {name}: {jobs:?}"))
    };
    assert_eq!(job("sweep")["outcome"], "1 expired");
    assert_eq!(job("sweep")["has_failed"], false);
    assert_eq!(job("sweep")["started_at"], "2031-05-17T08:30:00.000000Z");
    assert_eq!(job("sweep")["next_at"], "2031-05-17T08:31:00.000000Z");
    assert_eq!(job("add up the counters")["outcome"], "1 change added");
    for name in [
        "reload places",
        "write last uses",
        "poll for changes",
        "reload the keys",
    ] {
        assert!(job(name)["next_at"].is_string(), "{name}");
    }

    // A job that fails says so.
    app.database.execute("ALTER TABLE devices RENAME TO away");
    assert!(!app.try_sweep().await);
    app.database.execute("ALTER TABLE away RENAME TO devices");
    app.write_heartbeat().await;
    let listed = nodes(app).await;
    let sweep = listed[0]["jobs"].as_array().expect("jobs");
    let sweep = sweep.iter().find(|job| job["name"] == "sweep");
    let sweep = sweep.expect("the sweep");
    assert_eq!(sweep["has_failed"], true);
    assert_eq!(sweep["outcome"], "failed: see the log");
}
