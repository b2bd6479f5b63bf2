//! The columns by which sessions are swept, listed and filtered: derived from others, and true at all
//! times.

use rollcall::db::migrate;
use rollcall::settings::DatabaseUrl;

use crate::support::prelude::*;

on_both!(
    app: a_session_in_use_is_swept_later,
    a_stricter_idle_limit_is_swept_at_once,
    addresses_from_before_get_a_form_that_sorts,
    a_last_use_is_in_its_ten_minutes,
    a_refresh_is_in_its_ten_minutes,
);
on_both!(
    database: a_use_in_another_country_is_marked,
    sessions_from_before_get_their_columns,
);

const IDLE_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn a_session_in_use_is_swept_later(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.signed_in_browser(&ada, FIREFOX).await;
    let unused = app.signed_in_browser(&ada, IPHONE).await;
    assert_eq!(app.database.sessions_where("sweep_at = expires_at"), 2);
    app.advance(IDLE_LIMIT - HOUR);
    laptop.get("/account").await.expect(200);
    app.flush().await;
    // A use extends the session, and leaves the time of the sweep alone.
    assert_eq!(app.database.sessions_where("sweep_at < expires_at"), 1);
    app.advance(2 * HOUR);
    app.sweep().await;
    assert_eq!(app.database.sessions_where("is_active"), 1);
    assert_eq!(
        app.database
            .sessions_where("is_active AND sweep_at = expires_at"),
        1,
        "the sweep that met it moved it"
    );
    laptop.get("/account").await.expect(200);
    assert!(unused.get("/account").await.is_to_sign_in());
    app.advance(IDLE_LIMIT);
    app.sweep().await;
    assert_eq!(app.database.sessions_where("is_active"), 0);
}

async fn a_stricter_idle_limit_is_swept_at_once(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, IPHONE).await;
    app.advance(Duration::from_secs(8 * 24 * 60 * 60));
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let phone = app.login(&ada, IPHONE).await;
    let chosen = [("idle_limit", "week"), ("confirmed", "4000000000000000")];
    browser
        .submit("/account", "/account/idle-limit", &chosen)
        .await
        .expect(303);
    // What it ends has ended; the others are swept by their new expiry.
    assert_eq!(app.database.sessions_where("is_active"), 2);
    let late = "is_active AND sweep_at > expires_at";
    assert_eq!(app.database.sessions_where(late), 0);
    app.advance(Duration::from_secs(8 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.sessions_where("is_active"), 0);
    app.anyone()
        .refresh(&phone.refresh_token)
        .await
        .problem(401, "invalid_token");
}

async fn addresses_from_before_get_a_form_that_sorts(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    let (whole, other) = (app.login(&ada, IPHONE).await, app.login(&ada, IPHONE).await);
    let (whole, other) = (app.database.id(&whole.id()), app.database.id(&other.id()));
    app.database
        .execute("UPDATE user_sessions SET ip_key = NULL");
    app.database.execute(&format!(
        "UPDATE user_sessions SET ip_address = '2001:db8::1' WHERE id = {whole}"
    ));
    app.database.execute(&format!(
        "UPDATE user_sessions SET ip_address = 'unknown' WHERE id = {other}"
    ));
    app.sweep().await;
    let keys = "SELECT ip_key AS value FROM user_sessions ORDER BY ip_key";
    let keys: Vec<String> = app.database.texts(keys).into_iter().flatten().collect();
    assert_eq!(
        keys,
        [
            "000000000",
            "47f000001",
            "620010db8000000000000000000000001"
        ]
    );
}

async fn a_last_use_is_in_its_ten_minutes(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    let bucket = || app.database.of_the_session("last_used_bucket");
    // 2031-05-17T08:30:00Z
    assert_eq!(bucket().as_deref(), Some("3227955"));
    for (minutes, expected) in [(9, "3227955"), (1, "3227956"), (25, "3227958")] {
        app.advance(Duration::from_secs(60 * minutes));
        browser.get("/account").await.expect(200);
        app.flush().await;
        assert_eq!(bucket().as_deref(), Some(expected), "{minutes}");
    }
}

async fn a_refresh_is_in_its_ten_minutes(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let mut laptop = app.login(&ada, FIREFOX).await;
    app.advance(HOUR);
    laptop.refresh().await;
    let bucket = app.database.of_the_session("last_used_bucket");
    assert_eq!(bucket.as_deref(), Some("3227961"));
}

async fn a_use_in_another_country_is_marked(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        crate::support::app::behind_proxy(settings);
        settings.places.country_header = "CF-IPCountry".into();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let login = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("x-forwarded-for", "203.0.113.7")
        .header("cf-ipcountry", "NO")
        .json(&json!({"email": ada.email, "password": ada.password}));
    let response = TestResponse::to(login).await.expect(200);
    let token = Device::from_login(app.base(), &response).access_token;
    let marked = || app.database.sessions_where("has_changed_country");
    for (country, expected) in [("NO", 0), ("", 0), ("FR", 1), ("NO", 1)] {
        app.advance(Duration::from_secs(60));
        let request = app
            .anyone()
            .request("GET", "/api/v1/sessions/current")
            .header("x-forwarded-for", "203.0.113.8")
            .header("cf-ipcountry", country)
            .bearer_auth(&token);
        TestResponse::to(request).await.expect(200);
        app.flush().await;
        assert_eq!(marked(), expected, "{country}");
    }
    assert_eq!(
        app.database.of_the_session("sign_in_country").as_deref(),
        Some("Norway")
    );
    app.stop().await;
}

/// A session of the version before, with a time as that version wrote it.
async fn sessions_from_before_get_their_columns(database: Database) {
    let database = database.emptied();
    let url: DatabaseUrl = database.url().parse().expect("a database URL");
    crate::migrations::migrate_until(&database, "2026-11-29-0004");
    let (person, session) = (
        database.id("01970000000070008000000000000001"),
        database.id("01970000000070008000000000000002"),
    );
    let (used, expires) = ("2026-11-29 08:39:59.999999", "2026-12-29 08:30:00.000000");
    database.execute(&format!(
        "INSERT INTO users (id, email, password_hash, created_at, updated_at, password_changed_at)
         VALUES ({person}, 'ada@example.org', 'x', '{used}', '{used}', '{used}')"
    ));
    database.execute(&format!(
        "INSERT INTO user_sessions (id, user_id, refresh_token_jti, last_used_at, expires_at, created_at,
            updated_at, absolute_expires_at, idle_seconds, confirmed_at, location_country, ip_address)
         VALUES ({session}, {person}, 'x', '{used}', '{expires}', '{used}', '{used}', '{expires}', 60, '{used}',
            'Norway', '203.0.113.7')"
    ));
    database.execute(&format!(
        "INSERT INTO session_events (id, user_id, session_id, kind, at)
         VALUES ({session}, {person}, {session}, 'impossible_travel', '{used}')"
    ));
    migrate::run(&url).expect("up");
    let expected =
        "sweep_at = expires_at AND last_used_bucket = 2993235 AND sign_in_country IS NULL
         AND has_impossible_travel AND NOT has_changed_country";
    assert_eq!(database.sessions_where(expected), 1);
    let events = "SELECT count(*) AS value FROM session_events WHERE kind = 'impossible_travel'";
    assert_eq!(database.number(events), 1);
    migrate::revert_all(&url).expect("down");
}
