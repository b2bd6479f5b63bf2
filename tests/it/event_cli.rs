//! `rollcall event list`, with filters, and following.

use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::support::prelude::*;
use crate::support::program::{Program, pass_lines};

on_both!(
    app: events_are_listed_by_filters,
    what_the_command_line_did_is_by_an_administrator,
    following_prints_each_event_once_also_a_late_one,
);

fn lines(program: &Program, arguments: &[&str]) -> Vec<Value> {
    let all = [&["event", "list", "--json"], arguments].concat();
    let output = program.run(&all).expect_done();
    let parse = |line: &str| serde_json::from_str(line).expect("JSON");
    output.lines().map(parse).collect()
}

async fn events_are_listed_by_filters(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    let bob = app.register("bob@example.org").await;
    let laptop = app.login(&ada, FIREFOX).await;
    app.login(&bob, IPHONE).await;
    app.advance(Duration::from_secs(1));
    laptop.post("/api/v1/auth/logout").await.expect(204);
    let rollcall = Program::with(&app.database);
    let all = lines(&rollcall, &[]);
    assert_eq!(all.len(), 3);
    assert_eq!(all[0]["kind"], "ended", "newest first");
    assert_eq!(all[0]["user_email"], "ada@example.org");
    for (arguments, count) in [
        (&["--user", "ada@example.org"][..], 2),
        (&["--by", "bob@example.org"], 1),
        (&["--kind", "signed_in"], 2),
        (&["--kind", "signed_in", "--user", "ada@example.org"], 1),
        (&["--q", "SIGNED_OUT"], 1),
        (&["--ip", "192.0.2.0/24"], 0),
        (&["--user", "nobody@example.org"], 0),
        (&["--from", "2031-05-17T08:30:01Z"], 1),
        (&["--limit", "1"], 1),
        (&["--limit", "0"], 0),
    ] {
        assert_eq!(lines(&rollcall, arguments).len(), count, "{arguments:?}");
    }
    let text = rollcall.run(&["event", "list"]).expect_done();
    assert!(text.contains("\tended\tada@example.org\t"), "{text}");
    assert!(text.contains("\tsigned_in\tbob@example.org\t"), "{text}");
    let error = rollcall
        .run(&["event", "list", "--kind", "gone"])
        .expect_failed(1);
    assert!(error.contains("signed_in"), "{error}");
    rollcall
        .run(&["event", "list", "--colour", "red"])
        .expect_failed(2);
}

/// The command line has no account, and what it does is an administrator's.
async fn what_the_command_line_did_is_by_an_administrator(app: &TestApp) {
    let (ada, bob) = (
        app.register("ada@example.org").await,
        app.register("bob@example.org").await,
    );
    let (phone, laptop) = (
        app.login(&ada, IPHONE).await,
        app.login(&bob, FIREFOX).await,
    );
    let root = app.register("root@example.org").await;
    app.set_role(&root, "admin");
    let browser = app.signed_in_browser(&root, FIREFOX).await;
    app.database.execute("DELETE FROM session_events");
    let rollcall = Program::with(&app.database);
    let end = ["session", "end", "--user", "ada@example.org", "--yes"];
    rollcall.run(&end).expect_done();
    let disable = ["user", "disable", "--email", "bob@example.org"];
    rollcall.run(&disable).expect_done();
    let events = lines(&rollcall, &[]);
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!(event["actor"], "administrator", "{event:#}");
    }
    let text = rollcall.run(&["event", "list"]).expect_done();
    let by = "\tby an administrator, on the command line\t";
    assert_eq!(text.matches(by).count(), 3, "{text}");
    let page = browser.get("/admin/events").await.expect(200);
    let words = page.words();
    let by = "an administrator, on the command line";
    assert_eq!(words.matches(by).count(), 3, "{words}");
    for device in [&phone, &laptop] {
        let user = device.session["user_id"].as_str().expect("an id");
        for page in [
            format!("/admin/users/{user}"),
            format!("/admin/sessions/{}", device.id()),
        ] {
            let page = browser.get(&page).await.expect(200);
            let words = page.words();
            assert!(words.contains(by), "{words}");
            assert!(!words.contains("by the service"), "{words}");
        }
    }
}

/// The clock of the program is the real one, so the rows are written with real times.
async fn following_prints_each_event_once_also_a_late_one(app: &TestApp) {
    let ada = app.register("ada@example.org").await;
    app.login(&ada, FIREFOX).await;
    let copy = |seconds: i64, kind: &str| {
        let millis = real_millis() + seconds * 1_000;
        let at = chrono::DateTime::from_timestamp_millis(millis).expect("a time");
        let millis = u64::try_from(millis).expect("after 1970");
        let random = *uuid::Uuid::new_v4().as_bytes();
        let random: [u8; 10] = random[..10].try_into().expect("ten bytes");
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        app.database.execute(&format!(
            "INSERT INTO session_events (id, user_id, kind, at) SELECT {}, id, '{kind}', '{}' FROM users",
            app.database.id(&id.to_string()),
            at.format("%Y-%m-%d %H:%M:%S%.6f"),
        ));
        id.to_string()
    };
    app.database.execute("DELETE FROM session_events");
    let before = copy(-20, "renamed");
    let mut child = Program::with(&app.database).start(
        &["event", "list", "--follow", "--json", "--from", "1h"],
        Stdio::piped(),
    );
    let (sender, printed) = channel();
    let reader = pass_lines(child.stdout.take().expect("standard output"), sender);
    assert_eq!(next_id(&printed), before);
    let first = copy(0, "signed_in");
    assert_eq!(next_id(&printed), first);
    // Committed later than its time, as by another node.
    let late = copy(-25, "ended");
    assert_eq!(next_id(&printed), late);
    let last = copy(0, "renamed");
    assert_eq!(next_id(&printed), last, "none is printed twice");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    reader.join().expect("its output ends");
    assert!(printed.try_recv().is_err(), "none is printed twice");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program's clock is the system's"
)]
fn real_millis() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

fn next_id(printed: &Receiver<String>) -> String {
    let line = printed
        .recv_timeout(Duration::from_secs(30))
        .expect("a line");
    let event: Value = serde_json::from_str(&line).expect("JSON");
    event["id"].as_str().expect("an id").to_owned()
}
