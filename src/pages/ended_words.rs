//! Why this device was signed out, as the sign-in page says it to whoever holds the cookie of the session
//! that ended.

use actix_web::HttpRequest;

use super::times::TimeView;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::{EndedReason, EndedSession};

/// The end of a session, in words.
pub(super) struct EndedView {
    /// What happened.
    pub(super) what: &'static str,
    /// The device that it was done from, if it is known and was another one.
    pub(super) by: Option<String>,
    /// When; not of one that its person reported, since a stranger may be reading.
    pub(super) at: Option<TimeView>,
    /// What to do about it, where it is not just to sign in again.
    pub(super) advice: Option<&'static str>,
}

/// Returns why the session of the request's cookie is over, if it is. Nothing is said to whoever has no
/// genuine cookie, or one that was replaced before.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn find(app: &AppState, request: &HttpRequest) -> Result<Option<EndedView>> {
    let Some(claim) = browser::session_claim(request)? else {
        return Ok(None);
    };
    let ended = app.sessions.find_ended(claim).await?;
    let clock = ReaderClock::of_browser(request)?;
    Ok(ended.map(|ended| EndedView::new(ended, clock)))
}

impl EndedView {
    fn new(ended: EndedSession, clock: ReaderClock) -> Self {
        let (what, advice) = describe(&ended);
        let is_by_device = matches!(
            ended.reason,
            EndedReason::SignedOutRemotely | EndedReason::PasswordChanged
        );
        Self {
            what,
            by: ended
                .ended_by
                .filter(|_| is_by_device && !ended.is_reported),
            at: (!ended.is_reported).then(|| TimeView::moment(ended.at, clock)),
            advice,
        }
    }
}

fn describe(ended: &EndedSession) -> (&'static str, Option<&'static str>) {
    const SIGNED_OUT: &str = "This device was signed out";

    match ended.reason {
        EndedReason::SignedOutRemotely if ended.is_reported || ended.ended_by.is_some() => {
            (SIGNED_OUT, None)
        }
        EndedReason::SignedOutRemotely => ("This device was signed out from another one", None),
        EndedReason::SignedOut => ("You signed out on this device", None),
        EndedReason::Admin => ("An administrator signed this device out", None),
        EndedReason::Expired if ended.is_past_absolute_limit => (
            "This device was signed out because you had been signed in for as long as is allowed",
            None,
        ),
        EndedReason::Expired => (
            "This device was signed out because it had not been used for a while",
            None,
        ),
        EndedReason::ReuseDetected => (
            "This device was signed out for your safety: a copied sign-in was used",
            Some("If you don’t know why, set a new password once you are signed in."),
        ),
        EndedReason::WrongPasswords => (
            "This device was signed out for your safety: a wrong password was entered ten times",
            Some("If you don’t know your password, “Forgotten your password?” sets a new one."),
        ),
        EndedReason::PasswordChanged => (
            "This device was signed out because your password was changed",
            Some(
                "Sign in with the new one. If you didn’t change it, choose “Forgotten your password?”.",
            ),
        ),
        EndedReason::AccountDisabled => (
            "This device was signed out because your account was disabled",
            Some(
                "You can’t sign in until an administrator enables it. If you don’t know why, ask the people who run this service.",
            ),
        ),
        EndedReason::Replaced => (
            "You signed in again in this browser, and that ended the earlier sign-in",
            None,
        ),
        EndedReason::Limit => (
            "This device was signed out to make room for a newer one",
            None,
        ),
    }
}
