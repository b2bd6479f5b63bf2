//! Registering the key of a session: once, by whoever has its current cookie and the challenge that came with
//! the password. A browser may send the same request twice, and the answer may be lost.

use std::time::Duration;

use super::binding::{Binding, BoundGrant, LEEWAY};
use super::proof::SentProof;
use super::public_key::KeyDigest;
use super::stamps::ChallengeKind;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId};
use crate::error::{Error, ProofRefusal, Result};
use crate::sessions::store::{self, NewSessionKey};
use crate::sessions::{Authentication, Claim, Credential, Sessions};

/// How long after the password a key can be registered: browsers do so within seconds.
const REGISTERED_WITHIN: Duration = Duration::from_secs(5 * 60);

/// The challenge of a registration.
#[derive(Clone, Copy)]
struct Offered {
    at: Timestamp,
    kind: ChallengeKind,
}

impl Sessions {
    /// Registers the key that `proof` states and is signed by, for the session of a cookie. What costs little
    /// is verified first.
    ///
    /// # Errors
    /// [`Error::ProofRefused`] when it is of no challenge for this session in time, is not signed by its key,
    /// or the session has another key; [`Error::Unauthenticated`] when the session is not live, or the cookie
    /// is not its current one; [`Error::Unavailable`] when the database doesn't respond.
    pub async fn register_key(&self, claim: Claim, proof: SentProof) -> Result<BoundGrant> {
        let binding = self
            .binding
            .as_ref()
            .ok_or(Error::ProofRefused(ProofRefusal::Off))?;
        let now = self.clock.now();
        let offered = binding
            .find_offered(claim.session, proof.challenge(), now)
            .ok_or(Error::ProofRefused(ProofRefusal::Challenge))?;
        let key = proof.key().map_err(Error::ProofRefused)?;
        proof.verify(&key).map_err(Error::ProofRefused)?;
        self.require_current(&claim, now).await?;
        let stored = key
            .to_stored()
            .ok_or(Error::ProofRefused(ProofRefusal::NoKey))?;
        let digest = KeyDigest::of(&stored);
        let row = NewSessionKey {
            session_id: claim.session,
            user_id: claim.user,
            public_key: stored,
            registered_at: now,
            proved_at: offered.at,
            renewed_at: now,
        };
        let registered = self
            .db
            .transaction(move |c| register(c, &row, offered.kind))
            .await;
        match registered {
            // The request that comes again gets no more than it got first.
            Ok(Some(at)) => binding
                .grant((claim.session, digest), (offered.at, at.min(now)), now)
                .ok_or(Error::ProofRefused(ProofRefusal::Challenge)),
            Ok(None) => Err(Error::ProofRefused(ProofRefusal::AnotherKey)),
            // It was deleted meanwhile.
            Err(Error::Reference(_)) => Err(Error::Unauthenticated),
            Err(err) => Err(err),
        }
    }

    /// Verifies that a claim is that of the current cookie of a live session.
    async fn require_current(&self, claim: &Claim, now: Timestamp) -> Result<()> {
        let (owner, id) = (claim.user, claim.session);
        let live = self
            .db
            .read(move |c| store::find_live_with_key(c, owner, id, now))
            .await?;
        let (session, ..) = live.ok_or(Error::Unauthenticated)?;
        let Credential::Cookie { jti, .. } = &claim.credential else {
            return Err(Error::Unauthenticated);
        };
        match self.by_cookie(&session, jti, now) {
            Some(Authentication::Cookie) => Ok(()),
            _ => Err(Error::Unauthenticated),
        }
    }
}

impl Binding {
    /// Returns the challenge that a password brought, if `text` is one of this session that is not over.
    fn find_offered(&self, session: SessionId, text: &str, now: Timestamp) -> Option<Offered> {
        let mut kinds = [ChallengeKind::Register, ChallengeKind::Replace].into_iter();
        let offered = kinds.find_map(|kind| {
            let at = self.stamps.open_challenge(kind, session, text)?;
            Some(Offered { at, kind })
        });
        offered.filter(|it| it.at <= now + LEEWAY && now.since(it.at) <= REGISTERED_WITHIN)
    }
}

/// Stores a key, as a part of a transaction. Returns since when the session has it, if it does.
fn register(
    c: &mut AnyConnection,
    key: &NewSessionKey,
    kind: ChallengeKind,
) -> Result<Option<Timestamp>> {
    let now = key.registered_at;
    if store::insert_key(c, key)? {
        return Ok(Some(now));
    }
    let stored = store::find_key(c, key.user_id, key.session_id)?;
    match stored {
        Some(stored) if stored.public_key == key.public_key => Ok(Some(stored.registered_at)),
        Some(_) if kind == ChallengeKind::Replace => {
            Ok(store::replace_unseen_key(c, key)?.then_some(now))
        }
        _ => Ok(None),
    }
}
