//! The command line that scripts rely on: accounts, sessions and settings.

use serde_json::Value;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: an_administrator_adds_and_lists_people,
    an_e_mail_is_added_once,
    a_password_set_by_an_administrator_replaces_the_old_one,
    a_disabled_person_is_signed_out_at_once,
    sessions_are_listed_and_ended,
    everybody_s_sessions_are_counted_and_ended,
    the_configuration_is_shown_without_secrets,
    migrating_prints_what_it_did,
);

async fn an_administrator_adds_and_lists_people(database: Database) {
    let rollcall = Program::with(&database);
    add_ada(&rollcall);
    let grace = [
        "user",
        "add",
        "--email",
        "grace@example.org",
        "--admin",
        "--password-stdin",
    ];
    rollcall.run_with_input(&grace, PASSWORD).expect_done();

    let people: Value =
        serde_json::from_str(&rollcall.run(&["user", "list", "--json"]).expect_done())
            .expect("JSON");
    let mut accounts: Vec<_> = people
        .as_array()
        .expect("a list")
        .iter()
        .map(|person| (person["email"].clone(), person["is_admin"].clone()))
        .collect();
    accounts.sort_by_key(|(email, _)| email.to_string());
    assert_eq!(
        accounts,
        [
            (json!("ada@example.org"), json!(false)),
            (json!("grace@example.org"), json!(true))
        ]
    );
    let text = rollcall.run(&["user", "list"]).expect_done();
    assert!(
        text.contains("ada@example.org") && text.contains("grace@example.org"),
        "{text}"
    );

    let app = TestApp::start(database).await;
    app.login(&ada(), FIREFOX).await.current().await.expect(200);
    app.stop().await;
}

async fn an_e_mail_is_added_once(database: Database) {
    let rollcall = Program::with(&database);
    add_ada(&rollcall);
    let again = [
        "user",
        "add",
        "--email",
        "Ada@Example.org",
        "--password-stdin",
    ];
    let error = rollcall.run_with_input(&again, PASSWORD).expect_failed(1);
    assert!(error.contains("already"), "{error}");
    let bad = ["user", "add", "--email", "nonsense", "--password-stdin"];
    let error = rollcall.run_with_input(&bad, PASSWORD).expect_failed(1);
    assert!(error.contains("e-mail"), "{error}");
    assert_eq!(database.number("SELECT count(*) AS value FROM users"), 1);
}

async fn a_password_set_by_an_administrator_replaces_the_old_one(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let set = [
        "user",
        "set-password",
        "--email",
        "ada@example.org",
        "--password-stdin",
    ];
    Program::with(&app.database)
        .run_with_input(&set, "a quite different passphrase\n")
        .expect_done();

    laptop.current().await.problem(401, "unauthenticated");
    app.try_login(&ada, FIREFOX)
        .await
        .problem(401, "invalid_credentials");
    app.login(
        &Person {
            password: "a quite different passphrase".into(),
            ..ada
        },
        FIREFOX,
    )
    .await;
    app.stop().await;
}

async fn a_disabled_person_is_signed_out_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let rollcall = Program::with(&app.database);
    rollcall
        .run(&["user", "disable", "--email", "ada@example.org"])
        .expect_done();

    laptop.current().await.problem(401, "unauthenticated");
    app.try_login(&ada, FIREFOX)
        .await
        .problem(401, "invalid_credentials");
    assert_eq!(
        app.database.of_the_session("ended_reason").as_deref(),
        Some("account_disabled")
    );
    rollcall
        .run(&["user", "disable", "--email", "nobody@example.org"])
        .expect_failed(1);
    app.stop().await;
}

async fn sessions_are_listed_and_ended(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    let rollcall = Program::with(&app.database);
    let listed = rollcall.run(&["session", "list", "--json"]).expect_done();
    let sessions: Value = serde_json::from_str(&listed).expect("JSON");
    let ids: Vec<_> = sessions
        .as_array()
        .expect("a list")
        .iter()
        .map(|session| session["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(
        ids.contains(&json!(phone.id())) && ids.contains(&json!(laptop.id())),
        "{ids:?}"
    );
    assert!(!listed.contains("jti"), "{listed}");
    assert!(
        rollcall
            .run(&["session", "list"])
            .expect_done()
            .contains("ada@example.org")
    );

    rollcall.run(&["session", "end", &phone.id()]).expect_done();
    phone.current().await.problem(401, "unauthenticated");
    laptop.current().await.expect(200);
    assert_eq!(app.database.sessions_where("ended_reason = 'admin'"), 1);
    let unknown = rollcall
        .run(&["session", "end", "019700d5-5a00-7000-8000-000000000000"])
        .expect_failed(1);
    assert!(unknown.contains("no "), "{unknown}");
    app.stop().await;
}

async fn everybody_s_sessions_are_counted_and_ended(database: Database) {
    let app = TestApp::start(database).await;
    let mut devices = Vec::new();
    for email in ["ada@example.org", "bob@example.org"] {
        let person = app.register(email).await;
        devices.push(app.login(&person, FIREFOX).await);
        devices.push(app.login(&person, IPHONE).await);
    }
    let ended_before = devices.pop().expect("a device");
    ended_before.post("/api/v1/auth/logout").await.expect(204);

    // The batches are smaller than what there is to end.
    let rollcall = Program::with(&app.database).env("ROLLCALL_JOBS__SWEEP_BATCH", "2");
    let counted = rollcall.run(&["session", "end", "--all"]);
    assert_eq!(counted.status, 0, "{counted:?}");
    let counted = counted.stderr;
    assert!(counted.contains("3 sessions are live"), "{counted}");
    assert_eq!(app.database.sessions_where("is_active"), 3);

    let ended = rollcall.run(&["session", "end", "--all", "--yes"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let ended = ended.stderr;
    assert!(ended.contains("3 sessions are ended"), "{ended}");
    for device in devices {
        device.current().await.problem(401, "unauthenticated");
        app.anyone()
            .refresh(&device.refresh_token)
            .await
            .problem(401, "invalid_token");
    }
    assert_eq!(app.database.sessions_where("ended_reason = 'admin'"), 3);
    let events =
        "SELECT count(*) AS value FROM session_events WHERE kind = 'ended' AND detail = 'admin'";
    assert_eq!(app.database.number(events), 3);

    let says = |command: &[&str], words: &str| {
        let output = rollcall.run(command);
        assert_eq!((output.status, output.stderr.trim()), (0, words));
    };
    let (count, end) = (
        ["session", "end", "--all"],
        ["session", "end", "--all", "--yes"],
    );
    says(&count, "No session is live.");
    says(&end, "No session was live.");
    let cy = app.register("cy@example.org").await;
    app.login(&cy, FIREFOX).await;
    says(&count, "1 session is live. To end it, add --yes.");
    says(&end, "1 session is ended.");

    for wrong in [
        &["session", "end"][..],
        &["session", "end", "--yes"],
        &["session", "end", "--all", "--user", "ada@example.org"],
        &["session", "end", "--all", "--browser", "Firefox"],
    ] {
        rollcall.run(wrong).expect_failed(2);
    }
    app.stop().await;
}

async fn the_configuration_is_shown_without_secrets(database: Database) {
    let key = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldCE=";
    let shown = Program::with(&database)
        .env("ROLLCALL_COOKIE_KEY", key)
        .env("ROLLCALL_LISTEN", "127.0.0.1:9999")
        .run(&["config"])
        .expect_done();
    assert!(!shown.contains(key), "{shown}");
    assert!(shown.contains("listen = \"127.0.0.1:9999\""), "{shown}");
    assert!(shown.contains("[sessions]"), "{shown}");
}

async fn migrating_prints_what_it_did(database: Database) {
    let database = database.emptied();
    let rollcall = Program::with(&database);
    assert_ne!(rollcall.run(&["migrate"]).expect_done(), "");
    assert_eq!(
        rollcall.run(&["migrate"]).expect_done(),
        "",
        "the second time there is nothing to do"
    );
    assert_eq!(database.number("SELECT count(*) AS value FROM users"), 0);
}

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rollcall = Program::in_folder(folder.path());
    let help = rollcall.run(&["--help"]).expect_done();
    for command in ["serve", "demo", "migrate", "user", "session", "config"] {
        assert!(
            help.contains(&format!("\n  {command}")),
            "{command} is not in:\n{help}"
        );
        assert!(
            rollcall
                .run(&[command, "--help"])
                .expect_done()
                .contains("Usage: rollcall")
        );
    }
    rollcall.run(&["no-such-command"]).expect_failed(2);
    rollcall.run(&["user", "add"]).expect_failed(2);
    assert_eq!(
        std::fs::read_dir(folder.path())
            .expect("the folder")
            .count(),
        0,
        "help leaves nothing behind"
    );
}

#[test]
fn an_invalid_setting_is_named_with_its_value_and_what_is_allowed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rollcall = || Program::in_folder(folder.path());
    for (variable, value, named) in [
        (
            "ROLLCALL_JOBS__SWEEP_BATCH",
            "0",
            ["jobs.sweep_batch", "0", "1 or more"],
        ),
        (
            "ROLLCALL_SESSIONS__IDLE_LIMIT",
            "1s",
            ["sessions.idle_limit", "1s", "or more"],
        ),
        (
            "ROLLCALL_PUBLIC_URL",
            "ftp://example.org/",
            ["public_url", "ftp://example.org/", "https://"],
        ),
        (
            "ROLLCALL_LISTEN",
            "nonsense",
            ["listen", "nonsense", "address"],
        ),
        (
            "ROLLCALL_TOKENS__AUDIENCE",
            "01A20A58-74ca-734e-96bd-fa45bbbf7ce7",
            ["tokens.audience", "01A20A58", "but a UUID"],
        ),
        (
            "DATABASE_URL",
            "mysql://localhost/x",
            ["database_url", "sqlite:", "postgres:"],
        ),
    ] {
        let error = rollcall()
            .env(variable, value)
            .run(&["serve"])
            .expect_failed(1);
        for part in named {
            assert!(
                error.contains(part),
                "{variable}={value}: {part:?} is not in: {error}"
            );
        }
    }
    std::fs::write(
        folder.path().join("rollcall.toml"),
        "lisen = \"127.0.0.1:80\"\n",
    )
    .expect("a file");
    let error = rollcall().run(&["serve"]).expect_failed(1);
    assert!(error.contains("lisen"), "{error}");
    let error = rollcall()
        .run(&["serve", "--config", "no-such-file.toml"])
        .expect_failed(1);
    assert!(error.contains("no-such-file.toml"), "{error}");
}

fn add_ada(rollcall: &Program) {
    let add = [
        "user",
        "add",
        "--email",
        "ada@example.org",
        "--name",
        "Ada Lovelace",
        "--password-stdin",
    ];
    rollcall.run_with_input(&add, PASSWORD).expect_done();
}

fn ada() -> Person {
    Person {
        email: "ada@example.org".into(),
        password: PASSWORD.into(),
    }
}

#[test]
fn a_syntax_error_is_named_by_its_position_without_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rollcall.toml");
    std::fs::write(&file, "[mail]\npassword = \"hunter2\n").expect("a file");
    let ended = Program::in_folder(folder.path()).run(&["config"]);
    assert_eq!(ended.status, 1);
    assert!(
        ended
            .stderr
            .contains("rollcall.toml: TOML parse error at line 2"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn a_configuration_file_that_cannot_be_read_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("rollcall.toml")).expect("a folder");
    let ended = Program::in_folder(folder.path()).run(&["config"]);
    assert_eq!(ended.status, 1);
    assert!(
        ended
            .stderr
            .contains("the configuration file rollcall.toml can't be read"),
        "{}",
        ended.stderr
    );
}
