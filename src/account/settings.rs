//! The settings of an account that its person changes.

use super::Accounts;
use crate::db::UserId;
use crate::error::Result;
use crate::events::{NewEvent, Origin, Setting};
use crate::net::IpRetention;
use crate::people::{FullName, IdleLimit};
use crate::sessions::SessionPersistence;
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
        let changed = NewEvent::for_setting(id, Setting::Name, &origin, now);
        self.db
            .transaction(move |c| {
                people::store::update_full_name(c, id, name.as_ref(), now)?;
                events::record_events(c, &[changed])
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
        let changed = NewEvent::for_setting(id, Setting::AlertMail, &origin, now);
        self.db
            .transaction(move |c| {
                people::store::update_alert_emails(c, id, enabled, now)?;
                events::record_events(c, &[changed])
            })
            .await
    }

    /// Updates the idle limit of a person's sessions, both live and future ones.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn update_idle_limit(
        &self,
        id: UserId,
        limit: Option<IdleLimit>,
        origin: Origin,
    ) -> Result<()> {
        // Expiry is computed from the rows, which lack the last uses that are still buffered.
        self.sessions.flush_last_uses().await?;
        let now = self.clock.now();
        let seconds = |persistence| {
            let idle = self.sessions.idle_limit(persistence, limit).as_secs();
            (persistence, i32::try_from(idle).unwrap_or(i32::MAX))
        };
        let limits = [
            seconds(SessionPersistence::Standard),
            seconds(SessionPersistence::Remembered),
        ];
        self.db
            .transaction(move |c| {
                people::store::update_idle_limit(c, id, limit, now)?;
                for (persistence, seconds) in limits {
                    sessions::store::update_idle_limit(c, id, persistence, seconds, now)?;
                }
                let changed = NewEvent::for_setting(id, Setting::IdleLimit, &origin, now);
                events::record_events(c, &[changed])
            })
            .await
    }

    /// Updates a person's IP retention. Addresses that are stored already are redacted, also those from
    /// which they did something to others.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn update_ip_retention(
        &self,
        id: UserId,
        retention: IpRetention,
        origin: Origin,
    ) -> Result<()> {
        // A buffered address must not be written after the stored ones are redacted.
        self.sessions.flush_last_uses().await?;
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                people::store::update_ip_retention(c, id, retention, now)?;
                // Before the others are redacted, so that its address is as well.
                let changed = NewEvent::for_setting(id, Setting::Addresses, &origin, now);
                events::record_events(c, &[changed])?;
                if retention == IpRetention::Whole {
                    return Ok(());
                }
                // The batch of a job that is running is over once the job is updated.
                for (job, ip) in sessions::store::list_job_addresses(c, id)? {
                    let redacted = retention.redact(&ip);
                    sessions::store::update_job_address(c, job, redacted.as_deref())?;
                }
                sessions::store::lock_of_people(c, &[id])?;
                alerts::redact_addresses(c, id, retention)?;
                for (session, ip) in sessions::store::list_addresses(c, id)? {
                    let redacted = retention.redact(&ip);
                    sessions::store::update_address(c, id, session, redacted.as_deref())?;
                }
                events::redact_addresses(c, id, retention)
            })
            .await
    }
}
