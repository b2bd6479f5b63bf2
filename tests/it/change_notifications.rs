//! Server-sent events: an open page is notified at once when a session opens or ends, on any node.

use std::time::Duration;

use reqwest::Response;

use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::run_async;

on_both!(
    app: a_page_is_notified_of_a_sign_in_and_of_its_own_end,
    other_peoples_changes_are_not_sent,
    a_change_from_before_the_stream_is_sent,
    thousands_of_changes_of_others_delay_none,
    many_ends_of_one_person_are_one_event,
    the_stream_needs_a_session_and_a_valid_time,
);

/// The longest wait for an event, which normally arrives within a second.
const TIMEOUT: Duration = Duration::from_secs(10);

async fn a_page_is_notified_of_a_sign_in_and_of_its_own_end(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let mut stream = open_stream(&page, app).await;
    assert_eq!(next_event(&mut stream).await, "retry: 2000\n\n");

    app.advance(Duration::from_secs(1));
    let phone = app.login(&ada, IPHONE).await;
    assert_eq!(next_event(&mut stream).await, "event: changed\ndata:\n\n");
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
    assert_eq!(
        next_event(&mut stream).await,
        "event: signed-out\ndata:\n\n"
    );
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
    assert_eq!(next_event(&mut stream).await, "event: changed\ndata:\n\n");
    own.post("/api/v1/auth/logout").await.expect(204);
    assert_eq!(
        next_event(&mut stream).await,
        "event: changed\ndata:\n\n",
        "one each, none of Bob's"
    );
}

/// Adds as many events of sessions of a person that ended now.
fn add_ends(app: &TestApp, email: &str, number: u32) {
    let now = app.clock.now();
    let (id, at) = match app.database.postgres_name() {
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
    };
    app.database.execute(&format!(
        "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < {number})
         INSERT INTO session_events (id, user_id, session_id, kind, detail, at)
         SELECT {id}, users.id, users.id, 'ended', 'admin', {at} FROM users, copy
         WHERE email = '{email}'"
    ));
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
    assert_eq!(next_event(&mut stream).await, "event: changed\ndata:\n\n");
    phone.delete("/api/v1/sessions/others").await.expect(200);
    assert_eq!(
        next_event(&mut stream).await,
        "event: signed-out\ndata:\n\n",
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
    assert_eq!(next_event(&mut stream).await, "event: changed\ndata:\n\n");
    app.advance(Duration::from_secs(1));
    phone.delete("/api/v1/sessions/others").await.expect(200);
    assert_eq!(
        next_event(&mut stream).await,
        "event: signed-out\ndata:\n\n",
        "nothing between"
    );
}

async fn a_change_from_before_the_stream_is_sent(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let rendered_at = app.clock.now().timestamp_micros();
    app.advance(Duration::from_secs(1));
    app.login(&ada, IPHONE).await;
    let mut stream = page
        .stream(&format!("/devices/changes?since={rendered_at}"))
        .await;
    assert_eq!(next_event(&mut stream).await, "event: changed\ndata:\n\n");
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
        assert_eq!(next_event(&mut stream).await, "event: changed\ndata:\n\n");
        phone.delete("/api/v1/sessions/others").await.expect(200);
        assert_eq!(
            next_event(&mut stream).await,
            "event: signed-out\ndata:\n\n"
        );
        // An open stream doesn't delay a stop.
        let page = Browser::new(one.base(), FIREFOX);
        page.sign_in(&ada).await;
        let _open = page.stream(&format!("/devices/changes?since={now}")).await;
        assert!(one.terminate().success());
        assert!(two.terminate().success());
    });
}

async fn open_stream(page: &Browser, app: &TestApp) -> Response {
    let since = app.clock.now().timestamp_micros();
    page.stream(&format!("/devices/changes?since={since}"))
        .await
}

async fn next_event(stream: &mut Response) -> String {
    let chunk = tokio::time::timeout(TIMEOUT, stream.chunk()).await;
    let chunk = chunk
        .expect("an event in time")
        .expect("a stream")
        .expect("more to come");
    String::from_utf8(chunk.to_vec()).expect("text")
}
