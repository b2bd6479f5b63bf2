//! The sessions of the reader of a page that are in doubt, however the page was requested.

use actix_web::{HttpMessage, HttpRequest};

use crate::account::Doubts;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::OpenAlerts;
use crate::sessions::{Caller, Session};

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

/// Returns a session by the name of its device, if it has ended and was reported.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn named_if_reported(
    app: &AppState,
    session: Session,
    now: Timestamp,
) -> Result<Session> {
    if session.is_live(now) || session.device_id.is_none() {
        return Ok(session);
    }
    let (owner, itself) = (session.user_id, vec![session.clone()]);
    let reported = app.sessions.list_on_reported(owner, itself.clone()).await?;
    let mut named = app.accounts.name_reported(owner, itself, &reported).await?;
    Ok(named.pop().unwrap_or(session))
}
