//! Step-up: what is sensitive needs a password given recently. Giving it makes a new JTI, so that a
//! copy of the old cookie or refresh token is worth nothing from then on.

use super::read::Caller;
use super::values::Jti;
use super::{Session, Sessions, store};
use crate::error::{Error, Result};

impl Sessions {
    /// Notes that the caller has just given their password. Answers with the session under its new
    /// JTI.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the session ended meanwhile.
    pub async fn confirm(&self, caller: &Caller) -> Result<Session> {
        let now = self.clock.now();
        let new = Jti::random()?;
        let (owner, id) = (caller.user.id, caller.session.id);
        self.db
            .write(move |c| store::confirm(c, owner, id, &new, now)?.ok_or(Error::Unauthenticated))
            .await
    }

    /// Lets the caller do what is sensitive, if they gave their password recently.
    ///
    /// # Errors
    /// [`Error::StepUpRequired`] when not.
    pub fn require_recent_password(&self, caller: &Caller) -> Result<()> {
        let window = self.policy.step_up_window;
        match self.clock.now().since(caller.session.confirmed_at) <= window {
            true => Ok(()),
            false => Err(Error::StepUpRequired { window }),
        }
    }
}
