//! The way on from sign-in to a page of another origin: by itself once, and not again when the
//! browser comes back, which would be a loop.
//!
//! What happened last stands in a sealed cookie. It is not part of the session cookie: the response
//! to a `GET` that set that again could arrive after a step-up or a sign-in in another tab, and would
//! bring the replaced cookie back.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration as CookieDuration;
use serde::{Deserialize, Serialize};

use super::app_state::{AppState, app_state};
use super::cookies::{self, OwnCookie};
use super::forward_cookie;
use super::prefetch::is_seen;
use super::received_cookies::ReceivedCookies;
use crate::db::SessionId;
use crate::error::{Error, Failure, Result};
use crate::sessions::{Caller, Session};

/// How long a mark counts. So long after the browser was given the cookie of forward-auth, one that
/// comes without it is known not to store it.
const MAX_AGE: CookieDuration = CookieDuration::minutes(1);
/// The same in microseconds.
const LIFETIME: i64 = 60 * 1_000_000;

/// What happened last on the way.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    /// A form signed the person in.
    SignedIn,
    /// The browser was sent on, with the cookie of forward-auth.
    Given,
}

/// The content of the cookie.
#[derive(Serialize, Deserialize)]
struct Mark {
    step: Step,
    session: SessionId,
    /// When it happened, in microseconds since the Unix epoch.
    at: i64,
}

/// How a person who is signed in gets on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onward {
    /// By themselves, at once.
    AtOnce,
    /// By a link: the browser has the cookie of forward-auth, and was sent on a moment ago. The
    /// application may have sent it back, or the person went back.
    CameBack,
    /// By a link: the browser doesn't store the cookie of forward-auth.
    CookieRefused,
    /// By a link: the session cookie was just replaced, and gains no other cookie.
    Overtaken,
}

/// Marks that a form has just signed the person in with `session`, for [`go_on`].
///
/// # Errors
/// [`Error::Internal`] when the mark can't be serialized.
pub fn mark_signed_in(request: &HttpRequest, session: &Session) -> Result<()> {
    let app = app_state(request)?;
    match app.allowed_hosts.is_any() {
        true => set_mark(request, app, session, Step::SignedIn),
        false => Ok(()),
    }
}

/// Returns how the caller gets on to a page of an allowed host. Gives the browser the cookie of
/// forward-auth if it has none that is good, and shows the page.
///
/// # Errors
/// [`Error::Internal`] when the cookie or the mark can't be made.
pub fn go_on(request: &HttpRequest, caller: &Caller) -> Result<Onward> {
    let app = app_state(request)?;
    let step = last_step(request, app, caller);
    if forward_cookie::is_good_for(request, caller)? {
        if step == Some(Step::Given) {
            return Ok(Onward::CameBack);
        }
        if is_seen(request) {
            set_mark(request, app, &caller.session, Step::Given)?;
        }
        return Ok(Onward::AtOnce);
    }
    if !caller.may_write() {
        return Ok(Onward::Overtaken);
    }
    let is_refused = step == Some(Step::Given);
    if is_seen(request) {
        forward_cookie::set(request, &caller.session, &caller.user)?;
        if !is_refused {
            set_mark(request, app, &caller.session, Step::Given)?;
        }
    }
    Ok(match is_refused {
        true => Onward::CookieRefused,
        false => Onward::AtOnce,
    })
}

/// Removes the mark from the browser, if the request brings one.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub(super) fn clear(request: &HttpRequest) -> Result<()> {
    if ReceivedCookies::of(request).has(OwnCookie::Onward) {
        cookies::remove(request, &app_state(request)?.cookies, OwnCookie::Onward);
    }
    Ok(())
}

/// Returns the step of the request's mark, if it is of the caller's session and recent.
fn last_step(request: &HttpRequest, app: &AppState, caller: &Caller) -> Option<Step> {
    let name = app.cookies.name(OwnCookie::Onward);
    let now = app.clock.now().timestamp_micros();
    let received = ReceivedCookies::of(request);
    let mut marks = received
        .first_values(OwnCookie::Onward)
        .iter()
        .filter_map(|value| app.onward_seal.open_received(name, value))
        .filter_map(|cookie| serde_json::from_str::<Mark>(cookie.value()).ok());
    let mark = marks
        .find(|mark| mark.session == caller.session.id && now.saturating_sub(mark.at) < LIFETIME)?;
    Some(mark.step)
}

fn set_mark(request: &HttpRequest, app: &AppState, session: &Session, step: Step) -> Result<()> {
    let mark = Mark {
        step,
        session: session.id,
        at: app.clock.now().timestamp_micros(),
    };
    let content = serde_json::to_string(&mark)
        .map_err(|err| Error::Internal(Failure::new("the mark of the way on", err)))?;
    let cookie = app.cookies.build(OwnCookie::Onward, content);
    let cookie = cookie.max_age(MAX_AGE).finish();
    cookies::add(request, app.onward_seal.seal(cookie));
    Ok(())
}
