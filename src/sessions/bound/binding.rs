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

    /// Returns until when a proof that was made at `now` counts: a browser has it for the lifetime, and requests
    /// may be on their way.
    pub(super) fn end(&self, now: Timestamp) -> Timestamp {
        now + self.lifetime + LEEWAY
    }

    /// Returns what a browser gets that has proved its key at `now`.
    pub(super) fn grant(&self, session: SessionId, key: KeyDigest, now: Timestamp) -> BoundGrant {
        BoundGrant {
            session,
            cookie: self.stamps.cookie(session, key, self.end(now)),
            lifetime: self.lifetime,
            challenge: self.stamps.challenge(ChallengeKind::Refresh, session, now),
        }
    }
}
