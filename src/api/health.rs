//! `/health`: whether the process runs, and whether it can serve requests.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::db::migrate;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// Returns 200 whenever the process can respond.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(OK)
}

/// Returns 200 when the database responds and has every migration of this binary.
///
/// # Errors
/// [`Error::Unavailable`] when it doesn't.
pub async fn ready(app: web::Data<AppState>) -> Result<HttpResponse> {
    match app.db.read(migrate::pending).await? {
        0 => Ok(HttpResponse::Ok().json(OK)),
        missing => Err(Error::Unavailable(
            format!("{missing} migrations are not applied").into(),
        )),
    }
}
