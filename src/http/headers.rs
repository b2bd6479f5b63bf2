//! The security headers of every response. A header that a handler sets takes precedence.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::DefaultHeaders;

/// Allows nothing from other origins, nothing inline, and no framing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PERMISSIONS_POLICY: &str =
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()";

/// Returns the security headers and their values, with the value of [`hsts`].
fn values(hsts: Option<&'static str>) -> impl Iterator<Item = (HeaderName, &'static str)> {
    [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::PERMISSIONS_POLICY, PERMISSIONS_POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        // Responses are personal unless a handler states otherwise.
        (header::CACHE_CONTROL, "no-store"),
    ]
    .into_iter()
    .chain(hsts.map(|policy| (header::STRICT_TRANSPORT_SECURITY, policy)))
}

/// Returns the middleware that adds the security headers, with the value of [`hsts`].
pub fn security_headers(hsts: Option<&'static str>) -> DefaultHeaders {
    values(hsts).fold(DefaultHeaders::new(), DefaultHeaders::add)
}

/// Adds the security headers to a response that [`security_headers`] doesn't reach, with the value of
/// [`hsts`].
pub fn add_security_headers(headers: &mut HeaderMap, hsts: Option<&'static str>) {
    for (name, value) in values(hsts) {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// Returns the security headers as they stand in the head of a response, with the value of
/// [`hsts`].
pub fn security_header_lines(hsts: Option<&'static str>) -> String {
    values(hsts)
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect()
}

/// Returns the value of `Strict-Transport-Security`; `None` without HTTPS.
pub fn hsts(is_https: bool, include_subdomains: bool) -> Option<&'static str> {
    match (is_https, include_subdomains) {
        (true, true) => Some("max-age=31536000; includeSubDomains"),
        (true, false) => Some("max-age=31536000"),
        (false, _) => None,
    }
}
