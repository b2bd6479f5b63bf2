//! Devices with several sessions: sessions with the same device id are grouped.

use crate::support::prelude::*;

on_both!(
    database: sessions_of_one_device_are_grouped,
    sessions_without_a_device_id_are_not_grouped,
    a_device_is_signed_out_with_all_its_sessions,
    one_session_of_a_device_can_be_ended_alone,
    a_name_belongs_to_the_device_and_outlives_its_sessions,
    the_owners_name_takes_precedence_over_the_clients,
    another_persons_device_with_the_same_id_is_separate,
    a_device_without_a_sign_in_for_400_days_is_deleted,
);

const APP: &str = "AcmeNotes/2.4 (iPhone; iOS 18.5; Scale/3.00)";
const HOME: &str = "203.0.113.7";

/// Signs Ada in on her laptop, and twice on her phone.
async fn laptop_and_phone(app: &TestApp) -> (Browser, Person, [Device; 2]) {
    let ada = app.register("ada@example.org").await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await;
    let notes = app.login_from(&ada, APP, HOME, Some("phone-1")).await;
    app.advance(Duration::from_secs(60));
    let again = app.login_from(&ada, IPHONE, HOME, Some("phone-1")).await;
    (laptop, ada, [notes, again])
}

async fn sessions_of_one_device_are_grouped(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let (laptop, _, [notes, again]) = laptop_and_phone(&app).await;
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("You are signed in on 2 devices.")
        .expect_words("AcmeNotes on iPhone Safari on iPhone · just now · 2 sessions")
        .expect_words("Sign out AcmeNotes on iPhone");
    let list = again.get("/api/v1/sessions/me").await.expect(200).json();
    assert_eq!(list["total"], 3);
    let devices = list["devices"].as_array().expect("devices");
    assert_eq!(devices.len(), 2);
    assert_eq!(devices[0]["device_id"], "phone-1");
    assert_eq!(devices[0]["is_current"], true);
    assert_eq!(devices[0]["session_ids"], json!([again.id(), notes.id()]));
    app.stop().await;
}

async fn sessions_without_a_device_id_are_not_grouped(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let first = app.login_from(&ada, "curl/8.14.1", HOME, None).await;
    app.login_from(&ada, "curl/8.14.1", HOME, None).await;
    let list = first.get("/api/v1/sessions/me").await.expect(200).json();
    let devices = list["devices"].as_array().expect("devices");
    assert_eq!(devices.len(), 2);
    assert!(devices.iter().all(|device| device["device_id"].is_null()));
    app.stop().await;
}

async fn a_device_is_signed_out_with_all_its_sessions(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let (laptop, _, [notes, again]) = laptop_and_phone(&app).await;
    let device = format!("/devices/{}/sign-out", again.id());
    let response = laptop.submit("/devices", &device, &[]).await;
    laptop
        .follow(&response)
        .await
        .expect_words("AcmeNotes on iPhone is signed out.")
        .expect_words("You are signed in only here.");
    for session in [notes, again] {
        session.current().await.problem(401, "unauthenticated");
    }
    app.stop().await;
}

async fn one_session_of_a_device_can_be_ended_alone(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let (laptop, _, [notes, again]) = laptop_and_phone(&app).await;
    let page = format!("/devices/{}", again.id());
    let one = format!("/devices/{}/sign-out", notes.id());
    laptop.submit(&page, &one, &[]).await.expect(303);
    notes.current().await.problem(401, "unauthenticated");
    again.current().await.expect(200);
    laptop
        .get("/devices")
        .await
        .expect(200)
        .expect_words("You are signed in on 2 devices.");
    app.stop().await;
}

async fn a_name_belongs_to_the_device_and_outlives_its_sessions(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let (laptop, ada, [notes, again]) = laptop_and_phone(&app).await;
    let path = format!("/devices/{}", again.id());
    let rename = format!("{path}/rename");
    let name = [("device_name", "Ada’s phone")];
    laptop.submit(&path, &rename, &name).await.expect(303);
    for session in notes.listed().await {
        let is_phone = session["device_id"] == "phone-1";
        assert_eq!(is_phone, session["device_name"] == "Ada’s phone");
    }
    again.post("/api/v1/auth/logout-all").await.expect(200);
    app.advance(Duration::from_secs(100 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.sessions_where("device_id = 'phone-1'"), 0);

    let back = app.login_from(&ada, APP, HOME, Some("phone-1")).await;
    assert_eq!(back.session["device_name"], "Ada’s phone");
    app.stop().await;
}

async fn the_owners_name_takes_precedence_over_the_clients(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    let login = async |name: &str| {
        let body = json!({"email": ada.email, "password": ada.password,
            "device_id": "phone-1", "device_name": name});
        let response = app.anyone().post("/api/v1/auth/login", &body).await;
        Device::from_login(app.base(), &response.expect(200))
    };
    let first = login("Handset").await;
    assert_eq!(first.session["device_name"], "Handset");
    let path = format!("/api/v1/sessions/{}", first.id());
    first
        .patch(&path, &json!({"device_name": "Mine"}))
        .await
        .expect(200);
    assert_eq!(login("Handset").await.session["device_name"], "Mine");
    app.stop().await;
}

async fn another_persons_device_with_the_same_id_is_separate(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let (laptop, _, [notes, again]) = laptop_and_phone(&app).await;
    let bob = app.register("bob@example.org").await;
    let theirs = app.login_from(&bob, IPHONE, HOME, Some("phone-1")).await;
    assert_eq!(theirs.session["device_name"], "Safari on iPhone");
    let path = format!("/devices/{}", notes.id());
    let name = [("device_name", "Ada’s phone")];
    laptop
        .submit(&path, &format!("{path}/rename"), &name)
        .await
        .expect(303);
    assert_eq!(theirs.listed().await[0]["device_name"], "Safari on iPhone");
    let out = format!("/devices/{}/sign-out", again.id());
    laptop.submit("/devices", &out, &[]).await.expect(303);
    theirs.current().await.expect(200);
    app.stop().await;
}

async fn a_device_without_a_sign_in_for_400_days_is_deleted(database: Database) {
    let app = TestApp::start_behind_proxy(database).await;
    let ada = app.register("ada@example.org").await;
    app.login_from(&ada, IPHONE, HOME, Some("phone-1")).await;
    let known = "SELECT count(*) AS value FROM devices";
    app.advance(Duration::from_secs(399 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.number(known), 1);
    app.advance(Duration::from_secs(2 * 24 * 60 * 60));
    app.sweep().await;
    assert_eq!(app.database.number(known), 0);
    app.stop().await;
}
