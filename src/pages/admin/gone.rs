//! A person whose account was deleted while a page about them was open.

use actix_web::{HttpRequest, HttpResponse};

use super::back::{Back, List};
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::layout::see_other;
use crate::http::notice::{self, AccountNotice, Notice, PersonNotice};
use crate::people::User;
use crate::sessions::Caller;

/// Finds a person.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) async fn find_person(app: &AppState, id: UserId) -> Result<Option<User>> {
    match app.people.get(id).await {
        Err(Error::NotFound) => Ok(None),
        user => user.map(Some),
    }
}

/// Returns a redirect to the list, which says that the account is gone.
pub(super) fn gone(request: &HttpRequest, caller: &Caller, id: UserId) -> HttpResponse {
    to_list(request, caller, id, PersonNotice::Gone)
}

/// Returns a redirect to the list that the person was found in, which then shows the notice.
pub(super) fn to_list(
    request: &HttpRequest,
    caller: &Caller,
    id: UserId,
    outcome: PersonNotice,
) -> HttpResponse {
    let outcome = AccountNotice::Person(id, outcome);
    notice::put(request, Notice::Account(caller.user.id, outcome));
    see_other(Back::of(request, List::People).href)
}
