//! `/account/export`: everything stored about a person, as a JSON file for them.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpResponse, web};

use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;

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
    let export = app.accounts.export(caller.user.id).await?;
    Ok(HttpResponse::Ok()
        .insert_header((
            CONTENT_DISPOSITION,
            r#"attachment; filename="rollcall.json""#,
        ))
        .json(export))
}
