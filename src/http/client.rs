//! The device a request comes from: its address, through trusted proxies, and its user agent.

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

/// Languages looked at.
const MAX_LANGUAGES: usize = 4;

/// A handler's argument: the client of the request.
pub struct RequestClient(pub Client);

impl FromRequest for RequestClient {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(app_state(request).map(|app| Self(client(request, app))))
    }
}

/// Where the client is: its address in canonical text, and the place of that.
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

/// The languages that the client reads, the best first, as far as they come before English, which
/// everything is in anyway.
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

/// A header as text, whatever its bytes.
fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Every line of a header. What is not text stays in its place as garbage: a line left out would
/// take along what a proxy has put behind it.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<Cow<'a, str>> {
    headers
        .get_all(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect()
}

fn as_strs<'a>(lines: &'a [Cow<'_, str>]) -> Vec<&'a str> {
    lines.iter().map(AsRef::as_ref).collect()
}
