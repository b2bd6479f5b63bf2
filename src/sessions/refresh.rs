//! Refreshing: each refresh token can be used once (RFC 9700, 4.14.2). One used again within the
//! grace period gets the existing successor; later, it is token reuse, which ends the session.

use strum::VariantArray;

use super::impossible_travel::{self, Waypoint};
use super::store::{self, SessionEnd};
use super::values::{EndedReason, Jti};
use super::{Session, Sessions, record_ended};
use crate::alerts::AlertKind;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::{Error, Failure, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::geo::Location;
use crate::net::IpRetention;
use crate::people::{self, User};

impl Sessions {
    /// Spends the refresh token `spent` and returns the session, whose JTI is then the successor's.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when the session has ended or expired, or on token reuse, which ends
    /// the session; [`Error::Unavailable`] when the database doesn't respond.
    pub async fn refresh(
        &self,
        owner: UserId,
        id: SessionId,
        spent: Jti,
        location: Location,
    ) -> Result<Session> {
        let now = self.clock.now();
        let new = Jti::random()?;
        let old = spent.clone();
        let addresses = location.ip.as_deref().map(stored_forms).unwrap_or_default();
        let stored = addresses.clone();
        let rotated = self
            .db
            .write(move |c| store::rotate_jti(c, (owner, id), (&old, &new), &stored, now))
            .await?;
        match rotated {
            Some(session) if is_elsewhere(&session, &addresses) => {
                self.record_new_address(session, location).await
            }
            Some(session) => Ok(session),
            None => self.refresh_again(owner, id, spent, location.ip).await,
        }
    }

    /// Records that a session was refreshed from another address than before. That is rare, so it
    /// may cost more statements.
    async fn record_new_address(&self, session: Session, location: Location) -> Result<Session> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let (owner, id) = (session.user_id, session.id);
                let location = location.redacted(people::store::get_ip_retention(c, owner)?);
                let origin = Origin {
                    user: Some(owner),
                    session: Some(id),
                    ip: location.ip.clone(),
                };
                if let Some(travel) = Waypoint::from_last_use(&session).travel_to(&location, now) {
                    let travel = travel.to_string();
                    let ip = location.ip.as_deref();
                    impossible_travel::record(c, (owner, id), travel, ip, now)?;
                }
                if location.ip.is_some() && location.ip != session.ip_address {
                    let event =
                        NewEvent::for_session(owner, id, EventKind::Refreshed, &origin, now);
                    events::record_events(c, &[event])?;
                }
                let moved = store::update_location(c, owner, id, &location, now)?;
                Ok(moved.unwrap_or(session))
            })
            .await
    }

    /// Handles a token that is not the current one of a live session: a retry within the grace
    /// period, token reuse, or a session that has ended or expired.
    async fn refresh_again(
        &self,
        owner: UserId,
        id: SessionId,
        spent: Jti,
        ip: Option<String>,
    ) -> Result<Session> {
        let now = self.clock.now();
        let live = self
            .db
            .read(move |c| store::find_live(c, owner, id, now))
            .await?;
        let Some((session, user)) = live else {
            return Err(Error::InvalidToken(Failure::because("its session is over")));
        };
        if self.is_within_grace(&session, &spent, now) {
            return Ok(session);
        }
        let origin = Origin {
            ip: ip.and_then(|ip| user.ip_retention.redact(&ip)),
            ..Origin::default()
        };
        self.end_reused(user, session, origin).await?;
        tracing::warn!(session = %id, "a spent refresh token was used again; its session is ended");
        Err(Error::InvalidToken(Failure::because("it was spent before")))
    }

    /// Ends a session whose refresh token was reused, and alerts its owner.
    async fn end_reused(&self, user: User, session: Session, origin: Origin) -> Result<()> {
        const REASON: EndedReason = EndedReason::ReuseDetected;

        let at = self.clock.now();
        let alerts = self.alerts.clone();
        self.db
            .transaction(move |c| {
                let end = SessionEnd {
                    reason: REASON,
                    by: None,
                    at,
                };
                let Some(ended) = store::end(c, user.id, session.id, end)? else {
                    return Ok(());
                };
                record_ended(c, std::slice::from_ref(&ended), REASON, &origin, at)?;
                alerts.raise(c, &user, (AlertKind::TokenReuse, ended.alert_context()), at)
            })
            .await
    }

    /// Returns whether `jti` is the current one, or was within the grace period: another request
    /// may have rotated it while this one was in progress.
    pub(super) fn is_current(&self, session: &Session, jti: &Jti, now: Timestamp) -> bool {
        *jti == session.jti() || self.is_within_grace(session, jti, now)
    }

    fn is_within_grace(&self, session: &Session, spent: &Jti, now: Timestamp) -> bool {
        session.previous_jti.as_deref() == Some(spent.as_str())
            && now <= session.rotated_at() + self.refresh_grace
    }
}

/// Returns whether the stored address of a session is not one of `addresses`; false when these are
/// empty.
fn is_elsewhere(session: &Session, addresses: &[String]) -> bool {
    let stored = session.ip_address.as_ref();
    !addresses.is_empty() && stored.is_none_or(|stored| !addresses.contains(stored))
}

/// Returns every form in which an address may be stored.
fn stored_forms(ip: &str) -> Vec<String> {
    IpRetention::VARIANTS
        .iter()
        .filter_map(|retention| retention.redact(ip))
        .collect()
}
