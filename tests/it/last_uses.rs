//! Last uses: their buffer has one owner, and no request fails or loses one for it.

use actix_web::rt::spawn;

use crate::support::outage::{Outage, allow_updates, refuse_updates};
use crate::support::prelude::*;

on_both!(
    app: a_request_is_answered_though_its_use_cannot_be_written,
    a_request_that_is_cut_off_loses_no_use_of_another,
    a_setting_that_needs_the_buffered_uses_waits_for_them,
);
on_both!(database: stopping_writes_what_the_database_refused_at_first);

/// Within the margin before the idle limit in which a use is written at once.
const BEFORE_THE_LIMIT: Duration = Duration::from_secs(5);
const IDLE_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

async fn a_request_is_answered_though_its_use_cannot_be_written(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    app.advance(IDLE_LIMIT - BEFORE_THE_LIMIT);
    refuse_updates(&app.database);
    browser.get("/devices").await.expect(200);
    assert!(!app.try_flush().await, "nothing can be written yet");

    allow_updates(&app.database);
    app.flush().await;
    app.advance(IDLE_LIMIT - BEFORE_THE_LIMIT);
    browser.get("/devices").await.expect(200);
}

async fn a_request_that_is_cut_off_loses_no_use_of_another(app: &TestApp) {
    let (ada, bob) = (
        app.register("ada@example.org").await,
        app.register("bob@example.org").await,
    );
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&bob, IPHONE).await;
    let form = browser.form("/account", "/account/addresses").await;
    app.advance(Duration::from_secs(60));
    phone.current().await.expect(200);

    let outage = Outage::locking_writes(&app.database);
    let sending = spawn(async move {
        browser.send(&form, &[("addresses", "none")]).await;
    });
    // As many requests as give the one before them time to reach the lock.
    for _ in 0..50 {
        phone.current().await.expect(200);
    }
    sending.abort();
    assert!(sending.await.is_err(), "the request was cut off");
    phone.current().await.expect(200);
    outage.end();

    app.flush().await;
    let late = "last_used_at > created_at AND device_kind = 'phone'";
    assert_eq!(app.database.sessions_where(late), 1);
}

/// The expiry is computed from the last use, which is still in the buffer.
async fn a_setting_that_needs_the_buffered_uses_waits_for_them(app: &TestApp) {
    const SIX_DAYS: Duration = Duration::from_secs(6 * 24 * 60 * 60);

    let ada = app.register("ada@example.org").await;
    let tablet = app.browser(IPHONE);
    let remembered = [
        ("email", ada.email.as_str()),
        ("password", ada.password.as_str()),
        ("remember", "on"),
    ];
    tablet.submit("/sign-in", "/sign-in", &remembered).await;
    app.advance(SIX_DAYS);
    tablet.get("/devices").await.expect(200);
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    laptop
        .submit("/account", "/account/idle-limit", &[("idle_limit", "week")])
        .await
        .expect(303);
    app.advance(SIX_DAYS);
    tablet.get("/devices").await.expect(200);
    app.advance(2 * SIX_DAYS);
    assert!(tablet.get("/devices").await.is_to_sign_in());
}

async fn stopping_writes_what_the_database_refused_at_first(database: Database) {
    let app = TestApp::start(database).await;
    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    app.advance(Duration::from_secs(60));
    phone.current().await.expect(200);
    refuse_updates(&app.database);
    let database = app.stop_and_repair(allow_updates).await;
    assert_eq!(database.sessions_where("last_used_at > created_at"), 1);
}
