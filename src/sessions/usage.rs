//! Using sessions: resolves a claim to its caller, and records when and where a session was used.

use super::caller::{Authentication, Credential, IssuedWith};
use super::impossible_travel::Waypoint;
use super::store::{self, LastUse};
use super::values::Jti;
use super::{Caller, Claim, Session, Sessions, two_places};
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::{Chain, Error, Result};
use crate::geo::Location;
use crate::people::User;

impl Sessions {
    /// Resolves a claim to its caller, and records the use.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when there is no such live session of an active account, or the
    /// JTI of a cookie was replaced longer than the grace period ago; [`Error::ProofRequired`] when the
    /// session is bound, and the request lacks the proof of its browser; [`Error::Unavailable`] when
    /// the database doesn't respond, or the first use of a refresh token can't be written.
    pub async fn resolve(&self, claim: Claim, location: Location) -> Result<Caller> {
        let caller = self.identify(claim, location).await?;
        // A use that can't be recorded doesn't fail the request.
        let Caller {
            session, location, ..
        } = &caller;
        if let Err(err) = self.record_use(session, self.clock.now(), location).await {
            tracing::warn!(session = %session.id, error = %Chain(&err), "a use could not be recorded");
        }
        Ok(caller)
    }

    /// Resolves a claim to its caller, for a request that an open page makes by itself: it is no use
    /// of the session, unless it comes from somewhere else. Whoever has a copy of a cookie could
    /// otherwise pretend to be a page.
    ///
    /// # Errors
    /// As [`Sessions::resolve`].
    pub async fn resolve_unattended(&self, claim: Claim, location: Location) -> Result<Caller> {
        let caller = self.identify(claim.clone(), location.clone()).await?;
        let (here, last) = (&caller.location, caller.session.location());
        let is_same = here.ip == last.ip
            && here.place.country == last.place.country
            && here.place.city == last.place.city;
        match is_same {
            true => Ok(caller),
            false => self.resolve(claim, location).await,
        }
    }

    /// Resolves a claim to its caller, without recording a use.
    ///
    /// # Errors
    /// As [`Sessions::resolve`].
    pub async fn identify(&self, claim: Claim, location: Location) -> Result<Caller> {
        let now = self.clock.now();
        let Claim {
            user,
            session,
            credential,
        } = claim;
        let (session, user, key) = self
            .db
            .read(move |c| store::find_live_with_key(c, user, session, now))
            .await?
            .ok_or(Error::Unauthenticated)?;
        let proof = match credential {
            Credential::Cookie { proof, .. } => Some(proof),
            Credential::ForwardCookie { .. } | Credential::AccessToken { .. } => None,
        };
        let authentication = self.authenticate(&session, &user, credential, now).await?;
        let session = match proof {
            Some(proof) => self.require_proof(session, key, proof, now).await?,
            None => session,
        };
        let network = self.network_key.digest(session.id, location.ip.as_deref());
        let proven_until = proof.and_then(|proof| self.proven_until(&session, proof, now));
        Ok(Caller {
            location: location.redacted(user.ip_retention),
            user,
            session,
            authentication,
            proven_until,
            network,
        })
    }

    /// Returns how a cookie authenticates its caller; `None` when there is no such live session of
    /// an active account, or the JTI was replaced longer than the grace period ago. Records no use, and
    /// requires no proof of a key: it lets nobody act.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_authentication(
        &self,
        owner: UserId,
        id: SessionId,
        jti: &Jti,
    ) -> Result<Option<Authentication>> {
        let now = self.clock.now();
        let live = self
            .db
            .read(move |c| store::find_live(c, owner, id, now))
            .await?;
        Ok(live.and_then(|(session, _)| self.by_cookie(&session, jti, now)))
    }

    /// Verifies what names a live session.
    async fn authenticate(
        &self,
        session: &Session,
        user: &User,
        credential: Credential,
        now: Timestamp,
    ) -> Result<Authentication> {
        match credential {
            Credential::Cookie { jti, .. } => self
                .by_cookie(session, &jti, now)
                .ok_or(Error::Unauthenticated),
            Credential::ForwardCookie { password_version } => {
                match password_version == user.password_changed_at.timestamp_micros() {
                    true => Ok(Authentication::ForwardCookie),
                    false => Err(Error::Unauthenticated),
                }
            }
            Credential::AccessToken {
                issued_with,
                password_given_at,
            } => {
                self.record_token_use(session, &issued_with).await?;
                Ok(Authentication::AccessToken {
                    issued_with,
                    password_given_at,
                })
            }
        }
    }

    pub(super) fn by_cookie(
        &self,
        session: &Session,
        jti: &Jti,
        now: Timestamp,
    ) -> Option<Authentication> {
        if *jti == session.jti() {
            return Some(Authentication::Cookie);
        }
        self.is_within_grace(session, jti, now)
            .then_some(Authentication::ReplacedCookie)
    }

    /// Returns whether a cookie with this JTI was replaced within the grace period.
    fn is_within_grace(&self, session: &Session, jti: &Jti, now: Timestamp) -> bool {
        let grace = self.refresh_grace;
        let is_previous = session.previous_jti.as_deref() == Some(jti.as_str())
            && now.since(session.rotated_at()) <= grace;
        is_previous || session.recent_rotations(grace, now).contains(jti)
    }

    /// Records that an access token was seen that was issued with the session's refresh token. The
    /// first one after a rotation is written at once, since another node must know; later ones cost
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it can't be written. Then the request must fail: whoever is
    /// served has the token, and its predecessor would be taken for one whose response was lost.
    pub async fn record_token_use(
        &self,
        session: &Session,
        issued_with: &IssuedWith,
    ) -> Result<()> {
        if session.is_token_used || !issued_with.is_current(session) {
            return Ok(());
        }
        let (owner, id, jti) = (session.user_id, session.id, session.jti());
        self.db
            .write(move |c| store::mark_token_used(c, owner, id, &jti))
            .await?;
        Ok(())
    }

    /// Buffers a use, or writes it at once if the session might expire before the next flush, or if
    /// the use reveals impossible travel that is not recorded yet. A use that can't be written is
    /// buffered, with the travel that it reveals.
    async fn record_use(
        &self,
        session: &Session,
        now: Timestamp,
        location: &Location,
    ) -> Result<()> {
        let travel = self.find_unrecorded_travel(session, now, location).await;
        let must_write = travel.is_some() || !self.can_wait(session, now);
        let used = LastUse {
            user_id: session.user_id,
            session_id: session.id,
            at: now,
            location: location.clone(),
            travel,
        };
        if !must_write {
            return self.last_uses.record(used).await;
        }
        match self.last_uses.write_now(used.clone()).await {
            Ok(()) => Ok(()),
            Err(err) => {
                self.last_uses.record(used).await?;
                Err(err)
            }
        }
    }

    /// Returns the impossible travel that a use reveals, in words, unless some was recorded within
    /// the last hour and the person is not to be asked about this one. While that can't be read, it counts as not recorded: writing it checks again.
    async fn find_unrecorded_travel(
        &self,
        session: &Session,
        now: Timestamp,
        location: &Location,
    ) -> Option<String> {
        let travel = Waypoint::from_last_use(session).travel_to(location, now)?;
        let recorded = two_places::is_recorded(&self.db, session, &location.place, now).await;
        (!recorded.unwrap_or(false)).then(|| travel.to_string())
    }

    /// Returns whether the use can be written by a later flush: the stored expiry is far enough
    /// away, or a use doesn't extend it.
    fn can_wait(&self, session: &Session, now: Timestamp) -> bool {
        session.expires_at.since(now) > self.flush_margin
            || session.expires_at >= session.expiry_if_used(now)
    }
}
