//! The export: everything that is stored about a person, but no hash and no token.

use serde::Serialize;

use super::Accounts;
use super::administration::record;
use crate::alerts::Alert;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::devices::{self, KnownDevice};
use crate::error::Result;
use crate::events::{self, Actor, Event, EventKind, Origin};
use crate::people::{self, User};
use crate::sessions::{EndedReason, Session};

/// Ended sessions read at once.
const PAGE: u32 = 200;
/// Events exported at most, newest first.
const MAX_EVENTS: u32 = 10_000;

/// Everything that is stored about a person, for them.
#[derive(Serialize)]
pub struct Export {
    account: Account,
    devices: Vec<OwnDevice>,
    sessions: Vec<OwnSession>,
    events: Vec<OwnEvent>,
    alerts: Vec<OwnAlert>,
}

impl Export {
    /// Removes the ids that browsers store for their devices: they are the values of a cookie, and
    /// nobody but its person needs them.
    fn remove_device_ids(&mut self) {
        for device in &mut self.devices {
            device.device_id = None;
        }
        for session in &mut self.sessions {
            session.device_id = None;
        }
    }
}

#[derive(Serialize)]
struct Account {
    id: UserId,
    email: String,
    email_verified_at: Option<Timestamp>,
    stated_email: Option<String>,
    full_name: Option<String>,
    role: &'static str,
    created_at: Timestamp,
    password_changed_at: Timestamp,
    addresses_kept: &'static str,
    alert_emails: bool,
}

#[derive(Serialize)]
struct OwnDevice {
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    name: Option<String>,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
}

#[derive(Serialize)]
struct OwnAlert {
    at: Timestamp,
    kind: &'static str,
    session_id: Option<SessionId>,
    device: String,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    answered_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct OwnSession {
    id: SessionId,
    device_name: String,
    device_id: Option<String>,
    user_agent: Option<String>,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    is_active: bool,
    ended_at: Option<Timestamp>,
    ended_reason: Option<EndedReason>,
}

#[derive(Serialize)]
struct OwnEvent {
    at: Timestamp,
    kind: &'static str,
    session_id: Option<SessionId>,
    detail: Option<String>,
    /// Theirs; not an administrator's.
    ip_address: Option<String>,
    by: Actor,
    reason: Option<String>,
}

impl Accounts {
    /// Returns what is stored about a person.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
    pub async fn export(&self, id: UserId) -> Result<Export> {
        let read = move |c: &mut AnyConnection| {
            Ok((people::store::get(c, id)?, devices::store::list(c, id)?))
        };
        let (user, devices) = self.db.read(read).await?;
        let events = events::list_by_person(&self.db, id, MAX_EVENTS).await?;
        let alerts = self.alerts.list(id).await?;
        Ok(Export {
            devices: devices.into_iter().map(OwnDevice::from).collect(),
            alerts: alerts.into_iter().map(OwnAlert::from).collect(),
            sessions: self.export_sessions(id).await?,
            events: events.into_iter().map(OwnEvent::from).collect(),
            account: Account::from(user),
        })
    }

    /// Returns what is stored about a person, for an administrator, which is recorded on the person.
    ///
    /// # Errors
    /// As [`Accounts::export`].
    pub async fn admin_export(&self, id: UserId, origin: Origin) -> Result<Export> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                people::store::lock(c, id)?;
                record(c, id, EventKind::Exported, &origin, now)
            })
            .await?;
        let mut export = self.export(id).await?;
        export.remove_device_ids();
        Ok(export)
    }

    /// Returns the live sessions, then every ended one.
    async fn export_sessions(&self, owner: UserId) -> Result<Vec<OwnSession>> {
        let mut sessions = self.sessions.list_live(owner).await?;
        let mut after = None;
        loop {
            let page = self.sessions.list_ended(owner, after, PAGE).await?;
            sessions.extend(page.sessions);
            after = page.next;
            if after.is_none() {
                return Ok(sessions.into_iter().map(OwnSession::from).collect());
            }
        }
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            role: user.role().as_str(),
            email: user.email,
            email_verified_at: user.email_verified_at,
            stated_email: user.stated_email,
            full_name: user.full_name,
            created_at: user.created_at,
            password_changed_at: user.password_changed_at,
            addresses_kept: user.ip_retention.as_str(),
            alert_emails: user.alert_emails,
        }
    }
}

impl From<KnownDevice> for OwnDevice {
    fn from(device: KnownDevice) -> Self {
        Self {
            device_id: Some(device.device_id),
            name: device.name,
            first_seen_at: device.first_seen_at,
            last_seen_at: device.last_seen_at,
        }
    }
}

impl From<Alert> for OwnAlert {
    fn from(alert: Alert) -> Self {
        Self {
            at: alert.at,
            kind: alert.kind.as_str(),
            session_id: alert.session_id,
            device: alert.device_name,
            ip_address: alert.ip_address,
            location_city: alert.location_city,
            location_country: alert.location_country,
            answered_at: alert.answered_at,
        }
    }
}

impl From<Session> for OwnSession {
    fn from(session: Session) -> Self {
        Self {
            device_name: session.display_name(),
            id: session.id,
            device_id: session.device_id,
            user_agent: session.user_agent,
            ip_address: session.ip_address,
            location_city: session.location_city,
            location_country: session.location_country,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            is_active: session.is_active,
            ended_at: session.ended_at,
            ended_reason: session.ended_reason,
        }
    }
}

impl From<Event> for OwnEvent {
    fn from(event: Event) -> Self {
        Self {
            at: event.at,
            kind: event.kind.as_str(),
            session_id: event.session_id,
            ip_address: event.own_address().map(str::to_owned),
            by: event.actor(),
            detail: event.detail,
            reason: event.stated_reason,
        }
    }
}
