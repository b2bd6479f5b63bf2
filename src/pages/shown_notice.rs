//! The notice of a page that stays open while things change: worded anew with each change of the page, and left
//! out once it is no longer true.

use actix_web::HttpRequest;

use super::notices::{self, NoticeView};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::notice::Notice;
use crate::http::open_page;
use crate::sessions::{Caller, Session};

/// Returns the notice for the page of `caller` in the response to `request`: that of the request before it, which
/// is used up, or the one that the open page shows.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn take(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
) -> Result<NoticeView> {
    let view = match open_page::shown_notice(request, caller.user.id) {
        Some((Notice::Account(user, notice), at)) => {
            let view = notices::of_account(app, request, (user, Some(caller)), notice).await?;
            unless_contradicted(app, caller, (view, at)).await?
        }
        _ => notices::take(app, request, Some(caller)).await?,
    };
    Ok(NoticeView {
        token: open_page::notice_token(request),
        ..view
    })
}

/// Returns the notice, unless a device of a name that it has signed in after it.
async fn unless_contradicted(
    app: &AppState,
    caller: &Caller,
    (view, at): (NoticeView, Timestamp),
) -> Result<NoticeView> {
    let live = app.sessions.list_live(caller.user.id).await?;
    let words = view.words.as_deref().unwrap_or_default();
    let is_named = |session: &Session| {
        words.contains(&session.display_name()) || words.contains(&session.label())
    };
    let is_new = |session: &&Session| session.created_at > at && session.id != caller.session.id;
    Ok(match live.iter().filter(is_new).any(is_named) {
        true => NoticeView::default(),
        false => view,
    })
}
