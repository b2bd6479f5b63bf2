//! On PostgreSQL the database's clock decides: a node whose clock differs corrects its own.

use std::net::SocketAddr;

use chrono::{DateTime, Utc};
use rollcall::clock::Clock;

use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::{Program, Serving};
use crate::support::run_async;

const LOGIN: &str = "/api/v1/auth/login";

#[test]
fn a_node_takes_the_time_of_its_database() {
    run_async(async {
        for ahead in [90, -90] {
            let database = shifted(ahead);
            let program = Program::with(&database).env("ROLLCALL_METRICS__LISTEN", "127.0.0.1:0");
            add_ada(&program);
            let mut serving = program.serve(&["serve"]);
            let sign = if ahead < 0 { "-" } else { "" };
            serving.wait_for("a warning with the offset", |line| {
                let is_it = line.contains("WARN") && line.contains("the database's clock");
                let side = if ahead < 0 {
                    "is behind"
                } else {
                    "is ahead of"
                };
                let is_it = is_it && line.contains(side);
                (is_it && line.contains(&format!("offset_ms={sign}"))).then(String::new)
            });
            let device = login(&serving).await;
            device.current().await.expect(200);
            assert_close(shift_of(&database, "user_sessions"), ahead);
            assert_close(shift_of(&database, "users"), ahead);
            assert_close(measured(&mut serving).await, ahead);
            assert!(serving.terminate().success());
            let output = serving.output();
            assert_eq!(
                output.matches("the database's clock").count(),
                1,
                "{output}"
            );
        }
    });
}

#[test]
fn a_node_with_the_time_of_its_database_says_nothing() {
    run_async(async {
        let database = Database::postgres();
        let program = Program::with(&database).env("ROLLCALL_METRICS__LISTEN", "127.0.0.1:0");
        add_ada(&program);
        let mut serving = program.serve(&["serve"]);
        login(&serving).await.current().await.expect(200);
        assert_close(measured(&mut serving).await, 0);
        assert!(serving.terminate().success());
        let output = serving.output();
        assert!(!output.contains("the database's clock"), "{output}");
    });
}

/// A key made by an uncorrected clock would sign too early or too late.
#[test]
fn the_commands_take_the_time_of_the_database() {
    let database = shifted(3600);
    let program = Program::with(&database);
    add_ada(&program);
    assert_close(shift_of(&database, "users"), 3600);
    program.run(&["key", "create"]).expect_done();
    let list = program.run(&["key", "list", "--json"]).expect_done();
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let made_at = list[0]["made_at"].as_str().expect("a time");
    let made_at: DateTime<Utc> = made_at.parse().expect("a time");
    assert_close((made_at - Utc::now()).num_seconds(), 3600);
}

/// Keys that have leaked are rotated although the database is down.
#[test]
fn keys_are_rotated_while_the_database_is_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::in_folder(folder.path())
        .env("DATABASE_URL", "postgres://rollcall@127.0.0.1:1/rollcall")
        .env("ROLLCALL_DATABASE__CONNECT_TIMEOUT", "1s");
    program.run(&["key", "create"]).expect_done();
    // By a clock that is behind, an announced key would be used before other nodes know it.
    let refused = program.run(&["key", "rotate"]).expect_failed(1);
    assert!(refused.contains("--now"), "{refused}");
    let count = || program.run(&["key", "list"]).expect_done().lines().count();
    assert_eq!(count(), 2);
    let rotated = program.run(&["key", "rotate", "--now"]);
    assert_eq!(rotated.status, 0, "{rotated:?}");
    assert_eq!(count(), 4);
    assert!(
        rotated.stderr.contains("could not be compared"),
        "{rotated:?}"
    );
}

#[test]
fn a_corrected_clock_never_runs_backwards_by_a_short_step() {
    let clock = Clock::system();
    let before = clock.now();
    clock.correct(1_500_000);
    let ahead = clock.now();
    assert!(ahead.since(before) >= Duration::from_millis(1_500));
    clock.correct(0);
    // It stands still until the system's clock has caught up.
    assert!(clock.now() >= ahead);
    assert!(clock.now() >= ahead);

    clock.correct(3_600_000_000);
    let far = clock.now();
    clock.correct(0);
    let back = clock.now();
    assert!(
        far.since(back) > Duration::from_secs(3_590),
        "a long step is taken"
    );
    assert!(clock.now() >= back);
}

#[test]
fn readers_at_the_same_time_see_time_run_forwards() {
    let clock = Clock::system();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut last = clock.now();
                for _ in 0..20_000 {
                    let now = clock.now();
                    assert!(now >= last);
                    last = now;
                }
            });
        }
        for step in 0..2_000 {
            clock.correct((step % 2) * 900_000);
        }
    });
}

#[test]
fn a_fixed_clock_is_never_corrected() {
    let clock = Clock::fixed(DateTime::UNIX_EPOCH);
    clock.correct(5_000_000);
    assert_eq!(*clock.now(), DateTime::UNIX_EPOCH);
    assert_eq!(clock.correction(), 0);
}

/// Returns a database whose clock is this many seconds ahead.
fn shifted(seconds: i64) -> Database {
    let database = Database::postgres();
    let name = database.postgres_name().expect("PostgreSQL").to_owned();
    database.execute(&format!(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
             AS $$ SELECT pg_catalog.clock_timestamp() + interval '{seconds} seconds' $$;
         ALTER DATABASE {name} SET search_path = public, pg_catalog"
    ));
    database
}

/// Returns by how many seconds the creation of the newest row is after now.
fn shift_of(database: &Database, table: &str) -> i64 {
    database.number(&format!(
        "SELECT round(extract(epoch FROM max(created_at) - pg_catalog.clock_timestamp()))::bigint
             AS value FROM {table}"
    ))
}

#[track_caller]
fn assert_close(actual: i64, expected: i64) {
    assert!((actual - expected).abs() <= 20, "{actual}, not {expected}");
}

/// Returns the offset that the node measured, in seconds.
async fn measured(serving: &mut Serving) -> i64 {
    let address: SocketAddr = serving
        .wait_for("the address of the metrics", |line| {
            let (_, address) = line.split_once("serving metrics address=")?;
            Some(address.trim().to_owned())
        })
        .parse()
        .expect("an address");
    let metrics = Anyone::new(format!("http://{address}"));
    let text = metrics.get("/metrics").await.expect(200).text;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("rollcall_clock_offset_seconds "));
    let value: f64 = value.expect("the metric").parse().expect("a number");
    value.round() as i64
}

fn add_ada(program: &Program) {
    let add = [
        "user",
        "add",
        "--email",
        "ada@example.org",
        "--password-stdin",
    ];
    program.run_with_input(&add, PASSWORD).expect_done();
}

async fn login(serving: &Serving) -> Device {
    let body = json!({"email": "ada@example.org", "password": PASSWORD});
    let response = Anyone::new(serving.base()).post(LOGIN, &body).await;
    Device::from_login(serving.base(), &response.expect(200))
}
