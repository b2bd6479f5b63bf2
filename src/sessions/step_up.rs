//! Step-up: some requests need a password given recently, by the caller themself. A step-up creates
//! a new JTI, so a copy of the old cookie or refresh token gains nothing by it.

use std::time::Duration;

use super::caller::Authentication;
use super::network::NetworkDigest;
use super::rotation::Rotation;
use super::store::{self, NewToken};
use super::values::Jti;
use super::{Caller, Session, Sessions};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::{Error, Result};

/// How far in the future a password may have been given, by the clock of another node.
const LEEWAY: Duration = Duration::from_secs(60);

/// A password given in a session, to be recorded with the JTI that follows.
pub(crate) struct StepUp {
    owner: UserId,
    session: SessionId,
    /// The JTI that was current when the caller was resolved.
    current: Jti,
    new: Jti,
    network: NetworkDigest,
    authentication: Authentication,
    grace: Duration,
    at: Timestamp,
}

impl Sessions {
    /// Records that the caller has just given their password. Returns the session with its new JTI.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the session has ended meanwhile; [`Error::Unavailable`] when
    /// the database doesn't respond.
    pub async fn record_step_up(&self, caller: &Caller) -> Result<Session> {
        let step_up = self.new_step_up(caller)?;
        self.db
            .transaction(move |c| record_step_up(c, &step_up))
            .await
    }

    /// Returns the step-up of a caller who has just given their password, for
    /// [`record_step_up`].
    ///
    /// # Errors
    /// [`Error::Internal`] when the system provides no randomness.
    pub(crate) fn new_step_up(&self, caller: &Caller) -> Result<StepUp> {
        Ok(StepUp {
            owner: caller.user.id,
            session: caller.session.id,
            current: caller.session.jti(),
            new: Jti::random()?,
            network: caller.network.clone(),
            authentication: caller.authentication.clone(),
            grace: self.refresh_grace,
            at: self.clock.now(),
        })
    }

    /// Verifies that the caller gave their password within the step-up window.
    ///
    /// # Errors
    /// [`Error::StepUpRequired`] when they did not.
    pub fn require_step_up(&self, caller: &Caller) -> Result<()> {
        let window = self.policy.step_up_window;
        let now = self.clock.now();
        let is_recent = |at: Timestamp| at <= now + LEEWAY && now.since(at) <= window;
        match caller.password_given_at().is_some_and(is_recent) {
            true => Ok(()),
            false => Err(Error::StepUpRequired { window }),
        }
    }

    /// Verifies that the caller may change something that needs no step-up.
    ///
    /// # Errors
    /// [`Error::StepUpRequired`] when their cookie was replaced: the grace period covers reading.
    pub fn require_write(&self, caller: &Caller) -> Result<()> {
        match caller.may_write() {
            true => Ok(()),
            false => Err(Error::StepUpRequired {
                window: self.policy.step_up_window,
            }),
        }
    }
}

/// Records a step-up, as a part of a transaction. Returns the session with its new JTI. A cookie
/// that another step-up has just replaced gets the JTI that followed it: two confirmations sent at
/// once leave the browser with the same cookie, whichever response comes last.
///
/// # Errors
/// [`Error::Unauthenticated`] when the session has ended meanwhile; [`Error::Unavailable`] when the
/// database doesn't respond.
pub(crate) fn record_step_up(c: &mut AnyConnection, step_up: &StepUp) -> Result<Session> {
    let (owner, id, at) = (step_up.owner, step_up.session, step_up.at);
    store::lock(c, owner, id)?;
    let live = store::find_live(c, owner, id, at)?;
    let (session, _) = live.ok_or(Error::Unauthenticated)?;
    if step_up.replaces_token(&session) {
        store::replace_token(c, &session, &step_up.new_token(&session), at)?;
    }
    store::record_password(c, owner, id, at)?.ok_or(Error::Unauthenticated)
}

impl StepUp {
    fn replaces_token(&self, session: &Session) -> bool {
        match self.authentication {
            Authentication::AccessToken { .. } => true,
            Authentication::Cookie => session.jti() == self.current,
            Authentication::ReplacedCookie | Authentication::ForwardCookie => false,
        }
    }

    /// Returns the token that follows: the successor of the current one, or another in its place.
    fn new_token(&self, session: &Session) -> NewToken {
        let recent = session.recent_rotations(self.grace, self.at);
        let recent = recent.with(self.spend(session.rotation_count, &session.jti()));
        match self.unused_predecessor(session) {
            Some(previous) => NewToken {
                jti: self.new.clone(),
                rotation_count: session.rotation_count,
                recent_rotations: recent
                    .with(self.spend(session.rotation_count.saturating_sub(1), &previous)),
                previous,
                is_used: false,
            },
            None => NewToken {
                jti: self.new.clone(),
                previous: session.jti(),
                rotation_count: session.rotation_count.saturating_add(1),
                recent_rotations: recent,
                // No refresh token waits for the successor of a cookie.
                is_used: !matches!(self.authentication, Authentication::AccessToken { .. }),
            },
        }
    }

    /// Returns the predecessor of a current token that nobody used, if the caller has an access
    /// token from before it: the response with the current one was lost, and the client still has
    /// the predecessor. It stays the predecessor, and may be presented again.
    fn unused_predecessor(&self, session: &Session) -> Option<Jti> {
        let Authentication::AccessToken { issued_with, .. } = &self.authentication else {
            return None;
        };
        let is_older = issued_with.rotation_count <= session.rotation_count
            && !issued_with.is_current(session);
        let previous = session.previous_jti.clone();
        previous
            .filter(|_| is_older && !session.is_token_used)
            .map(Jti::claimed)
    }

    fn spend(&self, counter: i32, jti: &Jti) -> Rotation {
        Rotation::new(counter, jti, self.at, self.network.clone())
    }
}
