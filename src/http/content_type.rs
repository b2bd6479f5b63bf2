//! The media type of a request's body.

use actix_web::HttpRequest;
use actix_web::http::header;

/// Returns whether the request declares its body as `media_type`, with any parameters.
#[must_use]
pub fn has_content_type(request: &HttpRequest, media_type: &str) -> bool {
    let declared = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    declared
        .and_then(|declared| declared.split(';').next())
        .is_some_and(|declared| declared.trim().eq_ignore_ascii_case(media_type))
}
