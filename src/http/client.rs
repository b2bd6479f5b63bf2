//! The client of a request: its address, as trusted proxies report it, its place and its user
//! agent.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{self, Header, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::app_state::{AppState, app_state};
use crate::error::Error;
use crate::events::{Origin, Source};
use crate::geo::{Location, Place};
use crate::net::SourceNetwork;
use crate::people::HashRequester;
use crate::sessions::Client;
use crate::settings::TrustedHeader;
use crate::text;
use crate::user_agent::ClientHints;

/// Language preferences considered at most.
const MAX_LANGUAGES: usize = 4;

/// Extracts the client of the request.
pub struct RequestClient(pub Client);

impl RequestClient {
    /// Returns the client of a request.
    ///
    /// # Errors
    /// [`Error::Internal`] when the server was assembled without its state.
    pub(super) async fn of(request: &HttpRequest) -> Result<Self, Error> {
        let app = app_state(request)?;
        Ok(Self(client(request, app).await))
    }
}

impl FromRequest for RequestClient {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::of(&request).await })
    }
}

/// Returns where the client is: its address in canonical text, and the place of that address. A
/// trusted proxy's headers state the place where the databases have none.
pub fn location(request: &HttpRequest, app: &AppState) -> Location {
    let Some((peer, ip)) = addresses(request, app) else {
        return Location::default();
    };
    let mut place = app.places.find(ip);
    if place == Place::default() && app.trusted_proxies.contains(peer) {
        place = app.edge_headers.place(|name| {
            let text = header_text(request.headers(), name)?;
            Some(text::percent_decoded(&text).unwrap_or(text))
        });
    }
    Location {
        ip: Some(ip.to_string()),
        place,
    }
}

/// Returns the client of the request as a visitor who has a password hashed.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn visitor(request: &HttpRequest) -> Result<HashRequester, Error> {
    let network = source_network(request, app_state(request)?);
    Ok(HashRequester::Visitor(network))
}

/// Returns the address of the client, as trusted proxies report it.
pub(super) fn client_ip(request: &HttpRequest) -> Option<IpAddr> {
    let app = app_state(request).ok()?;
    addresses(request, app).map(|(_, ip)| ip)
}

/// Returns the origin of what somebody does who is not signed in.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn visitor_origin(request: &HttpRequest) -> Result<Origin, Error> {
    Ok(Origin {
        ip: location(request, app_state(request)?).ip,
        ..Origin::default()
    })
}

/// Returns the network of the client.
pub(super) fn source_network(request: &HttpRequest, app: &AppState) -> SourceNetwork {
    SourceNetwork::of(addresses(request, app).map(|(_, ip)| ip))
}

/// Returns where the request comes from, for the security log.
pub(super) fn source(request: &HttpRequest, app: &AppState) -> Source {
    Source {
        ip: addresses(request, app).map(|(_, ip)| ip.to_canonical()),
        user_agent: header_text(request.headers(), header::USER_AGENT.as_str()),
    }
}

/// Returns the address that the connection comes from, and the client's, as trusted proxies report
/// it. `None` where the connection has none.
fn addresses(request: &HttpRequest, app: &AppState) -> Option<(IpAddr, IpAddr)> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let header = match app.trusted_proxies.header() {
        TrustedHeader::XForwardedFor => header::X_FORWARDED_FOR,
        TrustedHeader::Forwarded => header::FORWARDED,
    };
    let lines: Vec<&[u8]> = request
        .headers()
        .get_all(header)
        .map(HeaderValue::as_bytes)
        .collect();
    Some((peer, app.trusted_proxies.client_address(peer, &lines)))
}

async fn client(request: &HttpRequest, app: &AppState) -> Client {
    let sent = header_text(request.headers(), header::USER_AGENT.as_str());
    let hints = ClientHints::from_headers(|name| header_text(request.headers(), name));
    let agent = sent.as_deref().unwrap_or_default();
    let facts = app.device_parser.parse(agent, hints).await;
    Client::new(location(request, app), sent.as_deref(), facts)
}

/// Returns the languages that the client prefers to English, best first, each followed by its
/// primary language. Languages after English are irrelevant: every name exists in English.
pub fn languages(request: &HttpRequest) -> Vec<String> {
    let Ok(accepted) = header::AcceptLanguage::parse(request) else {
        return Vec::new();
    };
    let ranked = accepted.ranked().into_iter().filter_map(|preference| {
        let tag = preference.into_item()?;
        Some((tag.as_str().to_owned(), tag.primary_language().to_owned()))
    });
    ranked
        .take_while(|(_, primary)| primary != "en")
        .take(MAX_LANGUAGES)
        .flat_map(|(tag, primary)| [tag, primary])
        .collect()
}

/// Returns a header as text: UTF-8, else Latin-1 (RFC 9110, 5.5).
pub fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(text::decode(headers.get(name)?.as_bytes()))
}
