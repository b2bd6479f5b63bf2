//! Refreshing: each refresh token is used once (RFC 9700, 4.14.2). Used again within the grace, it
//! gets the successor that exists already; after that it is theft, and the session ends.

use super::store::{self, End};
use super::values::{EndedReason, Jti};
use super::{Session, Sessions, journey};
use crate::alerts::AlertKind;
use crate::db::{SessionId, Timestamp, UserId};
use crate::devices::Location;
use crate::devices::address::AddressKeeping;
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::{self, User};

impl Sessions {
    /// Spends the refresh token `spent` and answers with the session, whose [`Session::jti`] is
    /// then the successor's.
    ///
    /// # Errors
    /// [`Error::InvalidToken`] when the session is over, or the token was spent too long ago: then
    /// the session is over from now on.
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
        let known = location.ip.as_deref().map(known_forms).unwrap_or_default();
        let forms = known.clone();
        let rotated = self
            .db
            .write(move |c| store::rotate_jti(c, (owner, id), (&old, &new), &forms, now))
            .await?;
        match rotated {
            Some(session) if is_elsewhere(&session, &known) => {
                self.note_new_address(session, location).await
            }
            Some(session) => Ok(session),
            None => self.refresh_again(owner, id, spent, location.ip).await,
        }
    }

    /// Notes that a session is refreshed from another address than before. That is seldom, so it may
    /// cost more statements.
    async fn note_new_address(&self, session: Session, location: Location) -> Result<Session> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let (owner, id) = (session.user_id, session.id);
                let location = location.kept(people::address_keeping(c, owner)?);
                let origin = Origin {
                    user: Some(owner),
                    session: Some(id),
                    ip: location.ip.clone(),
                };
                if let Some(journey) = journey::from(&session).to(&location, now) {
                    journey::record(c, &session, journey, &origin, now)?;
                }
                if location.ip.is_some() && location.ip != session.ip_address {
                    let event = NewEvent::of_session(owner, id, EventKind::Refreshed, &origin, now);
                    events::record(c, &[event])?;
                }
                let moved = store::move_to(c, owner, id, &location, now)?;
                Ok(moved.unwrap_or(session))
            })
            .await
    }

    /// The token was not the current one: a retry within the grace, or theft, or just too late.
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
            .read(move |c| store::live(c, owner, id, now))
            .await?;
        let Some((session, user)) = live else {
            return Err(Error::InvalidToken("its session is over"));
        };
        if self.is_within_grace(&session, &spent, now) {
            return Ok(session);
        }
        let origin = Origin {
            ip: ip.and_then(|ip| user.address_keeping.keep(&ip)),
            ..Origin::default()
        };
        self.end_stolen(user, session, origin).await?;
        tracing::warn!(session = %id, "a spent refresh token was used again; its session is ended");
        Err(Error::InvalidToken("it was spent before"))
    }

    /// Ends a session of which somebody has a copy, and tells its owner.
    async fn end_stolen(&self, user: User, session: Session, origin: Origin) -> Result<()> {
        const REASON: EndedReason = EndedReason::ReuseDetected;

        let at = self.clock.now();
        let alerts = self.alerts.clone();
        self.db
            .transaction(move |c| {
                let end = End {
                    reason: REASON,
                    by: None,
                    at,
                };
                let Some(ended) = store::end(c, user.id, session.id, end)? else {
                    return Ok(());
                };
                super::end::record(c, std::slice::from_ref(&ended), REASON, &origin, at)?;
                alerts.raise(c, &user, (AlertKind::Theft, ended.scene()), at)
            })
            .await
    }

    /// Whether `jti` is the current one, or was until a moment ago: a request that was under way
    /// when another one made a new JTI.
    pub(super) fn is_current(&self, session: &Session, jti: &Jti, now: Timestamp) -> bool {
        *jti == session.jti() || self.is_within_grace(session, jti, now)
    }

    fn is_within_grace(&self, session: &Session, spent: &Jti, now: Timestamp) -> bool {
        session.previous_jti.as_deref() == Some(spent.as_str())
            && now <= session.rotated_at() + self.refresh_grace
    }
}

/// Whether a session was used from none of these addresses before, if any is told.
fn is_elsewhere(session: &Session, addresses: &[String]) -> bool {
    let kept = session.ip_address.as_ref();
    !addresses.is_empty() && kept.is_none_or(|kept| !addresses.contains(kept))
}

/// An address in every form that may be kept of it.
fn known_forms(ip: &str) -> Vec<String> {
    AddressKeeping::ALL
        .iter()
        .filter_map(|keeping| keeping.keep(ip))
        .collect()
}
