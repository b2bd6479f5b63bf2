//! `rollcall user`: people on the command line.

use serde_json::Value;

use crate::support::admin::{account_events, id_of};
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: people_are_listed_page_by_page_and_filtered,
    an_auditor_is_added_and_roles_are_set,
    somebody_is_invited_on_the_command_line,
    a_disabled_person_is_enabled_again,
    a_person_is_shown_and_exported,
    a_person_of_an_application_is_named_by_their_id,
);

const ADA: &str = "ada@example.org";

fn add(rollcall: &Program, email: &str, more: &[&str]) {
    let command = [&["user", "add", "--email", email, "--password-stdin"], more].concat();
    rollcall.run_with_input(&command, PASSWORD).expect_done();
}

fn json(rollcall: &Program, command: &[&str]) -> Value {
    serde_json::from_str(&rollcall.run(command).expect_done()).expect("JSON")
}

async fn people_are_listed_page_by_page_and_filtered(database: Database) {
    let rollcall = Program::with(&database);
    assert_eq!(json(&rollcall, &["user", "list", "--json"]), json!([]));
    let app = TestApp::start(database).await;
    let rollcall = Program::with(&app.database);
    for n in 0..5 {
        app.register(&format!("p{n}@example.org")).await;
    }
    add(
        &rollcall,
        "root@example.com",
        &["--admin", "--name", "Root"],
    );
    let emails = |more: &[&str]| {
        let list = json(&rollcall, &[&["user", "list", "--json"], more].concat());
        let list = list.as_array().expect("a list").clone();
        let email = |row: &Value| row["email"].as_str().expect("an e-mail").to_owned();
        list.iter().map(email).collect::<Vec<_>>()
    };
    assert_eq!(emails(&[]).len(), 6);
    assert_eq!(emails(&["--role", "admin"]), ["root@example.com"]);
    assert_eq!(emails(&["--q", "xample.com"]), ["root@example.com"]);
    assert_eq!(emails(&["--q", "ROOT"]), ["root@example.com"]);
    assert_eq!(emails(&["--state", "disabled"]), Vec::<String>::new());
    assert_eq!(emails(&["--limit", "2"]).len(), 2);
    assert_eq!(emails(&["--email", "unverified"]), Vec::<String>::new());
    let text = rollcall
        .run(&["user", "list", "--role", "admin"])
        .expect_done();
    assert!(
        text.ends_with("\troot@example.com\tadmin\tactive\tRoot\n"),
        "{text}"
    );
    rollcall
        .run(&["user", "list", "--role", "king"])
        .expect_failed(2);
    let nowhere = rollcall.run(&["user", "list", "--application", "nowhere"]);
    assert!(
        nowhere
            .expect_failed(1)
            .contains("there is no application nowhere")
    );
    app.stop().await;
}

async fn an_auditor_is_added_and_roles_are_set(database: Database) {
    let rollcall = Program::with(&database);
    add(&rollcall, ADA, &["--auditor"]);
    let both = [
        "user",
        "add",
        "--email",
        "x@example.org",
        "--admin",
        "--auditor",
        "--password-stdin",
    ];
    rollcall.run_with_input(&both, PASSWORD).expect_failed(2);
    let role = || json(&rollcall, &["user", "show", "--email", ADA, "--json"])["role"].clone();
    assert_eq!(role(), "auditor");
    let set = |role: &str| {
        let command = [
            "user", "set-role", "--email", ADA, "--role", role, "--reason", "New job",
        ];
        let ended = rollcall.run(&command);
        assert_eq!(ended.status, 0, "{ended:?}");
        ended.stderr
    };
    assert!(set("admin").contains("is an administrator now"));
    assert_eq!(role(), "admin");
    assert!(set("admin").contains("already"));
    rollcall
        .run(&["user", "set-role", "--email", ADA, "--role", "king"])
        .expect_failed(2);
    rollcall
        .run(&["user", "set-role", "--role", "admin"])
        .expect_failed(2);
    let app = TestApp::start(database).await;
    assert_eq!(
        account_events(&app, &id_of(&app, ADA)),
        ["account_created:auditor:", "role_changed:admin:New job"]
    );
    let ada = Person {
        email: ADA.into(),
        password: PASSWORD.into(),
    };
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get("/account").await.expect(200);
    page.expect_words("Role changed to administrator, by an administrator: “ New job ”");
    let set = ["user", "set-password", "--email", ADA, "--password-stdin"];
    let rollcall = Program::with(&app.database);
    rollcall
        .run_with_input(&set, "another battery staple")
        .expect_done();
    let ada = Person {
        password: "another battery staple".into(),
        ..ada
    };
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let page = browser.get("/account").await.expect(200);
    page.expect_words("Password changed, by an administrator");
    app.stop().await;
}

async fn somebody_is_invited_on_the_command_line(database: Database) {
    let app = TestApp::start(database).await;
    let rollcall = Program::with(&app.database);
    let command = [
        "user", "invite", "--email", ADA, "--name", "Ada", "--role", "auditor",
    ];
    let invite = || {
        let ended = rollcall.run(&command);
        assert!(
            ended.stderr.contains("It works once, for 7days"),
            "{}",
            ended.stderr
        );
        let url = ended.expect_done();
        url.trim()
            .trim_start_matches("http://127.0.0.1:8080")
            .to_owned()
    };
    let (first, second) = (invite(), invite());
    // The command's clock is the real one.
    app.database
        .execute("UPDATE password_resets SET expires_at = '2031-05-24 09:00:00.000000'");
    let reader = app.browser(IPHONE);
    reader.get(&first).await.expect(410);
    reader
        .submit(&second, &second, &[("new_password", PASSWORD)])
        .await
        .expect(303);
    let ada = Person {
        email: ADA.into(),
        password: PASSWORD.into(),
    };
    let me = app
        .login(&ada, FIREFOX)
        .await
        .get("/api/v1/me")
        .await
        .expect(200)
        .json();
    assert_eq!(me["full_name"], "Ada");
    let error = rollcall.run(&command).expect_failed(1);
    assert!(error.contains("has this e-mail already"), "{error}");
    app.stop().await;
}

async fn a_disabled_person_is_enabled_again(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register(ADA).await;
    let rollcall = Program::with(&app.database);
    let run = |command: &[&str]| {
        let ended = rollcall.run(&[&["user"], command, &["--email", ADA]].concat());
        assert_eq!(ended.status, 0, "{ended:?}");
        ended.stderr
    };
    assert!(run(&["disable", "--reason", "Stolen laptop"]).contains("can't sign in any more"));
    assert!(run(&["disable"]).contains("was disabled before"));
    app.try_login(&ada, FIREFOX)
        .await
        .problem(401, "invalid_credentials");
    assert!(run(&["enable"]).contains("can sign in again"));
    assert!(run(&["enable"]).contains("was not disabled"));
    app.login(&ada, FIREFOX).await;
    assert_eq!(
        account_events(&app, &id_of(&app, ADA)),
        ["disabled::Stolen laptop", "enabled::"]
    );
    let long = "x".repeat(501);
    let error = rollcall.run(&["user", "disable", "--email", ADA, "--reason", &long]);
    assert!(error.expect_failed(1).contains("1 to 500 characters"));
    app.stop().await;
}

async fn a_person_is_shown_and_exported(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register(ADA).await;
    app.login(&ada, FIREFOX).await;
    let rollcall = Program::with(&app.database);
    let id = id_of(&app, ADA);
    let shown = json(&rollcall, &["user", "show", "--id", &id, "--json"]);
    assert_eq!(shown["email"], ADA);
    let renamed = ["user", "set-name", "--id", &id, "--name", "Countess"];
    rollcall.run(&renamed).expect_done();
    let text = rollcall
        .run(&["user", "show", "--email", ADA])
        .expect_done();
    assert!(text.contains("Countess"), "{text}");
    let export = rollcall
        .run(&["user", "export", "--email", ADA])
        .expect_done();
    let file: Value = serde_json::from_str(&export).expect("JSON");
    assert_eq!(file["account"]["full_name"], "Countess");
    assert_eq!(file["sessions"].as_array().map(Vec::len), Some(1));
    for secret in ["argon2", "jti"] {
        assert!(!export.contains(secret), "{export}");
    }
    assert_eq!(account_events(&app, &id), ["name_changed::", "exported::"]);
    let unknown = [
        "user",
        "show",
        "--id",
        "019ab0de-0000-7000-8000-000000000000",
    ];
    let error = rollcall.run(&unknown).expect_failed(1);
    assert!(error.contains("there is no person with the id"), "{error}");
    rollcall
        .run(&["user", "show", "--id", "7"])
        .expect_failed(2);
    rollcall.run(&["user", "show"]).expect_failed(2);
    app.stop().await;
}

async fn a_person_of_an_application_is_named_by_their_id(database: Database) {
    let app = TestApp::start(database).await;
    let key = app.create_key("sessions");
    let request = app.anyone().request("POST", "/api/v1/app/sessions");
    let request = request
        .bearer_auth(&key)
        .json(&json!({"subject": "customer-7"}));
    let opened = TestResponse::to(request).await.expect(201).json();
    let id = opened["session"]["user_id"].as_str().expect("an id");
    let rollcall = Program::with(&app.database);
    let error = rollcall.run(&["user", "set-role", "--id", id, "--role", "admin"]);
    assert!(
        error
            .expect_failed(1)
            .contains("an application authenticates them")
    );
    let ended = rollcall.run(&["user", "disable", "--id", id]);
    assert!(
        ended
            .stderr
            .contains("customer-7 can't sign in any more. 1 session is ended."),
        "{ended:?}"
    );
    rollcall.run(&["user", "delete", "--id", id]).expect_done();
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        0
    );
    app.stop().await;
}
