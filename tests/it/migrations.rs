//! The migrations, up, down and up again.

use rollcall::db::migrate;
use rollcall::settings::DatabaseUrl;

use crate::support::prelude::*;

on_both!(
    database: migrating_up_down_and_up_again,
    migrating_twice_changes_nothing,
    several_nodes_migrate_at_once,
    people_and_their_changes_from_before_survive,
    keys_from_before_become_applications,
    keys_become_applications_where_nobody_has_a_subject,
);

const POSTGRES_TRIGGERS: [&str; 5] = [
    "alerts_count_insert",
    "user_sessions_count_delete",
    "user_sessions_count_insert",
    "user_sessions_count_update",
    "users_redact_events",
];
const SQLITE_TRIGGERS: [&str; 6] = [
    "alerts_count_insert",
    "user_sessions_count_delete",
    "user_sessions_count_end",
    "user_sessions_count_insert",
    "user_sessions_count_move",
    "users_redact_events",
];
const TABLES: [&str; 3] = ["users", "user_sessions", "session_events"];

async fn migrating_up_down_and_up_again(database: Database) {
    let database = database.emptied();
    let url = url(&database);
    migrate::run(&url).expect("up");
    assert_eq!(tables(&database), TABLES.len());
    migrate::revert_all(&url).expect("down");
    assert_eq!(tables(&database), 0);
    migrate::run(&url).expect("up again");
    assert_eq!(tables(&database), TABLES.len());
    let expected: &[&str] = match database.postgres_name() {
        Some(_) => &POSTGRES_TRIGGERS,
        None => &SQLITE_TRIGGERS,
    };
    assert_eq!(
        triggers(&database),
        expected,
        "without them nothing is counted"
    );

    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await.current().await.expect(200);
    app.stop().await;
}

async fn migrating_twice_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    migrate::run(&url(&app.database)).expect("nothing to do");
    assert_eq!(app.database.sessions_where("is_active"), 1);
    app.stop().await;
}

async fn several_nodes_migrate_at_once(database: Database) {
    let database = database.emptied();
    let url = url(&database);
    std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| migrate::run(&url).map(drop)))
            .collect();
        for node in nodes {
            node.join().expect("no panic").expect("up");
        }
    });
    assert_eq!(tables(&database), TABLES.len());
}

/// Fills a database of the version before addresses were verified, and migrates it.
async fn people_and_their_changes_from_before_survive(database: Database) {
    let database = database.emptied();
    let url = url(&database);
    migrate_until(&database, "2026-11-25");
    let person = |n: u8, email: &str, subject: &str| {
        let id = database.id(&format!("0197000000007000800000000000000{n}"));
        let subject = match subject {
            "" => "NULL".to_owned(),
            subject => format!("'{subject}'"),
        };
        format!("({id}, '{email}', 'x', {subject}, '{AT}', '{AT}', '{AT}')")
    };
    let people = [
        person(1, "ada@new.example", ""),
        person(2, "back@example.org", ""),
        person(3, "customer@example.org", "customer-7"),
    ];
    database.execute(&format!(
        "INSERT INTO users (id, email, password_hash, external_subject, created_at, updated_at, \
         password_changed_at) VALUES {}",
        people.join(", ")
    ));
    let change = |n: u8, person: u8, from: &str, at: &str| {
        let alert = database.id(&format!("0197000000007000800000000000001{n}"));
        let owner = database.id(&format!("0197000000007000800000000000000{person}"));
        format!("({alert}, {owner}, 'email_changed', '{from}', 'Firefox', 'desktop', '{at}')")
    };
    let changes = [
        change(1, 1, "Ada@example.org", AT),
        change(2, 2, "back@example.org", AT),
        change(3, 2, "between@example.org", LATER),
    ];
    database.execute(&format!(
        "INSERT INTO alerts (id, user_id, kind, email, device_name, device_kind, at) VALUES {}",
        changes.join(", ")
    ));
    let alert = database.id("01970000000070008000000000000011");
    let owner = database.id("01970000000070008000000000000001");
    database.execute(&format!(
        "INSERT INTO mail_queue (id, user_id, alert_id, recipient, due_at, created_at, updated_at) \
         VALUES ({alert}, {owner}, {alert}, 'ada@example.org', '{AT}', '{AT}', '{AT}')"
    ));
    for _ in 0..2 {
        migrate::run(&url).expect("up");
    }
    let states = "SELECT email || ' ' || state AS value FROM former_emails ORDER BY email";
    let texts =
        |query: &str| -> Vec<String> { database.texts(query).into_iter().flatten().collect() };
    assert_eq!(
        texts(states),
        [
            "ada@example.org open",
            "back@example.org closed",
            "between@example.org reported"
        ]
    );
    assert_eq!(
        texts("SELECT stated_email AS value FROM users WHERE stated_email IS NOT NULL"),
        ["customer@example.org"]
    );
    let before = "SELECT count(*) AS value FROM users WHERE is_email_from_before";
    assert_eq!(database.number(before), 2);
    let queued = "SELECT count(*) AS value FROM mail_queue WHERE kind = 'alert'";
    assert_eq!(database.number(queued), 1);
    migrate::revert_all(&url).expect("down");
}

/// Inserts keys of the version before there were applications: their number, name and scopes.
fn insert_keys(database: &Database, keys: &[(u8, &str, &str)]) {
    for (n, name, scopes) in keys {
        let id = database.id(&format!("0197000000007000800000000000002{n}"));
        let revoked = match *n {
            2 => format!("'{LATER}'"),
            _ => "NULL".to_owned(),
        };
        database.execute(&format!(
            "INSERT INTO api_keys (id, name, secret_hash, scopes, created_at, revoked_at) \
             VALUES ({id}, '{name}', 'hash {n}', '{scopes}', '{AT}', {revoked})"
        ));
    }
}

fn application_names(database: &Database) -> Vec<Option<String>> {
    database.texts("SELECT name AS value FROM applications ORDER BY id")
}

/// Fills a database of the version before there were applications, and migrates it.
async fn keys_from_before_become_applications(database: Database) {
    let database = database.emptied();
    let url = url(&database);
    migrate_until(&database, "2026-11-29-000300");
    let long = "x".repeat(255);
    insert_keys(
        &database,
        &[
            (1, "shop", "tokens"),
            (2, "shop", "tokens sessions"),
            (3, "shop", "sessions"),
            (4, "shop (2)", "sessions tokens"),
            (5, "Earlier", "sessions"),
            (6, &long, "sessions"),
            (7, &long, "sessions"),
        ],
    );
    for (n, subject) in [(1, "NULL"), (2, "'42'"), (3, "'43'")] {
        let id = database.id(&format!("0197000000007000800000000000000{n}"));
        database.execute(&format!(
            "INSERT INTO users (id, email, password_hash, external_subject, created_at, updated_at, \
             password_changed_at) VALUES ({id}, '{n}@example.org', 'x', {subject}, '{AT}', '{AT}', '{AT}')"
        ));
    }
    for _ in 0..2 {
        migrate::run(&url).expect("up");
    }
    let names = [
        "Earlier".to_owned(),
        "shop".to_owned(),
        "shop (01970000-0000-7000-8000-000000000022)".to_owned(),
        "shop (3)".to_owned(),
        "shop (2)".to_owned(),
        "Earlier (2)".to_owned(),
        long.clone(),
        format!("{} (01970000-0000-7000-8000-000000000027)", "x".repeat(200)),
    ];
    assert_eq!(application_names(&database), names.map(Some));
    let number = |query: &str| database.number(&format!("SELECT count(*) AS value FROM {query}"));
    assert_eq!(number("applications WHERE uses_earlier"), 7);
    assert_eq!(number("api_keys WHERE application_id = id"), 7);
    assert_eq!(number("api_keys WHERE revoked_at IS NOT NULL"), 1);
    let scopes = "SELECT scopes AS value FROM api_keys ORDER BY id LIMIT 4";
    let expected = [
        "tokens tokens:any",
        "tokens sessions tokens:any",
        "sessions",
        "sessions tokens tokens:any",
    ];
    assert_eq!(
        database.texts(scopes),
        expected.map(|text| Some(text.to_owned()))
    );
    let earlier = "users JOIN applications ON applications.id = users.application_id";
    assert_eq!(
        number(&format!("{earlier} WHERE applications.name = 'Earlier'")),
        2
    );

    // The way back, although a subject is there twice by now.
    let (id, application) = (
        database.id("01970000000070008000000000000004"),
        database.id("01970000000070008000000000000021"),
    );
    database.execute(&format!(
        "INSERT INTO users (id, email, password_hash, external_subject, application_id, created_at, \
         updated_at, password_changed_at) VALUES ({id}, '4@example.org', 'x', '42', {application}, '{AT}', '{AT}', '{AT}')"
    ));
    revert_from(&database, "2026-11-29-000300_applications");
    assert_eq!(number("users WHERE external_subject = '42'"), 1);
    assert_eq!(number("users WHERE external_subject IS NULL"), 1);
    let expected = ["tokens", "tokens sessions", "sessions", "sessions tokens"];
    assert_eq!(
        database.texts(scopes),
        expected.map(|text| Some(text.to_owned()))
    );
    migrate::run(&url).expect("up again");
    assert_eq!(number("applications"), 8);
    migrate::revert_all(&url).expect("down");
}

async fn keys_become_applications_where_nobody_has_a_subject(database: Database) {
    let database = database.emptied();
    migrate_until(&database, "2026-11-29-000300");
    insert_keys(
        &database,
        &[(1, "Earlier", "tokens"), (2, "Earlier", "tokens")],
    );
    migrate::run(&url(&database)).expect("up");
    let names = ["Earlier", "Earlier (2)"].map(|name| Some(name.to_owned()));
    assert_eq!(application_names(&database), names);
    assert_eq!(
        database.number("SELECT count(*) AS value FROM applications WHERE uses_earlier"),
        0
    );
}

const AT: &str = "2026-11-20 08:30:00.000000";
const LATER: &str = "2026-11-21 08:30:00.000000";

/// Reverts a migration and those after it, newest first.
fn revert_from(database: &Database, name: &str) {
    let folder = folder(database);
    for name in names(&folder)
        .iter()
        .rev()
        .filter(|later| later.as_str() >= name)
    {
        let sql = std::fs::read_to_string(format!("{folder}/{name}/down.sql"));
        database.execute(&sql.expect("a migration"));
        let version = name.split('_').next().unwrap_or_default().replace('-', "");
        database.execute(&format!(
            "DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"
        ));
    }
}

/// Returns the names of the migrations, oldest first.
fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the migrations");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name")
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

fn folder(database: &Database) -> String {
    let kind = match database.postgres_name() {
        Some(_) => "postgres",
        None => "sqlite",
    };
    format!("{}/migrations/{kind}", env!("CARGO_MANIFEST_DIR"))
}

/// Applies the migrations whose names sort before `end`, as an earlier version did.
pub fn migrate_until(database: &Database, end: &str) {
    let folder = folder(database);
    database.execute(
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    );
    for name in names(&folder).iter().filter(|name| name.as_str() < end) {
        let sql = std::fs::read_to_string(format!("{folder}/{name}/up.sql")).expect("a migration");
        database.execute(&sql);
        let version = name.split('_').next().unwrap_or_default().replace('-', "");
        database.execute(&format!(
            "INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"
        ));
    }
}

fn url(database: &Database) -> DatabaseUrl {
    database.url().parse().expect("a database URL")
}

/// Lists the triggers. SQLite drops them with a table that a migration makes anew.
fn triggers(database: &Database) -> Vec<String> {
    let all = match database.postgres_name() {
        Some(_) => {
            "SELECT CAST(tgname AS TEXT) AS value FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
        }
        None => "SELECT name AS value FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    };
    database.texts(all).into_iter().flatten().collect()
}

/// Returns how many of [`TABLES`] there are.
fn tables(database: &Database) -> usize {
    let all = match database.postgres_name() {
        Some(_) => {
            "SELECT CAST(tablename AS TEXT) AS value FROM pg_tables WHERE schemaname = 'public'"
        }
        None => "SELECT name AS value FROM sqlite_master WHERE type = 'table'",
    };
    let found = database.texts(all);
    TABLES
        .iter()
        .filter(|table| found.iter().flatten().any(|name| name == *table))
        .count()
}
