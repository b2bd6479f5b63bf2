//! Somebody who knows the password and signs in often: that signs nobody else out, makes no heap of alerts, and
//! no sign-in slips in before the alert about another.

use crate::support::app::behind_proxy;
use crate::support::bulk::add_sessions;
use crate::support::prelude::*;
use crate::support::{eventually, run_async};

on_both!(
    database: who_signs_in_often_signs_out_only_their_own_sessions,
    who_signs_in_often_signs_out_no_device_that_signed_in_again,
    in_the_network_of_a_device_from_before_the_one_used_longest_ago_ends,
    at_most_50_alerts_about_sign_ins_wait_for_an_answer,
    an_alert_about_a_sign_in_is_read_however_many_others_there_are,
    a_flood_of_sign_ins_makes_no_device_from_before_it_a_new_one,
);

const HOME: &str = "203.0.113.7";
const ELSEWHERE: &str = "198.51.100.7";
const CURL: &str = "curl/8.5.0";
const MINUTE: Duration = Duration::from_secs(60);

/// Starts with a limit of five sessions, and Ada signed in on a laptop and a phone at home.
async fn start(database: Database) -> (TestApp, Person, [Device; 2]) {
    let app = TestApp::start_with(database, |settings| {
        behind_proxy(settings);
        settings.sessions.most_per_person = 5;
        settings.tokens.access_lifetime = Duration::from_secs(24 * 60 * 60);
    })
    .await;
    let ada = app.register("ada@example.org").await;
    let laptop = app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
    let phone = app.login_from(&ada, IPHONE, HOME, Some("phone")).await;
    app.confirm_sign_ins();
    app.advance(MINUTE);
    (app, ada, [laptop, phone])
}

async fn who_signs_in_often_signs_out_only_their_own_sessions(database: Database) {
    let (app, ada, own) = start(database).await;
    let mut strangers = Vec::new();
    for _ in 0..8 {
        strangers.push(app.login_from(&ada, CURL, ELSEWHERE, None).await);
        app.advance(MINUTE);
    }
    for device in &own {
        device.current().await.expect(200);
    }
    for (number, stranger) in strangers.iter().enumerate() {
        let status = if number < 5 { 401 } else { 200 };
        stranger.current().await.expect(status);
    }
    assert_eq!(app.database.sessions_where("ended_reason = 'limit'"), 5);
    app.stop().await;
}

/// The session from before the first alert has ended by then.
async fn who_signs_in_often_signs_out_no_device_that_signed_in_again(database: Database) {
    let (app, ada, _) = start(database).await;
    let laptop = app.browser_from(FIREFOX, "192.0.2.7");
    laptop.sign_in(&ada).await.expect(303);
    app.confirm_sign_ins();
    app.database
        .execute("UPDATE user_sessions SET is_active = false, ended_at = last_used_at, ended_reason = 'signed_out' WHERE ip_address <> '192.0.2.7'");
    app.advance(MINUTE);
    app.login_from(&ada, CURL, ELSEWHERE, None).await;
    app.advance(MINUTE);
    let signed_out = laptop.submit("/devices", "/sign-out", &[]).await;
    signed_out.expect(303);
    laptop.sign_in(&ada).await.expect(303);
    for _ in 0..7 {
        app.advance(MINUTE);
        app.login_from(&ada, CURL, ELSEWHERE, None).await;
    }
    laptop.get("/devices").await.expect(200);
    app.stop().await;
}

async fn in_the_network_of_a_device_from_before_the_one_used_longest_ago_ends(database: Database) {
    let (app, ada, [laptop, phone]) = start(database).await;
    let stranger = app.login_from(&ada, CURL, ELSEWHERE, None).await;
    app.advance(MINUTE);
    for _ in 0..2 {
        app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
        app.advance(MINUTE);
    }
    // Six would be signed in: the stranger, in doubt, before the laptop and the phone.
    app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
    stranger.current().await.problem(401, "unauthenticated");
    laptop.current().await.expect(200);
    app.flush().await;
    app.advance(MINUTE);
    app.login_from(&ada, FIREFOX, HOME, Some("laptop")).await;
    phone.current().await.problem(401, "unauthenticated");
    laptop.current().await.expect(200);
    app.stop().await;
}

async fn at_most_50_alerts_about_sign_ins_wait_for_an_answer(database: Database) {
    let (app, ada, [laptop, _]) = start(database).await;
    let mut last = None;
    for network in 0..53 {
        let ip = format!("198.51.{network}.7");
        last = Some(app.login_from(&ada, CURL, &ip, None).await);
        app.advance(Duration::from_secs(1));
    }
    let alerts = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NULL";
    assert_eq!(app.database.number(alerts), 50);
    let own = format!("/api/v1/sessions/{}", laptop.id());
    let name = json!({"device_name": "Mine"});
    let last = last.expect("a session");
    let refused = last.patch(&own, &name).await;
    refused.problem(403, "unconfirmed_device");
    app.stop().await;
}

/// More sessions than a sign-in is compared with, live ones and ended ones.
async fn a_flood_of_sign_ins_makes_no_device_from_before_it_a_new_one(database: Database) {
    let (app, ada, [_, phone]) = start(database).await;
    let laptop = app.browser_from(FIREFOX, HOME);
    laptop.sign_in(&ada).await.expect(303);
    let own = format!("/api/v1/sessions/{}", phone.id());
    phone.delete(&own).await.expect(204);
    let out = laptop.submit("/devices", "/sign-out", &[]).await;
    out.expect(303);
    app.confirm_sign_ins();
    app.advance(MINUTE);
    app.login_from(&ada, CURL, ELSEWHERE, None).await;
    app.advance(MINUTE);
    let again = app.login_from(&ada, CURL, ELSEWHERE, None).await;
    add_sessions(&app.database, &again, 420, "Netscape");
    app.database.execute(
        "UPDATE user_sessions SET is_active = false, ended_at = last_used_at, ended_reason = 'signed_out'
         WHERE id IN (SELECT id FROM user_sessions WHERE browser = 'Netscape' LIMIT 215)",
    );
    app.advance(MINUTE);
    let open = || {
        let open = "SELECT count(*) AS value FROM alerts WHERE answered_at IS NULL";
        app.database.number(open)
    };
    assert_eq!(open(), 1);
    let phone = app.login_from(&ada, IPHONE, HOME, Some("phone")).await;
    laptop.sign_in(&ada).await.expect(303);
    assert_eq!(open(), 1);
    let list = phone.get("/api/v1/alerts").await.expect(200).json();
    assert_eq!(list["alerts"].as_array().map(Vec::len), Some(1));
    let page = laptop.answer_alert("/no").await;
    page.expect_words("Make your account safe");
    // Nor afterwards.
    app.advance(MINUTE);
    app.login_from(&ada, IPHONE, HOME, Some("phone")).await;
    assert_eq!(open(), 0);
    app.stop().await;
}

/// On PostgreSQL one person's sign-ins wait for each other: the time of a session is taken once it is its turn,
/// so that none counts as from before the alert about one that was committed earlier.
#[test]
fn sign_ins_of_one_person_are_in_the_order_of_their_times() {
    run_async(async {
        let app = TestApp::start(Database::postgres()).await;
        let ada = app.register("ada@example.org").await;
        let other = app.database.begin("SELECT id FROM users FOR SHARE");
        let signs_in = async { app.login(&ada, FIREFOX).await };
        let goes_on = async {
            let waiting = "SELECT count(*) AS value FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
            eventually("the sign-in waits", async || {
                app.database.number(waiting) > 0
            })
            .await;
            app.advance(MINUTE);
            drop(other);
            app.clock.now()
        };
        let (device, turn) = tokio::join!(signs_in, goes_on);
        let created = device.current().await.expect(200).json();
        let created = created["created_at"].as_str().expect("a time").to_owned();
        let created: chrono::DateTime<chrono::Utc> = created.parse().expect("a time");
        assert_eq!(created.timestamp(), turn.timestamp());
        app.stop().await;
    });
}

/// What raises many alerts pushes none about a sign-in out of what is read.
async fn an_alert_about_a_sign_in_is_read_however_many_others_there_are(database: Database) {
    let (app, ada, [laptop, _]) = start(database).await;
    let stranger = app.login_from(&ada, CURL, ELSEWHERE, None).await;
    app.advance(MINUTE);
    let (id, _) = app.database.random_id_and_text();
    app.database.execute(&format!(
        "INSERT INTO alerts (id, user_id, session_id, kind, email, device_name, device_kind, at)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
         SELECT {id}, user_id, session_id, 'password_changed', email, device_name, device_kind, at
         FROM alerts CROSS JOIN n WHERE answered_at IS NULL"
    ));
    let own = format!("/api/v1/sessions/{}", laptop.id());
    let name = json!({"device_name": "Mine"});
    let refused = stranger.patch(&own, &name).await;
    refused.problem(403, "unconfirmed_device");
    app.stop().await;
}
