//! Which of a request's session cookies counts: the first whose session is live. Two live ones of
//! different sessions mean that somebody planted one; then none counts, and the person signs in
//! again.

use super::app_state::AppState;
use super::cookies::OwnCookie;
use super::received_cookies::ReceivedCookies;
use super::session_cookies::{OpenedCookie, StoredClaim};
use crate::db::SessionId;
use crate::error::Result;
use crate::sessions::Authentication;

/// The cookie that counts, and what happens to the others.
pub(super) struct Choice {
    pub(super) cookie: Option<OpenedCookie>,
    pub(super) removal: Removal,
}

/// The scopes that the response removes session cookies from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    None,
    /// All besides this host alone.
    Elsewhere,
    Everywhere,
}

impl Choice {
    fn empty(removal: Removal) -> Self {
        Self {
            cookie: None,
            removal,
        }
    }
}

/// Chooses among the session cookies of a request. The database is asked only when there are
/// several.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when it doesn't respond.
pub(super) async fn choose(app: &AppState, received: &ReceivedCookies) -> Result<Choice> {
    if received.are_too_many(OwnCookie::Session) {
        return Ok(Choice::empty(Removal::Everywhere));
    }
    let name = app.cookies.name(OwnCookie::Session);
    let values = received.values(OwnCookie::Session).iter();
    let mut opened: Vec<OpenedCookie> = values
        .filter_map(|value| app.session_cookies.open(name, value))
        .collect();
    let genuine = opened.len();
    if app.cookies.may_be_domain_wide() {
        let is_host_only = |claim: &StoredClaim| claim.is_host_only();
        opened.retain(|cookie| cookie.claim.as_ref().is_none_or(is_host_only));
    }
    let is_one_refused = opened.len() < genuine;
    let mut choice = match opened.len() {
        0 | 1 => Choice {
            cookie: opened.pop(),
            removal: Removal::None,
        },
        _ => choose_live(app, opened).await?,
    };
    if is_one_refused {
        choice.removal = match choice.cookie {
            Some(_) => Removal::Elsewhere,
            None => Removal::Everywhere,
        };
    }
    Ok(choice)
}

/// Chooses among several cookies. Of one session, that with the current JTI counts; where no
/// session is live, the first, which opens nothing.
async fn choose_live(app: &AppState, opened: Vec<OpenedCookie>) -> Result<Choice> {
    let mut live: Vec<(SessionId, usize)> = Vec::new();
    let mut current = None;
    for (index, cookie) in opened.iter().enumerate() {
        let Some(claim) = &cookie.claim else {
            continue;
        };
        match find_authentication(app, claim).await? {
            None => continue,
            Some(Authentication::Cookie) => current = current.or(Some(index)),
            Some(_) => {}
        }
        live.push((claim.session(), index));
    }
    if live.windows(2).any(|pair| pair[0].0 != pair[1].0) {
        return Ok(Choice::empty(Removal::Everywhere));
    }
    let first = live.first().map_or(0, |(_, index)| *index);
    Ok(Choice {
        cookie: opened.into_iter().nth(current.unwrap_or(first)),
        removal: Removal::None,
    })
}

async fn find_authentication(
    app: &AppState,
    claim: &StoredClaim,
) -> Result<Option<Authentication>> {
    app.sessions
        .find_authentication(claim.user(), claim.session(), &claim.jti())
        .await
}
