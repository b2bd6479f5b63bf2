//! The static files: those embedded in the binary, and those of the site's look. Their URLs contain a
//! digest of the content, so browsers may cache the responses for a year without revalidation (RFC
//! 8246).

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;

use super::app_state::AppState;
use super::static_file::{StaticFile, hashed_name, url_of_hashed};
use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

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

/// Returns the URL of an embedded file.
pub fn url(name: &str) -> String {
    let hashed = EMBEDDED.hashed.get(name).map_or(name, String::as_str);
    url_of_hashed(hashed)
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
