//! The client of a request: its address, as trusted proxies report it, its place and its user
//! agent.

use std::borrow::Cow;
use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{self, Header, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};

use super::app_state::{AppState, app_state};
use crate::error::Error;
use crate::geo::{Location, Place};
use crate::net::client_address;
use crate::sessions::Client;
use crate::user_agent::ClientHints;

/// Language preferences considered at most.
const MAX_LANGUAGES: usize = 4;

/// Extracts the client of the request.
pub struct RequestClient(pub Client);

impl FromRequest for RequestClient {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(app_state(request).map(|app| Self(client(request, app))))
    }
}

/// Returns where the client is: its address in canonical text, and the place of that address. A
/// trusted proxy's headers state the place where the databases have none.
pub fn location(request: &HttpRequest, app: &AppState) -> Location {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else {
        return Location::default();
    };
    let ip = client_ip(request, app, peer);
    let mut place = app.places.find(ip);
    if place == Place::default() && app.trusted_proxies.contains(peer) {
        place = app
            .edge_headers
            .place(|name| header_text(request.headers(), name));
    }
    Location {
        ip: Some(ip.to_string()),
        place,
    }
}

fn client_ip(request: &HttpRequest, app: &AppState, peer: IpAddr) -> IpAddr {
    let forwarded = lines(request.headers(), &header::FORWARDED);
    let x_forwarded_for = lines(request.headers(), &header::X_FORWARDED_FOR);
    client_address(
        peer,
        &as_strs(&forwarded),
        &as_strs(&x_forwarded_for),
        &app.trusted_proxies,
    )
}

fn client(request: &HttpRequest, app: &AppState) -> Client {
    let sent = header_text(request.headers(), header::USER_AGENT.as_str());
    let hints = ClientHints::from_headers(|name| header_text(request.headers(), name));
    let agent = sent.as_deref().unwrap_or_default();
    let facts = app.device_parser.parse_with_hints(agent, hints);
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

/// Returns a header as text, with bytes that are not UTF-8 replaced.
fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Returns every line of a header. Bytes that are not UTF-8 are replaced: to drop the line would
/// also drop the address that a proxy appended to it.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<Cow<'a, str>> {
    headers
        .get_all(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect()
}

fn as_strs<'a>(lines: &'a [Cow<'_, str>]) -> Vec<&'a str> {
    lines.iter().map(AsRef::as_ref).collect()
}
