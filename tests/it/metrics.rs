//! The metrics: on a listener of their own, which serves nothing else.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use rollcall::keys::{KeyKind, Start};

use crate::support::api::Anyone;
use crate::support::prelude::*;
use crate::support::program::Program;

on_both!(
    database: the_metrics_are_served_on_their_own_listener_only,
    the_metrics_follow_the_keys_and_the_file,
);
on_both!(app: without_the_setting_no_metrics_are_served);

async fn the_metrics_are_served_on_their_own_listener_only(database: Database) {
    let app = start(database).await;
    let address = app.metrics_address().expect("an address");
    let metrics = metrics(&app);
    let response = metrics.get("/metrics").await.expect(200);
    assert_eq!(response.header("content-type"), "text/plain; version=0.0.4");
    let expected = [
        &format!(
            "rollcall_build_info{{version=\"{}\"}} 1",
            env!("CARGO_PKG_VERSION")
        ),
        "rollcall_clock_offset_seconds 0",
        "rollcall_cookie_keys 1",
        "rollcall_panics_total 0",
        "rollcall_password_hashes_total 0",
        "rollcall_secrets_file_ok 1",
        "rollcall_signing_keys 1",
    ];
    let values: Vec<&str> = response
        .text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_eq!(values, expected);
    for path in [
        "/",
        "/metrics/",
        "/sign-in",
        "/health/live",
        "/api/v1/me",
        "/.well-known/jwks.json",
    ] {
        metrics.get(path).await.expect(404);
    }
    TestResponse::to(metrics.request("POST", "/metrics"))
        .await
        .expect(404);
    app.anyone().get("/metrics").await.expect(404);
    app.stop().await;
    assert!(
        TcpStream::connect(address).is_err(),
        "it stops with the server"
    );
}

async fn the_metrics_follow_the_keys_and_the_file(database: Database) {
    let app = start(database).await;
    app.rotate_keys(&[KeyKind::Cookie], Start::Announced).await;
    app.rotate_keys(&[], Start::Announced).await;
    let text = metrics(&app).get("/metrics").await.expect(200).text;
    for line in ["rollcall_cookie_keys 3", "rollcall_signing_keys 2"] {
        assert!(text.contains(&format!("\n{line}\n")), "{text}");
    }
    std::fs::remove_file(app.database.folder().join("rollcall.secrets")).expect("removed");
    app.reload_keys().await;
    let text = metrics(&app).get("/metrics").await.expect(200).text;
    for line in ["rollcall_secrets_file_ok 0", "rollcall_cookie_keys 3"] {
        assert!(text.contains(&format!("\n{line}\n")), "{text}");
    }
    app.stop().await;
}

async fn without_the_setting_no_metrics_are_served(app: &TestApp) {
    assert_eq!(app.metrics_address(), None);
    app.anyone().get("/metrics").await.expect(404);
}

#[test]
fn an_address_in_use_is_reported_with_the_setting() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let program = Program::in_folder(folder.path());
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let error = program
        .env("ROLLCALL_METRICS__LISTEN", &address)
        .run(&serve)
        .expect_failed(1);
    assert!(
        error.contains(&address) && error.contains("metrics.listen"),
        "{error}"
    );
    let error = Program::in_folder(folder.path())
        .env("ROLLCALL_METRICS__LISTEN", "nonsense")
        .run(&serve)
        .expect_failed(1);
    assert!(
        error.contains("nonsense") && error.contains("metrics.listen"),
        "{error}"
    );
}

async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| {
        settings.metrics.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    })
    .await
}

fn metrics(app: &TestApp) -> Anyone {
    Anyone::new(format!(
        "http://{}",
        app.metrics_address().expect("an address")
    ))
}
