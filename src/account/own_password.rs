//! The password of a caller, given again within their session or to sign in once more. Whoever
//! guesses there has a stolen cookie or token, so the session ends after ten wrong ones, through
//! whichever door they came.

use super::Accounts;
use crate::alerts::AlertKind;
use crate::error::{Error, Result};
use crate::people::{MAX_FAILURES, PasswordCheck, People, PlainPassword, SignIn, User};
use crate::sessions::{self, Caller, EndedReason};
use crate::throttles::{Lane, LiveSession, Purpose, Requester};

/// Whether a password is the caller's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnPassword {
    /// It is.
    Right,
    /// It is not.
    Wrong,
    /// It is not, and there were so many wrong ones that the session ended.
    SessionEnded,
}

impl Accounts {
    /// Verifies that a password is the caller's. The try counts against their session, and the tenth
    /// wrong one ends it and alerts its owner.
    ///
    /// # Errors
    /// [`Error::TooManyTries`] when no try is allowed now;
    /// [`Error::Busy`] when too many passwords wait to be hashed;
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn verify_own_password(
        &self,
        people: &People,
        caller: &Caller,
        (purpose, requester): (Purpose, &Requester),
        password: PlainPassword,
    ) -> Result<OwnPassword> {
        let lane = Lane::Session(LiveSession {
            user: caller.user.id,
            id: caller.session.id,
        });
        let attempt = (purpose, requester, lane);
        match people
            .verify_password(attempt, &caller.user, password)
            .await?
        {
            PasswordCheck::Right => Ok(OwnPassword::Right),
            PasswordCheck::Wrong { failures } if failures < MAX_FAILURES => Ok(OwnPassword::Wrong),
            PasswordCheck::Wrong { .. } => {
                self.end_guessed_session(caller).await?;
                Ok(OwnPassword::SessionEnded)
            }
        }
    }

    /// Returns the person with this e-mail and password. A wrong password for the owner of the session
    /// `caller`, if the request comes with one, counts against that session, and the tenth ends it and
    /// alerts its owner.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`] when either is wrong, or the person may not sign in; otherwise as
    /// [`People::authenticate`].
    pub async fn sign_in(
        &self,
        people: &People,
        (requester, caller): (&Requester, Option<&Caller>),
        email: &str,
        password: PlainPassword,
    ) -> Result<User> {
        let (session, failures) = match people.authenticate(requester, email, password).await? {
            SignIn::Right(user) => return Ok(*user),
            SignIn::Refused { session, failures } => (session, failures),
        };
        let caller = caller.filter(|caller| session == Some(caller.session.id));
        if let Some(caller) = caller.filter(|_| failures >= MAX_FAILURES) {
            self.end_guessed_session(caller).await?;
        }
        Err(Error::InvalidCredentials)
    }

    async fn end_guessed_session(&self, caller: &Caller) -> Result<()> {
        const REASON: EndedReason = EndedReason::WrongPasswords;

        let at = self.clock.now();
        let alerts = self.alerts.clone();
        let (user, session) = (caller.user.clone(), caller.session.id);
        let (origin, context) = (caller.origin(), caller.end_alert_context(at));
        self.db
            .transaction(move |c| {
                match sessions::end_one(c, user.id, session, (REASON, &origin), at)? {
                    true => alerts.raise(c, &user, (AlertKind::WrongPasswords, context), at),
                    false => Ok(()),
                }
            })
            .await
    }
}
