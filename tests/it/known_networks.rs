//! A device that only looks like a known one: it counts as known where the network is known to be the same,
//! however much of the addresses is stored.

use crate::support::prelude::*;

on_both!(
    database: on_another_network_it_is_a_new_device,
    on_the_same_network_it_is_known_while_networks_are_stored,
    a_copied_device_id_reviews_nothing_without_a_known_network,
);

const HOME: &str = "203.0.113.7";
const NEXT_DOOR: &str = "203.0.113.99";
const ELSEWHERE: &str = "198.51.100.7";
const MINUTE: Duration = Duration::from_secs(60);

/// Starts with Ada signed in on a laptop at home, with so much of her addresses stored.
async fn start(database: Database, stored: &str) -> (TestApp, Person, Browser) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let choice = [("addresses", stored)];
    laptop
        .submit("/account", "/account/addresses", &choice)
        .await
        .expect(303);
    app.advance(MINUTE);
    (app, ada, laptop)
}

fn alerts(app: &TestApp) -> usize {
    app.database
        .texts("SELECT kind AS value FROM alerts WHERE kind = 'new_device'")
        .len()
}

/// Deletes what a test did, so that the next one begins anew with the same database.
fn begin_anew(app: &TestApp) {
    for table in ["alerts", "user_sessions", "devices"] {
        app.database.execute(&format!("DELETE FROM {table}"));
    }
}

async fn on_another_network_it_is_a_new_device(database: Database) {
    let (app, ada, laptop) = start(database, "whole").await;
    for stored in ["whole", "shortened", "none"] {
        begin_anew(&app);
        laptop.forget_cookie("rollcall_session");
        laptop.sign_in(&ada).await;
        let choice = [("addresses", stored)];
        let chosen = laptop.submit("/account", "/account/addresses", &choice);
        chosen.await.expect(303);
        app.advance(MINUTE);
        app.browser_from(FIREFOX, ELSEWHERE).sign_in(&ada).await;
        assert_eq!(alerts(&app), 1, "{stored}");
        app.browser_from(IPHONE, ELSEWHERE).sign_in(&ada).await;
        assert_eq!(alerts(&app), 2, "{stored}");
    }
    app.stop().await;
}

async fn on_the_same_network_it_is_known_while_networks_are_stored(database: Database) {
    let (app, ada, laptop) = start(database, "whole").await;
    for (stored, expected) in [("whole", 0), ("shortened", 0), ("none", 1)] {
        begin_anew(&app);
        laptop.forget_cookie("rollcall_session");
        laptop.sign_in(&ada).await;
        let choice = [("addresses", stored)];
        let chosen = laptop.submit("/account", "/account/addresses", &choice);
        chosen.await.expect(303);
        app.advance(MINUTE);
        app.browser_from(FIREFOX, NEXT_DOOR).sign_in(&ada).await;
        assert_eq!(alerts(&app), expected, "{stored}");
        // Its own cookie makes it known in any case.
        let signed_out = laptop.submit("/devices", "/sign-out", &[]).await;
        signed_out.expect(303);
        laptop.sign_in(&ada).await;
        assert_eq!(alerts(&app), expected, "{stored}");
    }
    app.stop().await;
}

async fn a_copied_device_id_reviews_nothing_without_a_known_network(database: Database) {
    let (app, ada, laptop) = start(database, "none").await;
    let phone = app.login_from(&ada, IPHONE, HOME, Some("phone")).await;
    app.advance(MINUTE);
    app.login_from(&ada, "curl/8.14.1", ELSEWHERE, None).await;
    app.advance(MINUTE);
    let copy = app.login_from(&ada, IPHONE, ELSEWHERE, Some("phone")).await;
    let none = json!({"alerts": []});
    assert_eq!(copy.get("/api/v1/alerts").await.expect(200).json(), none);
    assert_eq!(phone.get("/api/v1/alerts").await.expect(200).json(), none);
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("2 things need your attention.");
    app.stop().await;
}
