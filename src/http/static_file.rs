//! A file that is served under a name with a digest of its content.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};

use super::compression::{self, CompressedBody};

/// A file as it is served.
pub(super) struct StaticFile {
    content_type: String,
    body: CompressedBody,
}

impl StaticFile {
    /// Returns a file of this media type.
    pub(super) fn new(media_type: &str, data: Vec<u8>) -> Self {
        Self {
            content_type: content_type(media_type),
            body: CompressedBody::new(data),
        }
    }

    /// Returns the response with the file, compressed as the request prefers it.
    pub(super) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let (body, coding) = self.body.choose(request);
        let mut response = HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, self.content_type.as_str()))
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(body.to_vec());
        compression::add_vary(response.headers_mut());
        if let Some(coding) = coding {
            compression::add_coding(response.headers_mut(), coding);
        }
        response
    }
}

/// Returns a name with a digest of the content: `rollcall.1f3a5c7e9b0d.css` for `rollcall.css`.
pub(super) fn hashed_name(name: &str, data: &[u8]) -> String {
    let digest: String = Sha256::digest(data)[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}.{digest}.{ending}"),
        None => format!("{name}.{digest}"),
    }
}

/// Returns the URL of a file by its hashed name.
pub(super) fn url_of_hashed(hashed: &str) -> String {
    format!("/static/{hashed}")
}

fn content_type(media_type: &str) -> String {
    // SVG is XML, whose charset is a parameter as well (RFC 7303, 9.2).
    if media_type.starts_with("text/") || media_type == "image/svg+xml" {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_owned()
    }
}
