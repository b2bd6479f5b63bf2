//! Times, cursors and sizes from outside, over their whole range: each is answered, and none ends
//! in a panic or an error of the service.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: any_time_of_a_page_is_answered,
    any_cursor_and_limit_is_answered,
    any_id_with_a_time_is_answered,
    any_time_in_the_database_is_shown,
    a_counter_at_its_end_still_rotates,
);

/// The values at which some arithmetic overflows, besides those at random.
const EDGES: [i64; 14] = [
    i64::MIN,
    i64::MIN + 1,
    -8_334_601_228_800_000_000,
    -8_334_601_228_799_999_999,
    -62_135_596_800_000_001,
    -62_135_596_800_000_000,
    -1,
    0,
    1,
    253_402_300_799_999_999,
    253_402_300_800_000_000,
    8_210_266_876_799_999_999,
    8_210_266_876_800_000_000,
    i64::MAX,
];

/// Returns the edges, and as many values at random.
fn values() -> Vec<i64> {
    let any_magnitude = (any::<i64>(), 0..63_u32).prop_map(|(value, shift)| value >> shift);
    EDGES
        .into_iter()
        .chain(samples(&any_magnitude, 60))
        .collect()
}

fn samples<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::default();
    let mut sample = || strategy.new_tree(&mut runner).expect("a value").current();
    (0..count).map(|_| sample()).collect()
}

#[track_caller]
fn assert_answered(response: &TestResponse, what: impl std::fmt::Display) {
    assert!(response.status < 500, "{what}: {response:?}");
}

async fn any_time_of_a_page_is_answered(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for since in values() {
        let path = format!("/devices/changes?since={since}");
        let response = browser.stream_or_error(&path).await;
        let is_in_range = (-62_135_596_800_000_000..=253_402_300_799_999_999).contains(&since);
        let expected = if is_in_range { 200 } else { 400 };
        assert_eq!(response.status().as_u16(), expected, "{since}");
    }
    let too_long = "9".repeat(40);
    for since in ["1e400", "-0", "NaN", "0x10", "", &too_long] {
        let path = format!("/devices/changes?since={since}");
        let response = browser.stream_or_error(&path).await;
        assert!(response.status().as_u16() < 500, "{since}");
    }
}

async fn any_cursor_and_limit_is_answered(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let id = phone.id();
    for value in values() {
        let cursor = URL_SAFE_NO_PAD.encode(format!("{value}.{id}"));
        let path = format!("/api/v1/sessions/history?cursor={cursor}");
        assert_answered(&phone.get(&path).await, value);
        let path = format!("/api/v1/sessions/history?limit={value}");
        assert_answered(&phone.get(&path).await, value);
    }
    for text in samples(&"\\PC{0,60}", 30) {
        let path = format!(
            "/api/v1/sessions/history?cursor={}",
            URL_SAFE_NO_PAD.encode(&text)
        );
        assert_answered(&phone.get(&path).await, text);
    }
}

/// A UUID of version 7 has a time in it.
async fn any_id_with_a_time_is_answered(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let own = phone.id();
    let edges = [u128::MIN, u128::MAX, 0xffff_ffff_ffff_7fff << 64];
    for bits in edges.into_iter().chain(samples(&any::<u128>(), 20)) {
        let id = uuid::Uuid::from_u128(bits);
        for path in [
            format!("/devices/{id}"),
            format!("/devices/{own}?before={id}"),
        ] {
            assert_answered(&browser.get(&path).await, path);
        }
        let path = format!("/api/v1/sessions/{id}");
        assert_answered(&phone.delete(&path).await, path);
    }
}

/// Another program may have written any time that the database can hold.
async fn any_time_in_the_database_is_shown(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let id = app.database.id(&phone.id());
    let times = match app.database.postgres_name() {
        Some(_) => [
            "infinity",
            "-infinity",
            "294276-12-31 23:59:59",
            "0001-01-01",
        ],
        None => [
            "9999-12-31 23:59:59.999999",
            "0001-01-01 00:00:00.000000",
            "2100-02-28 23:59:60.000000",
            "1969-12-31T23:59:59.999999",
        ],
    };
    for time in times {
        app.database.execute(&format!(
            "UPDATE user_sessions SET created_at = '{time}', last_used_at = '{time}',
                rotated_at = '{time}', confirmed_at = '{time}', updated_at = '{time}'
             WHERE id = {id}"
        ));
        app.database
            .execute(&format!("UPDATE session_events SET at = '{time}'"));
        app.database
            .execute(&format!("UPDATE alerts SET at = '{time}'"));
        for path in [
            "/devices".to_owned(),
            format!("/devices/{}", phone.id()),
            "/account".to_owned(),
            "/account/export".to_owned(),
            "/devices/sign-out-others".to_owned(),
        ] {
            assert_answered(&browser.get(&path).await, format!("{time} {path}"));
        }
        for path in [
            "/api/v1/sessions/me",
            "/api/v1/sessions/current",
            "/api/v1/sessions/history",
            "/api/v1/alerts",
        ] {
            assert_answered(&phone.get(path).await, format!("{time} {path}"));
        }
        app.sweep().await;
        app.flush().await;
    }
}

async fn a_counter_at_its_end_still_rotates(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut phone = app.login(&ada, IPHONE).await;
    app.database
        .execute("UPDATE user_sessions SET rotation_count = 2147483647");
    for _ in 0..3 {
        phone.refresh().await;
        phone.current().await.expect(200);
    }
}

#[test]
fn spans_and_sizes_of_settings_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |name: &str, value: &str| {
        let program = Program::in_folder(folder.path()).env(name, value);
        let output = program.run(&["config"]);
        let text = output.expect_failed(1);
        assert!(!text.contains("panicked"), "{name}={value}: {text}");
        assert!(text.contains("allowed: "), "{name}={value}: {text}");
    };
    for value in [
        "99999999999d",
        "101years",
        "18446744073709551615s",
        "9".repeat(30).as_str(),
    ] {
        for name in [
            "ROLLCALL_JOBS__FLUSH_INTERVAL",
            "ROLLCALL_SESSIONS__IDLE_LIMIT",
            "ROLLCALL_SESSIONS__RETENTION",
            "ROLLCALL_TOKENS__REFRESH_GRACE",
            "ROLLCALL_DATABASE__BUSY_TIMEOUT",
            "ROLLCALL_MAIL__TIMEOUT",
        ] {
            refused(name, value);
        }
    }
    refused("ROLLCALL_DATABASE__CONNECT_TIMEOUT", "0s");
    refused("ROLLCALL_DATABASE__CONNECTIONS", "4294967295");
    refused("ROLLCALL_PASSWORDS__PARALLELISM", "4294967295");
    refused("ROLLCALL_PASSWORDS__MEMORY_KIB", "4294967295");
    refused("ROLLCALL_PASSWORDS__THREADS", "9223372036854775807");
    refused("ROLLCALL_PASSWORDS__QUEUE", "9223372036854775807");
}

#[test]
fn the_longest_spans_are_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Program::in_folder(folder.path());
    for name in [
        "ROLLCALL_JOBS__SWEEP_INTERVAL",
        "ROLLCALL_SESSIONS__ABSOLUTE_LIMIT",
        "ROLLCALL_SESSIONS__RETENTION",
        "ROLLCALL_TOKENS__REFRESH_GRACE",
        "ROLLCALL_DATABASE__BUSY_TIMEOUT",
        "ROLLCALL_DATABASE__CONNECT_TIMEOUT",
    ] {
        program = program.env(name, "100years");
    }
    let mut server = program.serve(&["serve"]);
    assert!(server.terminate().success());
}
