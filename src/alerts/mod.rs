//! Alerts: notices to a person, on their other devices and by e-mail, of what may be an intruder's
//! doing. An alert is raised in the transaction of what it reports, so neither exists without the
//! other.

mod context;
mod email;
pub(crate) mod store;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

pub use self::context::AlertContext;
pub use self::email::AlertMessages;
pub use self::store::Alert;
use crate::clock::{Clock, Timestamp};
use crate::db::{AlertId, AnyConnection, Db, NodeLock, SessionId, UserId};
use crate::error::{Error, Result};
use crate::mail::{self, MessageTopic};
use crate::net::IpRetention;
use crate::people::User;
use crate::settings::{JobSettings, MailSettings, SessionSettings};

/// How long an alert can be confirmed or reported on a device.
const OPEN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const HOUR: Duration = Duration::from_secs(60 * 60);
/// Messages per person and hour after which none about a sign-in is sent: an intruder with the
/// password must not flood the mailbox to hide the other messages.
const MAX_SIGN_IN_MESSAGES: i64 = 10;
/// How long the link in a message is valid.
const LINK_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What an alert reports. Its text form is stored, and is its name in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlertKind {
    /// The first sign-in from a device.
    NewDevice,
    /// The first sign-in from a country.
    NewCountry,
    /// The password was changed.
    PasswordChanged,
    /// The e-mail that the person signs in with was changed.
    EmailChanged,
    /// Token reuse: a spent refresh token was used again, so somebody may have a copy of it.
    #[serde(rename = "theft")]
    #[strum(serialize = "theft")]
    TokenReuse,
}

impl AlertKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns whether it reports a change of the e-mail.
    #[must_use]
    pub fn is_email_change(self) -> bool {
        self == Self::EmailChanged
    }

    /// Returns whether it reports a sign-in.
    #[must_use]
    pub fn is_sign_in(self) -> bool {
        matches!(self, Self::NewDevice | Self::NewCountry)
    }
}

/// A person's review of an alert. Its text form is stored, and the same in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, EnumString, IntoStaticStr)]
pub enum AlertReview {
    /// "Yes, it was me."
    #[serde(rename = "mine")]
    #[strum(serialize = "mine")]
    Confirmed,
    /// "This wasn't me."
    #[serde(rename = "not_mine")]
    #[strum(serialize = "not_mine")]
    Reported,
}

impl AlertReview {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The alerts of the service; clones share its database.
#[derive(Clone)]
pub struct Alerts {
    db: Db,
    clock: Clock,
    is_mailing: bool,
    retention: Duration,
    purge_batch: u32,
}

impl Alerts {
    /// Returns the alerts in `db`, sent by e-mail as well where the settings name an SMTP server.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Clock,
        (mail, sessions, jobs): (&MailSettings, &SessionSettings, &JobSettings),
    ) -> Self {
        Self {
            db,
            clock,
            is_mailing: mail.sends_mail(),
            retention: sessions.retention,
            purge_batch: jobs.sweep_batch,
        }
    }

    /// Raises an alert, as a part of the transaction of what it reports, and queues the message
    /// about it where one is to be sent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub(crate) fn raise(
        &self,
        c: &mut AnyConnection,
        user: &User,
        (kind, context): (AlertKind, AlertContext),
        now: Timestamp,
    ) -> Result<()> {
        let alert = Alert::new(user, kind, context, now);
        store::insert(c, &alert)?;
        if self.is_mailing && is_mailed(c, user, kind, now)? {
            let recipient = recipient(c, user, now)?;
            let topic = MessageTopic::Alert(alert.id);
            mail::store::insert(c, user.id, topic, &recipient, now)?;
        }
        Ok(())
    }

    /// Lists every alert of a person, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list(&self, user: UserId) -> Result<Vec<Alert>> {
        self.db.read(move |c| store::list_by_person(c, user)).await
    }

    /// Returns the alert that a link in a message is about, whether it is open or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or the alert is older than 7 days.
    pub async fn get_linked(&self, id: AlertId) -> Result<Alert> {
        let alert = self.db.read(move |c| store::get(c, id)).await?;
        match self.clock.now().since(alert.at) <= LINK_LIFETIME {
            true => Ok(alert),
            false => Err(Error::NotFound),
        }
    }

    /// Purges the alerts that are past their retention and can no longer be reviewed. Those of
    /// sessions that still exist stay, since they record that a session was reported. Works in
    /// batches, unless another node does. Returns how many were purged.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; what was purged until then stays
    /// purged.
    pub async fn purge(&self) -> Result<usize> {
        let before = self.clock.now() - self.retention - OPEN_FOR;
        let limit = i64::from(self.purge_batch);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| store::purge(c, before, limit))
            .await
    }
}

/// Returns whether an alert is sent by e-mail. One about a sign-in is sent where the person wants
/// it, up to a limit; any other always, since an intruder would switch it off first. None is sent
/// to a person whom an application authenticates, since they have no page to switch it off on, nor
/// to an address without a mailbox.
fn is_mailed(c: &mut AnyConnection, user: &User, kind: AlertKind, now: Timestamp) -> Result<bool> {
    if !user.has_password() || !user.has_mailbox() {
        return Ok(false);
    }
    if !kind.is_sign_in() {
        return Ok(true);
    }
    let recent = mail::store::count_since(c, user.id, now - HOUR)?;
    Ok(user.alert_emails && recent < MAX_SIGN_IN_MESSAGES)
}

/// Returns the address for a person's messages: for 7 days after a change of their e-mail, unless
/// its alert was confirmed or reported, the address from before it.
fn recipient(c: &mut AnyConnection, user: &User, now: Timestamp) -> Result<String> {
    let since = now - LINK_LIFETIME;
    let first = store::find_first_open(c, user.id, AlertKind::EmailChanged, since)?;
    Ok(first.map_or_else(|| user.email.clone(), |alert| alert.email))
}

/// Lists a person's open alerts, newest first.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn list_open(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Vec<Alert>> {
    store::list_open(c, user, now - OPEN_FOR)
}

/// Lists the sessions that a person has reported as not theirs.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn list_reported_sessions(
    c: &mut AnyConnection,
    user: UserId,
) -> Result<Vec<SessionId>> {
    store::list_sessions_reviewed(c, user, AlertReview::Reported)
}

/// Redacts the addresses of a person's alerts.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn redact_addresses(
    c: &mut AnyConnection,
    user: UserId,
    retention: IpRetention,
) -> Result<()> {
    for (id, ip) in store::list_addresses(c, user)? {
        store::update_address(c, id, retention.redact(&ip).as_deref())?;
    }
    Ok(())
}

impl Alert {
    fn new(user: &User, kind: AlertKind, context: AlertContext, now: Timestamp) -> Self {
        let AlertContext {
            session,
            device_name,
            device_kind,
            location,
        } = context;
        Self {
            id: AlertId::new(now),
            user_id: user.id,
            session_id: session,
            kind,
            email: user.email.clone(),
            device_name,
            device_kind,
            ip_address: location.ip,
            location_city: location.place.city,
            location_country: location.place.country,
            at: now,
            answer: None,
            answered_at: None,
        }
    }

    /// Returns when the person reported it, if they did.
    #[must_use]
    pub fn reported_at(&self) -> Option<Timestamp> {
        self.answered_at
            .filter(|_| self.answer == Some(AlertReview::Reported))
    }

    /// Returns whether it has neither been confirmed nor reported.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.answered_at.is_none()
    }
}
