//! An outage of the database: a request that needs it gets a 503, nothing is lost, and the service
//! recovers without a restart.

use actix_web::rt::spawn;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use rollcall::settings::Settings;

use crate::support::outage::{Outage, cut_connections};
use crate::support::prelude::*;
use crate::support::{eventually, run_async};

on_both!(
    database: a_request_in_an_outage_gets_a_503_with_retry_after,
    after_an_outage_everything_works_without_a_restart,
    a_sign_out_in_an_outage_is_not_reported_as_done,
);

async fn a_request_in_an_outage_gets_a_503_with_retry_after(database: Database) {
    let app = TestApp::start_with(database, shorten_timeouts).await;
    let ada = app.register("ada@example.org").await;
    let outage = Outage::of(&app.database);
    let response = app.try_login(&ada, FIREFOX).await;
    let seconds: u64 = response
        .header("retry-after")
        .parse()
        .expect("Retry-After in seconds");
    assert!((1..=60).contains(&seconds));
    insta::assert_json_snapshot!(response.problem(503, "unavailable"), @r#"
    {
      "code": "unavailable",
      "detail": "Nothing was changed. Try again in a moment.",
      "status": 503,
      "title": "The service is unavailable just now",
      "type": "about:blank"
    }
    "#);
    outage.end();
    app.stop().await;
}

async fn after_an_outage_everything_works_without_a_restart(database: Database) {
    let app = TestApp::start_with(database, shorten_timeouts).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let outage = Outage::of(&app.database);
    app.try_login(&ada, IPHONE).await.expect(503);
    app.anyone().get("/health/live").await.expect(200);
    outage.end();

    eventually("a person can sign in again", async || {
        app.try_login(&ada, IPHONE).await.status == 200
    })
    .await;
    laptop.current().await.expect(200);
    browser.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_sign_out_in_an_outage_is_not_reported_as_done(database: Database) {
    let app = TestApp::start_with(database, shorten_timeouts).await;
    let ada = app.register("ada@example.org").await;
    let (browser, phone) = (
        app.signed_in_browser(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    let path = browser.sign_out_paths().await.remove(0);
    let form = browser.form("/devices", &path).await;

    let outage = Outage::of(&app.database);
    let response = browser.send(&form, &[]).await.expect(503);
    assert!(
        response.header("content-type").starts_with("text/html"),
        "{response:?}"
    );
    assert!(
        !response.words().contains("signed out"),
        "{}",
        response.words()
    );
    phone
        .delete(&format!("/api/v1/sessions/{}", phone.id()))
        .await
        .problem(503, "unavailable");
    outage.end();

    eventually("the phone is still signed in", async || {
        phone.current().await.status == 200
    })
    .await;
    assert_eq!(app.database.sessions_where("NOT is_active"), 0);
    app.stop().await;
}

#[actix_web::test]
async fn a_locked_sqlite_file_can_still_be_read() {
    let app = TestApp::start_with(Database::sqlite(), shorten_timeouts).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    let outage = Outage::of(&app.database);
    laptop.current().await.expect(200);
    outage.end();
    app.stop().await;
}

#[actix_web::test]
async fn a_restart_of_postgresql_fails_one_request_at_most() {
    let app = TestApp::start_with(Database::postgres(), shorten_timeouts).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    cut_connections(app.database.postgres_name().expect("a PostgreSQL database"));
    let first = laptop.current().await;
    assert!([200, 503].contains(&first.status), "{first:?}");
    for _ in 0..10 {
        laptop.current().await.expect(200);
    }
    app.stop().await;
}

fn shorten_timeouts(settings: &mut Settings) {
    settings.database.busy_timeout = Duration::from_millis(100);
    settings.database.connect_timeout = Duration::from_millis(500);
}

/// Two requests that end several sessions of a person would otherwise each wait for the other.
#[test]
fn sessions_are_ended_in_the_order_of_their_ids() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        for (n, (method, path)) in [
            ("DELETE", "/api/v1/sessions/others"),
            ("POST", "/api/v1/auth/logout-all"),
        ]
        .into_iter()
        .enumerate()
        {
            let person = app.register(&format!("ada{n}@example.org")).await;
            let mut devices = Vec::new();
            for _ in 0..4 {
                devices.push(app.login(&person, FIREFOX).await);
            }
            devices.sort_by_key(Device::id);
            // The last one is the first that a scan finds.
            app.database.execute(
                "CREATE TABLE reversed AS SELECT * FROM user_sessions;
                 DELETE FROM user_sessions;
                 INSERT INTO user_sessions SELECT * FROM reversed ORDER BY id DESC;
                 DROP TABLE reversed",
            );
            let mut other = PgConnection::establish(&app.database.url()).expect("a connection");
            let lock = |device: &Device| {
                let id = app.database.id(&device.id());
                format!("SELECT 1 FROM user_sessions WHERE id = {id} FOR UPDATE NOWAIT")
            };
            let first = format!("BEGIN; {}", lock(&devices[0]));
            other.batch_execute(&first).expect("the first is locked");
            let request = devices[1].request(method, path);
            let ending = spawn(async move { TestResponse::to(request).await });
            let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            eventually("it waits for the first", async || {
                app.database.number(waiting) == 1
            })
            .await;
            let last = lock(&devices[3]);
            other.batch_execute(&last).expect("the last is still free");
            other.batch_execute("COMMIT").expect("the end");
            ending.await.expect("a response").expect(200);
        }
        app.stop().await;
    });
}
