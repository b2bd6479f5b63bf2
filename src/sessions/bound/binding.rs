//! How sessions are bound: what is signed for that, and how long it is good.

use std::time::Duration;

use super::public_key::KeyDigest;
use super::stamps::{ChallengeKind, Stamps};
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::keys::{KeyRing, Purpose};
use crate::settings::Settings;

/// What the clocks of two nodes may differ by, and how long a request may be on its way.
pub(super) const LEEWAY: Duration = Duration::from_secs(60);

/// The least time between two challenges: what the databases store.
const TICK: Duration = Duration::from_micros(1);

/// How sessions are bound, where they are.
#[derive(Clone)]
pub struct Binding {
    pub(super) stamps: Stamps,
    lifetime: Duration,
}

/// What a browser gets for a proof.
#[derive(Debug)]
pub struct BoundGrant {
    /// The session.
    pub session: SessionId,
    /// The value of the bound cookie.
    pub cookie: String,
    /// How long the browser keeps that.
    pub lifetime: Duration,
    /// What the next proof is of.
    pub challenge: String,
}

impl Binding {
    /// Returns how sessions are bound; `None` where people reach the service without TLS, or the setting says
    /// that they are not.
    #[must_use]
    pub fn new(ring: &KeyRing, settings: &Settings) -> Option<Self> {
        let lifetime = settings.sessions.bound_lifetime;
        let is_on = settings.is_https() && !lifetime.is_zero();
        is_on.then(|| Self {
            stamps: Stamps::new(ring.mac_keys(Purpose::BoundSession)),
            lifetime,
        })
    }

    /// Returns until when a proof counts that does so from `from`: a browser has it for the lifetime, and requests
    /// may be on their way.
    pub(super) fn end(&self, from: Timestamp) -> Timestamp {
        from + self.lifetime + LEEWAY
    }

    /// Returns the next challenge after one that was made at `at`: later than that, so that the proofs of both can be told
    /// apart, unless that is still to come, as of a clock that was set right.
    pub(super) fn next_challenge(
        &self,
        session: SessionId,
        at: Timestamp,
        now: Timestamp,
    ) -> String {
        let next = at + TICK;
        let next = if next <= now + LEEWAY {
            next.max(now)
        } else {
            now
        };
        self.stamps.challenge(ChallengeKind::Refresh, session, next)
    }

    /// Returns what a browser gets at `now` that has proved its key by a challenge made at `at`, and whose proof counts
    /// from `from`; `None` when it counts no more.
    pub(super) fn grant(
        &self,
        (session, key): (SessionId, KeyDigest),
        (at, from): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Option<BoundGrant> {
        let lifetime = self.lifetime.checked_sub(now.since(from))?;
        (lifetime.as_secs() > 0).then(|| BoundGrant {
            session,
            cookie: self.stamps.cookie(session, key, self.end(from)),
            lifetime,
            challenge: self.next_challenge(session, at, now),
        })
    }
}
