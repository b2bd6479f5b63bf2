//! Server-sent events: an open page is notified at once when a session opens or ends, on any node.

use std::time::Duration;

use reqwest::Response;
use rollcall::clock::Timestamp;

use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::run_async;

on_both!(
    app: a_page_is_notified_of_a_sign_in_and_of_its_own_end,
    other_peoples_changes_are_not_sent,
    a_change_from_before_the_stream_is_sent,
    an_act_that_is_committed_after_the_page_was_read_is_sent,
    an_act_that_is_committed_while_the_page_listens_is_sent,
    an_act_that_the_page_shows_is_not_sent,
    a_counted_act_that_is_committed_after_the_page_was_read_is_sent,
    a_counted_act_that_is_committed_while_the_page_listens_is_sent,
    an_act_of_a_node_whose_clock_is_ahead_is_not_sent_again,
    every_setting_that_is_saved_is_sent,
    a_device_that_is_renamed_or_exempt_is_sent,
    an_answer_to_an_alert_is_sent,
    an_unattended_page_is_no_use_of_its_session,
    an_unattended_page_elsewhere_is_a_use_of_its_session,
    thousands_of_changes_of_others_delay_none,
    many_ends_of_one_person_are_one_event,
    the_stream_needs_a_session_and_a_valid_time,
);

/// The first event of a stream: how long a browser waits before it reconnects.
const BEGINNING: &str = "retry: 2000\n\n";
const CHANGED: &str = "event: changed\ndata:\n\n";
const SIGNED_OUT: &str = "event: signed-out\ndata:\n\n";
/// The longest wait for an event, which normally arrives within a second.
const TIMEOUT: Duration = Duration::from_secs(10);

async fn a_page_is_notified_of_a_sign_in_and_of_its_own_end(app: &TestApp) {
    let (ada, page) = ada_on_a_page(app).await;
    let mut stream = open_stream(&page, app).await;
    assert_eq!(next_event(&mut stream).await, BEGINNING);

    app.advance(Duration::from_secs(1));
    let phone = app.login(&ada, IPHONE).await;
    assert_eq!(next_event(&mut stream).await, CHANGED);
    let laptop = phone
        .listed()
        .await
        .into_iter()
        .find(|one| one["is_current"] == false);
    let id = laptop.expect("the page's session")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    phone
        .delete(&format!("/api/v1/sessions/{id}"))
        .await
        .expect(204);
    assert_eq!(next_event(&mut stream).await, SIGNED_OUT);
    assert!(stream.chunk().await.expect("the end").is_none());
}

async fn other_peoples_changes_are_not_sent(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let mut stream = open_stream(&page, app).await;
    next_event(&mut stream).await;
    app.advance(Duration::from_secs(1));
    app.login(&bob, IPHONE)
        .await
        .post("/api/v1/auth/logout")
        .await
        .expect(204);
    app.advance(Duration::from_secs(1));
    let own = app.login(&ada, IPHONE).await;
    assert_eq!(next_event(&mut stream).await, CHANGED);
    own.post("/api/v1/auth/logout").await.expect(204);
    assert_eq!(
        next_event(&mut stream).await,
        CHANGED,
        "one each, none of Bob's"
    );
}

/// Adds as many events of sessions of a person that ended now.
fn add_ends(app: &TestApp, email: &str, number: u32) {
    app.database.execute(&insertion_of_ends(app, email, number));
}

fn insertion_of_ends(app: &TestApp, email: &str, number: u32) -> String {
    let (id, at) = id_and_time(app, app.clock.now());
    format!(
        "INSERT INTO session_events (id, user_id, session_id, kind, detail, at)
         WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {number})
         SELECT {id}, users.id, users.id, 'ended', 'admin', {at} FROM users, copy
         WHERE email = '{email}'"
    )
}

/// Returns the id of an event and the second of this time, in SQL.
fn id_and_time(app: &TestApp, now: Timestamp) -> (String, String) {
    match app.database.postgres_name() {
        // Ids that begin with the time, as those of events.
        Some(_) => (
            format!(
                "CAST(lpad(to_hex({}), 12, '0') || '7' || substr(md5(random()::text), 1, 19) AS uuid)",
                now.timestamp_millis()
            ),
            format!("to_timestamp({})", now.timestamp_millis() / 1000),
        ),
        None => (
            format!(
                "unhex(printf('%012x', {}) || '7' || substr(lower(hex(randomblob(10))), 1, 19))",
                now.timestamp_millis()
            ),
            format!(
                "strftime('%Y-%m-%d %H:%M:%S', {}, 'unixepoch') || '.000000'",
                now.timestamp_millis() / 1000
            ),
        ),
    }
}

/// Acts that are counted: a setting, an answer and a rename.
const COUNTED: [(&str, &str); 3] = [
    ("setting_changed", "name"),
    ("alert_reviewed", "confirmed"),
    ("renamed", "Laptop"),
];

/// Returns the first act of this kind, and the same again, now.
fn counted_acts(app: &TestApp, (kind, detail): (&str, &str)) -> [String; 2] {
    let (id, at) = id_and_time(app, app.clock.now());
    let first = format!(
        "INSERT INTO session_events (id, user_id, kind, detail, at, times, last_at, repeat_key)
         SELECT {id}, users.id, '{kind}', '{detail}', {at}, 1, {at}, 'act {kind}' FROM users
         WHERE email = 'ada@example.org'"
    );
    let (_, later) = id_and_time(app, app.clock.now() + Duration::from_secs(30));
    let again = format!(
        "UPDATE session_events SET times = times + 1, last_at = {later}
         WHERE repeat_key = 'act {kind}'"
    );
    [first, again]
}

/// More than one query reads, and than a listener may lag behind.
async fn thousands_of_changes_of_others_delay_none(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.register("bob@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let mut stream = open_stream(&page, app).await;
    next_event(&mut stream).await;
    app.advance(Duration::from_secs(1));
    add_ends(app, "bob@example.org", 25_000);
    app.advance(Duration::from_millis(10));
    let phone = app.login(&ada, IPHONE).await;
    assert_eq!(next_event(&mut stream).await, CHANGED);
    phone.delete("/api/v1/sessions/others").await.expect(200);
    assert_eq!(
        next_event(&mut stream).await,
        SIGNED_OUT,
        "one event, and the end"
    );
}

async fn many_ends_of_one_person_are_one_event(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let phone = app.login(&ada, IPHONE).await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let mut stream = open_stream(&page, app).await;
    next_event(&mut stream).await;
    app.advance(Duration::from_secs(1));
    add_ends(app, "ada@example.org", 2_000);
    assert_eq!(next_event(&mut stream).await, CHANGED);
    app.advance(Duration::from_secs(1));
    phone.delete("/api/v1/sessions/others").await.expect(200);
    assert_eq!(next_event(&mut stream).await, SIGNED_OUT, "nothing between");
}

async fn a_change_from_before_the_stream_is_sent(app: &TestApp) {
    let (ada, page) = ada_on_a_page(app).await;
    let rendered_at = app.clock.now().timestamp_micros();
    app.advance(Duration::from_secs(1));
    app.login(&ada, IPHONE).await;
    let mut stream = page
        .stream(&format!("/devices/changes?since={rendered_at}"))
        .await;
    assert_eq!(next_event(&mut stream).await, CHANGED);
}

/// Reads a page, and returns the address of its stream.
async fn read_page(page: &Browser) -> String {
    stream_of(&page.get("/devices").await.expect(200).text)
}

/// Returns the address of the stream of a page.
pub fn stream_of(page: &str) -> String {
    let attribute = |name: &str| crate::support::html::attributes(page, name).remove(0);
    format!(
        "/devices/changes?since={}&seen={}",
        attribute("data-changes-since"),
        attribute("data-changes-seen")
    )
}

async fn an_act_that_is_committed_after_the_page_was_read_is_sent(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    let act = app
        .database
        .begin(&insertion_of_ends(app, "ada@example.org", 1));
    app.advance(Duration::from_secs(1));
    let stream = read_page(&page).await;
    act.commit();
    let mut stream = page.stream(&stream).await;
    assert_eq!(next_event(&mut stream).await, CHANGED);
}

async fn an_act_that_is_committed_while_the_page_listens_is_sent(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    let act = app
        .database
        .begin(&insertion_of_ends(app, "ada@example.org", 1));
    app.advance(Duration::from_secs(1));
    let mut stream = page.stream(&read_page(&page).await).await;
    assert_eq!(next_event(&mut stream).await, BEGINNING);
    act.commit();
    assert_eq!(next_event(&mut stream).await, CHANGED);
}

async fn an_act_that_the_page_shows_is_not_sent(app: &TestApp) {
    let (ada, page) = ada_on_a_page(app).await;
    app.login(&ada, IPHONE).await;
    save(&page, "/account/name", &[("full_name", "Ada King")]).await;
    app.advance(Duration::from_secs(1));
    let mut stream = page.stream(&read_page(&page).await).await;
    assert_eq!(next_event(&mut stream).await, BEGINNING);
    app.advance(Duration::from_secs(1));
    app.login(&ada, IPHONE).await;
    assert_eq!(next_event(&mut stream).await, CHANGED);
    save(&page, "/sign-out", &[]).await;
    assert_eq!(next_event(&mut stream).await, SIGNED_OUT, "one each");
}

async fn a_counted_act_that_is_committed_after_the_page_was_read_is_sent(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    for act in COUNTED {
        for sql in counted_acts(app, act) {
            let open = app.database.begin(&sql);
            app.advance(Duration::from_secs(1));
            let stream = read_page(&page).await;
            open.commit();
            let mut stream = page.stream(&stream).await;
            let event = next_event(&mut stream).await;
            assert_eq!(event, CHANGED, "{sql}");
            app.advance(Duration::from_secs(29));
        }
    }
}

async fn a_counted_act_that_is_committed_while_the_page_listens_is_sent(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    for act in COUNTED {
        for sql in counted_acts(app, act) {
            let open = app.database.begin(&sql);
            app.advance(Duration::from_secs(1));
            let mut stream = page.stream(&read_page(&page).await).await;
            assert_eq!(next_event(&mut stream).await, BEGINNING, "{sql}");
            open.commit();
            let event = next_event(&mut stream).await;
            assert_eq!(event, CHANGED, "{sql}");
            app.advance(Duration::from_secs(29));
        }
    }
}

/// Otherwise the page would be requested again and again until the clock is passed.
async fn an_act_of_a_node_whose_clock_is_ahead_is_not_sent_again(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    app.advance(Duration::from_secs(1));
    let mut before = page.stream(&read_page(&page).await).await;
    app.advance(Duration::from_secs(5));
    let [act, _] = counted_acts(app, COUNTED[0]);
    let ends = insertion_of_ends(app, "ada@example.org", 1);
    app.set_back(Duration::from_secs(5));
    app.database.execute(&act);
    app.database.execute(&ends);
    let mut stream = page.stream(&read_page(&page).await).await;
    assert_eq!(next_event(&mut stream).await, BEGINNING);
    // It is published by then.
    assert_eq!(next_event(&mut before).await, BEGINNING);
    assert_eq!(next_event(&mut before).await, CHANGED);
    save(&page, "/sign-out", &[]).await;
    assert_eq!(next_event(&mut stream).await, SIGNED_OUT, "nothing between");
}

async fn save(browser: &Browser, action: &str, fields: &[(&str, &str)]) {
    browser.submit("/account", action, fields).await.expect(303);
}

/// Runs an act in another tab of the same browser, and expects that the open page is notified.
async fn expect_sent(app: &TestApp, page: &Browser, what: &str, act: impl Future<Output = ()>) {
    app.advance(Duration::from_secs(1));
    let mut stream = page.stream(&read_page(page).await).await;
    assert_eq!(next_event(&mut stream).await, BEGINNING, "{what}");
    app.advance(Duration::from_secs(1));
    act.await;
    let event = next_event(&mut stream).await;
    assert_eq!(event, CHANGED, "{what}");
}

/// Also one that is saved again within the hour, which is counted.
async fn every_setting_that_is_saved_is_sent(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    for (action, field, value) in [
        ("/account/idle-limit", "idle_limit", "month"),
        ("/account/idle-limit", "idle_limit", "week"),
        ("/account/idle-limit", "idle_limit", ""),
        ("/account/addresses", "addresses", "shortened"),
        ("/account/addresses", "addresses", "none"),
        ("/account/time-zone", "time_zone", "Europe/Oslo"),
        ("/account/alerts", "other", ""),
        ("/account/name", "full_name", "Ada King"),
    ] {
        let fields = [(field, value)];
        let act = save(&page, action, &fields);
        expect_sent(app, &page, &format!("{action} {value}"), act).await;
    }
}

async fn a_device_that_is_renamed_or_exempt_is_sent(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    let session = page.get("/api/v1/sessions/current").await.expect(200);
    let device = format!("/devices/{}", session.json()["id"].as_str().expect("an id"));
    for (act, field, value) in [
        ("rename", "device_name", "Laptop"),
        ("when-unused", "when_unused", "stays-signed-in"),
        ("when-unused", "when_unused", "signs-out"),
    ] {
        let fields = [(field, value)];
        let action = format!("{device}/{act}");
        let send = async || {
            let sent = page.submit(&device, &action, &fields).await;
            sent.expect(303);
        };
        expect_sent(app, &page, act, send()).await;
    }
}

/// Presses the first button whose form's action ends so.
async fn answer(page: &Browser, end: &str) {
    let text = page.get("/devices").await.expect(200).text;
    let mut forms = crate::support::html::forms(&text).into_iter();
    let form = forms.find(|form| form.action.starts_with("/alerts/") && form.action.ends_with(end));
    let form = form.unwrap_or_else(|| panic!("no {end}"));
    page.send(&form, &[]).await.expect(303);
}

async fn an_answer_to_an_alert_is_sent(app: &TestApp) {
    let (ada, page) = ada_on_a_page(app).await;
    app.advance(Duration::from_secs(60));
    app.login(&ada, IPHONE).await;
    expect_sent(app, &page, "yes", answer(&page, "/yes")).await;
    app.advance(Duration::from_secs(60));
    let other = app.login(&ada, "curl/8.14.1").await;
    // It has ended meanwhile: the answer ends none.
    other.post("/api/v1/auth/logout").await.expect(204);
    expect_sent(app, &page, "no", answer(&page, "/no")).await;
    for step in ["/others/skip", "/password/skip", "/email/confirm"] {
        let text = page.get("/devices").await.expect(200).text;
        if text.contains(step) {
            expect_sent(app, &page, step, answer(&page, step)).await;
        }
    }
}

const UNATTENDED: [(&str, &str); 1] = [("x-unattended", "1")];

async fn an_unattended_page_is_no_use_of_its_session(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    let expiry = || {
        app.database
            .texts("SELECT CAST(expires_at AS TEXT) AS value FROM user_sessions")
    };
    let before = expiry();
    for _ in 0..3 {
        app.advance(Duration::from_secs(2 * 60 * 60));
        page.get_with("/devices", &UNATTENDED).await.expect(200);
        app.flush().await;
        assert_eq!(expiry(), before);
    }
    app.advance(Duration::from_secs(7 * 60 * 60));
    let gone = page.get_with("/devices", &UNATTENDED).await;
    assert!(gone.is_to_sign_in(), "{gone:?}");
}

/// Otherwise somebody with a copied cookie could hide.
async fn an_unattended_page_elsewhere_is_a_use_of_its_session(app: &TestApp) {
    let (_, page) = ada_on_a_page(app).await;
    app.database
        .execute("UPDATE user_sessions SET ip_address = '203.0.113.99'");
    app.advance(Duration::from_secs(60));
    page.get_with("/devices", &UNATTENDED).await.expect(200);
    app.flush().await;
    assert_eq!(
        app.database.sessions_where("ip_address = '203.0.113.99'"),
        0
    );
}

async fn the_stream_needs_a_session_and_a_valid_time(app: &TestApp) {
    let browser = app.browser(FIREFOX);
    assert!(
        browser
            .get("/devices/changes?since=0")
            .await
            .is_to_sign_in()
    );
    let ada = app.register("ada@example.org").await;
    let browser = app.signed_in_browser(&ada, FIREFOX).await;
    browser
        .get("/devices/changes?since=never")
        .await
        .expect(400);
}

/// Two processes share one PostgreSQL database: the page is on one, the sign-out on the other.
#[test]
fn a_page_on_one_node_is_notified_of_a_sign_out_on_another() {
    run_async(async {
        let database = Database::postgres();
        let program = Program::with(&database)
            .env("ROLLCALL_SIGN_UP", "true")
            .env("ROLLCALL_PUBLIC_URL", "http://rollcall.example.org");
        let (mut one, mut two) = (program.serve(&["serve"]), program.serve(&["serve"]));
        let body = json!({"email": "ada@example.org", "password": PASSWORD});
        let elsewhere = Anyone::new(two.base());
        elsewhere
            .post("/api/v1/auth/register", &body)
            .await
            .expect(201);
        let ada = Person {
            email: "ada@example.org".into(),
            password: PASSWORD.into(),
        };
        let page = Browser::new(one.base(), FIREFOX);
        page.sign_in(&ada).await;
        let now = chrono::Utc::now().timestamp_micros();
        let mut stream = page.stream(&format!("/devices/changes?since={now}")).await;
        next_event(&mut stream).await;

        let login = elsewhere
            .post("/api/v1/auth/login", &body)
            .await
            .expect(200);
        let phone = Device::from_login(two.base(), &login);
        assert_eq!(next_event(&mut stream).await, CHANGED);
        phone.delete("/api/v1/sessions/others").await.expect(200);
        assert_eq!(next_event(&mut stream).await, SIGNED_OUT);
        // An open stream doesn't delay a stop.
        let page = Browser::new(one.base(), FIREFOX);
        page.sign_in(&ada).await;
        let _open = page.stream(&format!("/devices/changes?since={now}")).await;
        assert!(one.terminate().success());
        assert!(two.terminate().success());
    });
}

/// Returns Ada, and a browser in which she has signed in.
async fn ada_on_a_page(app: &TestApp) -> (Person, Browser) {
    let ada = app.register("ada@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    (ada, page)
}

async fn open_stream(page: &Browser, app: &TestApp) -> Response {
    let since = app.clock.now().timestamp_micros();
    page.stream(&format!("/devices/changes?since={since}"))
        .await
}

pub async fn next_event(stream: &mut Response) -> String {
    let chunk = tokio::time::timeout(TIMEOUT, stream.chunk()).await;
    let chunk = chunk
        .expect("an event in time")
        .expect("a stream")
        .expect("more to come");
    String::from_utf8(chunk.to_vec()).expect("text")
}
