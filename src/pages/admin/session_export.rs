//! `/admin/sessions/export`: the sessions that a filter finds, as a file.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::Result;
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::session_export::export_sessions;

/// Sends the file.
///
/// # Errors
/// As [`export_sessions`].
pub async fn download(
    app: web::Data<AppState>,
    AuditCaller(_): AuditCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    export_sessions(&app.sessions, &app.clock, request.query_string()).await
}
