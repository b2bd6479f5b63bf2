//! `/health`: whether the process lives, and whether it can do its work.

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

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(OK)
}

/// The database is reached and has every migration this binary knows.
pub async fn ready(app: web::Data<AppState>) -> Result<HttpResponse> {
    match app.db.read(migrate::pending).await? {
        0 => Ok(HttpResponse::Ok().json(OK)),
        missing => Err(Error::Unavailable(
            format!("{missing} migrations are not applied").into(),
        )),
    }
}
