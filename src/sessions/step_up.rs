//! Step-up: some requests need a password given recently. A step-up creates a new JTI, so a copy of
//! the old cookie or refresh token is valid for no longer than the grace period.

use super::values::Jti;
use super::{Caller, Session, Sessions, store};
use crate::error::{Error, Result};

impl Sessions {
    /// Records that the caller has just given their password. Returns the session with its new JTI.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the session has ended meanwhile; [`Error::Unavailable`] when
    /// the database doesn't respond.
    pub async fn record_step_up(&self, caller: &Caller) -> Result<Session> {
        let now = self.clock.now();
        let new = Jti::random()?;
        let (owner, id) = (caller.user.id, caller.session.id);
        self.db
            .write(move |c| {
                store::record_step_up(c, owner, id, &new, now)?.ok_or(Error::Unauthenticated)
            })
            .await
    }

    /// Verifies that the caller gave their password within the step-up window.
    ///
    /// # Errors
    /// [`Error::StepUpRequired`] when they did not.
    pub fn require_step_up(&self, caller: &Caller) -> Result<()> {
        let window = self.policy.step_up_window;
        match self.clock.now().since(caller.session.confirmed_at) <= window {
            true => Ok(()),
            false => Err(Error::StepUpRequired { window }),
        }
    }
}
