//! `/.well-known/jwks.json`: the public keys, for services that verify access tokens offline.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::http::app_state::AppState;
use crate::keys::JWKS_MAX_AGE;

/// Returns the keys, cacheable for [`JWKS_MAX_AGE`]: a new key signs only when no cached response
/// lacks it.
pub async fn show(app: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((
            CACHE_CONTROL,
            format!("public, max-age={}", JWKS_MAX_AGE.as_secs()),
        ))
        .json(app.tokens.jwks())
}
