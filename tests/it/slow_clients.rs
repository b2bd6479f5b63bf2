//! Clients that send a byte now and then: their bodies are cut off in time, and meanwhile everybody
//! else is served.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::support::prelude::*;
use crate::support::program::Program;
use crate::support::run_async;

const CHUNKED: &str = "transfer-encoding: chunked";
const SIZED: &str = "content-length: 1000";
/// The limit of ten seconds, and what closing the connection takes.
const LONGEST: Duration = Duration::from_secs(13);
const CONNECTIONS: usize = 1_100;

/// Sends a head and then a byte a second, until the server closes the connection. Returns what it
/// answered, and after how long.
async fn trickle(address: String, head: String) -> (String, Duration) {
    let start = Instant::now();
    let mut stream = TcpStream::connect(&address).await.expect("the server");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let is_chunked = head.contains(CHUNKED);
    let piece: &[u8] = if is_chunked { b"1\r\na\r\n" } else { b"a" };
    let mut response = Vec::new();
    while start.elapsed() < 2 * LONGEST {
        let read = timeout(Duration::from_secs(1), stream.read_buf(&mut response)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            break;
        }
        if read.is_err() && stream.write_all(piece).await.is_err() {
            break;
        }
    }
    let response = String::from_utf8_lossy(&response).into_owned();
    (response, start.elapsed())
}

/// Each kind of body, for what reads it, what needs none, and what doesn't exist.
#[test]
fn a_body_that_trickles_is_cut_after_ten_seconds() {
    run_async(async {
        let app = TestApp::start(Database::sqlite()).await;
        let address = app.base().replace("http://", "");
        let mut open = Vec::new();
        for (start, reads) in [
            ("POST /api/v1/auth/login", true),
            ("POST /sign-in", true),
            ("POST /oauth/introspect", true),
            ("DELETE /api/v1/sessions/others", true),
            ("GET /sign-in", false),
            ("GET /health/live", false),
            ("POST /nowhere", false),
            ("OPTIONS /sign-in", false),
            ("PUT /sign-in", false),
        ] {
            for length in [SIZED, CHUNKED] {
                for expect in ["", "expect: 100-continue\r\n"] {
                    let kind = match start.contains("/api/") {
                        true => "application/json",
                        false => "application/x-www-form-urlencoded",
                    };
                    let head = format!(
                        "{start} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\n\
                         {expect}{length}\r\n\r\n"
                    );
                    let sent = trickle(address.clone(), head.clone());
                    open.push((head, reads, actix_web::rt::spawn(sent)));
                }
            }
        }
        for (head, reads, open) in open {
            let (response, took) = open.await.expect("no panic");
            assert!(took < LONGEST, "{head}: {took:?} {response}");
            let response = response.replace("HTTP/1.1 100 Continue\r\n\r\n", "");
            assert_eq!(
                response.starts_with("HTTP/1.1 408"),
                reads,
                "{head}: {response}"
            );
            if reads {
                let is_shown = response.contains("content-security-policy");
                assert!(is_shown, "{head}: {response}");
            }
        }
        app.stop().await;
    });
}

/// Starts the program, holds that many connections that trickle, and requests pages meanwhile.
fn assert_others_are_served(head: &'static str) {
    run_async(async {
        let database = Database::sqlite();
        let mut serving = Program::with(&database).serve(&["serve"]);
        let address = serving.base().replace("http://", "");
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(&address).await.expect("the server");
            stream.write_all(head.as_bytes()).await.expect("sent");
            open.push(stream);
        }
        let anyone = crate::support::api::Anyone::new(serving.base());
        for _ in 0..8 {
            let start = Instant::now();
            for path in ["/sign-in", "/health/ready"] {
                anyone.get(path).await.expect(200);
            }
            assert!(start.elapsed() < Duration::from_secs(3));
            for stream in &mut open {
                // Some are closed by now.
                let _ = stream.write_all(b"a").await;
            }
            sleep(Duration::from_millis(200)).await;
        }
        drop(open);
        assert!(serving.terminate().success());
    });
}

#[test]
fn bodies_that_trickle_leave_the_other_pages_working() {
    assert_others_are_served(
        "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n",
    );
}

#[test]
fn heads_that_trickle_leave_the_other_pages_working() {
    assert_others_are_served("GET /sign-in HTTP/1.1\r\nx-slow: ");
}

#[test]
fn a_head_that_trickles_is_cut() {
    run_async(async {
        let app = TestApp::start(Database::sqlite()).await;
        let address = app.base().replace("http://", "");
        for head in ["", "GET /sign-in HTTP/1.1\r\nhost: x\r\nx-slow: "] {
            let (response, took) = trickle(address.clone(), head.into()).await;
            assert!(took < LONGEST, "{head}: {took:?} {response}");
            assert!(response.starts_with("HTTP/1.1 408"), "{head}: {response}");
            let is_completed = response.contains("content-security-policy");
            assert!(is_completed, "{head}: {response}");
        }
        app.stop().await;
    });
}
