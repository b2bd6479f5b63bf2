//! Streams of changes are bounded, and to listen is no use of the session.

use reqwest::Response;

use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(app: a_fifth_stream_of_a_session_ends_the_oldest, listening_is_no_use_of_the_session);
on_both!(
    database: a_node_has_so_many_streams_and_no_more,
    head_opens_no_stream,
);

/// Streams must not take every connection of a node that may open few files.
#[test]
fn streams_are_cut_to_half_of_the_connections() {
    let warning = |limit: &str| {
        let database = Database::sqlite();
        let program = Program::with(&database).with_open_files(limit);
        let mut serving = program.serve(&["serve"]);
        assert!(serving.terminate().success());
        let output = serving.output();
        let mut lines = output.lines();
        let found = lines.find(|line| line.contains("max_event_streams is more than half"));
        found.map(str::to_owned)
    };
    // 256 files are for other things.
    let cut = warning("1024").expect("a warning");
    assert!(cut.contains("WARN") && cut.contains("in_force=3"), "{cut}");
    assert!(cut.contains("max_event_streams=2000"), "{cut}");
    assert_eq!(warning("4400"), None);
}

const PATH: &str = "/devices/changes?since=0";
const TIMEOUT: Duration = Duration::from_secs(10);

async fn next(stream: &mut Response) -> Option<String> {
    let chunk = tokio::time::timeout(TIMEOUT, stream.chunk()).await;
    let chunk = chunk.expect("in time").expect("a stream")?;
    Some(String::from_utf8(chunk.to_vec()).expect("text"))
}

async fn open(page: &Browser, app: &TestApp) -> Response {
    let since = app.clock.now().timestamp_micros();
    let path = format!("/devices/changes?since={since}");
    let mut stream = page.stream(&path).await;
    assert_eq!(next(&mut stream).await.as_deref(), Some("retry: 2000\n\n"));
    stream
}

async fn a_fifth_stream_of_a_session_ends_the_oldest(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let other = app.signed_in_browser(&ada, IPHONE).await;
    let _others = open(&other, app).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(open(&page, app).await);
    }
    let replaced = "event: replaced\ndata:\n\n";
    assert_eq!(next(&mut streams[0]).await.as_deref(), Some(replaced));
    assert_eq!(next(&mut streams[0]).await, None);
    app.advance(Duration::from_secs(1));
    app.login(&ada, IPHONE).await;
    for stream in &mut streams[1..] {
        let changed = "event: changed\ndata:\n\n";
        assert_eq!(next(stream).await.as_deref(), Some(changed));
    }
}

async fn listening_is_no_use_of_the_session(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    app.flush().await;
    let columns = async || {
        app.flush().await;
        ["last_used_at", "expires_at"].map(|column| app.database.of_the_session(column))
    };
    let before = columns().await;
    // Close to its end a use is written at once.
    for _ in 0..11 {
        app.advance(Duration::from_secs(65 * 60));
        page.stream(PATH).await;
        assert_eq!(columns().await, before);
    }
    app.advance(Duration::from_secs(60 * 60));
    let response = page.get(PATH).await;
    assert!(response.is_to_sign_in(), "{response:?}");
}

async fn a_node_has_so_many_streams_and_no_more(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.max_event_streams = 2).await;
    let ada = app.register("ada@example.org").await;
    let mut open_streams = Vec::new();
    for _ in 0..2 {
        let page = app.signed_in_browser(&ada, FIREFOX).await;
        open_streams.push(open(&page, &app).await);
    }
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let refused = page.get(PATH).await.expect(503);
    assert_eq!(refused.header("retry-after"), "30");
    page.get("/devices").await.expect(200);
    // The place of a page that is gone is free again, once the server has noticed.
    drop(open_streams);
    app.advance(Duration::from_secs(1));
    crate::support::eventually("a place is free", async || {
        app.login(&ada, IPHONE).await;
        page.stream_or_error(PATH).await.status() == 200
    })
    .await;
    app.stop().await;
}

async fn head_opens_no_stream(database: Database) {
    let app = TestApp::start_with(database, |settings| settings.max_event_streams = 1).await;
    let ada = app.register("ada@example.org").await;
    let page = app.signed_in_browser(&ada, FIREFOX).await;
    let session = page.cookie("rollcall_session").expect("a cookie");
    let head = async |cookie: &str| {
        let request = app.anyone().request("HEAD", PATH);
        TestResponse::to(request.header("cookie", cookie)).await
    };
    let cookie = format!("rollcall_session={session}");
    for _ in 0..3 {
        let response = head(&cookie).await.expect(200);
        assert_eq!(
            response.header("content-type"),
            "text/event-stream; charset=utf-8"
        );
    }
    assert!(head("").await.is_to_sign_in());
    let _stream = open(&page, &app).await;
    head(&cookie).await.expect(503);
    app.stop().await;
}
