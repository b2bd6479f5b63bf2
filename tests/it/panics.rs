//! A panic is an error like any other: a line of the log, a 500, and the service goes on.

use std::fs;

use diesel::{RunQueryDsl, sql_query};
use rollcall::Error;
use rollcall::db::Db;
use rollcall::settings::DatabaseSettings;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::{Program, Serving};
use crate::support::proxy::Proxy;

on_both!(
    database: a_panic_is_one_line_with_the_id_of_its_response,
    a_panic_in_a_transaction_leaves_no_trace,
);

/// Requests until each thread that serves has had one.
const WARM_UP: usize = 64;

/// The program is made to panic as a machine without memory does: `tokio` can't start the thread for
/// a request's query, and panics.
async fn a_panic_is_one_line_with_the_id_of_its_response(database: Database) {
    let metrics = Proxy::free_address().to_string();
    // The id is in the lines of errors also where the other lines of a request are left out.
    let mut serving = Program::with(&database)
        .env("ROLLCALL_LOG__FORMAT", "json")
        .env("ROLLCALL_LOG__FILTER", "error,rollcall::cli=info")
        .env("ROLLCALL_METRICS__LISTEN", &metrics)
        .serve(&["serve"]);
    let anyone = Anyone::new(serving.base());
    serving.wait_for("the end of the start", |line| {
        line.contains("/setup/").then(|| line.to_owned())
    });
    // Each of the threads that serve has what it needs, and no thread for queries yet.
    for _ in 0..WARM_UP {
        anyone.get("/health/live").await.expect(200);
    }
    let unlimited = limit_memory(&serving);
    let response = anyone.get("/health/ready").await;
    set_memory(&serving, unlimited);

    let id = response.header("x-request-id").to_owned();
    response.problem(500, "internal");
    let line = serving.wait_for("the panic's line", |line| {
        line.contains("\"a panic\"").then(|| line.to_owned())
    });
    let line: Value = serde_json::from_str(&line).expect("one line of JSON");
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["span"]["id"], json!(id));
    assert_eq!(line["span"]["route"], "/health/ready");
    let text = line["text"].as_str().expect("a text");
    assert!(text.contains("worker thread"), "{line}");
    let location = line["location"].as_str().expect("a location");
    assert!(location.contains(".rs:"), "{line}");
    assert!(line["thread"].is_string(), "{line}");

    anyone.get("/health/ready").await.expect(200);
    let shown = Anyone::new(format!("http://{metrics}"))
        .get("/metrics")
        .await;
    assert!(
        shown.text.contains("rollcall_panics_total 1\n"),
        "{}",
        shown.text
    );
    assert!(serving.terminate().success());
    let log = serving.output();
    assert!(!log.contains("panicked at"), "{log}");
}

async fn a_panic_in_a_transaction_leaves_no_trace(database: Database) {
    let app = TestApp::start(database).await;
    app.register("ada@example.org").await;
    let settings = DatabaseSettings {
        connections: 1,
        ..DatabaseSettings::default()
    };
    let db = Db::new(&app.database.url().parse().expect("a URL"), &settings);
    let rename = "UPDATE users SET full_name = 'Nobody'";
    let panicked: Result<(), Error> = db
        .transaction(move |c| {
            sql_query(rename).execute(c)?;
            panic!("in a test")
        })
        .await;
    assert!(matches!(panicked, Err(Error::Internal(_))), "{panicked:?}");
    let renamed = "SELECT count(*) AS value FROM users WHERE full_name = 'Nobody'";
    assert_eq!(app.database.number(renamed), 0);
    // The only connection that writes isn't that of the transaction.
    let written = db
        .transaction(move |c| Ok(sql_query(rename).execute(c)?))
        .await;
    assert_eq!(written.expect("the database takes work"), 1);
    assert_eq!(app.database.number(renamed), 1);
    app.stop().await;
}

/// Leaves the program less memory than the stack of one more thread takes. Returns the limit from
/// before.
fn limit_memory(serving: &Serving) -> Rlimit {
    let status = fs::read_to_string(format!("/proc/{}/status", serving.id())).expect("a status");
    let size = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"))
        .expect("its size");
    let kib: u64 = size.trim().parse().expect("a number");
    let limit = Rlimit {
        current: Some((kib + 1024) * 1024),
        maximum: None,
    };
    set_memory(serving, limit)
}

fn set_memory(serving: &Serving, limit: Rlimit) -> Rlimit {
    let id = serving.id().parse().expect("a number");
    prlimit(Pid::from_raw(id), Resource::As, limit).expect("the limit is set")
}
