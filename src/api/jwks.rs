//! `/.well-known/jwks.json`: the public keys, for whoever checks access tokens offline.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};

use crate::http::app_state::AppState;

/// The keys. A verifier that meets an unknown `kid` asks again.
pub async fn show(app: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .json(app.tokens.jwks())
}
