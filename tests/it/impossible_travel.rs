//! Impossible travel: uses in two places farther apart than the time between them allows.

use crate::support::app::behind_proxy;
use crate::support::mmdb::Mmdb;
use crate::support::outage::{allow_updates, refuse_updates};
use crate::support::prelude::*;

on_both!(
    database: a_sign_in_too_far_away_is_marked,
    two_devices_too_far_apart_are_said_once_with_their_places,
    two_devices_are_no_longer_too_far_apart_once_one_is_signed_out,
    old_travel_is_no_news,
    a_session_used_too_far_away_is_marked_once,
    travel_is_marked_after_the_database_refused_it,
    a_refresh_too_far_away_is_marked,
    a_flight_is_possible,
    a_trip_to_the_next_town_is_possible,
    a_distance_within_the_precision_of_places_is_ignored,
    countries_without_cities_are_compared_with_a_margin,
);

const LYON: &str = "203.0.113.7";
const VIENNE: &str = "203.0.115.7";
const GENEVA: &str = "203.0.114.7";
const PARIS: &str = "203.0.116.7";
const SYDNEY: &str = "198.51.100.5";
const SPAIN: &str = "192.0.2.10";
const PORTUGAL: &str = "192.0.2.70";
const JAPAN: &str = "192.0.2.140";

const MINUTE: Duration = Duration::from_secs(60);

async fn start(database: Database) -> (TestApp, Person) {
    let city = |name: &str, code: &str, north: f64, east: f64| json!({"city": name, "country_code": code, "latitude": north, "longitude": east});
    let path = database.folder().join("places.mmdb");
    Mmdb::new("City")
        .with("203.0.113.0/24", city("Lyon", "FR", 45.75, 4.85))
        .with("203.0.115.0/24", city("Vienne", "FR", 45.52, 4.87))
        .with("203.0.116.0/24", city("Paris", "FR", 48.85, 2.35))
        .with("203.0.114.0/24", city("Geneva", "CH", 46.2, 6.15))
        .with("198.51.100.0/24", city("Sydney", "AU", -33.87, 151.21))
        .with("192.0.2.0/26", json!({"country_code": "ES"}))
        .with("192.0.2.64/26", json!({"country_code": "PT"}))
        .with("192.0.2.128/26", json!({"country_code": "JP"}))
        .write(&path);
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.files = vec![path];
        settings.sessions.idle_limit = 100 * 24 * 60 * MINUTE;
        settings.sessions.absolute_limit = 200 * 24 * 60 * MINUTE;
        settings.tokens.access_lifetime = Duration::from_secs(100 * 24 * 60 * 60);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    (app, ada)
}

fn travel_events(app: &TestApp) -> Vec<String> {
    let query =
        "SELECT detail AS value FROM session_events WHERE kind = 'impossible_travel' ORDER BY id";
    app.database.texts(query).into_iter().flatten().collect()
}

/// Uses a session from another address.
async fn use_from(device: &Device, ip: &str) {
    let request = device
        .request("GET", "/api/v1/sessions/current")
        .header("x-forwarded-for", ip);
    TestResponse::to(request).await.expect(200);
}

async fn a_sign_in_too_far_away_is_marked(database: Database) {
    let (app, ada) = start(database).await;
    let laptop = app.browser_from(FIREFOX, LYON);
    laptop.sign_in(&ada).await;
    app.advance(20 * MINUTE);
    app.login_from(&ada, IPHONE, SYDNEY, None).await;
    let impossible_travel = travel_events(&app);
    assert_eq!(impossible_travel.len(), 1, "{impossible_travel:?}");
    assert!(
        impossible_travel[0].ends_with("km in 20 min"),
        "{impossible_travel:?}"
    );
    // The alert says it, and nothing else does.
    let page = laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("1 thing needs your attention.")
        .expect_words("your Firefox on Windows was used in Lyon, 16,");
    assert_eq!(
        page.words().matches(" km away").count(),
        1,
        "{}",
        page.words()
    );
    let path = laptop.sign_out_paths().await.remove(0);
    let device = path.trim_end_matches("/sign-out");
    laptop
        .get(device)
        .await
        .expect(200)
        .expect_words("Used in Sydney, Australia, 20 minutes after Firefox on Windows was used in Lyon, France, 16,");
    // Nor is it said again once the alert is answered.
    let (_, rest) = page
        .text
        .split_once("action=\"/alerts/")
        .expect("an answer");
    let id = rest.split('/').next().unwrap_or_default();
    let yes = format!("/alerts/{id}/yes");
    laptop.submit("/devices", &yes, &[]).await.expect(303);
    laptop.get("/devices").await.expect(200);
    let words = laptop.get("/devices").await.expect(200).words();
    assert!(words.contains("Nothing needs your attention."), "{words}");
    assert!(!words.contains(" km away"), "{words}");
    app.stop().await;
}

/// A known phone signs in in Paris, five minutes after the laptop was used in Lyon: no alert says so.
async fn phone_in_paris(app: &TestApp, ada: &Person) -> (Browser, Browser) {
    let phone = app.browser_from(IPHONE, PARIS);
    phone.sign_in(ada).await;
    app.advance(24 * 60 * MINUTE);
    let laptop = app.browser_from(FIREFOX, LYON);
    laptop.sign_in(ada).await;
    app.database
        .execute("UPDATE alerts SET answered_at = at, answer = 'mine' WHERE answered_at IS NULL");
    phone.submit("/devices", "/sign-out", &[]).await.expect(303);
    app.advance(5 * MINUTE);
    phone.sign_in(ada).await.expect(303);
    (phone, laptop)
}

const APART: &str = "Safari on iPhone was used in Paris, France, 5 minutes after Firefox on Windows was used in Lyon, France, 39";

async fn two_devices_too_far_apart_are_said_once_with_their_places(database: Database) {
    let (app, ada) = start(database).await;
    let (phone, laptop) = phone_in_paris(&app, &ada).await;
    for browser in [&laptop, &phone] {
        let page = browser.get("/devices").await.expect(200);
        let words = page.words();
        assert_eq!(words.matches(APART).count(), 1, "{words}");
        page.expect_words(
            "You are signed in on 2 devices. Some uses were too far apart for the time between them. See Safari on iPhone.",
        );
    }
    app.stop().await;
}

async fn two_devices_are_no_longer_too_far_apart_once_one_is_signed_out(database: Database) {
    let (app, ada) = start(database).await;
    let (phone, laptop) = phone_in_paris(&app, &ada).await;
    let page = phone.get("/devices").await.expect(200);
    assert!(page.words().contains(APART), "{}", page.words());
    laptop
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    let words = phone.get("/devices").await.expect(200).words();
    assert!(words.contains("You are signed in only here."), "{words}");
    assert!(!words.contains("Some uses"), "{words}");
    assert!(!words.contains("attention"), "{words}");
    assert!(!words.contains(" km away"), "{words}");
    app.stop().await;
}

async fn old_travel_is_no_news(database: Database) {
    let (app, ada) = start(database).await;
    let (_phone, laptop) = phone_in_paris(&app, &ada).await;
    for (days, is_news) in [(29, true), (2, false)] {
        app.advance(days * 24 * 60 * MINUTE);
        let words = laptop.get("/devices").await.expect(200).words();
        assert_eq!(words.contains(APART), is_news, "{words}");
    }
    app.stop().await;
}

async fn a_session_used_too_far_away_is_marked_once(database: Database) {
    let (app, ada) = start(database).await;
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    for ip in [SYDNEY, LYON, SYDNEY] {
        app.advance(MINUTE);
        use_from(&phone, ip).await;
    }
    assert_eq!(
        travel_events(&app).len(),
        1,
        "a stolen cookie does not fill the log"
    );
    app.advance(61 * MINUTE);
    use_from(&phone, LYON).await;
    assert_eq!(travel_events(&app).len(), 2);
    app.stop().await;
}

/// The only use abroad happens while updates are refused; the later ones are at home.
async fn travel_is_marked_after_the_database_refused_it(database: Database) {
    let (app, ada) = start(database).await;
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    refuse_updates(&app.database);
    for ip in [SYDNEY, LYON] {
        app.advance(MINUTE);
        use_from(&phone, ip).await;
    }
    assert!(!app.try_flush().await, "nothing can be written yet");
    allow_updates(&app.database);
    app.flush().await;
    assert_eq!(travel_events(&app).len(), 1);
    app.stop().await;
}

async fn a_refresh_too_far_away_is_marked(database: Database) {
    let (app, ada) = start(database).await;
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    app.advance(30 * MINUTE);
    let request = app
        .anyone()
        .request("POST", "/api/v1/auth/refresh")
        .header("x-forwarded-for", SYDNEY)
        .json(&json!({"refresh_token": phone.refresh_token}));
    let body = TestResponse::to(request).await.expect(200).json();
    assert_eq!(body["session"]["location_city"], "Sydney");
    let impossible_travel = travel_events(&app);
    assert_eq!(impossible_travel.len(), 1, "{impossible_travel:?}");
    assert!(
        impossible_travel[0].ends_with("km in 30 min"),
        "{impossible_travel:?}"
    );
    app.stop().await;
}

async fn a_flight_is_possible(database: Database) {
    let (app, ada) = start(database).await;
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    app.advance(22 * 60 * MINUTE);
    use_from(&phone, SYDNEY).await;
    app.advance(22 * 60 * MINUTE);
    app.login_from(&ada, FIREFOX, LYON, None).await;
    assert_eq!(travel_events(&app), Vec::<String>::new());
    app.stop().await;
}

async fn a_trip_to_the_next_town_is_possible(database: Database) {
    let (app, ada) = start(database).await;
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    // 112 km in a straight line: impossible in five minutes, possible in ten.
    app.advance(10 * MINUTE);
    use_from(&phone, GENEVA).await;
    app.flush().await;
    assert_eq!(travel_events(&app), Vec::<String>::new());
    app.advance(5 * MINUTE);
    use_from(&phone, LYON).await;
    assert_eq!(travel_events(&app).len(), 1);
    app.stop().await;
}

async fn a_distance_within_the_precision_of_places_is_ignored(database: Database) {
    let (app, ada) = start(database).await;
    app.login_from(&ada, IPHONE, LYON, None).await;
    // 26 km in no time: within the precision of an address's place.
    app.login_from(&ada, FIREFOX, VIENNE, None).await;
    assert_eq!(travel_events(&app), Vec::<String>::new());
    app.stop().await;
}

async fn countries_without_cities_are_compared_with_a_margin(database: Database) {
    let (app, ada) = start(database).await;
    let phone = app.login_from(&ada, IPHONE, SPAIN, None).await;
    app.advance(MINUTE);
    use_from(&phone, PORTUGAL).await;
    assert_eq!(
        travel_events(&app),
        Vec::<String>::new(),
        "both may be at the border"
    );
    app.advance(MINUTE);
    use_from(&phone, JAPAN).await;
    assert_eq!(travel_events(&app).len(), 1);
    app.stop().await;
}
