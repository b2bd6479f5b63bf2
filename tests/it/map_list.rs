//! The list below the map: a line for each place, however near, with its devices told apart.

use crate::support::app::behind_proxy;
use crate::support::html;
use crate::support::mmdb::Mmdb;
use crate::support::prelude::*;

on_both!(
    database: near_places_share_a_dot_and_have_a_line_each,
    devices_of_one_name_are_told_apart_by_their_last_use,
    those_that_a_place_does_not_name_are_a_link_away,
    places_of_one_name_are_told_apart,
    twins_of_one_minute_are_numbered,
    the_list_of_places_is_bounded,
    a_dot_names_few_of_its_places,
);

const LISBON: &str = "203.0.113.24";
const PORTO: &str = "203.0.114.24";
const OSLO: &str = "198.18.0.66";
const SYDNEY: &str = "198.51.100.5";
const MINUTE: Duration = Duration::from_secs(60);

fn city(name: &str, code: &str, north: f64, east: f64) -> serde_json::Value {
    json!({"city": name, "country_code": code, "latitude": north, "longitude": east})
}

async fn start(database: Database) -> (TestApp, Person, Browser) {
    let path = database.folder().join("places.mmdb");
    let mut file = Mmdb::new("City")
        .with("203.0.113.0/24", city("Lisbon", "PT", 38.72, -9.14))
        .with("203.0.114.0/24", city("Porto", "PT", 41.15, -8.61))
        .with("198.18.0.0/24", city("Oslo", "NO", 59.91, 10.75))
        .with("198.51.100.0/24", city("Sydney", "AU", -33.87, 151.21));
    for (n, north, east) in [(1, 39.8, -89.64), (2, 42.1, -72.59), (3, 42.12, -72.56)] {
        file = file.with(
            &format!("10.7.{n}.0/24"),
            city("Springfield", "US", north, east),
        );
    }
    for n in 0..60_u32 {
        let (north, east) = (-50.0 + f64::from(n % 10) * 10.0, f64::from(n / 10) * 30.0);
        file = file.with(
            &format!("10.9.{n}.0/24"),
            city(&format!("Town {n}"), "FR", north, east),
        );
    }
    for n in 0..8_u32 {
        let village = city(
            &format!("Village {n}"),
            "AU",
            -33.87,
            151.0 + f64::from(n) / 50.0,
        );
        file = file.with(&format!("10.8.{n}.0/24"), village);
    }
    file.write(&path);
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.files = vec![path];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, LISBON);
    laptop.sign_in(&ada).await;
    (app, ada, laptop)
}

/// Returns the caption of the map in words.
fn caption(page: &TestResponse) -> String {
    let (_, rest) = page.text.split_once("<figcaption>").expect("a caption");
    html::words(rest.split("</figcaption>").next().unwrap_or_default())
}

async fn near_places_share_a_dot_and_have_a_line_each(database: Database) {
    let (app, ada, laptop) = start(database).await;
    for ip in [PORTO, OSLO, SYDNEY] {
        app.login_from(&ada, IPHONE, ip, None).await;
    }
    let page = laptop.get("/devices").await.expect(200);
    assert_eq!(page.text.matches("<circle class=\"dot").count(), 3);
    let list = caption(&page);
    for line in [
        "Lisbon, Portugal : Firefox on Windows (this device)",
        "Porto, Portugal : Safari on iPhone",
        "Oslo, Norway : Safari on iPhone",
        "Sydney, Australia : Safari on iPhone",
    ] {
        assert!(list.contains(line), "{line}: {list}");
    }
    for part in [
        "A map with 4 places, listed below it",
        "<a href=\"#dot-1\" aria-label=\"Lisbon, Portugal: Firefox on Windows (this device); \
         Porto, Portugal: Safari on iPhone\">",
        "<li id=\"dot-1\"><p id=\"place-1\">",
        "<p id=\"place-2\">",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    // The row of each leads to its own line.
    let places = html::attributes(&page.text, "href");
    for place in ["#place-1", "#place-2", "#place-3", "#place-4"] {
        assert!(places.iter().any(|href| href == place), "{places:?}");
    }
    app.stop().await;
}

async fn devices_of_one_name_are_told_apart_by_their_last_use(database: Database) {
    let (app, ada, laptop) = start(database).await;
    app.login_from(&ada, IPHONE, OSLO, None).await;
    app.advance(10 * MINUTE);
    app.login_from(&ada, IPHONE, OSLO, None).await;
    app.login_from(&ada, "curl/8.14.1", OSLO, None).await;
    let list = caption(&laptop.get("/devices").await.expect(200));
    for device in [
        "Safari on iPhone (used today 08:40 )",
        "Safari on iPhone (used today 08:30 )",
    ] {
        assert_eq!(list.matches(device).count(), 1, "{device}: {list}");
    }
    assert!(
        list.contains("curl") && !list.contains("curl (used"),
        "{list}"
    );
    // Used on one day long ago: the words of the day do not tell them apart.
    app.advance(20 * 24 * 60 * MINUTE);
    app.login_from(&ada, FIREFOX, OSLO, None).await;
    let again = app.browser_from(FIREFOX, LISBON);
    again.sign_in(&ada).await;
    let list = caption(&again.get("/devices").await.expect(200));
    for time in ["08:30", "08:40"] {
        let device = format!("Safari on iPhone (used 17 May 2031, {time} UTC )");
        assert!(list.contains(&device), "{device}: {list}");
    }
    app.stop().await;
}

async fn those_that_a_place_does_not_name_are_a_link_away(database: Database) {
    let (app, ada, laptop) = start(database).await;
    for _ in 0..9 {
        app.login_from(&ada, IPHONE, OSLO, None).await;
    }
    let porto = app.login_from(&ada, IPHONE, PORTO, None).await;
    let page = laptop.get("/devices").await.expect(200);
    let list = caption(&page);
    assert!(list.contains("and 4 more in Oslo, Norway"), "{list}");
    let values = html::attributes(&page.text, "value");
    let list = "q=Oslo%2C+Norway";
    assert!(values.iter().any(|value| value == list), "{values:?}");
    // What is selected goes along.
    let list = list.replace('%', "%25").replace('+', "%2B");
    let pressed = format!("/devices?list={list}&device={}", porto.id());
    let answer = laptop.get(&pressed).await.expect(303);
    let found = laptop.follow(&answer).await.expect(200);
    found
        .expect_words("9 of 10 match “Oslo, Norway”.")
        .expect_words("1 selected, 1 not shown here.");
    app.stop().await;
}

async fn places_of_one_name_are_told_apart(database: Database) {
    let (app, ada, laptop) = start(database).await;
    for ip in ["10.7.1.7", "10.7.2.7", "10.7.3.7"] {
        app.login_from(&ada, IPHONE, ip, None).await;
    }
    let page = laptop.get("/devices").await.expect(200);
    let list = caption(&page);
    for line in [
        "Springfield, United States (39.8° N, 89.6° W) : Safari on iPhone",
        // Parts of one city are one place.
        "Springfield, United States (42.1° N, 72.6° W) : Safari on iPhone (used",
    ] {
        assert_eq!(list.matches(line).count(), 1, "{line}: {list}");
    }
    app.stop().await;
}

async fn twins_of_one_minute_are_numbered(database: Database) {
    let (app, ada, laptop) = start(database).await;
    for _ in 0..2 {
        app.login_from(&ada, IPHONE, OSLO, None).await;
    }
    app.advance(Duration::from_secs(1));
    app.login_from(&ada, "curl/8.14.1", OSLO, None).await;
    let page = laptop.get("/devices").await.expect(200);
    let list = caption(&page);
    for number in ["1 of 2", "2 of 2"] {
        assert_eq!(list.matches(number).count(), 1, "{number}: {list}");
    }
    assert!(list.contains(" and Safari on iPhone (used"), "{list}");
    app.stop().await;
}

async fn the_list_of_places_is_bounded(database: Database) {
    let (app, ada, laptop) = start(database).await;
    for n in 0..60 {
        app.login_from(&ada, IPHONE, &format!("10.9.{n}.7"), None)
            .await;
    }
    let page = laptop.get("/devices").await.expect(200);
    let list = caption(&page);
    assert!(list.starts_with("61 places "), "{list}");
    assert!(list.ends_with("and 11 more places"), "{list}");
    assert_eq!(page.text.matches("<p id=\"place-").count(), 50);
    // No link leads to a place that is not there.
    for href in html::attributes(&page.text, "href") {
        if let Some(id) = href.strip_prefix('#') {
            assert!(page.text.contains(&format!("id=\"{id}\"")), "{href}");
        }
    }
    app.stop().await;
}

async fn a_dot_names_few_of_its_places(database: Database) {
    let (app, ada, laptop) = start(database).await;
    for n in 0..8 {
        let ip = format!("10.8.{n}.7");
        app.login_from(&ada, IPHONE, &ip, None).await;
    }
    let page = laptop.get("/devices").await.expect(200);
    let labels = html::attributes(&page.text, "aria-label");
    let label = labels.iter().find(|label| label.contains("; "));
    let label = label.expect("the label of a dot");
    assert!(label.ends_with("; and 3 more places"), "{label}");
    assert_eq!(label.matches("Village").count(), 5, "{label}");
    // The caption has the others.
    assert_eq!(caption(&page).matches("Village").count(), 8);
    app.stop().await;
}
