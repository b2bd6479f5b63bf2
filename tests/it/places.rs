//! Places: from a database that the test creates, and from the headers of a proxy.

use std::path::PathBuf;

use reqwest::header::HeaderMap;
use rollcall::settings::Settings;

use crate::support::app::behind_proxy;
use crate::support::mmdb::Mmdb;
use crate::support::prelude::*;

on_both!(
    database: a_place_is_shown_in_pages_and_api,
    country_files_and_flat_files_are_supported,
    a_place_is_shown_in_the_readers_language,
    the_file_is_reloaded_when_it_changes,
    a_broken_file_does_not_replace_the_old_one,
    a_missing_file_does_not_prevent_sign_in,
    a_trusted_proxy_sets_the_place,
    the_headers_of_an_edge_are_off_unless_they_are_named,
    a_city_is_decoded,
    an_untrusted_client_cannot_set_a_place,
    a_private_address_is_the_local_network,
    the_map_has_a_dot_for_each_place,
    a_session_moves_with_its_device,
    names_in_the_file_are_untrusted_text,
    the_first_file_with_the_address_is_used,
);

const LYON: &str = "203.0.113.7";
const SYDNEY: &str = "2001:db8:61::5";

/// Lyon and Sydney, in the shape of GeoLite2 City.
fn cities() -> Mmdb {
    Mmdb::new("GeoLite2-City")
        .with(
            "203.0.113.0/24",
            json!({
                "city": {"names": {"en": "Lyon", "ru": "Лион"}},
                "country": {"iso_code": "FR", "names": {"en": "France", "de": "Frankreich", "ru": "Франция"}},
                "location": {"latitude": 45.75, "longitude": 4.85},
            }),
        )
        .with(
            "2001:db8:61::/48",
            json!({
                "city": {"names": {"en": "Sydney"}},
                "country": {"iso_code": "AU", "names": {"en": "Australia"}},
                "location": {"latitude": -33.87, "longitude": 151.21},
            }),
        )
}

/// Starts the application with this file. Returns it and the path of the file.
async fn start(database: Database, file: &Mmdb) -> (TestApp, PathBuf) {
    let path = database.folder().join("places.mmdb");
    file.write(&path);
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.files = vec![path.clone()];
        settings.tokens.access_lifetime = Duration::from_secs(7 * 24 * 60 * 60);
    })
    .await;
    (app, path)
}

async fn a_place_is_shown_in_pages_and_api(database: Database) {
    let (app, _) = start(database, &cities()).await;
    let ada = app.register("ada@example.org").await;
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    assert_eq!(phone.session["location_city"], "Lyon");
    assert_eq!(phone.session["location_country"], "France");
    let laptop = app.browser_from(FIREFOX, SYDNEY);
    laptop.sign_in(&ada).await;
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("near Lyon, France")
        .expect_words("Active now · near Sydney, Australia");
    app.stop().await;
}

async fn country_files_and_flat_files_are_supported(database: Database) {
    let file = Mmdb::new("DBIP-Country-Lite")
        .with(
            "203.0.113.0/24",
            json!({"country": {"iso_code": "FR", "names": {"en": "France"}}}),
        )
        .with("198.51.100.0/25", json!({"country_code": "KR"}))
        .with(
            "198.51.100.128/25",
            json!({"country_code": "BR", "city": "Olinda", "latitude": -8.0, "longitude": -34.85}),
        );
    let (app, _) = start(database, &file).await;
    let ada = app.register("ada@example.org").await;
    for (ip, city, country) in [
        (LYON, json!(null), "France"),
        ("198.51.100.9", json!(null), "South Korea"),
        ("198.51.100.200", json!("Olinda"), "Brazil"),
    ] {
        let session = app.login_from(&ada, IPHONE, ip, None).await.session;
        assert_eq!(session["location_city"], city, "{ip}");
        assert_eq!(session["location_country"], country, "{ip}");
    }
    let nowhere = app.login_from(&ada, IPHONE, "192.0.2.1", None).await;
    assert_eq!(nowhere.session["location_country"], json!(null));
    app.stop().await;
}

async fn a_place_is_shown_in_the_readers_language(database: Database) {
    let (app, _) = start(database, &cities()).await;
    let ada = app.register("ada@example.org").await;
    let _phone = app.login_from(&ada, IPHONE, LYON, None).await;
    for (languages, words) in [
        ("ru-RU, ru;q=0.9, en;q=0.5", "near Лион, Франция"),
        // The file has no German name of Lyon.
        ("de-AT", "near Lyon, Frankreich"),
        ("en-GB, ru;q=0.1", "near Lyon, France"),
        ("xx, *;q=0.1", "near Lyon, France"),
        ("\";;,=", "near Lyon, France"),
    ] {
        let headers = HeaderMap::from_iter([(
            "accept-language".parse().expect("a name"),
            languages.parse().expect("a value"),
        )]);
        let reader = Browser::with(app.base(), FIREFOX, headers);
        reader.sign_in(&ada).await;
        reader.get("/devices").await.expect(200).expect_words(words);
    }
    app.stop().await;
}

async fn the_file_is_reloaded_when_it_changes(database: Database) {
    let (app, path) = start(database, &Mmdb::new("GeoLite2-City")).await;
    let ada = app.register("ada@example.org").await;
    let before = app.login_from(&ada, IPHONE, LYON, None).await;
    assert_eq!(before.session["location_city"], json!(null));
    assert!(!app.reload_places().await, "it is the same file");
    cities().write(&path);
    assert!(app.reload_places().await, "it is another one");
    let after = app.login_from(&ada, IPHONE, LYON, None).await;
    assert_eq!(after.session["location_city"], "Lyon");
    app.stop().await;
}

async fn a_broken_file_does_not_replace_the_old_one(database: Database) {
    let (app, path) = start(database, &cities()).await;
    let ada = app.register("ada@example.org").await;
    let whole = cities().bytes();
    let mut scrambled = whole.clone();
    scrambled[..60].fill(0xff);
    for broken in [
        Vec::new(),
        b"not a file with places at all".to_vec(),
        whole[..whole.len() / 2].to_vec(),
        scrambled,
    ] {
        std::fs::write(&path, &broken).expect("a file");
        assert!(!app.reload_places().await, "{} bytes", broken.len());
        let phone = app.login_from(&ada, IPHONE, LYON, None).await;
        assert_eq!(phone.session["location_city"], "Lyon");
    }
    std::fs::remove_file(&path).expect("a file");
    assert!(!app.reload_places().await);
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    assert_eq!(phone.session["location_city"], "Lyon");
    app.stop().await;
}

async fn a_missing_file_does_not_prevent_sign_in(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.files = vec!["no-such-file.mmdb".into()];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, LYON);
    laptop.sign_in(&ada).await;
    // An address is no place: the line is left out.
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Active now Sign out this device");
    app.stop().await;
}

/// Signs in with the headers of a proxy at the edge. Returns the city and country of the session.
async fn login_through_edge(
    app: &TestApp,
    person: &Person,
    headers: &[(&str, &str)],
) -> (String, String) {
    let body = json!({"email": person.email, "password": person.password});
    let mut request = app
        .anyone()
        .request("POST", "/api/v1/auth/login")
        .header("user-agent", IPHONE)
        .header("x-forwarded-for", LYON);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let session = TestResponse::to(request.json(&body))
        .await
        .expect(200)
        .json()["session"]
        .clone();
    let text = |name: &str| session[name].as_str().unwrap_or_default().to_owned();
    (text("location_city"), text("location_country"))
}

async fn a_trusted_proxy_sets_the_place(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        use_edge_headers(settings);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    for (country, city, expected) in [
        ("fr", "Lyon", ("Lyon", "France")),
        ("DE", "", ("", "Germany")),
        ("XX", "Nowhere", ("", "")),
        ("T1", "", ("", "")),
        ("<script>", "<b>", ("", "")),
    ] {
        let headers = [("cf-ipcountry", country), ("cf-ipcity", city)];
        let (found_city, found_country) = login_through_edge(&app, &ada, &headers).await;
        assert_eq!((found_city.as_str(), found_country.as_str()), expected);
    }
    let database = app.stop_and_keep_database().await;

    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.country_header = "X-Country".into();
        settings.places.city_header = String::new();
    })
    .await;
    let headers = [
        ("x-country", "IT"),
        ("cf-ipcountry", "FR"),
        ("cf-ipcity", "Lyon"),
    ];
    let found = login_through_edge(&app, &ada, &headers).await;
    assert_eq!(found, (String::new(), "Italy".into()));
    app.stop().await;
}

fn use_edge_headers(settings: &mut Settings) {
    settings.places.country_header = "CF-IPCountry".into();
    settings.places.city_header = "CF-IPCity".into();
}

async fn the_headers_of_an_edge_are_off_unless_they_are_named(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let headers = [("cf-ipcountry", "FR"), ("cf-ipcity", "Lyon")];
    let found = login_through_edge(&app, &ada, &headers).await;
    assert_eq!(found, Default::default());
    app.stop().await;
}

async fn a_city_is_decoded(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        use_edge_headers(settings);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    for (sent, shown) in [
        (&b"Z\xfcrich"[..], "Zürich"),
        ("Zürich".as_bytes(), "Zürich"),
        (b"Z%C3%BCrich", "Zürich"),
        (b"Z%FCrich", "Z%FCrich"),
        (b"a%0Ab%E2%80%AE", "ab"),
    ] {
        let body = json!({"email": ada.email, "password": ada.password});
        let request = app
            .anyone()
            .request("POST", "/api/v1/auth/login")
            .header("x-forwarded-for", LYON)
            .header("cf-ipcountry", "CH")
            .header("cf-ipcity", sent);
        let response = TestResponse::to(request.json(&body)).await.expect(200);
        assert_eq!(response.json()["session"]["location_city"], shown);
    }
    app.stop().await;
}

async fn an_untrusted_client_cannot_set_a_place(database: Database) {
    let app = TestApp::start_with(database, use_edge_headers).await;
    let ada = app.register("ada@example.org").await;
    let headers = [("cf-ipcountry", "FR"), ("cf-ipcity", "Lyon")];
    assert_eq!(
        login_through_edge(&app, &ada, &headers).await,
        Default::default()
    );
    app.stop().await;
}

async fn a_private_address_is_the_local_network(database: Database) {
    let (app, _) = start(database, &cities()).await;
    let ada = app.register("ada@example.org").await;
    for ip in ["192.168.1.9", "fd00::9", "::ffff:10.0.0.9"] {
        let laptop = app.browser_from(FIREFOX, ip);
        laptop.sign_in(&ada).await;
        laptop
            .get("/devices")
            .await
            .expect(200)
            .expect_words("Active now · Local network");
    }
    app.stop().await;
}

async fn the_map_has_a_dot_for_each_place(database: Database) {
    let (app, _) = start(database, &cities()).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, LYON);
    laptop.sign_in(&ada).await;
    for ip in [LYON, SYDNEY, "192.0.2.1"] {
        app.login_from(&ada, IPHONE, ip, None).await;
    }
    let page = laptop.get("/devices").await.expect(200);
    assert_eq!(page.text.matches("<circle class=\"dot").count(), 2);
    // Lyon is as far from the left as Sydney is from the right.
    for position in [r#"cx="18.85%" cy="16.11%""#, r#"cx="81.15%" cy="83.89%""#] {
        assert!(page.text.contains(position), "{}", page.text);
    }
    page.expect_words("Lyon, France : Firefox on Windows (this device) and Safari on iPhone")
        .expect_words("Sydney, Australia : Safari on iPhone");

    let bob = app.register("bob@example.org").await;
    let unplaced = app.browser_from(FIREFOX, "192.0.2.1");
    unplaced.sign_in(&bob).await;
    let page = unplaced.get("/devices").await.expect(200);
    assert!(!page.text.contains("<circle"), "no place, no map");
    app.stop().await;
}

async fn a_session_moves_with_its_device(database: Database) {
    let (app, _) = start(database, &cities()).await;
    let ada = app.register("ada@example.org").await;
    let phone = app.login_from(&ada, IPHONE, LYON, None).await;
    app.advance(Duration::from_secs(2 * 24 * 60 * 60));
    let request = phone
        .request("GET", "/api/v1/sessions/current")
        .header("x-forwarded-for", SYDNEY);
    TestResponse::to(request).await.expect(200);
    app.flush().await;
    assert_eq!(
        app.database.of_the_session("location_city").as_deref(),
        Some("Sydney")
    );
    assert_eq!(
        app.database.of_the_session("ip_address").as_deref(),
        Some(SYDNEY)
    );
    app.stop().await;
}

async fn names_in_the_file_are_untrusted_text(database: Database) {
    let long = "x".repeat(5_000);
    let names = [
        ("198.51.100.0/26", "<script>alert(1)</script>"),
        ("198.51.100.64/26", "\u{202e}Lyon\u{0}\r\n"),
        ("198.51.100.128/26", long.as_str()),
    ];
    let file = names
        .iter()
        .fold(Mmdb::new("City"), |file, (network, name)| {
            file.with(network, json!({"city": name, "country_code": name}))
        });
    // Malformed records and coordinates off the globe must do no harm either.
    let file = file
        .with(
            "192.0.2.0/26",
            json!({"city": 7, "country": ["FR"], "location": 1, "latitude": "x"}),
        )
        .with(
            "192.0.2.64/26",
            json!({"country_code": "FR", "latitude": 91.5, "longitude": 1e300}),
        );
    let (app, _) = start(database, &file).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, LYON);
    laptop.sign_in(&ada).await;
    for (ip, city) in [
        ("198.51.100.1", json!("<script>alert(1)</script>")),
        ("198.51.100.65", json!("Lyon")),
        ("198.51.100.129", json!("x".repeat(100))),
        ("192.0.2.1", json!(null)),
        ("192.0.2.65", json!(null)),
    ] {
        let session = app.login_from(&ada, IPHONE, ip, None).await.session;
        assert_eq!(session["location_city"], city, "{ip}");
    }
    let page = laptop.get("/devices").await.expect(200);
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    app.stop().await;
}

async fn the_first_file_with_the_address_is_used(database: Database) {
    let folder = database.folder().to_owned();
    let paths =
        ["no-such-file.mmdb", "cities.mmdb", "countries.mmdb"].map(|name| folder.join(name));
    cities().write(&paths[1]);
    Mmdb::new("Country")
        .with("203.0.113.0/24", json!({"country_code": "DE"}))
        .with("198.51.100.0/24", json!({"country_code": "DE"}))
        .write(&paths[2]);
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.files = paths.to_vec();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    for (ip, country) in [(LYON, "France"), ("198.51.100.1", "Germany")] {
        let phone = app.login_from(&ada, IPHONE, ip, None).await;
        assert_eq!(phone.session["location_country"], country, "{ip}");
    }
    app.stop().await;
}
