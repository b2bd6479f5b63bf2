//! The export of sessions: whole, in the order asked for, defused, and broken off when the database
//! fails.

use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::session_search::{get, request};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::sessions::{SessionRow, owners, sessions};

on_both!(
    app: csv_and_json_lines_have_the_same_rows,
    formulas_are_defused_in_csv,
    an_export_takes_a_filter_and_no_page,
    an_auditor_downloads_it_from_the_page,
    a_failing_database_breaks_the_export_off,
    the_command_line_lists_by_the_same_filters,
);

fn insert(app: &TestApp, count: usize) -> Vec<SessionRow> {
    let owners = owners();
    let rows = sessions(count, owners.len(), &mut TestRunner::default());
    app.insert_owners(&owners);
    app.insert_sessions(&owners, &rows);
    rows
}

/// Reads CSV into rows of cells.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    reader
        .records()
        .map(|row| row.expect("a row").iter().map(str::to_owned).collect())
        .collect()
}

async fn csv_and_json_lines_have_the_same_rows(app: &TestApp) {
    // More than two pages.
    let rows = insert(app, 1_300);
    let key = app.create_key("admin:read");
    let path = "/api/v1/admin/sessions/export?state=any&sort=opened";
    let file = get(app, &key, path).await.expect(200);
    assert_eq!(
        file.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        file.header("content-disposition"),
        r#"attachment; filename="rollcall-sessions.csv""#
    );
    let mut table = read_csv(&file.text);
    let columns = table.remove(0);
    let lines = get(app, &key, &format!("{path}&format=jsonl"))
        .await
        .expect(200);
    assert_eq!(
        lines.header("content-type"),
        "application/jsonl; charset=utf-8"
    );
    assert_eq!(
        lines.header("content-disposition"),
        r#"attachment; filename="rollcall-sessions.jsonl""#
    );
    let objects: Vec<Value> = lines
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let expected = rows.len();
    assert_eq!((table.len(), objects.len()), (expected, expected));
    for (cells, object) in table.iter().zip(&objects) {
        for (column, cell) in columns.iter().zip(cells) {
            let value = match &object[column] {
                Value::Null => String::new(),
                Value::String(text) if text == "=Dee" => "'=Dee".to_owned(),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            assert_eq!(*cell, value, "{column}");
        }
    }
    let opened: Vec<&str> = objects
        .iter()
        .map(|object| object["created_at"].as_str().expect("a time"))
        .collect();
    assert!(opened.is_sorted());
}

async fn formulas_are_defused_in_csv(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let key = app.create_key("admin:read");
    for name in [
        "=HYPERLINK(\"http://evil.example\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "＝1",
        "a=1",
    ] {
        let path = format!("/api/v1/sessions/{}", laptop.id());
        laptop
            .patch(&path, &json!({"device_name": name}))
            .await
            .expect(200);
        let text = get(app, &key, "/api/v1/admin/sessions/export")
            .await
            .expect(200)
            .text;
        let table = read_csv(&text);
        let column = table[0]
            .iter()
            .position(|name| name == "device_name")
            .expect("a column");
        let defused = if name == "a=1" {
            name.to_owned()
        } else {
            format!("'{name}")
        };
        assert_eq!(table[1][column], defused);
        let lines = get(app, &key, "/api/v1/admin/sessions/export?format=jsonl")
            .await
            .expect(200);
        assert_eq!(lines.json()["device_name"], name);
    }
}

async fn an_export_takes_a_filter_and_no_page(app: &TestApp) {
    insert(app, 50);
    let key = app.create_key("admin:read");
    for (query, field) in [
        ("format=xml", "format"),
        ("limit=5", "limit"),
        ("cursor=x", "cursor"),
        ("colour=red", "colour"),
        ("kind=toaster", "kind"),
    ] {
        let path = format!("/api/v1/admin/sessions/export?{query}");
        let problem = get(app, &key, &path).await.problem(400, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let nobody = get(app, &key, "/api/v1/admin/sessions/export?user=nobody")
        .await
        .expect(200)
        .text;
    assert_eq!(nobody.lines().count(), 1);
    let empty = get(
        app,
        &key,
        "/api/v1/admin/sessions/export?user=nobody&format=jsonl",
    )
    .await
    .expect(200);
    assert_eq!(empty.text, "");
}

async fn an_auditor_downloads_it_from_the_page(app: &TestApp) {
    insert(app, 30);
    let ada = app.register("auditor@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let path = "/admin/sessions/export?state=ended&format=jsonl";
    assert_eq!(browser.get(path).await.status, 404);
    app.set_role(&ada, "auditor");
    let page = browser.get(path).await.expect(200);
    let key = app.create_key("admin:read");
    let api = get(app, &key, &format!("/api/v1{path}")).await.expect(200);
    assert_eq!(page.text, api.text);
    assert!(page.header("cache-control").contains("no-store"));
}

async fn a_failing_database_breaks_the_export_off(app: &TestApp) {
    // More than the buffers between server and client have room for.
    insert(app, 30_000);
    let key = app.create_key("admin:read");
    let path = "/api/v1/admin/sessions/export?state=any&format=jsonl";
    let mut response = request(app, &key, path).send().await.expect("a response");
    assert_eq!(response.status(), 200);
    let first = response.chunk().await.expect("a chunk");
    assert!(first.is_some_and(|first| !first.is_empty()));
    app.database
        .execute("ALTER TABLE users RENAME TO elsewhere");
    let is_broken = loop {
        match response.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    app.database
        .execute("ALTER TABLE elsewhere RENAME TO users");
    assert!(is_broken, "the export ended as if it were complete");
}

async fn the_command_line_lists_by_the_same_filters(app: &TestApp) {
    insert(app, 300);
    let key = app.create_key("admin:read");
    let rollcall = Program::with(&app.database);
    let query = "browser=firefox&state=ended&sort=ended&limit=200";
    let listed = get(app, &key, &format!("/api/v1/admin/sessions?{query}"))
        .await
        .expect(200)
        .json();
    let ids = |list: &Value| -> Vec<Value> {
        list.as_array()
            .expect("a list")
            .iter()
            .map(|session| session["id"].clone())
            .collect()
    };
    let arguments = [
        "session",
        "list",
        "--browser",
        "FIREFOX",
        "--state",
        "ended",
        "--sort",
        "ended",
    ];
    let with = |more: &[&'static str]| rollcall.run(&[&arguments[..], more].concat()).expect_done();
    let printed: Value = serde_json::from_str(&with(&["--json"])).expect("JSON");
    assert_eq!(ids(&printed), ids(&listed["sessions"]));
    let lines: Vec<Value> = with(&["--json", "--all"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(ids(&json!(lines)), ids(&printed));
    let few: Value = serde_json::from_str(&with(&["--json", "--limit", "3"])).expect("JSON");
    assert_eq!(ids(&few), ids(&printed)[..3]);
    let text = with(&["--all"]);
    assert_eq!(text.lines().count(), ids(&printed).len());
    assert!(
        text.lines().all(|line| line.split('\t').count() == 5),
        "{text}"
    );
    let reused = rollcall
        .run(&[
            "session",
            "list",
            "--reason",
            "reuse_detected",
            "--json",
            "--sort",
            "-opened",
        ])
        .expect_done();
    let reused: Value = serde_json::from_str(&reused).expect("JSON");
    assert!(
        reused
            .as_array()
            .expect("a list")
            .iter()
            .all(|row| row["ended_reason"] == "reuse_detected")
    );
    let empty = rollcall
        .run(&["session", "list", "--user", "nobody@example.org", "--json"])
        .expect_done();
    assert_eq!(empty.trim(), "[]");
    for (option, value, status) in [
        ("--sort", "-ended", 1),
        ("--ip", "here", 1),
        ("--state", "dead", 2),
        ("--kind", "toaster", 2),
        ("--mark", "odd", 2),
        ("--reason", "theft", 2),
    ] {
        let failed = rollcall
            .run(&["session", "list", option, value])
            .expect_failed(status);
        assert!(failed.contains(option.trim_start_matches('-')), "{failed}");
    }
}
