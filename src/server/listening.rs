//! The server on its listener. It is what `actix_web::HttpServer` makes, with the same defaults,
//! but its connections are [`CompletingStream`]s, and there `HttpServer` has no choice.

use std::fmt::Debug;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Request};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, map_config};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server, Service, ServiceFactory, ServiceResponse, fn_service};
use actix_web::rt::net::TcpStream;

use super::bare_response::CompletingStream;

/// How much is served at once.
pub(super) struct Limits {
    pub(super) workers: usize,
    /// Connections of each worker.
    pub(super) connections: usize,
}

/// Starts to serve what `application` makes, with `header_lines` in the responses that it doesn't
/// give.
///
/// # Errors
/// Those of the listener.
pub(super) fn listen<F, I, S, B>(
    listener: TcpListener,
    limits: &Limits,
    header_lines: &str,
    application: F,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<
            Request,
            Config = AppConfig,
            Response = ServiceResponse<B>,
            Error = Error,
            InitError: Debug,
            Service: Service<Request, Future: 'static> + 'static,
        > + 'static,
    B: MessageBody + 'static,
{
    let address = listener.local_addr()?;
    let header_lines: Arc<[u8]> = header_lines.as_bytes().into();
    let builder = Server::build()
        .workers(limits.workers)
        .max_concurrent_connections(limits.connections)
        .shutdown_timeout(10)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let service = move || {
        let (stopping, header_lines) = (stopping.clone(), header_lines.clone());
        let application = application()
            .into_factory()
            .map_err(|err: Error| err.as_response_error().error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_disconnect_timeout(Duration::from_secs(1))
            .local_addr(address)
            .on_connect_ext(|stream: &CompletingStream<TcpStream>, data| {
                data.insert(stream.turns());
            })
            .h1(map_config(application, move |()| {
                AppConfig::__priv_test_new(false, address.to_string(), address)
            }));
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            let stream = CompletingStream::new(stream, header_lines.clone());
            async move { Ok::<_, DispatchError>((stream, peer)) }
        })
        .and_then(http)
    };
    Ok(builder.listen("rollcall", listener, service)?.run())
}

#[cfg(test)]
mod tests {
    use actix_web::body::BodyStream;
    use actix_web::middleware::from_fn;
    use actix_web::{App, HttpResponse, rt, web};
    use futures_util::stream::iter;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tracing_actix_web::TracingLogger;

    use super::*;
    use crate::http::error_response::render_errors;
    use crate::http::panic_response::answer_panics;
    use crate::http::request_log::{RequestSpan, log_response};
    use crate::server::turns;

    const LINES: &str = "x-frame-options: DENY\r\n";
    const BARE: &str = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\
                        date: Sun, 29 Nov 2026 10:00:00 GMT\r\n\r\n";
    const BAD: &str = "nonsense\r\n\r\n";

    async fn sized() -> &'static str {
        BARE
    }

    async fn empty() -> HttpResponse {
        HttpResponse::NoContent().finish()
    }

    async fn streamed() -> HttpResponse {
        let pieces = [&BARE[..9], &BARE[9..], "."].map(|piece| Ok::<_, io::Error>(piece.into()));
        HttpResponse::Ok().body(BodyStream::new(iter(pieces)))
    }

    async fn failing() -> Result<&'static str, Error> {
        Err(actix_web::error::ErrorBadRequest(BARE))
    }

    fn start() -> (Server, std::net::SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            workers: 1,
            connections: 10,
        };
        let server = listen(listener, &limits, LINES, || {
            App::new()
                .route("/sized", web::get().to(sized))
                .route("/sized", web::head().to(sized))
                .route("/empty", web::get().to(empty))
                .route("/streamed", web::get().to(streamed))
                .route("/failing", web::get().to(failing))
                .wrap(from_fn(turns::watch))
        });
        (server.unwrap(), address)
    }

    async fn exchange(address: std::net::SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut received = String::new();
        stream.read_to_string(&mut received).await.unwrap();
        received
    }

    /// The first response is checked by what is left of it without [`LINES`], which nothing but a
    /// bare head gets.
    #[actix_web::test]
    async fn bodies_that_are_bare_heads_stay_as_they_are() {
        let (server, address) = start();
        let handle = server.handle();
        rt::spawn(server);
        for (start, whole, is_completed) in [
            ("GET /sized", BARE, false),
            ("GET /failing", BARE, false),
            ("HEAD /sized", "", false),
            ("GET /empty", "", true),
            ("GET /streamed", "0\r\n\r\n", true),
        ] {
            let request = format!("{start} HTTP/1.1\r\nhost: x\r\n\r\n");
            let received = exchange(address, &format!("{request}{BAD}")).await;
            let (first, last) = received.split_at(received.rfind("HTTP/1.1 400").unwrap());
            assert!(first.ends_with(whole), "{received}");
            assert!(!first.contains(LINES), "{received}");
            assert_eq!(last.contains(LINES), is_completed, "{received}");
            assert!(last.ends_with("\r\n\r\n"), "{received}");
        }
        let head_and_get = "HEAD /sized HTTP/1.1\r\nhost: x\r\n\r\nGET /sized HTTP/1.1\r\n\r\n";
        let received = exchange(address, &format!("{head_and_get}{BAD}")).await;
        assert!(!received.contains(LINES), "{received}");
        assert!(exchange(address, BAD).await.contains(LINES));
        handle.stop(false).await;
    }

    async fn panicking() -> HttpResponse {
        panic!("in a test")
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    }

    #[actix_web::test]
    async fn a_handler_that_panics_is_answered_with_the_id_of_the_request() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let limits = Limits {
            workers: 1,
            connections: 10,
        };
        let server = listen(listener, &limits, "", || {
            App::new()
                .route("/fine", web::get().to(HttpResponse::Ok))
                .default_service(web::to(panicking))
                .wrap(from_fn(render_errors))
                .wrap(from_fn(|request, next| answer_panics(None, request, next)))
                .wrap(from_fn(log_response))
                .wrap(TracingLogger::<RequestSpan>::new())
                .wrap(from_fn(turns::watch))
        });
        let server = server.unwrap();
        let handle = server.handle();
        rt::spawn(server);
        for (path, form) in [
            ("/devices", "text/html"),
            ("/api/v1/me", "application/problem+json"),
            ("/oauth/introspect", "application/json"),
        ] {
            let received = exchange(address, &get(path)).await;
            let (head, body) = received.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 500 "), "{received}");
            assert!(head.contains(&format!("content-type: {form}")), "{head}");
            assert!(head.contains("x-frame-options: DENY"), "{head}");
            let (_, id) = head.split_once("x-request-id: ").unwrap();
            let id = id.lines().next().unwrap();
            assert_eq!(body.contains(id), form == "text/html", "{received}");
            assert!(!received.contains("in a test"), "{received}");
            // The worker, which is the only one, goes on.
            let fine = exchange(address, &get("/fine")).await;
            assert!(fine.starts_with("HTTP/1.1 200 "), "{fine}");
        }
        handle.stop(false).await;
    }
}
