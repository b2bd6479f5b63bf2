//! `/.well-known/jwks.json`: the public keys, for services that verify access tokens offline.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::http::app_state::AppState;

/// Returns the keys, cacheable for 300 seconds. A verifier requests them again for an unknown
/// `kid`.
pub async fn show(app: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .json(app.tokens.jwks())
}
