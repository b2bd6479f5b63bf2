//! The static files, embedded in the binary. Their URLs contain a digest of the content, so
//! browsers may cache the responses for a year without revalidation (RFC 8246).

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// The file name of each hashed name, and the reverse.
struct Names {
    plain: HashMap<String, String>,
    hashed: HashMap<String, String>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let hashed: HashMap<_, _> = Files::iter()
        .filter_map(|name| Some((name.to_string(), hashed_name(&name, &Files::get(&name)?))))
        .collect();
    let plain = hashed
        .iter()
        .map(|(name, hashed)| (hashed.clone(), name.clone()))
        .collect();
    Names { plain, hashed }
});

/// Returns a name with a digest of the content: `rollcall.1f3a5c7e9b0d.css` for `rollcall.css`.
fn hashed_name(name: &str, file: &EmbeddedFile) -> String {
    let digest: String = file.metadata.sha256_hash()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}.{digest}.{ending}"),
        None => format!("{name}.{digest}"),
    }
}

/// Returns the URL of a static file.
pub fn url(name: &str) -> String {
    let hashed = NAMES.hashed.get(name).map_or(name, String::as_str);
    format!("/static/{hashed}")
}

/// Serves `GET /static/{name}`.
///
/// # Errors
/// [`Error::NotFound`] when no file has this hashed name.
pub async fn serve(name: web::Path<String>) -> Result<HttpResponse> {
    let plain = NAMES.plain.get(name.as_str()).ok_or(Error::NotFound)?;
    let file = Files::get(plain).ok_or(Error::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type(&file)))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(file.data.into_owned()))
}

/// Redirects `GET /favicon.ico`, which browsers request even where a page links another icon.
pub async fn favicon() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, url("favicon.svg")))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .finish()
}

fn content_type(file: &EmbeddedFile) -> String {
    let kind = file.metadata.mimetype();
    // SVG is XML, whose charset is a parameter as well (RFC 7303, 9.2).
    if kind.starts_with("text/") || kind == "image/svg+xml" {
        format!("{kind}; charset=utf-8")
    } else {
        kind.to_owned()
    }
}
