//! `scripts/seed`: it fills a migrated database, which the service then serves as any other.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: a_seeded_database_has_what_was_ordered,
    the_same_seed_makes_the_same_rows,
    people_of_a_seeded_database_sign_in,
    a_database_with_people_is_refused,
);

const SESSIONS: i64 = 2_000;
const ADMINISTRATOR: &str = "administrator@example.org";

/// Runs the script, and returns what it printed.
#[track_caller]
fn seed(database: &Database, arguments: &[&str]) -> String {
    let output = run_seed(database, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn run_seed(database: &Database, arguments: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/seed");
    Command::new(script)
        .args(["--sessions", &SESSIONS.to_string()])
        .args(["--database", &database.url()])
        .args(["--rollcall", env!("CARGO_BIN_EXE_rollcall")])
        .args(arguments)
        .current_dir(database.folder())
        .output()
        .expect("python3")
}

fn count(database: &Database, of: &str) -> i64 {
    database.number(&format!("SELECT count(*) AS value FROM {of}"))
}

async fn a_seeded_database_has_what_was_ordered(database: Database) {
    // Migrated, so that there is something to compare with.
    Program::with(&database).run(&["migrate"]).expect_done();
    let indexes = indexes(&database);
    seed(&database, &["--people", "300"]);

    assert_eq!(count(&database, "user_sessions"), SESSIONS);
    assert_eq!(count(&database, "users"), 302);
    assert_eq!(
        count(&database, "session_events WHERE kind = 'signed_in'"),
        SESSIONS
    );
    for (what, condition) in [
        (
            "live ones",
            "is_active AND ended_reason IS NULL AND ended_at IS NULL",
        ),
        (
            "ended ones",
            "NOT is_active AND ended_reason IS NOT NULL AND ended_at >= created_at",
        ),
        ("stolen ones", "ended_reason = 'reuse_detected'"),
        ("addresses", "ip_address LIKE '10.%' AND ip_key LIKE '40a%'"),
        ("addresses of version 6", "ip_key LIKE '620010db8%'"),
        ("no addresses", "ip_address IS NULL AND ip_key IS NULL"),
        (
            "applications' ones",
            "application_id IS NOT NULL AND opened_via = 'application'",
        ),
        (
            "changes of country",
            "has_changed_country AND sign_in_country <> location_country",
        ),
        ("phones", "device_kind = 'phone' AND browser IS NOT NULL"),
    ] {
        let found = database.sessions_where(condition);
        assert!((1..SESSIONS).contains(&found), "{what}: {found}");
    }
    let reached = "session_applications JOIN user_sessions ON id = session_id
        AND session_applications.user_id = user_sessions.user_id
        AND session_applications.last_used_at = user_sessions.last_used_at";
    let found = count(&database, reached);
    assert_eq!(found, count(&database, "session_applications"));
    for (kind, browsers) in [("host", true), ("client", false)] {
        let of_kind =
            format!("{reached} WHERE kind = '{kind}' AND (opened_via = 'browser') = {browsers}");
        assert!(
            (1..SESSIONS).contains(&count(&database, &of_kind)),
            "{kind}"
        );
    }
    for impossible in [
        "last_used_at < created_at",
        "is_active AND ended_at IS NOT NULL",
        "NOT is_active AND last_used_at > ended_at",
        "user_id NOT IN (SELECT id FROM users)",
    ] {
        assert_eq!(database.sessions_where(impossible), 0, "{impossible}");
    }
    assert_eq!(indexes, self::indexes(&database));

    let listed = Program::with(&database).run(&["session", "list"]);
    let listed = listed.expect_done();
    assert!(listed.contains("@example.org"), "{listed}");
}

/// Returns the names of the indexes, in order.
fn indexes(database: &Database) -> Vec<Option<String>> {
    database.texts(match database.postgres_name() {
        Some(_) => {
            "SELECT indexdef AS value FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        }
        None => "SELECT sql AS value FROM sqlite_schema WHERE type = 'index' ORDER BY name",
    })
}

async fn the_same_seed_makes_the_same_rows(database: Database) {
    let of_each = "SELECT device_name || ' ' || coalesce(ip_address, '-') || ' ' || refresh_token_jti AS value
        FROM user_sessions ORDER BY refresh_token_jti";
    seed(&database, &["--seed", "one"]);
    let rows = database.texts(of_each);
    let other = match database.postgres_name() {
        Some(_) => Database::postgres(),
        None => Database::sqlite(),
    };
    seed(&other, &["--seed", "one"]);
    assert_eq!(rows, other.texts(of_each));

    // More of it in the same database are others.
    seed(&database, &["--seed", "one", "--add"]);
    assert_eq!(count(&database, "user_sessions"), 2 * SESSIONS);
}

/// With the password and the e-mails that it prints.
async fn people_of_a_seeded_database_sign_in(database: Database) {
    let printed = seed(&database, &[]);
    let password = printed
        .lines()
        .find_map(|line| line.strip_prefix("Sign in with the password: "))
        .expect("a password");
    let emails: Vec<_> = printed
        .lines()
        .filter_map(|line| line.trim().split_once("   ").map(|(email, _)| email))
        .collect();
    assert_eq!(emails.len(), 3, "{printed}");
    assert_eq!(emails[0], ADMINISTRATOR);
    let mut serving = Program::with(&database).serve(&["serve"]);
    for email in emails {
        let person = Person {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        let browser = Browser::new(serving.base(), FIREFOX);
        assert_eq!(browser.sign_in(&person).await.location(), "/devices");
        browser.get("/devices").await.expect(200);
    }
    assert!(serving.terminate().success());
}

/// It would get an administrator whose password whoever runs the script knows.
async fn a_database_with_people_is_refused(database: Database) {
    let rollcall = Program::with(&database);
    rollcall.run(&["migrate"]).expect_done();
    rollcall.run(&["key", "create"]).expect_done();
    let invite = ["user", "invite", "--email", "ada@example.org"];
    rollcall.run(&invite).expect_done();
    let refused = run_seed(&database, &[]);
    assert!(!refused.status.success());
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("has people already"), "{error}");
    assert_eq!(count(&database, "users"), 1);
    seed(&database, &["--people", "300", "--add"]);
    assert_eq!(count(&database, "users"), 303);
    assert_eq!(count(&database, "users WHERE is_auditor"), 1);
}
