//! A try that was taken: what becomes of it.

use std::time::Duration;

use super::in_flight::Place;
use super::lane::Lane;
use super::purpose::{Purpose, RefusalReason, describe};
use super::requester::Requester;
use super::{Throttles, store};
use crate::error::{Chain, Error, Result};
use crate::events::Refusal;

/// A try that was taken. It counts as a failure, unless it is given back.
#[must_use = "it counts as a failure until it is given back"]
pub struct Taken {
    pub(super) throttles: Throttles,
    pub(super) purpose: Purpose,
    pub(super) requester: Requester,
    pub(super) lane: Lane,
    /// Its place among the tries of its lane, until it is decided.
    pub(super) place: Option<Place>,
    /// The failures in its lane, with this one.
    pub(super) failures: u32,
    /// Whether it is known what became of it.
    pub(super) is_decided: bool,
}

impl Taken {
    pub(super) fn new(
        throttles: Throttles,
        purpose: Purpose,
        requester: Requester,
        lane: Lane,
    ) -> Self {
        Self {
            throttles,
            purpose,
            requester,
            lane,
            place: None,
            failures: 0,
            is_decided: false,
        }
    }

    /// Gives it back after a right password, which ends the failures of its lane, and of no other.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn right(mut self) -> Result<()> {
        self.is_decided = true;
        self.throttles.refund_allowance(&self);
        let Some(key) = self.lane.key() else {
            return Ok(());
        };
        let db = &self.throttles.db;
        db.write(move |c| store::delete(c, &key)).await
    }

    /// Lets it count as a failure. Returns the failures in its lane.
    #[must_use]
    pub fn wrong(mut self) -> u32 {
        self.is_decided = true;
        self.observe(RefusalReason::Credentials);
        self.failures
    }

    /// Gives it back when it could not be decided, since too much work waited or the database did
    /// not respond.
    pub async fn undecided(mut self) {
        self.is_decided = true;
        self.throttles.refund_allowance(&self);
        let Some(key) = self.lane.key() else {
            return;
        };
        let db = &self.throttles.db;
        let given_back = db.write(move |c| store::refund(c, &key)).await;
        if let Err(err) = given_back {
            tracing::warn!(error = %Chain(&err), "a try could not be given back; it counts as a failure");
        }
    }

    /// Returns the error of a try that a layer refused.
    pub(super) fn refused(mut self, reason: RefusalReason, wait: Duration) -> Error {
        self.is_decided = true;
        self.observe(reason);
        Error::TooManyTries {
            retry_after: whole_seconds(wait),
        }
    }

    fn observe(&self, reason: RefusalReason) {
        let (kind, detail) = describe(self.purpose, reason);
        let Requester {
            session, source, ..
        } = &self.requester;
        self.throttles.refusals.observe(Refusal {
            kind,
            detail: detail.into(),
            user: self.lane.user(),
            by: session.map(|session| (session.user, session.id)),
            application: None,
            source: Some(source.clone()),
        });
    }
}

/// Whoever closes the connection while the password is hashed leaves a failure, and a trace.
impl Drop for Taken {
    fn drop(&mut self) {
        if !self.is_decided && !self.purpose.sends_mail() {
            self.observe(RefusalReason::Abandoned);
        }
    }
}

/// Returns a time to wait in whole seconds, rounded up, at least one.
fn whole_seconds(wait: Duration) -> Duration {
    let part = u64::from(wait.subsec_nanos() > 0);
    Duration::from_secs(wait.as_secs().saturating_add(part).max(1))
}
