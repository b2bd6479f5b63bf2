//! The evidence in an alert: the device, where, and where the person was before.

use crate::support::app::{behind_proxy, use_mail_server};
use crate::support::mmdb::Mmdb;
use crate::support::prelude::*;
use crate::support::smtp::SmtpServer;

on_both!(
    database: an_alert_names_both_ends_of_impossible_travel,
    a_message_names_both_ends_of_impossible_travel,
    the_api_and_the_export_have_the_use_before,
    travel_that_is_possible_is_stated_without_alarm,
    a_use_close_by_is_not_worth_a_word,
    a_use_by_a_doubtful_session_is_no_evidence,
    travel_after_the_sign_in_is_shown_in_the_open_alert,
    a_device_that_its_owner_named_is_called_so,
    without_a_city_a_place_is_in_its_country,
    alerts_alike_say_which_they_are,
    the_map_of_an_alert_has_both_places,
    the_map_leads_to_rows_that_are_on_the_page,
);

const LISBON: &str = "203.0.113.24";
const PORTO: &str = "203.0.114.24";
const OSLO: &str = "198.18.0.66";
const NORWAY: &str = "198.18.1.66";
const SYDNEY: &str = "198.51.100.5";
const MINUTE: Duration = Duration::from_secs(60);

async fn start_with_mail(database: Database, port: Option<u16>) -> (TestApp, Person, Browser) {
    let city = |name: &str, code: &str, north: f64, east: f64| json!({"city": name, "country_code": code, "latitude": north, "longitude": east});
    let path = database.folder().join("places.mmdb");
    Mmdb::new("City")
        .with("203.0.113.0/24", city("Lisbon", "PT", 38.72, -9.14))
        .with("203.0.114.0/24", city("Coimbra", "PT", 39.2, -8.7))
        .with("198.18.0.0/24", city("Oslo", "NO", 59.91, 10.75))
        .with("198.18.1.0/24", json!({"country_code": "NO"}))
        .with("198.51.100.0/24", city("Sydney", "AU", -33.87, 151.21))
        .write(&path);
    let app = TestApp::start_with(database, |settings| {
        match port {
            Some(port) => use_mail_server(settings, port),
            None => behind_proxy(settings),
        }
        settings.places.files = vec![path];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, LISBON);
    laptop.sign_in(&ada).await;
    (app, ada, laptop)
}

async fn start(database: Database) -> (TestApp, Person, Browser) {
    start_with_mail(database, None).await
}

async fn alerts_alike_say_which_they_are(database: Database) {
    let (app, ada, laptop) = start(database).await;
    for (ip, after) in [("192.0.2.7", 1), ("192.0.3.7", 2), ("192.0.4.7", 0)] {
        sign_in_from(&app, &ada, ip, after * MINUTE).await;
    }
    app.login_from(&ada, "curl/8.14.1", OSLO, None).await;
    let words = laptop.get("/devices").await.expect(200).words();
    for part in [
        "No, sign it out : Safari on iPhone, first sign-in, 17 May 2031, 08:31 UTC",
        "No, sign it out : Safari on iPhone, second sign-in, 17 May 2031, 08:33 UTC",
        "Yes, it was me : Safari on iPhone, third sign-in, 17 May 2031, 08:33 UTC",
        "When 17 May 2031, 08:33 UTC · third sign-in",
        "Yes, it was me : curl",
    ] {
        assert_eq!(words.matches(part).count(), 1, "{part}: {words}");
    }
    assert!(!words.contains("curl, first"), "{words}");
    app.stop().await;
}

/// Signs in on a phone, some time after the laptop was used.
async fn sign_in_from(app: &TestApp, ada: &Person, ip: &str, after: Duration) -> Device {
    app.advance(after);
    app.login_from(ada, IPHONE, ip, None).await
}

async fn an_alert_names_both_ends_of_impossible_travel(database: Database) {
    let (app, ada, laptop) = start(database).await;
    let phone = sign_in_from(&app, &ada, OSLO, 25 * MINUTE).await;
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Safari on iPhone signed in just now, for the first time from Norway.")
        .expect_words("Where Oslo, Norway · 198.18.0.66")
        .expect_words("Signed in with your password, by a program")
        .expect_words("But 25 minutes earlier your Firefox on Windows was used in Lisbon, 2,738 km away: nobody travels that fast.")
        .expect_words("1 thing needs your attention.");
    laptop
        .get(&format!("/devices/{}", phone.id()))
        .await
        .expect(200)
        .expect_words("Used in Oslo, Norway, 25 minutes after Firefox on Windows was used in Lisbon, Portugal, 2,738 km away");
    app.stop().await;
}

async fn a_message_names_both_ends_of_impossible_travel(database: Database) {
    let server = SmtpServer::start();
    let (app, ada, _laptop) = start_with_mail(database, Some(server.port())).await;
    sign_in_from(&app, &ada, OSLO, 25 * MINUTE).await;
    app.deliver_mail().await;
    let message = server.wait_for(1).await.remove(0);
    for text in [message.plain(), message.html()] {
        let sentence = "25 minutes earlier your Firefox on Windows was used in Lisbon, 2,738 km away: nobody travels that fast.";
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(sentence), "{text}");
        assert!(text.contains("Oslo, Norway"), "{text}");
    }
    for line in message.plain().lines() {
        let is_short = line.chars().count() <= 72;
        assert!(is_short || line.contains("://"), "{line}");
    }
    app.stop().await;
}

async fn the_api_and_the_export_have_the_use_before(database: Database) {
    let (app, ada, laptop) = start(database).await;
    app.advance(MINUTE);
    let laptop_app = app.login_from(&ada, "curl/8.14.1", LISBON, None).await;
    laptop
        .submit("/devices", &answer(&laptop, "yes").await, &[])
        .await
        .expect(303);
    app.advance(MINUTE);
    let request = laptop_app
        .request("GET", "/api/v1/sessions/current")
        .header("x-forwarded-for", LISBON);
    TestResponse::to(request).await.expect(200);
    app.flush().await;
    sign_in_from(&app, &ada, OSLO, 3 * MINUTE).await;
    let listed = laptop_app.get("/api/v1/alerts").await.expect(200).json();
    let expected = json!({
        "session_id": laptop_app.id(),
        "device_name": "curl",
        "location_city": "Lisbon",
        "location_country": "Portugal",
        "at": "2031-05-17T08:32:00.000000Z",
        "distance_km": 2738,
        "is_impossible_travel": true,
    });
    assert_eq!(listed["alerts"][0]["use_before"], expected);
    assert_eq!(listed["alerts"][0]["is_signed_out"], false);
    let exported = laptop.get("/account/export").await.expect(200).json();
    assert_eq!(exported["alerts"][0]["use_before"], expected);
    assert_eq!(exported["alerts"][1]["use_before"], json!(null));
    app.stop().await;
}

/// Returns the path of the first form that answers an alert so.
async fn answer(browser: &Browser, how: &str) -> String {
    let page = browser.get("/devices").await.expect(200);
    let mut forms = crate::support::html::forms(&page.text).into_iter();
    let form = forms.find(|form| {
        form.action.starts_with("/alerts/") && form.action.ends_with(&format!("/{how}"))
    });
    form.expect("an alert").action
}

async fn travel_that_is_possible_is_stated_without_alarm(database: Database) {
    let (app, ada, laptop) = start(database).await;
    sign_in_from(&app, &ada, OSLO, 10 * 60 * MINUTE).await;
    let page = laptop.get("/devices").await.expect(200).expect_words(
        "Before that 10 hours earlier your Firefox on Windows was used in Lisbon, 2,738 km away.",
    );
    assert!(!page.words().contains("nobody travels"), "{}", page.words());
    app.stop().await;
}

async fn a_use_close_by_is_not_worth_a_word(database: Database) {
    let (app, ada, laptop) = start(database).await;
    sign_in_from(&app, &ada, PORTO, MINUTE).await;
    let page = laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Was this you?");
    assert!(!page.words().contains("earlier"), "{}", page.words());
    app.stop().await;
}

async fn a_use_by_a_doubtful_session_is_no_evidence(database: Database) {
    let (app, ada, laptop) = start(database).await;
    sign_in_from(&app, &ada, SYDNEY, 30 * MINUTE).await;
    app.advance(30 * MINUTE);
    app.login_from(&ada, "curl/8.14.1", OSLO, None).await;
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("1 hour earlier your Firefox on Windows was used in Lisbon, 2,738 km away");
    app.stop().await;
}

async fn travel_after_the_sign_in_is_shown_in_the_open_alert(database: Database) {
    let (app, ada, laptop) = start(database).await;
    let phone = sign_in_from(&app, &ada, LISBON, MINUTE).await;
    app.advance(4 * MINUTE);
    let request = phone
        .request("GET", "/api/v1/sessions/current")
        .header("x-forwarded-for", OSLO);
    TestResponse::to(request).await.expect(200);
    let page = laptop.get("/devices").await.expect(200).expect_words(
        "Since then Used in Lisbon, Portugal, and 4 minutes later in Oslo, Norway, 2,738 km away",
    );
    let words = page.words();
    assert!(
        words.find("Since then") < words.find("Other devices"),
        "{words}"
    );
    app.stop().await;
}

async fn a_device_that_its_owner_named_is_called_so(database: Database) {
    let (app, ada, laptop) = start(database).await;
    let page = laptop.get("/devices").await.expect(200);
    let own = crate::support::html::attributes(&page.text, "href");
    let own = own
        .into_iter()
        .find(|link| link.starts_with("/devices/") && link.len() > 40)
        .expect("a link to the device");
    laptop
        .submit(
            &own,
            &format!("{own}/rename"),
            &[("device_name", "MacBook")],
        )
        .await
        .expect(303);
    sign_in_from(&app, &ada, OSLO, 25 * MINUTE).await;
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("25 minutes earlier MacBook was used in Lisbon");
    app.stop().await;
}

async fn without_a_city_a_place_is_in_its_country(database: Database) {
    let (app, ada, laptop) = start(database).await;
    sign_in_from(&app, &ada, NORWAY, 25 * MINUTE).await;
    let page = laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Where Norway · 198.18.1.66")
        .expect_words("was used in Lisbon, at least 1,")
        .expect_words("· in Norway")
        .expect_words("· near Lisbon, Portugal");
    assert!(!page.words().contains("near Norway"), "{}", page.words());
    app.stop().await;
}

async fn the_map_of_an_alert_has_both_places(database: Database) {
    let (app, ada, laptop) = start(database).await;
    sign_in_from(&app, &ada, OSLO, 25 * MINUTE).await;
    let page = laptop.get("/devices").await.expect(200);
    assert!(
        page.text.contains("A map: from Lisbon 08:30 to Oslo 08:55"),
        "{}",
        page.text
    );
    assert_eq!(page.text.matches("class=\"way\"").count(), 1);
    app.stop().await;
}

async fn the_map_leads_to_rows_that_are_on_the_page(database: Database) {
    let (app, ada, laptop) = start(database).await;
    let phone = sign_in_from(&app, &ada, OSLO, MINUTE).await;
    let curl = app.login_from(&ada, "curl/8.14.1", SYDNEY, None).await;
    let link = |start: &str, device: &Device| format!("href=\"{start}{}\"", device.id());
    let page = laptop.get("/devices").await.expect(200).text;
    for device in [&phone, &curl] {
        assert!(page.contains(&link("#device-", device)), "{page}");
    }
    let page = laptop.get("/devices?q=curl").await.expect(200).text;
    assert!(page.contains(&link("#device-", &curl)), "{page}");
    assert!(!page.contains(&link("#device-", &phone)), "{page}");
    assert!(page.contains(&link("/devices/", &phone)), "{page}");
    app.stop().await;
}
