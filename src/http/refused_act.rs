//! What was not carried out, since the session of its page had ended.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::Method;
use serde::{Deserialize, Serialize};

use super::app_state::app_state;
use super::browser;
use super::form_origin::FormOrigin;
use crate::clock::Timestamp;
use crate::db::UserId;
use crate::error::Result;
use crate::sessions::{EndedReason, Session};

/// The time after the end of a session within which a form of it is a second press of the button that
/// ended it.
const REPEATED_WITHIN: Duration = Duration::from_secs(60);

/// What was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusedAct {
    /// The change of the password.
    Password,
    /// The deletion of the account.
    Deletion,
    /// The deletion of somebody else's account, or of what an administrator made.
    OtherDeletion,
    /// Something else.
    Other,
}

/// What was refused.
pub(super) enum Refused {
    /// A form of this person's session, which has ended.
    Known(UserId, RefusedAct),
    /// A form without a session: whose it was is not known.
    Unknown,
}

impl RefusedAct {
    /// Says that it was not carried out.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Password => {
                "Your password was not changed: you had been signed out when you sent it."
            }
            Self::Deletion => {
                "Your account was not deleted: you had been signed out when you pressed the button."
            }
            Self::OtherDeletion => {
                "Nothing was deleted: you had been signed out when you pressed the button. Press it again if it is still right."
            }
            Self::Other => {
                "Nothing was done: you had been signed out when you pressed the button. Press it again if it is still right."
            }
        }
    }

    /// Returns what a request would have done, if it is a form of one of our pages. To sign out is done.
    fn of(request: &HttpRequest) -> Option<Self> {
        let is_own = FormOrigin::from_request(request) == FormOrigin::Own;
        if *request.method() != Method::POST || !is_own {
            return None;
        }
        match request.path() {
            "/sign-out" => None,
            "/account/password" => Some(Self::Password),
            "/account/delete" => Some(Self::Deletion),
            path if path.ends_with("/delete") => Some(Self::OtherDeletion),
            _ => Some(Self::Other),
        }
    }
}

/// Finds what a request would have done that has no live session. `None`
/// where that is so already: the session was to end, or a second press of the same button is refused.
pub(super) async fn find(request: &HttpRequest) -> Result<Option<Refused>> {
    let Some(act) = RefusedAct::of(request) else {
        return Ok(None);
    };
    let Some(claim) = browser::session_claim(request)? else {
        return Ok(Some(Refused::Unknown));
    };
    let app = app_state(request)?;
    let own_sign_out = format!("/devices/{}/sign-out", claim.session);
    let session = app.sessions.find(claim.user, claim.session).await?;
    let is_second = |session: Session| has_just_ended_itself(&session, app.clock.now());
    let is_done = request.path() == own_sign_out || session.is_some_and(is_second);
    Ok((!is_done).then_some(Refused::Known(claim.user, act)))
}

/// Returns whether an act from a session ended it a moment ago, such as *Sign out everywhere*. A plain
/// sign-out is none: what is sent after that is something else.
fn has_just_ended_itself(session: &Session, now: Timestamp) -> bool {
    let is_recent = |at| now.since(at) < REPEATED_WITHIN;
    session.ended_by == Some(session.id)
        && session.ended_reason != Some(EndedReason::SignedOut)
        && session.ended_at.is_some_and(is_recent)
}
