//! The security headers of every response. A header that a handler sets takes precedence.

use actix_web::http::header;
use actix_web::middleware::DefaultHeaders;

/// Allows nothing from other origins, nothing inline, and no framing.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
     font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const PERMISSIONS_POLICY: &str =
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()";

/// Returns the middleware that adds the security headers, with the value of [`hsts`].
pub fn security_headers(hsts: Option<&'static str>) -> DefaultHeaders {
    let headers = DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::REFERRER_POLICY, "same-origin"))
        .add((header::PERMISSIONS_POLICY, PERMISSIONS_POLICY))
        .add((header::X_FRAME_OPTIONS, "DENY"))
        .add(("cross-origin-opener-policy", "same-origin"))
        .add(("cross-origin-resource-policy", "same-origin"))
        // Responses are personal unless a handler states otherwise.
        .add((header::CACHE_CONTROL, "no-store"));
    match hsts {
        Some(policy) => headers.add((header::STRICT_TRANSPORT_SECURITY, policy)),
        None => headers,
    }
}

/// Returns the value of `Strict-Transport-Security`; `None` without HTTPS.
pub fn hsts(is_https: bool, include_subdomains: bool) -> Option<&'static str> {
    match (is_https, include_subdomains) {
        (true, true) => Some("max-age=31536000; includeSubDomains"),
        (true, false) => Some("max-age=31536000"),
        (false, _) => None,
    }
}
