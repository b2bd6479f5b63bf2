//! `/account/export`: everything stored about a person, as a JSON file for them.

use actix_web::{HttpResponse, web};

use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::export_reader::ExportReader;
use crate::http::person_export::send_export;
use crate::people::Role;

/// Sends the file.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was
/// given too long ago; [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn download(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    let reader = ExportReader::new(&app.sessions, caller.origin(), Role::Person);
    let export = app.accounts.own_export(&caller).await?;
    send_export(reader, export, "rollcall").await
}
