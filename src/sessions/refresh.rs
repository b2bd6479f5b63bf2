//! Refreshing: each refresh token can be used once (RFC 9700, 4.14.2). What another genuine token
//! of the session gets is decided in `token_reuse`.

use std::time::Duration;

use strum::VariantArray;

use super::idle_limits::end_exemption;
use super::impossible_travel::Waypoint;
use super::network::{NetworkDigest, NetworkRelation};
use super::rotation::{RecentRotations, Rotation, format_stamp};
use super::store::{self, NewToken, RotationInput, SessionEnd};
use super::token_reuse::{Decision, Lineage, PresentedToken, decide};
use super::values::{EndedReason, Jti};
use super::{RefreshClaim, Session, Sessions, record_ended, two_places};
use crate::alerts::{AlertContext, AlertKind, Alerts};
use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::devices;
use crate::error::{Error, Result, TokenRefusal};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::geo::Location;
use crate::net::IpRetention;
use crate::people::{self, User};

/// A refresh in progress.
#[derive(Clone)]
struct Refresh {
    claim: RefreshClaim,
    /// The JTI of the successor, if there will be one.
    new: Jti,
    location: Location,
    network: NetworkDigest,
    now: Timestamp,
}

impl Sessions {
    /// Spends a refresh token and returns the session, whose JTI and counter are then the
    /// successor's. When the password was given stays what the token says.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when the session has ended or expired, or on token reuse, which ends
    /// the session; [`Error::Unavailable`] when the database doesn't respond; then nothing has
    /// changed.
    pub async fn refresh(&self, claim: RefreshClaim, location: Location) -> Result<Session> {
        let refresh = Refresh {
            new: Jti::random()?,
            network: self
                .network_key
                .digest(claim.session, location.ip.as_deref()),
            now: self.clock.now(),
            claim,
            location,
        };
        match self.rotate(&refresh).await? {
            Some(session) => Ok(session),
            None => self.refresh_in_transaction(refresh).await,
        }
    }

    /// Rotates in one statement, in the usual case: the token is the current one, and its address
    /// is the same as before.
    async fn rotate(&self, refresh: &Refresh) -> Result<Option<Session>> {
        let RefreshClaim {
            user, session, jti, ..
        } = refresh.claim.clone();
        let now = refresh.now;
        let grace_start = now - self.refresh_grace;
        let stamp = format_stamp(now, &refresh.network);
        let new = refresh.new.clone();
        let ip = refresh.location.ip.as_deref();
        let addresses = ip.map(stored_forms).unwrap_or_default();
        let place = refresh.location.place.clone();
        self.db
            .write(move |c| {
                let input = RotationInput {
                    spent: &jti,
                    new: &new,
                    addresses: &addresses,
                    place: &place,
                    stamp: &stamp,
                    grace_start,
                    now,
                };
                store::rotate_jti(c, user, session, &input)
            })
            .await
    }

    /// Decides what the token gets, and does it with everything that belongs to it, in one
    /// transaction: a new address, or the end of the session.
    async fn refresh_in_transaction(&self, refresh: Refresh) -> Result<Session> {
        let grace = self.refresh_grace;
        let reused = refresh.clone();
        let RefreshClaim { user, session, .. } = refresh.claim;
        let refreshed = self
            .db
            .transaction(move |c| {
                store::lock(c, user, session)?;
                let live = store::find_live(c, user, session, refresh.now)?;
                let Some((session, user)) = live else {
                    return Err(Error::InvalidToken(TokenRefusal::SessionOver));
                };
                let decision = decide(refresh.compare(&session, grace), grace);
                let token = match decision {
                    Decision::SameSuccessor | Decision::Current => return Ok(Some(session)),
                    // What ends with it is locked in another order.
                    Decision::TokenReuse => return Ok(None),
                    Decision::Rotate => refresh.successor(&session, grace),
                    Decision::ReplaceSuccessor => refresh.replacement(&session),
                    Decision::AcceptHigher => refresh.successor_of_higher(),
                };
                store::replace_token(c, &session, &token, refresh.now)?;
                refresh.record_location(c, &user, session).map(Some)
            })
            .await?;
        match refreshed {
            Some(session) => Ok(session),
            None => {
                if self.end_reused(reused).await? {
                    tracing::warn!(session = %session, "a spent refresh token was used again; its session is ended");
                }
                Err(Error::InvalidToken(TokenRefusal::Spent))
            }
        }
    }

    /// Ends a session whose refresh token was reused, the exemption of its device from the idle limit,
    /// and what is over by that, all in one transaction. A token that was spent stays so: it needs no
    /// second decision. Returns whether it was live; the account may be deleted meanwhile, too.
    async fn end_reused(&self, refresh: Refresh) -> Result<bool> {
        let (alerts, limits, at) = (self.alerts.clone(), self.idle_limits(), refresh.now);
        let RefreshClaim { user, session, .. } = refresh.claim;
        self.db
            .transaction(move |c| {
                // The person, the device, its sessions: the lock order of a sign-in.
                let user = match people::store::lock(c, user) {
                    Err(Error::NotFound) => return Ok(false),
                    user => user?,
                };
                let Some(session) = store::find(c, user.id, session)? else {
                    return Ok(false);
                };
                if let Some(device) = &session.device_id {
                    devices::store::lock(c, user.id, device)?;
                }
                store::lock_live(c, user.id)?;
                let has_ended = refresh.end_reused(c, &alerts, &user, &session)?;
                if let Some(device) = &session.device_id {
                    end_exemption(c, &user, device, limits, at)?;
                }
                Ok(has_ended)
            })
            .await
    }
}

impl Refresh {
    /// Compares the token with the row of its session. A direct predecessor is recognized by its
    /// JTI alone, since a token from before there were counters has none.
    fn compare(&self, session: &Session, grace: Duration) -> PresentedToken {
        let RefreshClaim {
            jti,
            rotation_count,
            ..
        } = &self.claim;
        let recent = session.recent_rotations(grace, self.now);
        let rotation = recent.find(*rotation_count, jti);
        let is_predecessor = session.previous_jti.as_deref() == Some(jti.as_str());
        let spent_at = match is_predecessor {
            true => Some(session.rotated_at()),
            false => rotation.map(|rotation| rotation.at),
        };
        PresentedToken {
            has_higher_counter: *rotation_count > session.rotation_count,
            lineage: match *jti == session.jti() {
                true => Lineage::Current,
                false if is_predecessor => Lineage::Predecessor {
                    is_successor_used: session.is_token_used,
                },
                false => Lineage::Other,
            },
            spent_for: spent_at.map(|at| self.now.since(at)),
            network: rotation.map_or(NetworkRelation::Same, |rotation| {
                rotation.network.relation_to(&self.network)
            }),
        }
    }

    /// Returns the successor of the current token.
    fn successor(&self, session: &Session, grace: Duration) -> NewToken {
        let spent = self.rotation(session.rotation_count, &session.jti());
        NewToken {
            jti: self.new.clone(),
            previous: session.jti(),
            rotation_count: session.rotation_count.saturating_add(1),
            recent_rotations: session.recent_rotations(grace, self.now).with(spent),
            is_used: false,
        }
    }

    /// Returns a token in place of the current one, with its counter. The presented token is spent
    /// a second time by it.
    fn replacement(&self, session: &Session) -> NewToken {
        let spent = self.rotation(self.claim.rotation_count, &self.claim.jti);
        NewToken {
            jti: self.new.clone(),
            previous: self.claim.jti.clone(),
            rotation_count: session.rotation_count,
            recent_rotations: RecentRotations::default().with(spent),
            is_used: false,
        }
    }

    /// Returns the successor of a token that the row is too old to have.
    fn successor_of_higher(&self) -> NewToken {
        let spent = self.rotation(self.claim.rotation_count, &self.claim.jti);
        NewToken {
            jti: self.new.clone(),
            previous: self.claim.jti.clone(),
            rotation_count: self.claim.rotation_count.saturating_add(1),
            recent_rotations: RecentRotations::default().with(spent),
            is_used: false,
        }
    }

    fn rotation(&self, counter: i32, jti: &Jti) -> Rotation {
        Rotation::new(counter, jti, self.now, self.network.clone())
    }

    /// Records the use, and the address if it is another than before. Returns the updated session.
    fn record_location(
        self,
        c: &mut AnyConnection,
        user: &User,
        session: Session,
    ) -> Result<Session> {
        let Self {
            claim,
            location,
            now,
            ..
        } = self;
        let (owner, id) = (session.user_id, session.id);
        let location = match location.ip {
            None => session.location(),
            Some(_) => location.redacted(user.ip_retention),
        };
        let origin = Origin {
            user: Some(owner),
            session: Some(id),
            ip: location.ip.clone(),
            application: claim.application,
            ..Origin::default()
        };
        if let Some(travel) = Waypoint::from_last_use(&session).travel_to(&location, now) {
            two_places::record(c, (owner, id), travel.to_string(), &location, now)?;
        }
        if location.ip.is_some() && location.ip != session.ip_address {
            let event = NewEvent::for_session(owner, id, EventKind::Refreshed, &origin, now);
            events::record_rare_event(c, event)?;
        }
        let moved = store::update_location(c, owner, id, &location, now)?;
        Ok(moved.unwrap_or(session))
    }

    /// Ends a session whose refresh token was reused, and alerts its owner: of where the token was
    /// used, and where the device was before. Returns whether it was live.
    fn end_reused(
        &self,
        c: &mut AnyConnection,
        alerts: &Alerts,
        user: &User,
        session: &Session,
    ) -> Result<bool> {
        const REASON: EndedReason = EndedReason::ReuseDetected;

        let at = self.now;
        let end = SessionEnd {
            reason: REASON,
            by: None,
            at,
        };
        let Some(ended) = store::end(c, user.id, session.id, end)? else {
            return Ok(false);
        };
        let location = self.location.clone().redacted(user.ip_retention);
        let origin = Origin {
            ip: location.ip.clone(),
            ..Origin::default()
        };
        record_ended(c, std::slice::from_ref(&ended), REASON, &origin, at)?;
        let context = AlertContext {
            before: Waypoint::from_last_use(session).before(&location.place, at),
            location,
            ..ended.end_alert_context()
        };
        alerts.raise(c, user, (AlertKind::TokenReuse, context), at)?;
        Ok(true)
    }
}

/// Returns every form in which an address may be stored.
fn stored_forms(ip: &str) -> Vec<String> {
    IpRetention::VARIANTS
        .iter()
        .filter_map(|retention| retention.redact(ip))
        .collect()
}
