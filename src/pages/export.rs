//! `/account/export`: everything stored about a person, as a JSON file for them.

use actix_web::{HttpResponse, web};

use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::person_export::send_export;

/// Sends the file.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was
/// given too long ago.
pub async fn download(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    send_export(app.accounts.export(caller.user.id), "rollcall").await
}
