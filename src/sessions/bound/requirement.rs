//! What a request has to prove whose session is bound: once a request has brought the bound cookie, each one
//! has to, after a moment for those that were sent before.

use std::time::Duration;

use super::public_key::KeyDigest;
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::{Chain, Error, MissingProof, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::sessions::Sessions;
use crate::sessions::store::{self, Session, SessionKey};

/// The time after the first request with the bound cookie within which others may lack it.
const REQUIRED_AFTER: Duration = Duration::from_secs(30);

/// How soon after the password a browser makes its key, and how long what is opened meanwhile stays open.
const REGISTERED_IN: Duration = Duration::from_secs(15);
const OPEN_MEANWHILE: Duration = Duration::from_secs(5);

/// What the bound cookie of a request proves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CookieProof {
    /// Nothing: there is none of the session.
    #[default]
    None,
    /// That the browser had this key, longer ago than it counts.
    Expired(KeyDigest),
    /// That the browser had this key a moment ago, which counts until this time.
    Good(KeyDigest, Timestamp),
}

impl Sessions {
    /// Returns what bound cookies prove of a session: the best of `values`.
    pub fn read_bound_cookie<'a>(
        &self,
        session: SessionId,
        values: impl IntoIterator<Item = &'a str>,
    ) -> CookieProof {
        let Some(binding) = &self.binding else {
            return CookieProof::None;
        };
        let now = self.clock.now();
        let genuine = values
            .into_iter()
            .filter_map(|value| binding.stamps.open_cookie(session, value));
        let latest = genuine.max_by_key(|(_, until)| *until);
        match latest {
            None => CookieProof::None,
            Some((key, until)) if now < until => CookieProof::Good(key, until),
            Some((key, _)) => CookieProof::Expired(key),
        }
    }

    /// Returns until when what a request opens may stay open, by what its bound cookie proves: whoever copied its
    /// cookies is to gain no more than a browser does that makes no proof any more. `None`: for as long as its
    /// session is live.
    pub(in crate::sessions) fn proven_until(
        &self,
        session: &Session,
        proof: CookieProof,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let binding = self.binding.as_ref()?;
        let is_offered = session.bound_at.is_none() && now < session.confirmed_at + REGISTERED_IN;
        Some(match proof {
            CookieProof::Good(_, until) => until,
            // The browser may have made its key meanwhile: what is opened next brings its cookie.
            CookieProof::None if is_offered => now + OPEN_MEANWHILE,
            // The session may be bound meanwhile.
            CookieProof::None | CookieProof::Expired(_) => binding.end(now),
        })
    }

    /// Verifies that a request may act in a session whose cookie it has, and returns the session. The first
    /// request with the bound cookie is recorded.
    ///
    /// # Errors
    /// [`Error::ProofRequired`] when it lacks the proof.
    pub(in crate::sessions) async fn require_proof(
        &self,
        session: Session,
        key: Option<SessionKey>,
        proof: CookieProof,
        now: Timestamp,
    ) -> Result<Session> {
        let Some(key) = key else {
            return Ok(self.unbind(session).await);
        };
        if self.binding.is_none() {
            return Ok(session);
        }
        match (judge(&key, proof, now), key.seen_at) {
            (Some(missing), _) => Err(Error::ProofRequired(missing)),
            (None, None) if proof.is_good_for(&key) => Ok(self.bind(session, key, now).await),
            (None, _) => Ok(session),
        }
    }

    /// Records that a session has no key any more, if it had one before: the database was restored in parts.
    async fn unbind(&self, session: Session) -> Session {
        if session.bound_at.is_none() {
            return session;
        }
        let id = (session.user_id, session.id);
        let unbound = self
            .db
            .write(move |c| store::update_bound_at(c, id, None))
            .await;
        if let Err(err) = unbound {
            tracing::warn!(session = %session.id, error = %Chain(&err), "a session without a key could not be unbound yet");
        }
        Session {
            bound_at: None,
            ..session
        }
    }

    /// Records that a session is bound from now on. What can't be recorded is by the next request.
    async fn bind(&self, session: Session, key: SessionKey, now: Timestamp) -> Session {
        let (owner, id) = (session.user_id, session.id);
        let bound = self
            .db
            .transaction(move |c| {
                store::lock(c, owner, id)?;
                let is_first = store::mark_key_seen(c, (owner, id), &key.public_key, now)?;
                if is_first {
                    store::update_bound_at(c, (owner, id), Some(now))?;
                    let origin = Origin {
                        user: Some(owner),
                        session: Some(id),
                        ..Origin::default()
                    };
                    let kind = EventKind::Bound;
                    let event = NewEvent::for_session(owner, id, kind, &origin, now);
                    events::record_events(c, &[event])?;
                }
                Ok(is_first)
            })
            .await;
        match bound {
            Ok(true) => Session {
                bound_at: Some(now),
                ..session
            },
            Ok(false) => session,
            Err(err) => {
                tracing::warn!(session = %id, error = %Chain(&err), "a session could not be bound yet");
                session
            }
        }
    }
}

impl CookieProof {
    fn is_good_for(self, key: &SessionKey) -> bool {
        matches!(self, Self::Good(digest, _) if digest == KeyDigest::of(&key.public_key))
    }

    fn is_expired_for(self, key: &SessionKey) -> bool {
        self == Self::Expired(KeyDigest::of(&key.public_key))
    }
}

/// Returns what a request lacks, if anything.
fn judge(key: &SessionKey, proof: CookieProof, now: Timestamp) -> Option<MissingProof> {
    let seen_at = key.seen_at?;
    if now < seen_at + REQUIRED_AFTER || proof.is_good_for(key) {
        return None;
    }
    Some(match proof.is_expired_for(key) {
        true => MissingProof::Expired,
        false => MissingProof::Absent,
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        DateTime::<Utc>::from_timestamp(seconds, 0).unwrap().into()
    }

    fn key(seen_at: Option<i64>) -> SessionKey {
        SessionKey {
            public_key: vec![2; 33],
            registered_at: at(0),
            seen_at: seen_at.map(at),
            proved_at: at(0),
            renewed_at: at(0),
            noted_at: None,
            alerted_at: None,
        }
    }

    #[test]
    fn a_proof_is_required_thirty_seconds_after_the_first() {
        let (own, other) = (KeyDigest::of(&[2; 33]), KeyDigest::of(&[3; 33]));
        for proof in [
            CookieProof::None,
            CookieProof::Expired(own),
            CookieProof::Good(own, at(2_000_000)),
            CookieProof::Good(other, at(2_000_000)),
        ] {
            assert_eq!(judge(&key(None), proof, at(1_000_000)), None);
            assert_eq!(judge(&key(Some(100)), proof, at(129)), None);
        }
        let judged = |proof| judge(&key(Some(100)), proof, at(130));
        assert_eq!(judged(CookieProof::Good(own, at(2_000_000))), None);
        assert_eq!(
            judged(CookieProof::Expired(own)),
            Some(MissingProof::Expired)
        );
        for proof in [
            CookieProof::None,
            CookieProof::Good(other, at(2_000_000)),
            CookieProof::Expired(other),
        ] {
            assert_eq!(judged(proof), Some(MissingProof::Absent));
        }
    }
}
