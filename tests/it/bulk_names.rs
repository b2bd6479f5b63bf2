//! Orders to end sessions by a filter whose names come to be another's, or are nobody's.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use serde_json::Value;

use crate::support::bulk::{add_sessions, expect_ended_once, job, job_id, order};
use crate::support::prelude::*;
use crate::support::{eventually, run_async};

on_both!(
    app: a_job_is_for_the_person_of_its_order,
    a_job_is_for_the_application_of_its_order,
    a_job_is_for_the_people_who_shared_an_email,
    an_order_names_people_and_applications_that_exist,
    a_job_without_its_application_fails,
    a_session_with_a_time_to_come_delays_no_order,
);

/// More than end before the response.
const MANY: u32 = 250;
const SHOP: &str = "019700d5-5a00-7000-8000-000000000077";

/// Returns an administrator's device, and a person's, who has [`MANY`] sessions in "Netscape" besides.
async fn crowd(app: &TestApp) -> (Device, Device) {
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let ada = app.register("ada@example.org").await;
    let (admin, laptop) = (
        app.login(&root, FIREFOX).await,
        app.login(&ada, FIREFOX).await,
    );
    add_sessions(&app.database, &laptop, MANY, "Netscape");
    (admin, laptop)
}

fn body(filter: &Value) -> Value {
    json!({"filter": filter, "reason": "Stolen"})
}

async fn expect_done(admin: &Device, id: &str, ended: u32) {
    let done = job(admin, id).await;
    assert_eq!(
        (&done["state"], &done["ended"]),
        (&json!("done"), &json!(ended)),
        "{done:#}"
    );
}

async fn a_job_is_for_the_person_of_its_order(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    let bob = app.register("bob@example.org").await;
    let phone = app.login(&bob, IPHONE).await;
    let by_email = body(&json!({"user": "ada@example.org"}));
    let id = job_id(&order(&admin, &by_email).await.expect(202));
    app.database.execute(
        "UPDATE users SET email = 'ada2@example.org' WHERE email = 'ada@example.org'; \
         UPDATE users SET email = 'ada@example.org' WHERE email = 'bob@example.org'",
    );
    app.run_bulk_jobs().await;
    expect_done(&admin, &id, MANY + 1).await;
    laptop.current().await.problem(401, "unauthenticated");
    phone.current().await.expect(200);
    expect_ended_once(app, i64::from(MANY) + 1);
}

fn create_shop(app: &TestApp) {
    let id = app.database.id(SHOP);
    app.database.execute(&format!(
        "INSERT INTO applications (id, name, created_at) VALUES ({id}, 'shop', '2026-11-20 08:30:00.000000'); \
         UPDATE user_sessions SET application_id = {id} WHERE browser = 'Netscape'",
    ));
}

async fn a_job_is_for_the_application_of_its_order(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    create_shop(app);
    let by_name = body(&json!({"application": "shop"}));
    let id = job_id(&order(&admin, &by_name).await.expect(202));
    app.database
        .execute("UPDATE applications SET name = 'store' WHERE name = 'shop'");
    app.run_bulk_jobs().await;
    expect_done(&admin, &id, MANY).await;
    assert_eq!(job(&admin, &id).await["filter"]["application"], SHOP);
    laptop.current().await.expect(200);
}

async fn a_job_is_for_the_people_who_shared_an_email(app: &TestApp) {
    let (admin, laptop) = crowd(app).await;
    let bob = app.register("bob@example.org").await;
    let phone = app.login(&bob, IPHONE).await;
    let state = |email: &str| {
        app.database.execute(&format!(
            "UPDATE users SET stated_email = '{email}' WHERE email <> 'root@example.org'"
        ));
    };
    state("team@example.org");
    let by_email = body(&json!({"user": "Team@example.org"}));
    let id = job_id(&order(&admin, &by_email).await.expect(202));
    state("nobody@example.org");
    app.run_bulk_jobs().await;
    expect_done(&admin, &id, MANY + 2).await;
    phone.current().await.problem(401, "unauthenticated");
    laptop.current().await.problem(401, "unauthenticated");
    // More than a list can have.
    let laptop = app.login(&bob, FIREFOX).await;
    add_sessions(&app.database, &laptop, 1_001, "Lynx");
    state("team@example.org");
    let refused = order(&admin, &by_email).await.expect(400);
    assert!(refused.text.contains("give their ids"), "{}", refused.text);
    expect_ended_once(app, i64::from(MANY) + 2);
}

async fn an_order_names_people_and_applications_that_exist(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    for (name, message) in [
        ("user", "nobody has that e-mail or id"),
        ("application", "there is no such application"),
    ] {
        let refused = order(&admin, &body(&json!({name: "gone@example.org"})))
            .await
            .expect(400);
        assert!(refused.text.contains(message), "{}", refused.text);
    }
    assert_eq!(
        app.database
            .number("SELECT count(*) AS value FROM bulk_jobs"),
        0
    );
}

async fn a_job_without_its_application_fails(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    create_shop(app);
    let by_name = body(&json!({"application": "shop"}));
    let id = job_id(&order(&admin, &by_name).await.expect(202));
    app.database.execute(
        "UPDATE user_sessions SET application_id = NULL; DELETE FROM applications WHERE name = 'shop'",
    );
    app.run_bulk_jobs().await;
    let failed = job(&admin, &id).await;
    assert_eq!(
        (&failed["state"], &failed["ended"]),
        (&json!("failed"), &json!(0))
    );
    assert!(failed["finished_at"].is_string());
    expect_ended_once(app, 0);
}

async fn a_session_with_a_time_to_come_delays_no_order(app: &TestApp) {
    let (admin, _) = crowd(app).await;
    let ahead = app.login(&person("ada@example.org"), IPHONE).await;
    let id = app.database.id(&ahead.id());
    app.database.execute(&format!(
        "UPDATE user_sessions SET created_at = '2031-06-17 08:30:00.000000' WHERE id = {id}"
    ));
    let all = body(&json!({"state": "live"}));
    let id = job_id(&order(&admin, &all).await.expect(202));
    app.advance(Duration::from_secs(6));
    let bob = app.register("bob@example.org").await;
    let new = app.login(&bob, IPHONE).await;
    app.run_bulk_jobs().await;
    new.current().await.expect(200);
    expect_done(&admin, &id, MANY + 1).await;
}

fn person(email: &str) -> Person {
    Person {
        email: email.into(),
        password: PASSWORD.into(),
    }
}

/// A batch waits for the row of a session, whose use is recorded meanwhile.
#[test]
fn a_session_that_is_used_while_a_batch_waits_is_not_ended() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let (admin, laptop) = crowd(&app).await;
        app.advance(Duration::from_secs(100));
        let unused = body(&json!({"used_to": "60s"}));
        let id = job_id(&order(&admin, &unused).await.expect(202));
        let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
        let session = app.database.id(&laptop.id());
        other
            .batch_execute(&format!(
                "BEGIN; UPDATE user_sessions SET last_used_at = last_used_at + interval '2 minutes' \
                 WHERE id = {session}"
            ))
            .expect("the use");
        let waiting = async {
            eventually("the batch waits", async || {
                app.database.number(
                    "SELECT count(*) AS value FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'",
                ) > 0
            })
            .await;
            sql_query("COMMIT").execute(&mut other).expect("the end");
        };
        tokio::join!(app.run_bulk_batch(), waiting);
        app.run_bulk_jobs().await;
        expect_done(&admin, &id, MANY).await;
        laptop.current().await.expect(200);
        drop(other);
        app.stop().await;
    });
}
