//! What is noted of a session that was used without its key. A lost key looks the same as a copied cookie, so
//! that is in the session's history, hourly at most, and its person is alerted only where it looks like somebody
//! else: daily at most. Nothing ends by it, since the copy is no use, and whoever has it could sign them out.

use std::time::Duration;

use crate::alerts::{AlertContext, AlertKind};
use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::error::{Error, MissingProof, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::geo::Location;
use crate::people::{self, User};
use crate::sessions::impossible_travel::Waypoint;
use crate::sessions::store::{self, LiveWithKey, Session, SessionKey};
use crate::sessions::{Claim, Client, Sessions};

/// How often it is noted of a session.
const NOTED_EVERY: Duration = Duration::from_secs(60 * 60);
/// How often the person is alerted of a session.
const ALERTED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// A session of which a request had a copy, or a browser that lost the key.
#[derive(Debug)]
pub(super) struct Copied {
    session: Session,
    user: User,
    key: SessionKey,
}

/// A session that was used without its key, of which something may be to be recorded.
#[derive(Debug)]
pub struct UnprovenSession(Copied);

/// The session of a proof that was not signed by its key.
#[derive(Debug)]
pub struct UnknownSigner(pub(super) Copied);

/// What is recorded of a use.
#[derive(Debug, Clone, Copy)]
struct Due {
    is_noted: bool,
    is_alerted: bool,
}

impl Copied {
    pub(super) fn new((session, user, _): LiveWithKey, key: SessionKey) -> Self {
        Self { session, user, key }
    }

    fn is_noting_due(&self, now: Timestamp) -> bool {
        self.key.noted_at.is_none_or(|at| at <= now - NOTED_EVERY)
    }

    fn is_alert_due(&self, now: Timestamp) -> bool {
        self.key
            .alerted_at
            .is_none_or(|at| at <= now - ALERTED_EVERY)
    }

    /// Returns whether a client is another browser than the session's, or has another system.
    fn is_other_browser(&self, client: &Client) -> bool {
        let is_other =
            |known: &Option<String>, stated: &Option<String>| known.is_some() && known != stated;
        is_other(&self.session.browser, &client.facts.browser)
            || is_other(&self.session.os, &client.facts.os)
    }

    /// Returns whether a client is in another country than the session was last.
    fn is_elsewhere(&self, client: &Client) -> bool {
        let known = self.session.location_country.as_ref();
        let here = client.location.place.country.as_ref();
        known.zip(here).is_some_and(|(known, here)| known != here)
    }
}

impl Sessions {
    /// Finds the session of a request that lacked its proof, if there is something to record of it: a flood
    /// of such requests costs a query each.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_unproven(&self, claim: &Claim) -> Result<Option<UnprovenSession>> {
        let now = self.clock.now();
        let (owner, id) = (claim.user, claim.session);
        let live = self
            .db
            .read(move |c| store::find_live_with_key(c, owner, id, now))
            .await?;
        let copied = live.and_then(|live| {
            let key = live.2.clone()?;
            Some(Copied::new(live, key))
        });
        let copied = copied.filter(|it| it.is_noting_due(now) || it.is_alert_due(now));
        Ok(copied.map(UnprovenSession))
    }

    /// Records that a session was used without its key by `client`. Where its browser may prove the key at once, as
    /// after a link of another site, it is noted of another browser or country alone, and another country alerts nobody:
    /// people travel.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn record_unproven(
        &self,
        UnprovenSession(copied): UnprovenSession,
        client: Client,
        missing: MissingProof,
    ) -> Result<()> {
        let now = self.clock.now();
        let is_absent = missing == MissingProof::Absent;
        let is_refused = is_absent || missing == MissingProof::Expired;
        let (is_other, is_elsewhere) = (
            copied.is_other_browser(&client),
            copied.is_elsewhere(&client),
        );
        let due = Due {
            is_noted: (is_absent || is_other || is_elsewhere) && copied.is_noting_due(now),
            is_alerted: (is_other || (is_refused && is_elsewhere)) && copied.is_alert_due(now),
        };
        self.record_copied(copied, client.location, due, now).await
    }

    /// Records that somebody with a copy of a session's cookie signed with another key than its own.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn record_unknown_signer(
        &self,
        UnknownSigner(copied): UnknownSigner,
        location: Location,
    ) -> Result<()> {
        let now = self.clock.now();
        let due = Due {
            is_noted: copied.is_noting_due(now),
            is_alerted: copied.is_alert_due(now),
        };
        self.record_copied(copied, location, due, now).await
    }

    async fn record_copied(
        &self,
        copied: Copied,
        location: Location,
        due: Due,
        now: Timestamp,
    ) -> Result<()> {
        if !due.is_noted && !due.is_alerted {
            return Ok(());
        }
        let alerts = self.alerts.clone();
        self.db
            .transaction(move |c| {
                let Copied { session, user, .. } = &copied;
                let user = match people::store::lock(c, user.id) {
                    Err(Error::NotFound) => return Ok(()),
                    user => user?,
                };
                let location = location.redacted(user.ip_retention);
                let id = (user.id, session.id);
                if due.is_noted && store::mark_noted(c, id, now - NOTED_EVERY, now)? {
                    record_use(c, session, &location, now)?;
                }
                if due.is_alerted && store::mark_alerted(c, id, now - ALERTED_EVERY, now)? {
                    let context = AlertContext {
                        before: Waypoint::from_last_use(session).before(&location.place, now),
                        location,
                        ..session.end_alert_context()
                    };
                    alerts.raise(c, &user, (AlertKind::CopyRefused, context), now)?;
                }
                Ok(())
            })
            .await
    }
}

/// Records the event. By whom it was is not known.
fn record_use(
    c: &mut AnyConnection,
    session: &Session,
    location: &Location,
    now: Timestamp,
) -> Result<()> {
    let origin = Origin {
        ip: location.ip.clone(),
        ..Origin::default()
    };
    let kind = EventKind::UsedWithoutKey;
    let event = NewEvent::for_session(session.user_id, session.id, kind, &origin, now);
    events::record_events(c, &[event])
}
