//! The sessions of the reader of a page that are in doubt, however the page was requested.

use actix_web::{HttpMessage, HttpRequest};

use crate::account::Doubts;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::OpenAlerts;
use crate::sessions::Caller;

/// Returns the caller's sessions that are in doubt, as [`PageCaller`](crate::http::caller::PageCaller) stored them in the request, or else loads
/// them.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn find_doubts(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
) -> Result<Doubts> {
    let stored = request.extensions().get::<OpenAlerts>().cloned();
    match stored {
        Some(OpenAlerts(attention)) => Ok(attention.doubts.clone()),
        None => {
            let (owner, here) = (caller.user.id, Some(caller.session.id));
            app.accounts.find_doubts(owner, here).await
        }
    }
}
