//! A small application behind a proxy: it responds with the request that it received, and echoes
//! what it gets over a web socket.

use std::net::SocketAddr;

use actix_web::dev::ServerHandle;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use serde::{Deserialize, Serialize};

use super::response::TestResponse;

/// The application, which ends with the test's actix system if it isn't stopped before.
pub struct Application {
    pub address: SocketAddr,
    handle: ServerHandle,
}

/// A request as the application received it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Received {
    pub method: String,
    pub uri: String,
    /// Names in lower case; a byte of a value is a character.
    pub headers: Vec<(String, String)>,
    pub body_bytes: usize,
}

impl Application {
    pub fn start() -> Self {
        let server = HttpServer::new(|| {
            App::new()
                .app_data(web::PayloadConfig::new(64 << 20))
                .route("/socket", web::get().to(echo_socket))
                .route("/own-401", web::to(HttpResponse::Unauthorized))
                .default_service(web::to(show_request))
        });
        let server = server
            .workers(1)
            .disable_signals()
            .bind("127.0.0.1:0")
            .expect("a free port");
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Self { address, handle }
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

impl Received {
    /// Returns what the application received, which must have let the request in.
    #[track_caller]
    pub fn from_response(response: TestResponse) -> Self {
        let response = response.expect(200);
        serde_json::from_str(&response.text)
            .unwrap_or_else(|_| panic!("not of the application: {}", response.text))
    }

    /// Returns every line of a header.
    pub fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.headers.iter().filter(|(found, _)| found == name);
        lines.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns the only line of a header; empty without one.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let lines = self.lines(name);
        assert!(lines.len() < 2, "{name}: {lines:?}");
        lines.first().copied().unwrap_or_default()
    }
}

async fn show_request(request: HttpRequest, body: web::Bytes) -> web::Json<Received> {
    let headers = request.headers().iter().map(|(name, value)| {
        let value = value.as_bytes().iter().copied().map(char::from).collect();
        (name.as_str().to_owned(), value)
    });
    web::Json(Received {
        method: request.method().to_string(),
        uri: request.uri().to_string(),
        headers: headers.collect(),
        body_bytes: body.len(),
    })
}

/// Switches to a protocol that echoes every byte: proxies don't look into a web socket.
async fn echo_socket(request: HttpRequest, payload: web::Payload) -> HttpResponse {
    if !request.headers().contains_key(header::UPGRADE) {
        return HttpResponse::UpgradeRequired().finish();
    }
    let mut response = HttpResponse::SwitchingProtocols();
    response.upgrade("websocket");
    for name in ["remote-user", "cookie"] {
        if let Some(value) = request.headers().get(name) {
            response.insert_header((format!("x-seen-{name}"), value.clone()));
        }
    }
    response.streaming(payload)
}
