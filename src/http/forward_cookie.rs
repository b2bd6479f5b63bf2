//! The cookie of forward-auth: good at `/auth/verify` and nowhere else, so that what an application
//! receives of it opens no account. It is bound to the session and to the password, and ends with
//! either.

use actix_web::HttpRequest;

use super::app_state::{AppState, app_state};
use super::client::location;
use super::cookies::{self, MAX_AGE, OwnCookie};
use super::logged_caller;
use super::received_cookies::ReceivedCookies;
use crate::db::{SessionId, UserId};
use crate::error::{Error, Result};
use crate::people::User;
use crate::sessions::{Caller, Claim, Credential, Session};

/// What the cookie says.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Content {
    user: UserId,
    session: SessionId,
    /// When the password was last set, in microseconds since the Unix epoch.
    password_version: i64,
}

impl Content {
    fn of(session: &Session, user: &User) -> Self {
        Self {
            user: user.id,
            session: session.id,
            password_version: user.password_changed_at.timestamp_micros(),
        }
    }

    /// Parses the text of a cookie that was set for `domain`. One that was set for other hosts,
    /// before `cookie_domain` was changed, is none: where it is missing, it would not be given.
    fn parse(text: &str, domain: Option<&str>) -> Option<Self> {
        let mut parts = text.split(' ');
        let content = Self {
            user: parts.next()?.parse().ok()?,
            session: parts.next()?.parse().ok()?,
            password_version: parts.next()?.parse().ok()?,
        };
        let is_of_domain = parts.next()? == domain.unwrap_or_default();
        (is_of_domain && parts.next().is_none()).then_some(content)
    }

    fn to_text(self, domain: Option<&str>) -> String {
        let domain = domain.unwrap_or_default();
        format!(
            "{} {} {} {domain}",
            self.user, self.session, self.password_version
        )
    }

    fn claim(self) -> Claim {
        Claim {
            user: self.user,
            session: self.session,
            credential: Credential::ForwardCookie {
                password_version: self.password_version,
            },
        }
    }
}

/// Sets the cookie for `session` of `user`, where forward-auth is in use. It lives as long as the
/// session cookie.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn set(request: &HttpRequest, session: &Session, user: &User) -> Result<()> {
    let app = app_state(request)?;
    if !app.allowed_hosts.is_any() {
        return Ok(());
    }
    let domain = app.cookies.domain_of(OwnCookie::Forward);
    let text = Content::of(session, user).to_text(domain);
    let mut cookie = app.cookies.build(OwnCookie::Forward, text).finish();
    if session.is_remembered {
        cookie.set_max_age(MAX_AGE);
    }
    cookies::remove_elsewhere(request, &app.cookies, OwnCookie::Forward);
    cookies::add(request, app.forward_seal.seal(cookie));
    Ok(())
}

/// Removes the cookie from the browser, where forward-auth is in use or the request brings it.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn clear(request: &HttpRequest) -> Result<()> {
    let app = app_state(request)?;
    let is_received = ReceivedCookies::of(request).has(OwnCookie::Forward);
    if app.allowed_hosts.is_any() || is_received {
        cookies::remove_elsewhere(request, &app.cookies, OwnCookie::Forward);
        cookies::remove(request, &app.cookies, OwnCookie::Forward);
    }
    Ok(())
}

/// Returns the person and the session of the request's cookie, and records the use: the session is
/// live, its person active, and the password that of when the cookie was set. Several such cookies
/// of different sessions mean that another host of the domain planted one: none counts.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn caller(request: &HttpRequest) -> Result<Option<Caller>> {
    let app = app_state(request)?;
    let mut found: Option<Caller> = None;
    for content in received(request, app) {
        let resolved = app
            .sessions
            .resolve(content.claim(), location(request, app))
            .await;
        match resolved {
            Ok(caller) if is_of_another(&caller, found.as_ref()) => return Ok(None),
            Ok(caller) => found = Some(caller),
            Err(Error::Unauthenticated) => {}
            Err(err) => return Err(err),
        }
    }
    if let Some(caller) = &found {
        logged_caller::record_caller(request, caller);
    }
    Ok(found)
}

fn is_of_another(caller: &Caller, found: Option<&Caller>) -> bool {
    found.is_some_and(|found| found.session.id != caller.session.id)
}

/// Returns whether the request brings a cookie that is good for the caller's session, and no genuine
/// one of anything else.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn is_good_for(request: &HttpRequest, caller: &Caller) -> Result<bool> {
    let content = Content::of(&caller.session, &caller.user);
    let received = received(request, app_state(request)?);
    Ok(!received.is_empty() && received.iter().all(|other| *other == content))
}

/// Returns the contents of the request's genuine cookies; none when there are too many.
fn received(request: &HttpRequest, app: &AppState) -> Vec<Content> {
    let name = app.cookies.name(OwnCookie::Forward);
    let domain = app.cookies.domain_of(OwnCookie::Forward);
    ReceivedCookies::of(request)
        .values(OwnCookie::Forward)
        .iter()
        .filter_map(|value| app.forward_seal.open_received(name, value))
        .filter_map(|cookie| Content::parse(cookie.value(), domain))
        .collect()
}
