//! The static files: those embedded in the binary, and those of the site's look. Their URLs contain a
//! digest of the content, so browsers may cache the responses for a year without revalidation (RFC
//! 8246).

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use super::app_state::AppState;
use super::compression::{self, CompressedBody};
use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// A file as it is served.
pub(super) struct StaticFile {
    content_type: String,
    body: CompressedBody,
}

/// The embedded files.
struct Embedded {
    /// The hashed name of each file.
    hashed: HashMap<String, String>,
    /// The files by their hashed names.
    files: HashMap<String, StaticFile>,
}

static EMBEDDED: LazyLock<Embedded> = LazyLock::new(|| {
    let mut embedded = Embedded {
        hashed: HashMap::new(),
        files: HashMap::new(),
    };
    for name in Files::iter() {
        if let Some(file) = Files::get(&name) {
            let hashed = hashed_name(&name, &file.data);
            let kind = file.metadata.mimetype();
            let file = StaticFile::new(kind, file.data.into_owned());
            embedded.files.insert(hashed.clone(), file);
            embedded.hashed.insert(name.into_owned(), hashed);
        }
    }
    embedded
});

impl StaticFile {
    /// Returns a file of this media type.
    pub(super) fn new(media_type: &str, data: Vec<u8>) -> Self {
        Self {
            content_type: content_type(media_type),
            body: CompressedBody::new(data),
        }
    }

    fn respond(&self, request: &HttpRequest) -> HttpResponse {
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

/// Returns the URL of an embedded file.
pub fn url(name: &str) -> String {
    let hashed = EMBEDDED.hashed.get(name).map_or(name, String::as_str);
    url_of_hashed(hashed)
}

/// Returns the URL of a file by its hashed name.
pub(super) fn url_of_hashed(hashed: &str) -> String {
    format!("/static/{hashed}")
}

/// Serves `GET /static/{name}`.
///
/// # Errors
/// [`Error::NotFound`] when no file has this hashed name.
pub async fn serve(
    app: web::Data<AppState>,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse> {
    let embedded = EMBEDDED.files.get(name.as_str());
    let file = embedded.or_else(|| app.site.find_file(&name));
    Ok(file.ok_or(Error::NotFound)?.respond(&request))
}

/// Redirects `GET /favicon.ico`, which browsers request even where a page links another icon.
pub async fn favicon() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, url("favicon.svg")))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .finish()
}

fn content_type(media_type: &str) -> String {
    // SVG is XML, whose charset is a parameter as well (RFC 7303, 9.2).
    if media_type.starts_with("text/") || media_type == "image/svg+xml" {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_owned()
    }
}
