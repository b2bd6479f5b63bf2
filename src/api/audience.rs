//! The audience that a client asks for in a request for tokens.

use crate::error::Result;
use crate::http::app_state::AppState;
use crate::tokens::Audience;

/// Returns the audience with that id or name; the service itself if none is named.
///
/// # Errors
/// [`Error::InvalidTarget`](crate::Error::InvalidTarget) when there is no such application.
pub(super) async fn find_audience(app: &AppState, named: Option<&str>) -> Result<Audience> {
    match named {
        Some(named) => {
            let application = app.applications.get_audience(named).await?;
            Ok(Audience::Application(application))
        }
        None => Ok(Audience::Service),
    }
}
