//! Renewing a bound cookie by a new proof. A challenge is answered once it was asked for, and the one that came
//! with the last answer serves the next: usually one request in eight minutes of use.

use std::cmp::Ordering;
use std::time::Duration;

use super::binding::{Binding, BoundGrant, LEEWAY};
use super::observation::{Copied, UnknownSigner};
use super::proof::SentProof;
use super::public_key::{KeyDigest, PublicKey};
use super::stamps::ChallengeKind;
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::Result;
use crate::sessions::store::{self, LiveWithKey, SessionKey};
use crate::sessions::{Claim, Credential, Sessions};

/// How long a challenge is good: the one that came with a bound cookie until that is over, and more.
const RENEWED_WITHIN: Duration = Duration::from_secs(15 * 60);

/// What a browser is answered that wants to renew its bound cookie.
#[derive(Debug)]
pub enum Renewal {
    /// There is nothing to renew: the browser forgets the key.
    Over,
    /// It is to prove that it has the key, by this challenge.
    Challenged(String),
    /// It has not the key, and was not asked by this service for what it sent.
    Refused(Box<UnknownSigner>),
    /// It has proved it.
    Renewed(BoundGrant),
}

impl Sessions {
    /// Renews the bound cookie of the session of a cookie, for a browser that has the key of the session `id`.
    /// The proof need not be there.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn renew_proof(
        &self,
        claim: Claim,
        id: Option<SessionId>,
        proof: Option<SentProof>,
    ) -> Result<Renewal> {
        let now = self.clock.now();
        let Some(binding) = &self.binding else {
            return Ok(Renewal::Over);
        };
        if id != Some(claim.session) {
            return Ok(Renewal::Over);
        }
        let Some((live, key)) = self.find_key_holder(&claim, now).await? else {
            return Ok(Renewal::Over);
        };
        let challenge =
            || Renewal::Challenged(binding.next_challenge(claim.session, key.proved_at, now));
        let Some((proof, at)) = proof.and_then(|proof| {
            let at = binding.find_asked(claim.session, proof.challenge(), now)?;
            Some((proof, at))
        }) else {
            return Ok(challenge());
        };
        let own = PublicKey::from_stored(&key.public_key);
        if own.is_none_or(|own| proof.verify(&own).is_err()) {
            return Ok(Renewal::Refused(Box::new(UnknownSigner(Copied::new(
                live, key,
            )))));
        }
        let from = self.record_proof(&claim, &key, at, now).await?;
        let proved = (claim.session, KeyDigest::of(&key.public_key));
        let granted = from.and_then(|from| binding.grant(proved, (at, from), now));
        Ok(granted.map_or_else(challenge, Renewal::Renewed))
    }

    /// Finds the live session of a cookie, and its key.
    async fn find_key_holder(
        &self,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Option<(LiveWithKey, SessionKey)>> {
        let (owner, id) = (claim.user, claim.session);
        let live = self
            .db
            .read(move |c| store::find_live_with_key(c, owner, id, now))
            .await?;
        let Credential::Cookie { jti, .. } = &claim.credential else {
            return Ok(None);
        };
        Ok(live.and_then(|live| {
            let key = live.2.clone()?;
            self.by_cookie(&live.0, jti, now)?;
            Some((live, key))
        }))
    }

    /// Records a proof of a challenge that was made at `at`. Returns from when it counts: one that comes again, since
    /// its answer was lost or somebody has read it, from when it came first; one that a newer proof has overtaken not
    /// at all, unless the clocks of two nodes may differ by so much. One that is still to come, as of a clock that was
    /// set right, overtakes nothing.
    async fn record_proof(
        &self,
        claim: &Claim,
        key: &SessionKey,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let (session, public_key) = ((claim.user, claim.session), key.public_key.clone());
        self.db
            .write(move |c| store::record_proof(c, session, &public_key, at, now))
            .await?;
        let is_overtaken = at + LEEWAY < key.proved_at.min(now);
        Ok(match at.cmp(&key.proved_at) {
            Ordering::Greater => Some(now),
            Ordering::Equal => Some(key.renewed_at.min(now)),
            Ordering::Less => (!is_overtaken).then(|| at.min(now)),
        })
    }
}

impl Binding {
    /// Returns when a challenge was made, if `text` is one of this session that is not over.
    fn find_asked(&self, session: SessionId, text: &str, now: Timestamp) -> Option<Timestamp> {
        let kind = ChallengeKind::Refresh;
        let at = self.stamps.open_challenge(kind, session, text)?;
        (at <= now + LEEWAY && now.since(at) <= RENEWED_WITHIN).then_some(at)
    }
}
