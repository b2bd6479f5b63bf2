//! Where a form was sent from, as far as the browser states it: `Sec-Fetch-Site` (W3C Fetch
//! Metadata), or `Origin` where a browser sends no other (over plain HTTP). A page of another site
//! can set neither. It comes besides the CSRF token, not in place of one.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderName};
use url::{Position, Url};

use super::app_state::app_state;

/// The origin of a request that sends a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormOrigin {
    /// A page of this service.
    Own,
    /// Another origin.
    Other,
    /// The browser doesn't state it.
    Unknown,
}

impl FormOrigin {
    /// Returns the origin of `request`.
    pub(super) fn from_request(request: &HttpRequest) -> Self {
        match Self::from_fetch_metadata(request) {
            Self::Unknown => Self::from_origin(request),
            known => known,
        }
    }

    /// Reads `Sec-Fetch-Site`. Other ports and sibling domains are `same-site`, and no pages of
    /// ours.
    fn from_fetch_metadata(request: &HttpRequest) -> Self {
        let mut origin = Self::Unknown;
        let name = HeaderName::from_static("sec-fetch-site");
        for value in request.headers().get_all(name) {
            match value.as_bytes() {
                b"same-origin" => origin = Self::Own,
                b"same-site" | b"cross-site" => return Self::Other,
                // `none`: a person repeats the request, such as by reloading the page.
                _ => {}
            }
        }
        origin
    }

    /// Compares `Origin` with the address that the request was sent to, and with `public_url`: a
    /// proxy may replace `Host`. A page on plain HTTP is not one of a service with HTTPS.
    fn from_origin(request: &HttpRequest) -> Self {
        let mut values = request.headers().get_all(header::ORIGIN);
        let (Some(value), None) = (values.next(), values.next()) else {
            return Self::Unknown;
        };
        let Some(sent) = value.to_str().ok().and_then(|text| Url::parse(text).ok()) else {
            // `null`, where a browser hides it.
            return Self::Unknown;
        };
        match is_own(request, &sent) {
            true => Self::Own,
            false => Self::Other,
        }
    }
}

/// Returns the path and the query of the page of this service that a request comes from, as far as the
/// browser states it (`Referer`).
pub(super) fn own_referrer(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::REFERER)?.to_str().ok()?;
    let page = Url::parse(value).ok()?;
    is_own(request, &page).then(|| page[Position::BeforePath..Position::AfterQuery].to_owned())
}

fn is_own(request: &HttpRequest, sent: &Url) -> bool {
    let app = app_state(request).ok();
    let is_https = app.is_some_and(|app| app.is_https);
    let host = request
        .headers()
        .get(header::HOST)
        .filter(|_| sent.scheme() == "https" || !is_https)
        .and_then(|host| host.to_str().ok())
        // Without HTTPS here, the scheme is the proxy's business.
        .and_then(|host| Url::parse(&format!("{}://{host}", sent.scheme())).ok());
    let public = app.and_then(|app| Url::parse(&app.origin).ok());
    [host, public]
        .iter()
        .flatten()
        .any(|own| own.origin() == sent.origin())
}
