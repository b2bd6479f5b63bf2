//! The last administrator who can sign in: nobody removes, disables or demotes them, also not by two
//! requests at once, on two nodes, or on the command line.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use rollcall::settings::Settings;
use serde_json::Value;

use crate::support::admin::{Admin, USERS, account_events};
use crate::support::eventually;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    app: no_act_removes_the_last_administrator,
    one_who_cannot_sign_in_is_no_other_administrator,
    one_who_cannot_sign_in_is_no_last_administrator,
    the_command_line_does_not_remove_them_either,
    two_administrators_do_not_remove_each_other_at_once,
    a_deletion_of_ones_own_and_a_demotion_do_not_both_succeed,
);
on_both!(
    database: two_nodes_do_not_remove_both_at_once,
    where_sign_in_needs_a_verified_e_mail_one_without_is_no_other,
);

/// What removes an administrator: the method, the end of the path, and the body.
fn removals(email: &str) -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("PATCH", "", json!({"role": "person"})),
        (
            "PATCH",
            "",
            json!({"role": "auditor", "full_name": "Demoted"}),
        ),
        ("POST", "/disable", json!({"reason": "X"})),
        ("DELETE", "", json!({"email": email})),
    ]
}

async fn expect_last(admin: &Admin) {
    for (method, act, body) in removals(&admin.person.email) {
        let response = admin
            .send(method, &format!("/{}{act}", admin.id), &body)
            .await;
        let problem = response.problem(409, "last_admin");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(
            detail.contains("Make somebody else an administrator first"),
            "{detail}"
        );
    }
    let shown = admin.person(&admin.id).await;
    assert_eq!(
        (&shown["role"], &shown["state"]),
        (&json!("admin"), &json!("active"))
    );
    assert_ne!(shown["full_name"], "Demoted");
}

async fn no_act_removes_the_last_administrator(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    app.register("ada@example.org").await;
    expect_last(&admin).await;
    let key = app.create_key("admin:write");
    let request = app
        .anyone()
        .request("POST", &format!("{USERS}/{}/disable", admin.id));
    let request = request.bearer_auth(&key).json(&json!({"reason": "X"}));
    TestResponse::to(request).await.problem(409, "last_admin");
    let browser = app.signed_in_browser(&admin.person, FIREFOX).await;
    // The page has no form for it, since it can't be done.
    let mut form = browser.form("/account", "/account/name").await;
    form.action = "/account/delete".into();
    browser
        .send(&form, &[("typed", "admin@example.org")])
        .await
        .expect(409)
        .expect_words("There is no other administrator");
    assert_eq!(account_events(app, &admin.id), Vec::<String>::new());
    // What leaves them an administrator is allowed.
    let body = json!({"full_name": "Root", "email": "root@example.org", "role": "admin"});
    admin
        .send("PATCH", &format!("/{}", admin.id), &body)
        .await
        .expect(200);
}

async fn one_who_cannot_sign_in_is_no_other_administrator(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let invited = json!({"email": "root@example.org", "invite": true, "role": "admin"});
    let invited = admin.send("POST", "", &invited).await.expect(201).json();
    assert_eq!(invited["role"], "admin");
    expect_last(&admin).await;
    let disabled = Admin::start(app, "left@example.org").await;
    let path = format!("/{}/disable", disabled.id);
    admin
        .send("POST", &path, &json!({"reason": "Left"}))
        .await
        .expect(200);
    expect_last(&admin).await;

    // Once the invited one has a password, there are two.
    let link = invited["invitation"]["link"].as_str().expect("a link");
    let (_, path) = link.split_at(link.find("/reset-password/").expect("a path"));
    let reader = app.browser(IPHONE);
    reader
        .submit(path, path, &[("new_password", PASSWORD)])
        .await
        .expect(303);
    let body = json!({"role": "person"});
    admin
        .send("PATCH", &format!("/{}", admin.id), &body)
        .await
        .expect(200);
}

async fn one_who_cannot_sign_in_is_no_last_administrator(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let invited = json!({"email": "root@example.org", "invite": true, "role": "admin"});
    let invited = admin.send("POST", "", &invited).await.expect(201).json();
    let id = invited["id"].as_str().expect("an id");
    let path = format!("/{id}");
    admin
        .send("PATCH", &path, &json!({"role": "person"}))
        .await
        .expect(200);
    admin
        .send("PATCH", &path, &json!({"role": "admin"}))
        .await
        .expect(200);
    let reason = json!({"reason": "A mistake"});
    admin
        .send("POST", &format!("{path}/disable"), &reason)
        .await
        .expect(200);
    admin
        .send("DELETE", &path, &json!({"email": "root@example.org"}))
        .await
        .expect(204);
}

async fn the_command_line_does_not_remove_them_either(app: &TestApp) {
    let admin = Admin::start(app, "admin@example.org").await;
    let rollcall = Program::with(&app.database);
    for act in [
        &["delete"][..],
        &["disable"],
        &["set-role", "--role", "person"],
    ] {
        let command = [&["user"], act, &["--email", "admin@example.org"]].concat();
        let error = rollcall.run(&command).expect_failed(1);
        assert!(error.contains("There is no other administrator"), "{error}");
        assert!(
            error.contains("Make somebody else an administrator first"),
            "{error}"
        );
    }
    admin.device.current().await.expect(200);
    Admin::start(app, "root@example.org").await;
    rollcall
        .run(&["user", "delete", "--email", "admin@example.org"])
        .expect_done();
}

async fn two_administrators_do_not_remove_each_other_at_once(app: &TestApp) {
    for (at, (method, act, body)) in removals("").into_iter().enumerate() {
        let emails = ["a", "b"].map(|name| format!("{name}{at}@example.org"));
        app.database
            .execute("UPDATE users SET is_admin = false, is_auditor = false");
        let one = Admin::start(app, &emails[0]).await;
        let two = Admin::start(app, &emails[1]).await;
        let other = |admin: &Admin| match method {
            "DELETE" => json!({"email": admin.person.email}),
            _ => body.clone(),
        };
        let (to_two, to_one) = (format!("/{}{act}", two.id), format!("/{}{act}", one.id));
        let (body_two, body_one) = (other(&two), other(&one));
        let held = lock_people(app);
        let (first, second, ()) = tokio::join!(
            one.send(method, &to_two, &body_two),
            two.send(method, &to_one, &body_one),
            release_once_two_wait(app, held)
        );
        expect_one_of(first.status, second.status);
        let left = "SELECT count(*) AS value FROM users WHERE is_admin AND is_active";
        assert_eq!(app.database.number(left), 1, "{method} {act}");
    }
}

async fn two_nodes_do_not_remove_both_at_once(database: Database) {
    let with_url = |settings: &mut Settings| {
        settings.public_url = Some("http://rollcall.example".parse().expect("a URL"));
    };
    let app = TestApp::start_with(database, with_url).await;
    let node = app.another_node(with_url).await;
    let one = Admin::start(&app, "a@example.org").await;
    let two = Admin::start(&app, "b@example.org").await;
    let at_node = two.device.at(node.base());
    let body = json!({"reason": "X"});
    let path = format!("{USERS}/{}/disable", two.id);
    let own = format!("/{}/disable", one.id);
    let request = at_node.request("POST", &path).json(&body);
    at_node.current().await.expect(200);
    let held = lock_people(&app);
    let (first, second, ()) = tokio::join!(
        one.send("POST", &own, &body),
        TestResponse::to(request),
        release_once_two_wait(&app, held)
    );
    expect_one_of(first.status, second.status);
    node.stop().await;
    app.stop().await;
}

async fn a_deletion_of_ones_own_and_a_demotion_do_not_both_succeed(app: &TestApp) {
    let one = Admin::start(app, "a@example.org").await;
    let two = Admin::start(app, "b@example.org").await;
    let browser = app.signed_in_browser(&one.person, FIREFOX).await;
    let form = browser.form("/account/delete", "/account/delete").await;
    let (path, body) = (format!("/{}", two.id), json!({"role": "person"}));
    let held = lock_people(app);
    let (first, second, ()) = tokio::join!(
        browser.send(&form, &[("typed", "a@example.org")]),
        two.send("PATCH", &path, &body),
        release_once_two_wait(app, held)
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert!([[200, 409], [303, 409]].contains(&statuses), "{statuses:?}");
    let left = "SELECT count(*) AS value FROM users WHERE is_admin";
    assert_eq!(app.database.number(left), 1);
}

async fn where_sign_in_needs_a_verified_e_mail_one_without_is_no_other(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        settings.accounts.require_verified_email = true;
        settings.mail.host = Some("127.0.0.1".into());
        settings.mail.from = "Rollcall <rollcall@example.org>".into();
    })
    .await;
    for email in ["admin@example.org", "root@example.org"] {
        let add = [
            "user",
            "add",
            "--email",
            email,
            "--admin",
            "--password-stdin",
        ];
        Program::with(&app.database)
            .run_with_input(&add, PASSWORD)
            .expect_done();
    }
    let person = Person {
        email: "admin@example.org".into(),
        password: PASSWORD.into(),
    };
    let device = app.login(&person, FIREFOX).await;
    app.database
        .execute("UPDATE users SET email_verified_at = NULL WHERE email = 'root@example.org'");
    let id = device.session["user_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let request = device.request("PATCH", &format!("{USERS}/{id}"));
    let request = request.json(&json!({"role": "person"}));
    TestResponse::to(request).await.problem(409, "last_admin");
    app.stop().await;
}

/// One request succeeded, and the other found a single administrator, or none in the one who sent it.
fn expect_one_of(first: u16, second: u16) {
    let is_done = |status: u16| matches!(status, 200 | 204);
    let is_refused = |status: u16| matches!(status, 401 | 404 | 409);
    assert!(
        (is_done(first) && is_refused(second)) || (is_refused(first) && is_done(second)),
        "{first} and {second}"
    );
}

/// On PostgreSQL, keeps everybody's row from being changed or deleted: both requests get as far as
/// they can before either goes on. SQLite has only one writer.
fn lock_people(app: &TestApp) -> Option<PgConnection> {
    app.database.postgres_name()?;
    let mut held = PgConnection::establish(&app.database.url()).expect("a connection");
    held.batch_execute("BEGIN; SELECT id FROM users FOR NO KEY UPDATE")
        .expect("the locks");
    Some(held)
}

async fn release_once_two_wait(app: &TestApp, held: Option<PgConnection>) {
    let Some(mut held) = held else { return };
    let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("both wait", async || app.database.number(waiting) == 2).await;
    held.batch_execute("COMMIT").expect("the end");
}
