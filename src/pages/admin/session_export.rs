//! `/admin/sessions/export`: the sessions that a filter finds, as a file.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::Result;
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::export_reader::ExportReader;
use crate::http::session_export::export_sessions;
use crate::people::Role;

/// Sends the file.
///
/// # Errors
/// As [`export_sessions`].
pub async fn download(
    app: web::Data<AppState>,
    AuditCaller(caller): AuditCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let reader = ExportReader::new(&app.sessions, caller.origin(), Role::Auditor);
    export_sessions(reader, &app.sessions, &app.clock, request.query_string()).await
}
