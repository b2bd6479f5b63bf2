//! The expiry of sessions. The tests advance the clock instead of waiting for a limit.

use rollcall::settings::Settings;

use crate::support::eventually;
use crate::support::outage::Outage;
use crate::support::prelude::*;

on_both!(
    app: an_expired_browser_session_is_refused_at_once,
    an_expired_session_is_refused_although_its_access_token_is_valid,
    every_use_restarts_the_idle_limit,
    the_absolute_limit_is_never_extended,
    the_sweep_marks_expired_sessions,
    an_ended_session_is_purged_after_its_retention,
    the_last_use_is_buffered_and_then_written,
    an_old_last_use_never_overwrites_a_newer_one,
);
on_both!(
    database: the_sweep_works_in_batches_until_done,
    the_sweep_survives_a_failing_database,
    a_last_use_stays_buffered_while_the_database_fails,
    a_clean_stop_writes_the_last_use,
);

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn an_expired_browser_session_is_refused_at_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(idle_limit());
    assert!(browser.get("/devices").await.is_to_sign_in());
    browser
        .get("/api/v1/me")
        .await
        .problem(401, "unauthenticated");
    assert_eq!(
        app.database.sessions_where("is_active"),
        1,
        "no sweep has run"
    );
}

async fn an_expired_session_is_refused_although_its_access_token_is_valid(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    expire_at_once(app, &laptop);
    laptop.current().await.problem(401, "unauthenticated");
    app.anyone()
        .refresh(&laptop.refresh_token)
        .await
        .problem(401, "invalid_token");
    assert_eq!(phone.listed().await.len(), 1);
}

async fn every_use_restarts_the_idle_limit(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    for _ in 0..5 {
        app.advance(idle_limit() - HOUR);
        browser.get("/devices").await.expect(200);
        app.flush().await;
    }
}

async fn the_absolute_limit_is_never_extended(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let step = idle_limit() - HOUR;
    let mut left = absolute_limit();
    while left > step {
        app.advance(step);
        browser.get("/devices").await.expect(200);
        app.flush().await;
        left -= step;
    }
    app.advance(left);
    assert!(browser.get("/devices").await.is_to_sign_in());
}

async fn the_sweep_marks_expired_sessions(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let (laptop, phone) = (
        app.login(&ada, FIREFOX).await,
        app.login(&ada, IPHONE).await,
    );
    expire_at_once(app, &laptop);
    app.sweep().await;
    assert_eq!(
        app.database
            .sessions_where("NOT is_active AND ended_reason = 'expired'"),
        1
    );
    assert_eq!(expiry_events(app), 1);
    let history = phone
        .get("/api/v1/sessions/history")
        .await
        .expect(200)
        .json();
    assert_eq!(history["sessions"][0]["id"], laptop.id());
    assert_eq!(history["sessions"][0]["ended_reason"], "expired");

    app.sweep().await;
    assert_eq!(expiry_events(app), 1, "it expires once");
    phone.current().await.expect(200);
}

async fn an_ended_session_is_purged_after_its_retention(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX)
        .await
        .post("/api/v1/auth/logout")
        .await
        .expect(204);
    app.advance(retention() - HOUR);
    app.sweep().await;
    assert_eq!(app.database.sessions_where("NOT is_active"), 1);
    app.advance(2 * HOUR);
    app.sweep().await;
    assert_eq!(app.database.sessions_where("NOT is_active"), 0);
    assert_eq!(
        app.database.number("SELECT count(*) AS value FROM users"),
        1
    );
}

async fn the_last_use_is_buffered_and_then_written(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(90));
    laptop.current().await.expect(200);
    assert_eq!(
        app.database.sessions_where("last_used_at > created_at"),
        0,
        "reading a page costs no write"
    );
    app.flush().await;
    assert_eq!(app.database.sessions_where("last_used_at > created_at"), 1);
    let session = laptop.current().await.expect(200).json();
    assert_eq!(session["last_used_at"], "2031-05-17T08:31:30.000000Z");
}

async fn an_old_last_use_never_overwrites_a_newer_one(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(10));
    laptop.current().await.expect(200);
    app.advance(Duration::from_secs(10));
    laptop.refresh().await;
    let after_refresh = app.database.of_the_session("last_used_at");
    app.flush().await;
    assert_eq!(app.database.of_the_session("last_used_at"), after_refresh);
}

async fn the_sweep_works_in_batches_until_done(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.jobs.sweep_batch = 100).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    copy_expired(&app, &laptop, 250);
    app.advance(Duration::from_secs(1));
    app.sweep().await;
    assert_eq!(app.database.sessions_where("ended_reason = 'expired'"), 250);
    assert_eq!(expiry_events(&app), 250);

    app.advance(retention() + DAY);
    app.sweep().await;
    assert_eq!(app.database.sessions_where("ended_reason = 'expired'"), 0);
    app.stop().await;
}

async fn the_sweep_survives_a_failing_database(database: Database) {
    let app = TestApp::start_with(database, with_short_timeouts).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    expire_at_once(&app, &laptop);
    let outage = Outage::of(&app.database);
    assert!(!app.try_sweep().await);
    outage.end();
    assert_eq!(app.database.sessions_where("is_active"), 1);

    eventually("the sweep succeeds again", async || {
        app.try_sweep().await && app.database.sessions_where("ended_reason = 'expired'") == 1
    })
    .await;
    assert_eq!(expiry_events(&app), 1);
    app.stop().await;
}

async fn a_last_use_stays_buffered_while_the_database_fails(database: Database) {
    let app = TestApp::start_with(database, with_short_timeouts).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(90));
    laptop.current().await.expect(200);
    let outage = Outage::of(&app.database);
    assert!(!app.try_flush().await);
    outage.end();
    eventually("the last use is written", async || {
        app.try_flush().await && app.database.sessions_where("last_used_at > created_at") == 1
    })
    .await;
    app.stop().await;
}

async fn a_clean_stop_writes_the_last_use(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.advance(Duration::from_secs(90));
    laptop.current().await.expect(200);
    let database = app.stop_and_keep_database().await;
    assert_eq!(database.sessions_where("last_used_at > created_at"), 1);
}

fn with_short_timeouts(settings: &mut Settings) {
    settings.database.busy_timeout = Duration::from_millis(100);
    settings.database.connect_timeout = Duration::from_millis(500);
}

/// Sets the session's expiry to its creation, and advances the clock by one second.
fn expire_at_once(app: &TestApp, device: &Device) {
    let id = app.database.id(&device.id());
    app.database.execute(&format!(
        "UPDATE user_sessions SET expires_at = created_at, sweep_at = created_at WHERE id = {id}"
    ));
    app.advance(Duration::from_secs(1));
}

/// Inserts `number` expired copies of the session.
fn copy_expired(app: &TestApp, device: &Device, number: u32) {
    let (id, text) = app.database.random_id_and_text();
    let original = app.database.id(&device.id());
    app.database.execute(&format!(
        "INSERT INTO user_sessions (id, user_id, refresh_token_jti, last_used_at, expires_at, created_at, updated_at,
                                    absolute_expires_at, idle_seconds, confirmed_at)
         WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {number})
         SELECT {id}, user_id, {text}, last_used_at, created_at, created_at, updated_at, absolute_expires_at,
                idle_seconds, confirmed_at
         FROM user_sessions CROSS JOIN copy WHERE user_sessions.id = {original}"
    ));
}

fn expiry_events(app: &TestApp) -> i64 {
    let sql =
        "SELECT count(*) AS value FROM session_events WHERE kind = 'ended' AND detail = 'expired'";
    app.database.number(sql)
}

fn idle_limit() -> Duration {
    Settings::default().sessions.idle_limit
}

fn absolute_limit() -> Duration {
    Settings::default().sessions.absolute_limit
}

fn retention() -> Duration {
    Settings::default().sessions.retention
}
