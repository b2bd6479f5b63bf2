//! Why a session ended, in words: on the lists of a person, and on the sign-in page of the device whose
//! session it was. Each reason is worded here and nowhere else.

use actix_web::HttpRequest;

use super::times::TimeView;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::reader_clock::ReaderClock;
use crate::people::MAX_FAILURES_IN_WORDS;
use crate::sessions::{EndedReason, EndedSession, Session};

const SIGNED_OUT: &str = "This device was signed out";
/// What is said where a browser with a copy of this one's cookies replaced the session.
const REPLACED_ELSEWHERE: &str =
    "This device was signed out when a browser with its cookies signed in elsewhere";
const COPIED_COOKIES: &str = "If that wasn’t you, somebody may have a copy of them, and your password: sign in, and set a new one.";

/// The end of a session, for the sign-in page.
pub(super) struct EndedView {
    /// What happened.
    pub(super) what: String,
    /// The device that it was done from, if it is known and was another one.
    pub(super) by: Option<String>,
    /// When; not of one that its person reported, since a stranger may be reading.
    pub(super) at: Option<TimeView>,
    /// What to do about it, where it is not just to sign in again.
    pub(super) advice: Option<&'static str>,
}

/// The end of a session, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct End<'a> {
    /// Why it ended.
    pub reason: Option<EndedReason>,
    /// Whether it lasted as long as a session may, however often it is used.
    pub is_past_absolute_limit: bool,
    /// The name of the device that it was ended from.
    pub by: Option<&'a str>,
    /// The reason that an administrator stated.
    pub stated: Option<&'a str>,
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
        let is_by_device = matches!(
            ended.reason,
            EndedReason::SignedOutRemotely | EndedReason::PasswordChanged
        );
        let end = End {
            reason: Some(ended.reason),
            is_past_absolute_limit: ended.is_past_absolute_limit,
            by: ended.ended_by.as_deref(),
            stated: None,
        };
        let is_elsewhere = ended.is_replaced_elsewhere;
        let what = match ended.is_reported {
            true => SIGNED_OUT.into(),
            false if is_elsewhere => REPLACED_ELSEWHERE.into(),
            false => end.sentence_for_device(),
        };
        Self {
            what,
            advice: match is_elsewhere && !ended.is_reported {
                true => Some(COPIED_COOKIES),
                false => end.advice(),
            },
            by: ended
                .ended_by
                .filter(|_| is_by_device && !ended.is_reported),
            at: (!ended.is_reported).then(|| TimeView::moment(ended.at, clock)),
        }
    }
}

impl<'a> End<'a> {
    /// Returns the end of `session`; `by` is the name of the device it was ended from.
    pub fn of(session: &Session, by: Option<&'a str>) -> Self {
        Self {
            reason: session.end_reason(),
            is_past_absolute_limit: session.is_past_absolute_limit(),
            by,
            stated: None,
        }
    }

    /// Returns the end with the reason that an administrator stated, if one did.
    pub fn with_stated(self, stated: Option<&'a str>) -> Self {
        Self { stated, ..self }
    }

    /// Returns why it ended, for a list of what ended: "Signed out by an administrator".
    pub fn describe(self) -> String {
        match (self.reason, self.by, self.stated) {
            (Some(EndedReason::SignedOut), ..) => "Signed out on the device itself".into(),
            (Some(EndedReason::SignedOutRemotely), Some(by), _) => {
                format!("Signed out by you, from {by}")
            }
            (Some(EndedReason::SignedOutRemotely), None, _) => {
                "Signed out by you, from another device".into()
            }
            (Some(EndedReason::ReuseDetected), ..) => format!(
                "Signed out {} (if you don’t know why, change your password, and check the device)",
                self.why()
            ),
            (Some(EndedReason::Admin | EndedReason::AccountDisabled), _, Some(stated)) => {
                // Isolated, so that it doesn't change the direction around it (Unicode UAX #9, 2.7).
                format!("Signed out {}: “\u{2068}{stated}\u{2069}”", self.why())
            }
            (None, ..) => "Signed out".into(),
            _ => format!("Signed out {}", self.why()),
        }
    }

    /// Returns what happened, for whoever is at the device.
    fn sentence_for_device(self) -> String {
        match (self.reason, self.by) {
            (Some(EndedReason::SignedOut), _) => "You signed out on this device".into(),
            // The page names the device after it.
            (Some(EndedReason::SignedOutRemotely), Some(_)) | (None, _) => SIGNED_OUT.into(),
            (Some(EndedReason::SignedOutRemotely), None) => {
                "This device was signed out from another one".into()
            }
            _ => format!("{SIGNED_OUT} {}", self.why()),
        }
    }

    /// Returns why, as it follows "signed out".
    fn why(self) -> String {
        let why = match self.reason {
            None | Some(EndedReason::SignedOut | EndedReason::SignedOutRemotely) => "",
            Some(EndedReason::Admin) => "by an administrator",
            Some(EndedReason::Expired) if self.is_past_absolute_limit => {
                "because you had been signed in for as long as is allowed"
            }
            Some(EndedReason::Expired) => "after a long time without use",
            Some(EndedReason::ReuseDetected) => "for safety: a copied sign-in was used",
            Some(EndedReason::WrongPasswords) => {
                return format!(
                    "for safety: the password was entered wrong {MAX_FAILURES_IN_WORDS} times"
                );
            }
            Some(EndedReason::PasswordChanged) => "because your password was changed",
            Some(EndedReason::AccountDisabled) => "because your account was disabled",
            Some(EndedReason::Replaced) => "by a new sign-in with the cookies of this browser",
            Some(EndedReason::Limit) => "to make room for a newer device",
        };
        why.into()
    }

    /// Returns what whoever is at the device may do, where it is not just to sign in again.
    fn advice(self) -> Option<&'static str> {
        Some(match self.reason? {
            EndedReason::ReuseDetected => {
                "If you don’t know why, set a new password once you are signed in."
            }
            EndedReason::WrongPasswords => {
                "If you don’t know your password, “Forgotten your password?” sets a new one."
            }
            EndedReason::PasswordChanged => {
                "Sign in with the new one. If you didn’t change it, choose “Forgotten your password?”."
            }
            EndedReason::AccountDisabled => {
                "You can’t sign in until an administrator enables it. If you don’t know why, ask the people who run this service."
            }
            _ => return None,
        })
    }
}
