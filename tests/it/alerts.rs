//! Alerts: what raises one, on which devices it is shown, and what confirming or reporting it does.

use crate::support::app::behind_proxy;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: the_first_sign_in_raises_no_alert,
    a_new_device_is_shown_on_the_others,
    a_known_device_raises_no_alert_at_any_address,
    a_browser_without_its_cookies_raises_no_alert_on_a_known_network,
    ipv6_privacy_addresses_raise_no_alert,
    another_browser_on_the_same_network_is_a_new_device,
    a_new_country_raises_an_alert,
    a_changed_password_raises_an_alert,
    token_reuse_raises_an_alert,
    confirming_an_alert_closes_it,
    reporting_an_alert_ends_the_session_and_deletes_the_device,
    an_unconfirmed_device_cannot_review_alerts,
    another_persons_alert_cannot_be_reviewed,
    every_page_shows_that_something_needs_attention,
    an_open_alert_expires_after_a_month,
    alerts_are_listed_and_reviewed_over_the_api,
    the_export_has_devices_and_alerts,
    a_password_set_on_the_server_is_reported,
    a_copied_device_id_permits_no_review,
    a_second_sign_in_on_an_unconfirmed_device_is_unconfirmed_too,
    reporting_an_alert_ends_untrusted_sessions_since_then_too,
    a_new_device_on_a_dormant_account_raises_an_alert,
    naming_a_reported_device_does_not_make_it_known,
    impossible_travel_is_not_measured_from_a_reported_session,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";

fn alert_kinds(app: &TestApp) -> Vec<String> {
    let kinds = "SELECT kind AS value FROM alerts ORDER BY id";
    app.database.texts(kinds).into_iter().flatten().collect()
}

/// Starts the application, with Ada signed in on her laptop at home.
async fn at_home(database: Database) -> (TestApp, Person, Browser) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    app.advance(Duration::from_secs(60));
    (app, ada, laptop)
}

/// Lists the paths of the forms on the devices page that confirm or report an alert.
async fn review_paths(browser: &Browser) -> Vec<String> {
    let page = browser.get("/devices").await.expect(200);
    crate::support::html::forms(&page.text)
        .into_iter()
        .map(|form| form.action)
        .filter(|action| action.starts_with("/alerts/"))
        .collect()
}

/// Returns the path of the first form that answers an alert so.
async fn review_path(browser: &Browser, answer: &str) -> String {
    let paths = review_paths(browser).await;
    let path = paths.into_iter().find(|path| path.ends_with(answer));
    path.unwrap_or_else(|| panic!("no alert to answer {answer}"))
}

async fn the_first_sign_in_raises_no_alert(database: Database) {
    let (app, _, laptop) = at_home(database).await;
    assert_eq!(alert_kinds(&app), Vec::<String>::new());
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("You are signed in only here.");
    app.stop().await;
}

async fn a_new_device_is_shown_on_the_others(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let intruder = app.browser_from(IPHONE, ELSEWHERE);
    intruder.sign_in(&ada).await;
    assert_eq!(alert_kinds(&app), ["new_device"]);
    app.advance(Duration::from_secs(2 * 60 * 60));
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("1 thing needs your attention.")
        .expect_words("Was this you? Safari on iPhone Safari on iPhone signed in today 08:31, for the first time.");
    let own = intruder.get("/devices").await.expect(200);
    assert!(!own.words().contains("Was this you?"), "{}", own.words());
    app.stop().await;
}

async fn a_known_device_raises_no_alert_at_any_address(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    laptop
        .submit("/devices", "/sign-out", &[])
        .await
        .expect(303);
    laptop.sign_in(&ada).await;
    for ip in [HOME, ELSEWHERE, "2001:db8::1"] {
        app.login_from(&ada, IPHONE, ip, Some("phone-1")).await;
    }
    assert_eq!(alert_kinds(&app), ["new_device"], "the phone, at first");
    // Its session is purged by now, but its id is still known.
    app.advance(Duration::from_secs(300 * 24 * 60 * 60));
    app.sweep().await;
    app.login_from(&ada, IPHONE, "192.0.2.99", Some("phone-1"))
        .await;
    assert_eq!(alert_kinds(&app).len(), 0, "and the alert is purged by now");
    app.stop().await;
}

async fn a_browser_without_its_cookies_raises_no_alert_on_a_known_network(database: Database) {
    let (app, ada, _laptop) = at_home(database).await;
    let again = app.browser_from(FIREFOX, "203.0.113.200");
    again.sign_in(&ada).await;
    assert_eq!(alert_kinds(&app), Vec::<String>::new());
    let elsewhere = app.browser_from(FIREFOX, ELSEWHERE);
    elsewhere.sign_in(&ada).await;
    assert_eq!(alert_kinds(&app), ["new_device"]);
    app.stop().await;
}

async fn ipv6_privacy_addresses_raise_no_alert(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    for ip in [
        "2001:db8:1:1:aaaa::1",
        "2001:db8:1:1:bbbb:cccc::2",
        "2001:db8:1:ff::3",
    ] {
        app.login_from(&ada, "curl/8.14.1", ip, None).await;
    }
    assert_eq!(alert_kinds(&app), Vec::<String>::new());
    app.login_from(&ada, "curl/8.14.1", "2001:db8:2::1", None)
        .await;
    assert_eq!(alert_kinds(&app), ["new_device"]);
    app.stop().await;
}

async fn another_browser_on_the_same_network_is_a_new_device(database: Database) {
    let (app, ada, _laptop) = at_home(database).await;
    let phone = app.browser_from(IPHONE, HOME);
    phone.sign_in(&ada).await;
    assert_eq!(alert_kinds(&app), ["new_device"]);
    app.stop().await;
}

async fn a_new_country_raises_an_alert(database: Database) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.country_header = "x-country".into();
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let login = async |country: &str| {
        let body = json!({"email": ada.email, "password": ada.password, "device_id": "phone-1"});
        let request = app
            .anyone()
            .request("POST", "/api/v1/auth/login")
            .header("x-forwarded-for", HOME)
            .header("x-country", country);
        TestResponse::to(request.json(&body)).await.expect(200);
    };
    for country in ["FR", "FR", "XX", "BR", "FR", "BR"] {
        login(country).await;
    }
    assert_eq!(alert_kinds(&app), ["new_country"], "Brazil, once");
    app.stop().await;
}

async fn a_changed_password_raises_an_alert(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    app.advance(Duration::from_secs(60));
    let phone = app.browser_from(IPHONE, HOME);
    phone.sign_in(&ada).await;
    let confirm = review_path(&laptop, "yes").await;
    laptop.submit("/devices", &confirm, &[]).await.expect(303);
    app.advance(Duration::from_secs(60));
    let fields = [
        ("current_password", ada.password.as_str()),
        ("new_password", "another battery staple"),
    ];
    phone
        .submit("/account", "/account/password", &fields)
        .await
        .expect(303);
    assert_eq!(alert_kinds(&app), ["new_device", "password_changed"]);
    assert_eq!(
        review_paths(&phone).await,
        Vec::<String>::new(),
        "the phone changed it itself"
    );
    let ada = Person {
        password: "another battery staple".into(),
        ..ada
    };
    laptop.sign_in(&ada).await;
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Your password was changed on Safari on iPhone, ");
    let report = review_path(&laptop, "no").await;
    laptop.submit("/devices", &report, &[]).await.expect(303);
    assert!(phone.get("/devices").await.is_to_sign_in());
    app.stop().await;
}

async fn token_reuse_raises_an_alert(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let mut phone = app.login_from(&ada, IPHONE, HOME, Some("phone-1")).await;
    let confirm = review_path(&laptop, "yes").await;
    laptop.submit("/devices", &confirm, &[]).await.expect(303);
    let spent = phone.refresh_token.clone();
    for _ in 0..2 {
        phone.refresh().await;
        app.advance(Duration::from_secs(60));
    }
    app.anyone()
        .refresh(&spent)
        .await
        .problem(401, "invalid_token");
    assert_eq!(alert_kinds(&app), ["new_device", "theft"]);
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("Did you copy this sign-in?");
    let known = review_path(&laptop, "yes").await;
    let response = laptop.submit("/devices", &known, &[]).await;
    laptop
        .follow(&response)
        .await
        .expect_words("Good: it was your own device. Safari on iPhone is signed out");
    app.stop().await;
}

async fn confirming_an_alert_closes_it(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let phone = app.browser_from(IPHONE, ELSEWHERE);
    phone.sign_in(&ada).await;
    let confirm = review_path(&laptop, "yes").await;
    assert!(confirm.ends_with("/yes"), "{confirm}");
    let response = laptop.submit("/devices", &confirm, &[]).await;
    laptop
        .follow(&response)
        .await
        .expect_words("Good: it was you. Safari on iPhone stays signed in.")
        .expect_words("Nothing needs your attention.");
    phone.get("/devices").await.expect(200);
    // A second submission, from another tab, says what was answered.
    let form = laptop.form("/devices", "/sign-out").await;
    let again = laptop.send(&form.aimed_at(&confirm), &[]).await;
    laptop
        .follow(&again)
        .await
        .expect_words("Good: it was you. Safari on iPhone stays signed in.");
    app.stop().await;
}

async fn reporting_an_alert_ends_the_session_and_deletes_the_device(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let intruder = app.browser_from(IPHONE, ELSEWHERE);
    intruder.sign_in(&ada).await;
    let report = review_path(&laptop, "no").await;
    assert!(report.ends_with("/no"), "{report}");
    // No step-up: a report works however long ago the password was entered.
    app.advance(Duration::from_secs(60 * 60));
    let response = laptop.submit("/devices", &report, &[]).await;
    laptop
        .follow(&response)
        .await
        .expect_words("Safari on iPhone is signed out, and no longer counts as yours.")
        .expect_words("Set a new password")
        .expect_words("Sign out your other devices");
    assert!(intruder.get("/devices").await.is_to_sign_in());
    assert_eq!(
        app.database
            .sessions_where("ended_reason = 'signed_out_remotely'"),
        1
    );
    // The same browser counts as a new device again.
    intruder.sign_in(&ada).await;
    assert_eq!(alert_kinds(&app), ["new_device", "new_device"]);
    app.stop().await;
}

async fn an_unconfirmed_device_cannot_review_alerts(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let intruder = app.browser_from(IPHONE, ELSEWHERE);
    intruder.sign_in(&ada).await;
    let second = app.browser_from(FIREFOX, "192.0.2.1");
    second.sign_in(&ada).await;
    // It raises no alert, as it looks like the second; but it was not known before the alerts.
    app.advance(Duration::from_secs(60));
    let third = app.browser_from(FIREFOX, "192.0.2.1");
    third.sign_in(&ada).await;
    let all = review_paths(&laptop).await;
    assert_eq!(all.len(), 4, "two alerts with two buttons each");
    for unconfirmed in [&intruder, &second, &third] {
        assert_eq!(review_paths(unconfirmed).await, Vec::<String>::new());
        let form = unconfirmed.form("/devices", "/sign-out").await;
        for path in &all {
            let response = unconfirmed.send(&form.aimed_at(path), &[]).await;
            let page = unconfirmed.follow(&response).await.expect(200);
            page.expect_words("There is nothing to answer there.");
        }
    }
    intruder.get("/devices").await.expect(200);
    app.stop().await;
}

async fn another_persons_alert_cannot_be_reviewed(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    app.browser_from(IPHONE, ELSEWHERE).sign_in(&ada).await;
    let eve = app.register("eve@example.org").await;
    let theirs = app.browser_from(FIREFOX, HOME);
    theirs.sign_in(&eve).await;
    let form = theirs.form("/devices", "/sign-out").await;
    for path in review_paths(&laptop).await {
        let response = theirs.send(&form.aimed_at(&path), &[]).await;
        let page = theirs.follow(&response).await.expect(200);
        page.expect_words("There is nothing to answer there.");
        // Without the CSRF token even the owner's request is refused.
        laptop.post(&path, &[]).await.expect(403);
    }
    assert_eq!(review_paths(&laptop).await.len(), 2);
    app.stop().await;
}

async fn every_page_shows_that_something_needs_attention(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    app.browser_from(IPHONE, ELSEWHERE).sign_in(&ada).await;
    laptop
        .get("/account")
        .await
        .expect(200)
        .expect_words("1 thing needs your attention. Review it");
    app.stop().await;
}

async fn an_open_alert_expires_after_a_month(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in_to_stay(&ada).await.expect(303);
    app.advance(Duration::from_secs(60));
    app.browser_from(IPHONE, ELSEWHERE).sign_in(&ada).await;
    assert_eq!(review_paths(&laptop).await.len(), 2);
    app.advance(Duration::from_secs(31 * 24 * 60 * 60));
    assert_eq!(review_paths(&laptop).await.len(), 0);
    app.stop().await;
}

async fn alerts_are_listed_and_reviewed_over_the_api(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let phone = app.login_from(&ada, IPHONE, HOME, Some("phone-1")).await;
    app.advance(Duration::from_secs(60));
    let intruder = app.login_from(&ada, FIREFOX, ELSEWHERE, None).await;
    let listed = phone.get("/api/v1/alerts").await.expect(200).json();
    insta::assert_json_snapshot!(listed, {".alerts[].id" => "[id]", ".alerts[].session_id" => "[id]"}, @r#"
    {
      "alerts": [
        {
          "at": "2031-05-17T08:31:00.000000Z",
          "device_kind": "desktop",
          "device_name": "Firefox on Windows",
          "id": "[id]",
          "ip_address": "198.51.100.7",
          "is_signed_out": false,
          "kind": "new_device",
          "later_travel": null,
          "location_city": null,
          "location_country": null,
          "session_id": "[id]",
          "use_before": null
        }
      ]
    }
    "#);
    let id = listed["alerts"][0]["id"].as_str().expect("an id");
    let path = format!("/api/v1/alerts/{id}");
    let review = async |device: &Device, body: &serde_json::Value| {
        TestResponse::to(device.request("POST", &path).json(body)).await
    };
    assert_eq!(
        intruder.get("/api/v1/alerts").await.expect(200).json(),
        json!({"alerts": []})
    );
    let not_mine = json!({"answer": "not_mine"});
    review(&intruder, &not_mine).await.problem(404, "not_found");
    for wrong in [json!({"answer": "perhaps"}), json!({}), json!(7)] {
        let refused = review(&phone, &wrong).await;
        assert!([400, 422].contains(&refused.status), "{wrong}");
    }
    intruder.current().await.expect(200);
    review(&phone, &not_mine).await.expect(204);
    intruder.current().await.problem(401, "unauthenticated");
    review(&phone, &not_mine).await.problem(404, "not_found");
    app.stop().await;
}

async fn the_export_has_devices_and_alerts(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    app.login_from(&ada, IPHONE, ELSEWHERE, Some("phone-1"))
        .await;
    let export = laptop.get("/account/export").await.expect(200).json();
    let devices = export["devices"].as_array().expect("devices");
    assert!(
        devices
            .iter()
            .any(|device| device["device_id"] == "phone-1")
    );
    assert_eq!(devices.len(), 2);
    assert_eq!(export["alerts"][0]["kind"], "new_device");
    assert_eq!(export["alerts"][0]["ip_address"], ELSEWHERE);
    assert_eq!(export["account"]["addresses_kept"], "whole");
    app.stop().await;
}

async fn a_password_set_on_the_server_is_reported(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let set = [
        "user",
        "set-password",
        "--email",
        &ada.email,
        "--password-stdin",
    ];
    Program::with(&app.database)
        .run_with_input(&set, "another battery staple\n")
        .expect_done();
    let names = "SELECT device_name AS value FROM alerts WHERE act = 'password_changed'";
    assert_eq!(
        app.database.texts(names),
        [Some("An administrator, on the server".into())]
    );
    assert!(laptop.get("/devices").await.is_to_sign_in());
    app.stop().await;
}

async fn a_copied_device_id_permits_no_review(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let phone = app.login_from(&ada, IPHONE, HOME, Some("phone-1")).await;
    app.advance(Duration::from_secs(60));
    app.login_from(&ada, FIREFOX, ELSEWHERE, None).await;
    app.advance(Duration::from_secs(60));
    // An intruder can read the id in the list of sessions, and copy the user agent.
    let intruder = app
        .login_from(&ada, IPHONE, ELSEWHERE, Some("phone-1"))
        .await;
    let none = json!({"alerts": []});
    assert_eq!(
        intruder.get("/api/v1/alerts").await.expect(200).json(),
        none
    );
    let other = app
        .login_from(&ada, FIREFOX, ELSEWHERE, Some("phone-1"))
        .await;
    assert_eq!(other.get("/api/v1/alerts").await.expect(200).json(), none);
    assert_eq!(
        alert_kinds(&app),
        ["new_device"],
        "the second looks like the first"
    );
    let listed = phone.get("/api/v1/alerts").await.expect(200).json();
    assert_eq!(listed["alerts"].as_array().expect("a list").len(), 1);
    // A new session on the phone itself, at its usual address, may review alerts.
    let again = app.login_from(&ada, IPHONE, HOME, Some("phone-1")).await;
    assert_eq!(again.get("/api/v1/alerts").await.expect(200).json(), listed);
    app.stop().await;
}

async fn a_second_sign_in_on_an_unconfirmed_device_is_unconfirmed_too(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    app.login_from(&ada, IPHONE, ELSEWHERE, Some("theirs"))
        .await;
    app.advance(Duration::from_secs(60));
    let second = app
        .login_from(&ada, IPHONE, ELSEWHERE, Some("theirs"))
        .await;
    app.advance(Duration::from_secs(60));
    app.login_from(&ada, "curl/8.14.1", "192.0.2.1", None).await;
    let none = json!({"alerts": []});
    assert_eq!(second.get("/api/v1/alerts").await.expect(200).json(), none);
    assert_eq!(review_paths(&laptop).await.len(), 4);
    app.stop().await;
}

async fn reporting_an_alert_ends_untrusted_sessions_since_then_too(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let first = app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    app.advance(Duration::from_secs(60));
    // These raise no alert: one looks like the first, the other copied a known device id.
    let second = app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    let id = "SELECT device_id AS value FROM user_sessions WHERE device_id IS NOT NULL";
    let id = app.database.texts(id).swap_remove(0).expect("a device id");
    let third = app.login_from(&ada, FIREFOX, ELSEWHERE, Some(&id)).await;
    assert_eq!(alert_kinds(&app), ["new_device"]);
    let report = review_path(&laptop, "no").await;
    laptop.submit("/devices", &report, &[]).await.expect(303);
    for intruder in [first, second, third] {
        intruder.current().await.problem(401, "unauthenticated");
    }
    laptop.get("/devices").await.expect(200);
    app.stop().await;
}

async fn a_new_device_on_a_dormant_account_raises_an_alert(database: Database) {
    let (app, ada, _laptop) = at_home(database).await;
    app.advance(Duration::from_secs(300 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.sessions_where("1 = 1"), 0);
    app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    assert_eq!(alert_kinds(&app), ["new_device"]);
    app.stop().await;
}

async fn naming_a_reported_device_does_not_make_it_known(database: Database) {
    let (app, ada, laptop) = at_home(database).await;
    let intruder = app
        .login_from(&ada, IPHONE, ELSEWHERE, Some("theirs"))
        .await;
    let report = review_path(&laptop, "no").await;
    laptop.submit("/devices", &report, &[]).await.expect(303);
    let path = format!("/devices/{}", intruder.id());
    let name = [("device_name", "The thief’s")];
    laptop
        .submit(&path, &format!("{path}/rename"), &name)
        .await
        .expect(303);
    app.login_from(&ada, IPHONE, ELSEWHERE, Some("theirs"))
        .await;
    assert_eq!(alert_kinds(&app), ["new_device", "new_device"]);
    app.stop().await;
}

async fn impossible_travel_is_not_measured_from_a_reported_session(database: Database) {
    let path = database.folder().join("places.mmdb");
    crate::support::mmdb::Mmdb::new("City")
        .with("203.0.113.0/24", json!({"city": "Lyon", "country_code": "FR", "latitude": 45.75, "longitude": 4.85}))
        .with("198.51.100.0/24", json!({"city": "Sydney", "country_code": "AU", "latitude": -33.87, "longitude": 151.21}))
        .write(&path);
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.places.files = vec![path];
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    app.advance(Duration::from_secs(24 * 60 * 60 / 3));
    app.login_from(&ada, IPHONE, ELSEWHERE, None).await;
    let report = review_path(&laptop, "no").await;
    laptop.submit("/devices", &report, &[]).await.expect(303);
    app.advance(Duration::from_secs(60));
    app.login_from(&ada, "curl/8.14.1", HOME, None).await;
    let impossible_travel =
        "SELECT count(*) AS value FROM session_events WHERE kind = 'impossible_travel'";
    assert_eq!(
        app.database.number(impossible_travel),
        1,
        "only the intruder's own"
    );
    app.stop().await;
}
