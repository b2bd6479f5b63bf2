//! Why a session ended, in words: on the lists of a person, and on the sign-in page of the device whose
//! session it was. Each reason is worded here and nowhere else.

use std::collections::HashSet;
use std::time::Duration;

use actix_web::HttpRequest;

use super::times::TimeView;
use super::{end_sources, words};
use crate::db::SessionId;
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
/// The same of one that is signed in by another session: the cookie is the browser's.
const BROWSER_SIGNED_OUT: &str = "This browser was signed out";

/// The end of a session, for the sign-in page.
pub(super) struct EndedView {
    /// What happened.
    pub(super) what: String,
    /// The device that it was done from, if it is known and was another one.
    pub(super) by: Option<String>,
    /// What stands before that device.
    pub(super) preposition: &'static str,
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
    /// Whether every session of the person was ended with it, from one of them.
    pub is_everywhere: bool,
    /// What ended it, if it was none of the person's other sessions, as it follows "signed out".
    pub source: Option<&'a str>,
    /// The reason that an administrator stated.
    pub stated: Option<&'a str>,
    /// How long it had not been used.
    pub unused: Duration,
    /// Whether its device is signed in by another session.
    pub is_device_signed_in: bool,
    /// Whether it may have been ended by somebody else than its person.
    pub is_in_doubt: bool,
}

/// Returns whether a session may have been signed out by somebody else than its person: from one of the sessions
/// that are in doubt, or by itself if it is one.
pub(super) fn is_end_in_doubt(session: &Session, in_doubt: &HashSet<SessionId>) -> bool {
    let by_itself = (session.ended_reason == Some(EndedReason::SignedOut)).then_some(session.id);
    let mut by = session.ended_by.into_iter().chain(by_itself);
    by.any(|by| in_doubt.contains(&by))
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
    let Some(ended) = ended else {
        return Ok(None);
    };
    let source = match ended.source {
        Some(source) => Some(end_sources::describe(app, source).await?),
        None => None,
    };
    let clock = ReaderClock::of_browser(request)?;
    Ok(Some(EndedView::new(ended, source.as_deref(), clock)))
}

impl EndedView {
    fn new(ended: EndedSession, source: Option<&str>, clock: ReaderClock) -> Self {
        let is_by_device = matches!(
            ended.reason,
            EndedReason::SignedOutRemotely | EndedReason::PasswordChanged
        );
        let end = End {
            reason: Some(ended.reason),
            is_past_absolute_limit: ended.is_past_absolute_limit,
            by: ended.ended_by.as_deref(),
            is_everywhere: ended.is_everywhere,
            source,
            stated: None,
            unused: ended.unused,
            is_device_signed_in: ended.is_device_signed_in,
            is_in_doubt: false,
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
            preposition: match ended.reason {
                EndedReason::PasswordChanged => "on",
                _ => "from",
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
            unused: session.unused_before_end(),
            ..Self::default()
        }
    }

    /// Returns the verb of it: the device is signed out only where no other session of it is live.
    pub fn verb(self) -> &'static str {
        match self.is_device_signed_in {
            true => "Ended",
            false => "Signed out",
        }
    }

    /// Returns why it ended, for a list of what ended: "Signed out by an administrator".
    pub fn describe(self) -> String {
        let verb = self.verb();
        match (self.reason, self.stated) {
            (None, _) => verb.into(),
            (Some(EndedReason::SignedOut | EndedReason::SignedOutRemotely), _) => {
                format!("{verb} {}", self.by_whom())
            }
            (Some(EndedReason::ReuseDetected), _) => format!(
                "{verb} {} (if you don’t know why, change your password, and check the device)",
                self.why()
            ),
            (Some(EndedReason::Admin | EndedReason::AccountDisabled), Some(stated)) => {
                // Isolated, so that it doesn't change the direction around it (Unicode UAX #9, 2.7).
                format!("{verb} {}: “\u{2068}{stated}\u{2069}”", self.why())
            }
            _ => format!("{verb} {}", self.why()),
        }
    }

    /// Returns by whom it was signed out, and where, as it follows "signed out".
    fn by_whom(self) -> String {
        match (self.source, self.by) {
            (Some(source), _) => source.to_owned(),
            (None, _) if self.reason == Some(EndedReason::SignedOut) => match self.is_in_doubt {
                true => "by whoever used it".into(),
                false => "on the device itself".into(),
            },
            (None, by) if self.is_in_doubt => self.actor_words(by),
            (None, by) => format!("by you, {}", self.actor_words(by)),
        }
    }

    /// Returns from which device it was signed out.
    fn actor_words(self, by: Option<&str>) -> String {
        match by {
            Some(by) if self.is_everywhere => {
                format!("together with every other device, on {by}")
            }
            Some(by) => format!("from {by}"),
            None => "from another device".into(),
        }
    }

    /// Returns what happened, for whoever is at the device.
    fn sentence_for_device(self) -> String {
        let signed_out = match self.is_device_signed_in {
            true => BROWSER_SIGNED_OUT,
            false => SIGNED_OUT,
        };
        match (self.reason, self.source, self.by) {
            (Some(_), Some(source), _) => format!("{signed_out} {source}"),
            (Some(EndedReason::SignedOut), ..) => "You signed out on this device".into(),
            (Some(EndedReason::SignedOutRemotely), ..) if self.is_everywhere => {
                "You signed out everywhere, on this device".into()
            }
            // The page names the device after it.
            (Some(EndedReason::SignedOutRemotely), _, Some(_)) | (None, ..) => signed_out.into(),
            (Some(EndedReason::SignedOutRemotely), _, None) => {
                format!("{signed_out} from another one")
            }
            _ => format!("{signed_out} {}", self.why()),
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
            Some(EndedReason::Expired) => {
                return match words::rounded_span(self.unused) {
                    Some(span) => format!("after {span} without use"),
                    None => "after a long time without use".into(),
                };
            }
            Some(EndedReason::ReuseDetected) => "for safety: a copied sign-in was used",
            Some(EndedReason::WrongPasswords) => {
                return format!(
                    "for safety: the password was entered wrong {MAX_FAILURES_IN_WORDS} times"
                );
            }
            Some(EndedReason::PasswordChanged) => "because your password was changed",
            Some(EndedReason::AccountDisabled) => "because your account was disabled",
            Some(EndedReason::Replaced) => {
                "by a new sign-in in the same browser, or with a copy of its cookies"
            }
            Some(EndedReason::Limit) => "because there were too many sessions at once",
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
                "If you don’t know your password, “Forgotten your password?” says how to get a new one."
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
