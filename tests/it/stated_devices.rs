//! Sign-ins that state the id of one of the owner's devices, which every session of the person can read: they
//! never pass as that device, and put none of its own sessions in doubt.

use serde_json::Value;

use crate::support::html;
use crate::support::prelude::*;
use crate::support::strangers::{KYIV, LISBON, MINUTE, Strangers};

on_both!(
    database: a_device_is_called_by_a_session_of_its_owner,
    a_sign_in_that_waits_does_not_learn_that_by_a_name,
    the_owner_answers_a_sign_in_that_pretends_to_be_their_device,
    the_device_itself_answers_over_the_api,
    a_session_that_is_used_where_the_sign_in_was_does_not_answer,
    what_ends_on_the_device_from_before_is_said,
    a_sign_in_that_raises_an_alert_is_not_exempt,
    a_copied_device_cookie_raises_an_alert,
);

const WAITS: &str = "One sign-in on this device waits for your answer: curl, near Kyiv, Ukraine.";

async fn set_up(database: Database) -> Strangers {
    Strangers::start_confirmed(database, None).await
}

async fn exempt(fixture: &Strangers, device: &str) {
    let page = format!("/devices/{device}");
    let action = format!("{page}/when-unused");
    let stays = [("when_unused", "stays-signed-in")];
    let done = fixture.laptop.submit(&page, &action, &stays).await;
    done.expect(303);
}

/// Returns the device with this id, of those that the API lists.
async fn listed_device(session: &Device, id: &str) -> Value {
    let list = session.get("/api/v1/sessions/me").await.expect(200).json();
    let devices = list["devices"].as_array().expect("devices").clone();
    let device = devices.into_iter().find(|it| it["device_id"] == id);
    device.expect("the device")
}

async fn a_device_is_called_by_a_session_of_its_owner(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.stranger("curl/8.14.1", "phone", "Zap").await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("Safari on iPhone 3 minutes ago · near Lisbon, Portugal")
        .expect_words("2 sessions")
        .expect_words(WAITS)
        .expect_words("Listed as Safari on iPhone")
        .expect_words("Waits for your answer: curl ·")
        .expect_words("curl/8.14.1 End session 1 of 2");
    assert!(!page.words().contains("Zap"), "{}", page.words());
    let card = html::attributes(&page.text, "id")
        .into_iter()
        .find(|id| id.starts_with("alert-"))
        .expect("a card");
    assert!(
        page.text.contains(&format!("href=\"#{card}\"")),
        "{}",
        page.text
    );
    // The pages of both sessions, and what they ask and say.
    for id in [stranger.id(), fixture.phone.id()] {
        let page = fixture.laptop.get(&format!("/devices/{id}")).await;
        let page = page
            .expect(200)
            .expect_words("Your devices Safari on iPhone");
        assert!(!page.words().contains("Zap"), "{}", page.words());
        assert!(
            page.text.contains(&format!("/devices#{card}")),
            "{}",
            page.text
        );
        page.expect_words(WAITS).expect_words("curl/8.14.1");
    }
    let everywhere = fixture.laptop.get("/devices/sign-out-everywhere").await;
    let everywhere = everywhere.expect(200).expect_words("Safari on iPhone");
    assert!(
        !everywhere.words().contains("Zap"),
        "{}",
        everywhere.words()
    );
    let device = listed_device(&fixture.phone, "phone").await;
    assert_eq!(device["device_name"], "Safari on iPhone");
    assert_eq!(device["device_kind"], "phone");
    // What each session states of itself is as it was.
    assert!(
        fixture
            .phone
            .listed()
            .await
            .iter()
            .any(|it| it["device_name"] == "Zap")
    );
    fixture.app.advance(11 * MINUTE);
    let action = format!("/devices/{}/sign-out", stranger.id());
    let page = format!("/devices/{}", stranger.id());
    let refused = fixture.laptop.submit(&page, &action, &[]).await.expect(403);
    refused.expect_words("End the session of curl on Safari on iPhone");
    let password = [("password", PASSWORD)];
    let confirmed = fixture.laptop.submit("/confirm", "/confirm", &password);
    confirmed.await.expect(303);
    let done = fixture.laptop.submit(&page, &action, &[]).await.expect(303);
    let page = fixture.laptop.follow(&done).await.expect(200);
    page.expect_words("The session of curl on Safari on iPhone has ended; 1 is still signed in.");
    fixture.stop().await;
}

async fn a_sign_in_that_waits_does_not_learn_that_by_a_name(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.stranger("curl/8.14.1", "phone", "Zap").await;
    let device = listed_device(&stranger, "phone").await;
    assert_eq!(device["device_name"], "Zap");
    fixture.stop().await;
}

/// What the device's own sessions had before stays: the name, the exemption, and that it counts as known.
async fn the_owner_answers_a_sign_in_that_pretends_to_be_their_device(database: Database) {
    let fixture = set_up(database).await;
    let own = fixture.laptop.get("/api/v1/sessions/current").await.json();
    let own = own["id"].as_str().expect("an id").to_owned();
    exempt(&fixture, &own).await;
    let page = format!("/devices/{own}");
    let rename = format!("{page}/rename");
    let name = [("device_name", "Studio")];
    let named = fixture.laptop.submit(&page, &rename, &name).await;
    named.expect(303);
    let stranger = fixture
        .stranger(FIREFOX, &fixture.laptop_id().await, "Zap")
        .await;
    let page = fixture.laptop.get("/devices").await.expect(200);
    let page = page
        .expect_words("Was this you?")
        .expect_words("Firefox on Windows signed in")
        .expect_words("for the first time from Ukraine")
        .expect_words("One sign-in on this device waits for your answer: Firefox on Windows, near Kyiv, Ukraine.");
    assert!(!page.words().contains("as well"), "{}", page.words());
    // Nor is it in doubt otherwise.
    let name = [("full_name", "Ada")];
    let saved = fixture.laptop.submit("/account", "/account/name", &name);
    saved.await.expect(303);
    let learned = stranger.get("/api/v1/alerts").await.expect(200).json();
    assert_eq!(learned["alerts"], json!([]));
    let page = fixture.laptop.answer_alert("/no").await;
    page.expect_words("One session on Studio (near Kyiv, Ukraine) has ended.")
        .expect_words("This device Studio");
    stranger.current().await.problem(401, "unauthenticated");
    let unchanged =
        "SELECT count(*) AS value FROM devices WHERE is_idle_exempt AND name = 'Studio'";
    assert_eq!(fixture.app.database.number(unchanged), 1);
    assert_eq!(
        fixture
            .app
            .database
            .sessions_where("is_active AND idle_seconds = 2147483647"),
        1
    );
    // It answers what comes after, too, and its own next sign-in is none of a new device.
    fixture.app.advance(MINUTE);
    fixture.stranger("curl/8.14.1", "another", "Zap").await;
    fixture.laptop.answer_alert("/no").await;
    let alerts = || {
        fixture
            .app
            .database
            .number("SELECT count(*) AS value FROM alerts")
    };
    let before = alerts();
    fixture.laptop.forget_cookie("rollcall_session");
    fixture.laptop.sign_in(&fixture.ada).await.expect(303);
    assert_eq!(alerts(), before);
    fixture.stop().await;
}

async fn the_device_itself_answers_over_the_api(database: Database) {
    let fixture = set_up(database).await;
    let stranger = fixture.stranger(IPHONE, "phone", "Zap").await;
    let request = |method, path: &str, ip| {
        let request = fixture.phone.request(method, path);
        request.header("x-forwarded-for", ip)
    };
    let list = TestResponse::to(request("GET", "/api/v1/alerts", LISBON)).await;
    let list = list.expect(200).json();
    assert_eq!(list["alerts"][0]["session_id"], stranger.id());
    let alert = list["alerts"][0]["id"].as_str().expect("an id");
    let path = format!("/api/v1/alerts/{alert}");
    let no = request("POST", &path, LISBON).json(&json!({"answer": "not_mine"}));
    TestResponse::to(no).await.expect(204);
    stranger.current().await.problem(401, "unauthenticated");
    fixture.phone.current().await.expect(200);
    fixture.stop().await;
}

/// Somebody who has the device itself, and the password: by the first request from there.
async fn a_session_that_is_used_where_the_sign_in_was_does_not_answer(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger(IPHONE, "phone", "Zap").await;
    let request = fixture.phone.request("GET", "/api/v1/alerts");
    let list = TestResponse::to(request.header("x-forwarded-for", KYIV)).await;
    assert_eq!(list.expect(200).json()["alerts"], json!([]));
    fixture.stop().await;
}

async fn what_ends_on_the_device_from_before_is_said(database: Database) {
    let fixture = set_up(database).await;
    fixture.stranger(IPHONE, "phone", "Zap").await;
    let request = fixture.phone.request("GET", "/api/v1/sessions/current");
    let used = TestResponse::to(request.header("x-forwarded-for", KYIV)).await;
    used.expect(200);
    let page = fixture.laptop.get("/devices").await.expect(200);
    page.expect_words("“No, sign it out”: Safari on iPhone (near Kyiv, Ukraine, last used just now), which had signed in on the same device before, is signed out as well.");
    fixture.app.deliver_mail().await;
    let messages = fixture.server.messages();
    let link = messages.last().expect("a message").link("/not-me/");
    let reader = fixture.app.browser_from(FIREFOX, "192.0.2.200");
    let page = reader.get(&link).await.expect(200);
    page.expect_words("Then Safari on iPhone (near Kyiv, Ukraine, last used just now), which had signed in on the same device before, is signed out, too.");
    fixture.laptop.answer_alert("/no").await;
    fixture
        .phone
        .current()
        .await
        .problem(401, "unauthenticated");
    fixture.stop().await;
}

async fn a_sign_in_that_raises_an_alert_is_not_exempt(database: Database) {
    let fixture = set_up(database).await;
    exempt(&fixture, &fixture.phone.id()).await;
    let own = fixture
        .app
        .login_from(&fixture.ada, IPHONE, LISBON, Some("phone"));
    assert_eq!(own.await.session["idle_exempt"], true);
    let stranger = fixture.stranger(IPHONE, "phone", "Zap").await;
    assert_eq!(stranger.session["idle_exempt"], false);
    let exempt = "is_active AND idle_seconds = 2147483647 AND expires_at = absolute_expires_at";
    assert_eq!(fixture.app.database.sessions_where(exempt), 2);
    let limited = "is_active AND device_name = 'Zap' AND expires_at < absolute_expires_at";
    assert_eq!(fixture.app.database.sessions_where(limited), 1);
    fixture.stop().await;
}

/// The owner's session in that browser ends, and they sign in again.
async fn a_copied_device_cookie_raises_an_alert(database: Database) {
    let fixture = set_up(database).await;
    let cookie = fixture.laptop.cookie("rollcall_device").expect("a cookie");
    let stranger = fixture.app.browser_from(FIREFOX, KYIV);
    stranger.set_cookie("rollcall_device", &cookie);
    stranger.sign_in(&fixture.ada).await.expect(303);
    fixture.app.advance(MINUTE);
    let led = fixture.laptop.get("/devices").await;
    assert!(led.is_to_sign_in());
    let page = fixture.laptop.follow(&led).await.expect(200);
    let page = page.expect_words(
        "This device was signed out when a browser with its cookies signed in elsewhere",
    );
    assert!(
        !page.words().contains("you signed in again"),
        "{}",
        page.words()
    );
    fixture.laptop.sign_in(&fixture.ada).await.expect(303);
    let page = fixture.laptop.answer_alert("/no").await;
    page.expect_words("Your answer is recorded.");
    fixture.laptop.get("/account").await.expect(200);
    fixture.stop().await;
}
