//! Jobs that end many sessions: in batches, across restarts and nodes, stopped and failing.

use actix_web::rt::spawn;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

use crate::support::admin::Admin;
use crate::support::api::Anyone;
use crate::support::bulk::{add_sessions, expect_ended_once, job, job_id, order, order_browser};
use crate::support::outage::{Outage, allow_updates, refuse_updates};
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::{eventually, run_async};

on_both!(
    app: a_job_runs_in_batches_and_counts_them,
    another_node_goes_on_with_a_job,
    two_nodes_work_on_one_job,
    a_stopped_job_leaves_the_others,
    a_job_stops_once_who_ordered_it_is_no_administrator,
    sessions_signed_in_after_the_order_are_not_ended,
    sessions_used_since_the_order_are_not_unused,
    own_sessions_are_left_out_of_a_job,
    two_orders_at_once_end_each_session_once,
    a_session_that_can_not_be_ended_is_counted,
    a_job_waits_while_the_database_is_away,
    a_job_that_can_not_be_read_fails,
    jobs_are_listed_newest_first,
    finished_jobs_are_purged,
    the_command_works_off_its_job,
);
on_both!(
    database: a_job_goes_on_after_a_restart,
    a_node_runs_jobs_by_itself,
    another_process_goes_on_after_one_was_killed,
);

/// More than two batches.
const MANY: u32 = 450;

/// Returns an administrator's device, and a person's, who has [`MANY`] sessions in "Netscape" besides.
async fn crowd(app: &TestApp) -> (Device, Device) {
    let admin = admin(app, "root@example.org").await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    add_sessions(&app.database, &laptop, MANY, "Netscape");
    (admin, laptop)
}

fn person(email: &str) -> Person {
    Person {
        email: email.into(),
        password: PASSWORD.into(),
    }
}

async fn admin(app: &TestApp, email: &str) -> Device {
    let root = app.register(email).await;
    app.set_role(&root, "admin");
    app.login(&root, FIREFOX).await
}

async fn a_job_runs_in_batches_and_counts_them(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    let id = order_browser(&admin, "netscape").await;
    let created = job(&admin, &id).await;
    assert_eq!(created["state"], "running");
    assert_eq!(
        (&created["total"]["count"], &created["ended"]),
        (&json!(450), &json!(0))
    );
    for expected in [200, 400] {
        app.advance(Duration::from_secs(1));
        assert_eq!(app.run_bulk_batch().await, 1);
        assert_eq!(job(&admin, &id).await["ended"], expected);
        expect_ended_once(app, expected);
    }
    app.run_bulk_jobs().await;
    let done = job(&admin, &id).await;
    assert_eq!(done["state"], "done");
    assert_eq!(
        (&done["ended"], &done["already_over"], &done["failed"]),
        (&json!(450), &json!(0), &json!(0))
    );
    assert!(done["started_at"].is_string() && done["finished_at"].is_string());
    expect_ended_once(app, 450);
    laptop.current().await.expect(200);
    // There is nothing more to do, and what is over can't be stopped.
    assert_eq!(app.run_bulk_batch().await, 0);
    let stop = format!("/api/v1/admin/jobs/{id}/stop");
    assert_eq!(admin.post(&stop).await.expect(200).json(), done);
}

async fn another_node_goes_on_with_a_job(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let id = order_browser(&admin, "Netscape").await;
    let first = app.another_node(|_| {}).await;
    assert_eq!(first.run_bulk_batch().await, 1);
    first.stop().await;
    expect_ended_once(app, 200);
    app.run_bulk_jobs().await;
    assert_eq!(job(&admin, &id).await["state"], "done");
    expect_ended_once(app, 450);
}

/// The first process ends in the middle of the job, without a word.
async fn a_job_goes_on_after_a_restart(database: Database) {
    let app = TestApp::start(database).await;
    let (admin, _) = crowd(&app).await;
    let id = order_browser(&admin, "Netscape").await;
    app.run_bulk_batch().await;
    let database = app.stop_and_keep_database().await;
    let app = TestApp::start(database).await;
    expect_ended_once(&app, 200);
    app.run_bulk_jobs().await;
    let root = person("root@example.org");
    let admin = app.login(&root, FIREFOX).await;
    assert_eq!(job(&admin, &id).await["ended"], 450);
    expect_ended_once(&app, 450);
    app.stop().await;
}

async fn a_node_runs_jobs_by_itself(database: Database) {
    let quick = |settings: &mut rollcall::settings::Settings| {
        settings.jobs.bulk_interval = Duration::from_millis(100);
    };
    let app = TestApp::start_with(database, quick).await;
    let (admin, _) = crowd(&app).await;
    let id = order_browser(&admin, "Netscape").await;
    eventually("the job is done", async || {
        job(&admin, &id).await["state"] == "done"
    })
    .await;
    expect_ended_once(&app, 450);
    app.stop().await;
}

/// Real processes, the first of which is killed in the middle of the job.
async fn another_process_goes_on_after_one_was_killed(database: Database) {
    let program = Program::with(&database)
        .env("ROLLCALL_SIGN_UP", "true")
        .env("ROLLCALL_PUBLIC_URL", "http://rollcall.example.org")
        .env("ROLLCALL_SESSIONS__MOST_PER_PERSON", "0")
        .env("ROLLCALL_JOBS__BULK_INTERVAL", "100ms");
    let add = [
        "user",
        "add",
        "--email",
        "root@example.org",
        "--admin",
        "--password-stdin",
    ];
    program.run_with_input(&add, PASSWORD).expect_done();
    let first = program.serve(&["serve"]);
    let admin = log_in(first.base(), &person("root@example.org")).await;
    add_sessions(&database, &admin, 3_000, "Netscape");
    let body = json!({"filter": {"browser": "Netscape"}, "reason": "x", "include_own": true});
    let id = job_id(&order(&admin, &body).await.expect(202));
    let ended = || database.sessions_where("ended_reason = 'admin'");
    eventually("the first node is at it", async || ended() > 0).await;
    drop(first);
    let until_then = ended();
    assert!(until_then < 3_000, "it was done before it was killed");
    assert_eq!(
        until_then % 200,
        0,
        "a batch is written whole or not at all"
    );

    let second = program.serve(&["serve"]);
    let admin = admin.at(second.base());
    eventually("the job is done", async || {
        job(&admin, &id).await["state"] == "done"
    })
    .await;
    assert_eq!(job(&admin, &id).await["ended"], 3_000);
    assert_eq!(ended(), 3_000);
    let events =
        "SELECT count(DISTINCT session_id) AS value FROM session_events WHERE kind = 'ended'";
    assert_eq!(database.number(events), 3_000);
    let events = "SELECT count(*) AS value FROM session_events WHERE kind = 'ended'";
    assert_eq!(database.number(events), 3_000);
}

async fn log_in(base: String, person: &Person) -> Device {
    let body = json!({"email": person.email, "password": person.password});
    let response = Anyone::new(base.clone())
        .post("/api/v1/auth/login", &body)
        .await;
    Device::from_login(base, &response.expect(200))
}

async fn two_nodes_work_on_one_job(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let id = order_browser(&admin, "Netscape").await;
    let other = app.another_node(|_| {}).await;
    for _ in 0..4 {
        tokio::join!(app.run_bulk_batch(), other.run_bulk_batch());
    }
    app.run_bulk_jobs().await;
    let done = job(&admin, &id).await;
    assert_eq!(
        (&done["state"], &done["ended"]),
        (&json!("done"), &json!(450))
    );
    expect_ended_once(app, 450);
    other.stop().await;
}

/// While a transaction of another node has the job's row, a batch waits for nobody.
#[test]
fn a_job_that_another_node_is_at_is_left_to_it() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let (admin, _) = crowd(&app).await;
        let id = order_browser(&admin, "Netscape").await;
        let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
        other
            .batch_execute("BEGIN; SELECT id FROM bulk_jobs FOR UPDATE")
            .expect("the lock");
        assert_eq!(app.run_bulk_batch().await, 0);
        expect_ended_once(&app, 0);
        other.batch_execute("ROLLBACK").expect("the end");
        app.run_bulk_jobs().await;
        assert_eq!(job(&admin, &id).await["state"], "done");
        expect_ended_once(&app, 450);
        drop(other);
        app.stop().await;
    });
}

async fn a_stopped_job_leaves_the_others(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let id = order_browser(&admin, "Netscape").await;
    app.run_bulk_batch().await;
    let stop = format!("/api/v1/admin/jobs/{id}/stop");
    let stopped = admin.post(&stop).await.expect(200).json();
    assert_eq!(
        (&stopped["state"], &stopped["ended"]),
        (&json!("stopped"), &json!(200))
    );
    assert_eq!(app.run_bulk_batch().await, 0);
    expect_ended_once(app, 200);
    assert_eq!(admin.post(&stop).await.expect(200).json(), stopped);
    // It can be ordered again.
    let again = order_browser(&admin, "Netscape").await;
    app.run_bulk_jobs().await;
    assert_eq!(job(&admin, &again).await["ended"], 250);
    assert_eq!(job(&admin, &id).await["state"], "stopped");
    expect_ended_once(app, 450);
    admin
        .post("/api/v1/admin/jobs/019700d5-5a00-7000-8000-000000000000/stop")
        .await
        .problem(404, "not_found");
}

async fn a_job_stops_once_who_ordered_it_is_no_administrator(app: &TestApp) {
    let (root, _) = crowd(app).await;
    let other = Admin::start(app, "other@example.org").await;
    let path = format!("/{}", root.session["user_id"].as_str().expect("an id"));
    let id = order_browser(&root, "Netscape").await;
    app.run_bulk_batch().await;
    let auditor = json!({"role": "auditor", "reason": "A new job"});
    other.send("PATCH", &path, &auditor).await.expect(200);
    assert_eq!(job(&other.device, &id).await["state"], "stopped");
    assert_eq!(app.run_bulk_batch().await, 0);
    expect_ended_once(app, 200);

    app.set_role(&person("root@example.org"), "admin");
    let id = order_browser(&root, "Netscape").await;
    let own = order_browser(&other.device, "Netscape").await;
    let disable = format!("{path}/disable");
    let reason = json!({"reason": "Left us"});
    other.send("POST", &disable, &reason).await.expect(200);
    assert_eq!(job(&other.device, &id).await["state"], "stopped");
    assert_eq!(job(&other.device, &own).await["state"], "running");
    app.run_bulk_jobs().await;
    expect_ended_once(app, 450);
}

async fn sessions_signed_in_after_the_order_are_not_ended(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    let body = json!({"filter": {"state": "live"}, "reason": "Restored"});
    let response = order(&admin, &body).await.expect(202);
    app.run_bulk_batch().await;
    app.advance(Duration::from_millis(1));
    let bob = app.register("bob@example.org").await;
    let new = app.login(&bob, IPHONE).await;
    app.run_bulk_jobs().await;
    new.current().await.expect(200);
    laptop.current().await.problem(401, "unauthenticated");
    let done = job(&admin, &job_id(&response)).await;
    assert_eq!(
        (&done["total"]["count"], &done["ended"]),
        (&json!(451), &json!(451))
    );
}

async fn sessions_used_since_the_order_are_not_unused(app: &TestApp) {
    let (admin, phone) = crowd(app).await;
    app.advance(Duration::from_secs(100));
    let body = json!({"filter": {"used_to": "60s"}, "reason": "Unused"});
    let response = order(&admin, &body).await.expect(202);
    app.advance(Duration::from_secs(1));
    phone.current().await.expect(200);
    app.flush().await;
    app.run_bulk_jobs().await;
    phone.current().await.expect(200);
    let done = job(&admin, &job_id(&response)).await;
    assert_eq!(
        (&done["total"]["count"], &done["ended"]),
        (&json!(451), &json!(450))
    );
    assert!(
        done["filter"]["used_to"]
            .as_str()
            .expect("a time")
            .starts_with("2031-05-17T08:30:40")
    );
}

async fn own_sessions_are_left_out_of_a_job(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    add_sessions(&app.database, &admin, 300, "Netscape");
    let dry = json!({"filter": {"browser": "Netscape"}, "dry_run": true});
    let counted = order(&admin, &dry).await.expect(200).json();
    assert_eq!(
        (&counted["sessions"]["count"], &counted["own"]),
        (&json!(750), &json!(300))
    );
    let id = order_browser(&admin, "Netscape").await;
    app.run_bulk_jobs().await;
    let done = job(&admin, &id).await;
    assert_eq!(
        (&done["total"]["count"], &done["ended"]),
        (&json!(450), &json!(450))
    );
    assert_eq!(done["state"], "done");
    expect_ended_once(app, 450);
    assert_eq!(app.database.sessions_where("is_active"), 302);
}

async fn two_orders_at_once_end_each_session_once(app: &TestApp) {
    let (first, _) = crowd(app).await;
    let second = admin(app, "toor@example.org").await;
    let body = json!({"filter": {"browser": "Netscape"}, "reason": "x"});
    let send = |admin: &Device| {
        let request = admin.request("POST", "/api/v1/admin/sessions/end");
        let request = request.json(&body);
        spawn(async move { TestResponse::to(request).await })
    };
    let (one, two) = tokio::join!(send(&first), send(&second));
    let ids = [one, two].map(|response| job_id(&response.expect("a response").expect(202)));
    app.run_bulk_jobs().await;
    let (one, two) = (job(&first, &ids[0]).await, job(&first, &ids[1]).await);
    assert_eq!(
        (&one["state"], &two["state"]),
        (&json!("done"), &json!("done"))
    );
    let ended = |job: &serde_json::Value| job["ended"].as_i64().expect("a number");
    assert_eq!(ended(&one) + ended(&two), 450);
    expect_ended_once(app, 450);
}

async fn a_session_that_can_not_be_ended_is_counted(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    refuse_end_of(app, &laptop);
    let body = json!({"filter": {"user": "ada@example.org"}, "reason": "x"});
    let response = order(&admin, &body).await.expect(202);
    app.run_bulk_jobs().await;
    let done = job(&admin, &job_id(&response)).await;
    assert_eq!(
        (&done["state"], &done["ended"], &done["failed"]),
        (&json!("done"), &json!(450), &json!(1))
    );
    expect_ended_once(app, 450);
    laptop.current().await.expect(200);
    // Of a few, the response says so.
    let body = json!({"ids": [laptop.id()], "reason": "x"});
    let answer = order(&admin, &body).await.expect(200).json();
    assert_eq!(
        (&answer["ended"], &answer["failed"]),
        (&json!(0), &json!(1))
    );
    assert!(!answer.to_string().contains("refused"), "{answer:#}");
    allow_end(app);
    let answer = order(&admin, &body).await.expect(200).json();
    assert_eq!(
        (&answer["ended"], &answer["failed"]),
        (&json!(1), &json!(0))
    );

    // When none can be ended, all have failed, and the job is over.
    let (bob, number) = (app.register("bob@example.org").await, 210);
    let bobs = app.login(&bob, FIREFOX).await;
    add_sessions(&app.database, &bobs, number, "Lynx");
    refuse_updates(&app.database);
    let id = order_browser(&admin, "Lynx").await;
    app.run_bulk_jobs().await;
    allow_updates(&app.database);
    let done = job(&admin, &id).await;
    assert_eq!(
        (&done["state"], &done["failed"]),
        (&json!("done"), &json!(210))
    );
}

/// Makes the database refuse to end one session.
fn refuse_end_of(app: &TestApp, device: &Device) {
    let id = app.database.id(&device.id());
    match app.database.postgres_name() {
        None => app.database.execute(&format!(
            "CREATE TRIGGER refused_end BEFORE UPDATE OF ended_at ON user_sessions WHEN NEW.id = {id}
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )),
        Some(_) => app.database.execute(&format!(
            "CREATE FUNCTION refuse_end() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
             CREATE TRIGGER refused_end BEFORE UPDATE OF ended_at ON user_sessions
             FOR EACH ROW WHEN (NEW.id = {id}) EXECUTE FUNCTION refuse_end()"
        )),
    }
}

fn allow_end(app: &TestApp) {
    match app.database.postgres_name() {
        None => app.database.execute("DROP TRIGGER refused_end"),
        Some(_) => app
            .database
            .execute("DROP TRIGGER refused_end ON user_sessions"),
    }
}

async fn a_job_waits_while_the_database_is_away(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let id = order_browser(&admin, "Netscape").await;
    app.run_bulk_batch().await;
    let slow = app
        .another_node(|settings| {
            settings.database.busy_timeout = Duration::from_millis(100);
            settings.database.connect_timeout = Duration::from_millis(500);
        })
        .await;
    let outage = Outage::of(&app.database);
    let _ = slow.try_run_bulk_batch().await;
    outage.end();
    expect_ended_once(app, 200);
    // The connections that were cut are found out by their use.
    let _ = app.try_run_bulk_batch().await;
    app.run_bulk_jobs().await;
    let done = job(&admin, &id).await;
    assert_eq!(
        (&done["state"], &done["failed"]),
        (&json!("done"), &json!(0))
    );
    expect_ended_once(app, 450);
    slow.stop().await;
}

async fn a_job_that_can_not_be_read_fails(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let id = order_browser(&admin, "Netscape").await;
    let set = |filter: &str| {
        let sql = format!("UPDATE bulk_jobs SET filter = '{filter}'");
        app.database.execute(&sql);
    };
    set(r#"{"colour": "red"}"#);
    for _ in 0..6 {
        app.run_bulk_batch().await;
    }
    set(r#"{"browser": "Netscape"}"#);
    assert_eq!(job(&admin, &id).await["state"], "failed");
    assert_eq!(app.run_bulk_batch().await, 0);
    expect_ended_once(app, 0);
}

async fn jobs_are_listed_newest_first(app: &TestApp) {
    let admin = admin(app, "root@example.org").await;
    let mut ids = Vec::new();
    for n in 0..5 {
        app.advance(Duration::from_secs(1));
        let body = json!({"filter": {"q": format!("nobody {n}")}, "reason": "x"});
        ids.push(job_id(&order(&admin, &body).await.expect(200)));
    }
    ids.reverse();
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/admin/jobs?limit=2{cursor}");
        let page = admin.get(&path).await.expect(200).json();
        let jobs = page["jobs"].as_array().expect("a list").clone();
        found.extend(
            jobs.iter()
                .map(|job| job["id"].as_str().expect("an id").to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, ids);
    for query in ["limit=0", "limit=201", "cursor=x", "colour=red"] {
        let path = format!("/api/v1/admin/jobs?{query}");
        admin.get(&path).await.problem(400, "invalid_request");
    }
}

async fn finished_jobs_are_purged(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    let done = json!({"ids": [laptop.id()], "reason": "x"});
    order(&admin, &done).await.expect(200);
    let running = order_browser(&admin, "Netscape").await;
    let count = || {
        app.database
            .number("SELECT count(*) AS value FROM bulk_jobs")
    };
    app.advance(Duration::from_secs(89 * 24 * 3600));
    app.sweep().await;
    assert_eq!(count(), 2);
    app.advance(Duration::from_secs(2 * 24 * 3600));
    app.sweep().await;
    let left = app
        .database
        .texts("SELECT CAST(state AS TEXT) AS value FROM bulk_jobs");
    assert_eq!(left, [Some("running".into())], "{running} is not over");
}

async fn the_command_works_off_its_job(app: &TestApp) {
    let (_, laptop) = crowd(app).await;
    let rollcall = Program::with(&app.database);
    let end = ["session", "end", "--browser", "Netscape", "--yes"];
    let output = rollcall.run(&end);
    assert_eq!(
        (output.status, output.stderr.trim()),
        (0, "450 sessions are ended.")
    );
    expect_ended_once(app, 450);
    laptop.current().await.expect(200);
    refuse_end_of(app, &laptop);
    let output = rollcall.run(&[
        "session",
        "end",
        "--browser",
        "Firefox",
        "--user",
        "ada@example.org",
    ]);
    assert_eq!(output.status, 1, "{output:?}");
    assert!(output.stderr.contains("could not be ended"), "{output:?}");
}
