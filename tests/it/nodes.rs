//! Several nodes on one database, and concurrent requests: a change takes effect once, and on every
//! node.

use actix_web::rt::spawn;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::run_async;

on_both!(
    app: a_session_ended_twice_at_once_ends_once,
    many_sign_ins_at_once_create_as_many_sessions,
);

async fn a_session_ended_twice_at_once_ends_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    let path = format!("/api/v1/sessions/{}", phone.id());
    let responses: Vec<_> = (0..10)
        .map(|_| {
            let request = laptop.request("DELETE", &path);
            spawn(async move { TestResponse::to(request).await })
        })
        .collect();
    for response in responses {
        response.await.expect("a response").expect(204);
    }
    let ended = "SELECT count(*) AS value FROM session_events WHERE kind = 'ended'";
    assert_eq!(app.database.number(ended), 1);
    phone.current().await.problem(401, "unauthenticated");
}

async fn many_sign_ins_at_once_create_as_many_sessions(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let logins: Vec<_> = (0..20)
        .map(|_| {
            let body = json!({"email": ada.email, "password": ada.password});
            let request = app
                .anyone()
                .request("POST", "/api/v1/auth/login")
                .json(&body);
            spawn(async move { TestResponse::to(request).await })
        })
        .collect();
    for login in logins {
        login.await.expect("a response").expect(200);
    }
    assert_eq!(app.database.sessions_where("is_active"), 20);
    assert_eq!(app.login(&ada, FIREFOX).await.listed().await.len(), 21);
}

/// A transaction of the test holds the lock that a sweeping node would hold.
#[test]
fn only_one_node_sweeps_at_a_time() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let ada = app.register("ada@example.org").await;
        app.login(&ada, FIREFOX).await;
        app.database
            .execute("UPDATE user_sessions SET expires_at = '2031-05-17T08:00:00Z', sweep_at = '2031-05-17T08:00:00Z'");

        let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
        let lock = i64::from_be_bytes(*b"rollswep");
        other
            .batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({lock})"))
            .expect("the lock");
        app.sweep().await;
        assert_eq!(
            app.database.sessions_where("is_active"),
            1,
            "the sweep is left to the other node"
        );

        other.batch_execute("COMMIT").expect("the lock is free");
        app.sweep().await;
        assert_eq!(app.database.sessions_where("is_active"), 0);
        drop(other);
        app.stop().await;
    });
}

/// Ending a session locks its row and refers to its person afterwards. What changes or deletes people
/// waits for the sessions without a lock that this waits for.
#[test]
fn people_are_changed_while_a_session_of_theirs_ends() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let rollcall = Program::with(&app.database);
        let ada = app.register("ada@example.org").await;
        app.login(&ada, FIREFOX).await;
        while_a_session_ends(&app, || {
            let delete = ["user", "delete", "--email", "ada@example.org"];
            rollcall.run(&delete).expect_done();
        });
        assert_eq!(app.database.sessions_where("true"), 0);

        let key = app.create_key("sessions");
        rollcall.add_key(&["--name", "forum", "--scope", "sessions"]);
        let earlier = app.database.id("00000000-0000-7000-8000-000000000000");
        app.database.execute(&format!(
            "INSERT INTO applications (id, name, created_at)
             VALUES ({earlier}, 'Earlier', '2026-11-20 08:30:00.000000')"
        ));
        for choice in [&["--subject", "42"][..], &["--all"]] {
            app.database.execute("DELETE FROM users");
            let open = app.anyone().request("POST", "/api/v1/app/sessions");
            let open = open.bearer_auth(&key).json(&json!({"subject": "42"}));
            TestResponse::to(open).await.expect(201);
            app.database
                .execute(&format!("UPDATE users SET application_id = {earlier}"));
            while_a_session_ends(&app, || {
                let assign = [&["application", "assign", "--to", "forum"], choice].concat();
                rollcall.run(&assign).expect_done();
            });
            let moved = "application_id = (SELECT id FROM applications WHERE name = 'forum')";
            assert_eq!(app.database.sessions_where(moved), 1, "{choice:?}");
        }
        app.stop().await;
    });
}

/// Does `act` while another node ends the only session: it has locked it, and once `act` waits for
/// that, it refers to the person.
fn while_a_session_ends(app: &TestApp, act: impl FnOnce() + Send) {
    let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
    other
        .batch_execute("BEGIN; SELECT 1 FROM user_sessions FOR NO KEY UPDATE")
        .expect("the lock of the session");
    std::thread::scope(|scope| {
        let acting = scope.spawn(act);
        let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while app.database.number(waiting) == 0 && !acting.is_finished() {
            std::thread::yield_now();
        }
        assert!(!acting.is_finished(), "it waits for the session");
        other
            .batch_execute("SELECT 1 FROM users FOR KEY SHARE NOWAIT; COMMIT")
            .expect("nobody has the key of the person");
        acting.join().expect("an end");
    });
}

/// Two processes of the real binary on one PostgreSQL database.
#[test]
fn a_sign_out_on_one_node_applies_on_the_other() {
    run_async(async {
        let database = Database::postgres();
        let program = Program::with(&database)
            .env("ROLLCALL_SIGN_UP", "true")
            .env("ROLLCALL_PUBLIC_URL", "http://rollcall.example.org");
        let (mut one, mut two) = (program.serve(&["serve"]), program.serve(&["serve"]));
        let ada = Person {
            email: "ada@example.org".into(),
            password: PASSWORD.into(),
        };
        let body = json!({"email": ada.email, "password": ada.password});
        let anyone = Anyone::new(one.base());
        anyone
            .post("/api/v1/auth/register", &body)
            .await
            .expect(201);
        let on_one = Device::from_login(
            one.base(),
            &anyone.post("/api/v1/auth/login", &body).await.expect(200),
        );
        let on_two = on_one.at(two.base());
        on_two.current().await.expect(200);
        on_one.post("/api/v1/auth/logout").await.expect(204);
        on_two.current().await.problem(401, "unauthenticated");
        assert!(one.terminate().success());
        assert!(two.terminate().success());
    });
}
