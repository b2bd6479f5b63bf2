//! The way on from sign-in to a page of another origin: by itself once, and not again when the
//! browser comes back, which would be a loop.

use actix_session::SessionExt;
use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};

use super::app_state::app_state;
use super::forward_cookie;
use crate::error::{Error, Failure, Result};
use crate::sessions::Caller;

/// The key of the mark in the state of `actix-session`.
const MARK: &str = "onward";
/// How long after the browser was given the cookie of forward-auth one that comes without it is
/// known not to store it, in microseconds.
const GIVEN_FOR: i64 = 60 * 1_000_000;

/// What happened last on the way.
#[derive(Serialize, Deserialize)]
enum Mark {
    /// A form signed the person in.
    SignedIn,
    /// The browser was given the cookie of forward-auth and sent on, at this time in microseconds
    /// since the Unix epoch.
    Given(i64),
}

/// How a person who is signed in gets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    /// By themselves, at once.
    AtOnce,
    /// By a link: the browser has the cookie of forward-auth, and was sent back all the same.
    SentBack,
    /// By a link: the browser doesn't store the cookie of forward-auth.
    CookieRefused,
}

/// Marks that a form has just signed the person in, for [`go_on`].
///
/// # Errors
/// [`Error::Internal`] when the mark can't be serialized.
pub fn mark_signed_in(request: &HttpRequest) -> Result<()> {
    match app_state(request)?.allowed_hosts.is_any() {
        true => set_mark(request, &Mark::SignedIn),
        false => Ok(()),
    }
}

/// Returns how the caller gets on to a page of an allowed host. Gives the browser the cookie of
/// forward-auth if it has none that is good.
///
/// # Errors
/// [`Error::Internal`] when the cookie or the mark can't be made.
pub fn go_on(request: &HttpRequest, caller: &Caller) -> Result<Onward> {
    let now = app_state(request)?.clock.now().timestamp_micros();
    let state = request.get_session();
    let mark: Option<Mark> = state.get(MARK).ok().flatten();
    if forward_cookie::is_good_for(request, caller)? {
        return Ok(match mark {
            Some(Mark::SignedIn) => {
                state.remove(MARK);
                Onward::AtOnce
            }
            _ => Onward::SentBack,
        });
    }
    forward_cookie::set(request, &caller.session, &caller.user)?;
    match mark {
        Some(Mark::Given(at)) if now.saturating_sub(at) < GIVEN_FOR => Ok(Onward::CookieRefused),
        _ => {
            set_mark(request, &Mark::Given(now))?;
            Ok(Onward::AtOnce)
        }
    }
}

/// Forgets what happened on the way.
pub(super) fn forget(request: &HttpRequest) {
    request.get_session().remove(MARK);
}

fn set_mark(request: &HttpRequest, mark: &Mark) -> Result<()> {
    request
        .get_session()
        .insert(MARK, mark)
        .map_err(|err| Error::Internal(Failure::new("the session cookie", err)))
}
