//! Pages that a browser requests before anybody asked for them. Nothing is read or used unseen: no
//! use of a session, no link from a message, no new device cookie. The browser requests the page
//! again when it is really opened.
//!
//! Only pages refuse it. A proxy passes the header on to `/auth/verify`, where it is the
//! application's request that is prefetched, and where nginx takes anything but 2xx, 401 and 403
//! for a failure.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse};

/// Marks a request that nobody made: the script of an open page makes it by itself.
pub(super) const UNATTENDED: &str = "x-unattended";

/// The headers that state a prefetch: the standard one (HTML Living Standard, 7.4.2), and those of
/// older browsers.
const HEADERS: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
/// Their values.
const PURPOSES: [&str; 4] = ["prefetch", "prerender", "preview", "instant"];

/// Responds 503 without a body to a request that prefetches or prerenders a page.
pub async fn refuse_prefetch(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, actix_web::Error> {
    if is_prefetch(request.headers()) {
        let refused = HttpResponse::new(StatusCode::SERVICE_UNAVAILABLE);
        return Ok(request.into_response(refused).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}

/// Returns whether the headers state a prefetch: `prefetch`, `prefetch;prerender`, in any case.
pub(super) fn is_prefetch(headers: &HeaderMap) -> bool {
    HEADERS
        .iter()
        .flat_map(|name| headers.get_all(*name))
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|word| {
            let word = word.trim().trim_matches('"');
            PURPOSES
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        })
}

/// Returns whether the response is a page that somebody opens now. Any other request, such as one
/// for an image or one that the script of an open page makes by itself, uses up no notice and no mark; one
/// that fetches a page ahead is refused ([`refuse_prefetch`]).
pub(super) fn is_seen(request: &HttpRequest) -> bool {
    let headers = request.headers();
    let is_document = headers
        .get("sec-fetch-dest")
        .is_none_or(|destination| destination == "document");
    *request.method() == Method::GET && is_document && !headers.contains_key(UNATTENDED)
}
