//! The settings of an account that its person changes.

use super::Accounts;
use super::device_names::list_in_doubt;
use crate::alerts::Redaction;
use crate::clock::{TimeZone, Timestamp};
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::{NewEvent, Origin, Setting};
use crate::net::IpRetention;
use crate::people::{FullName, IdleLimit, User};
use crate::sessions::{Confirmation, IdleChange, IdleUpdate};
use crate::{alerts, events, people, sessions};

impl Accounts {
    /// Updates the name to call a person by.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn update_full_name(
        &self,
        id: UserId,
        name: Option<FullName>,
        origin: Origin,
    ) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                if user.full_name.as_deref() == name.as_ref().map(FullName::as_str) {
                    return Ok(());
                }
                people::store::update_full_name(c, id, name.as_ref(), now)?;
                record(c, &user, Setting::Name, &origin, now)
            })
            .await
    }

    /// Updates whether a person gets alerts about new sign-ins by e-mail.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn update_alert_emails(
        &self,
        id: UserId,
        enabled: bool,
        origin: Origin,
    ) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                if user.alert_emails == enabled {
                    return Ok(());
                }
                people::store::update_alert_emails(c, id, enabled, now)?;
                record(c, &user, Setting::AlertMail, &origin, now)
            })
            .await
    }

    /// Updates the zone that a person reads times in; `None` as their browser says.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn update_time_zone(
        &self,
        id: UserId,
        zone: Option<TimeZone>,
        origin: Origin,
    ) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                if user.time_zone() == zone {
                    return Ok(());
                }
                people::store::update_time_zone(c, id, zone, now)?;
                record(c, &user, Setting::TimeZone, &origin, now)
            })
            .await
    }

    /// Stores the zone of the browser in which a person has signed in to `session`, if it is another than at
    /// the last time: the times in messages to them are in it. A session that is in doubt may be an
    /// intruder's, and stores none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn update_browser_time_zone(
        &self,
        user: &User,
        session: SessionId,
        zone: TimeZone,
    ) -> Result<()> {
        if user.browser_time_zone() == Some(zone) {
            return Ok(());
        }
        let (id, now) = (user.id, self.clock.now());
        let update = move |c: &mut _| match list_in_doubt(c, id, now)?.contains(&session) {
            true => Ok(()),
            false => people::store::update_browser_time_zone(c, id, zone),
        };
        match self.db.transaction(update).await {
            // Deleted since: who signs in is told so.
            Err(Error::NotFound) => Ok(()),
            updated => updated,
        }
    }

    /// Updates the idle limit of a person's sessions, both live and future ones, except those on exempt
    /// devices. Without a confirmation nothing is saved if a session would end by it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn update_idle_limit(
        &self,
        id: UserId,
        limit: Option<IdleLimit>,
        confirmation: Confirmation,
        origin: Origin,
    ) -> Result<IdleChange> {
        // Expiry is computed from the rows, which lack the last uses that are still buffered.
        self.sessions.flush_last_uses().await?;
        let now = self.clock.now();
        let limits = self.sessions.idle_limits();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                let update = IdleUpdate {
                    owner: id,
                    limits,
                    chosen: limit,
                    confirmation,
                    origin: &origin,
                    at: now,
                };
                let change = update.run(c)?;
                if let IdleChange::Unconfirmed { .. } = change {
                    return Ok(change);
                }
                people::store::update_idle_limit(c, id, limit, now)?;
                if user.idle_limit() != limit {
                    record(c, &user, Setting::IdleLimit, &origin, now)?;
                }
                Ok(change)
            })
            .await
    }

    /// Updates a person's IP retention. Addresses that are stored already are redacted, also those from
    /// which they did something to others; that of an alert which waits for an answer is, once it no longer
    /// does.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn update_ip_retention(
        &self,
        id: UserId,
        retention: IpRetention,
        origin: Origin,
    ) -> Result<Redaction> {
        // A buffered address must not be written after the stored ones are redacted.
        self.sessions.flush_last_uses().await?;
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, id)?;
                people::store::update_ip_retention(c, id, retention, now)?;
                if user.ip_retention != retention {
                    let ip = origin.ip.as_deref().and_then(|ip| retention.redact(ip));
                    let origin = Origin { ip, ..origin };
                    record(c, &user, Setting::Addresses, &origin, now)?;
                }
                match retention {
                    IpRetention::Whole => Ok(Redaction::default()),
                    _ => redact_stored(c, id, retention, now),
                }
            })
            .await
    }
}

/// Redacts what is stored of the addresses of a person, whom the caller has locked.
fn redact_stored(
    c: &mut AnyConnection,
    id: UserId,
    retention: IpRetention,
    now: Timestamp,
) -> Result<Redaction> {
    let mut changed = 0;
    // The batch of a job that is running is over once the job is updated.
    for (job, ip) in sessions::store::list_job_addresses(c, id)? {
        let redacted = retention.redact(&ip);
        sessions::store::update_job_address(c, job, redacted.as_deref())?;
        changed += usize::from(redacted != Some(ip));
    }
    sessions::store::lock_of_people(c, &[id])?;
    let of_alerts = alerts::redact_addresses(c, id, retention, now)?;
    for (session, ip) in sessions::store::list_addresses(c, id)? {
        let redacted = retention.redact(&ip);
        if redacted.as_ref() != Some(&ip) {
            changed += sessions::store::update_address(c, id, session, redacted.as_deref())?;
        }
    }
    changed += events::redact_addresses(c, id, retention)?;
    Ok(Redaction {
        changed: changed + of_alerts.changed,
        waiting: of_alerts.waiting,
    })
}

/// Records that a person, whom the caller has locked, changed a setting. The address is stored as they
/// want it by now.
fn record(
    c: &mut AnyConnection,
    user: &User,
    setting: Setting,
    origin: &Origin,
    now: Timestamp,
) -> Result<()> {
    let ip = origin.ip.as_deref();
    let origin = Origin {
        ip: ip.and_then(|ip| user.ip_retention.redact(ip)),
        ..origin.clone()
    };
    events::record_events(c, &[NewEvent::for_setting(user.id, setting, &origin, now)])
}
