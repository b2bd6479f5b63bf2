//! The export: everything that is stored about a person, but no hash and no token.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::Accounts;
use super::administration::record;
use super::exported_session::{DeviceIds, OwnSession};
use crate::alerts::{Alert, UseBeforeRecord};
use crate::clock::{TimeZone, Timestamp};
use crate::db::{AlertId, EventId, SessionId, UserId};
use crate::devices::{self, KnownDevice};
use crate::error::{Error, Failure, Result};
use crate::events::{self, Actor, Event, EventKind, Origin};
use crate::net::IpRetention;
use crate::people::{self, User};
use crate::sessions::{Caller, HistoryCursor, Session, SessionApplication};

/// Rows read at once: a part of the file has no more.
const PAGE: u32 = 500;
/// Sessions whose applications are read at once: with 50 each, no more than are listed.
const SESSIONS_AT_ONCE: usize = 40;

/// Everything that is stored about a person, as a JSON object that is read part by part: however much
/// it is, it takes the memory of one. What changes meanwhile is in it as it was or as it is; no session
/// that was there is left out or twice in it.
pub struct Export {
    accounts: Accounts,
    id: UserId,
    device_ids: DeviceIds,
    /// How much of an address is in it, whatever a row still stores.
    retention: IpRetention,
    next: Part,
    is_first: bool,
    /// The sessions that were not marked as ended, and may be by now.
    unended: HashSet<SessionId>,
    /// Whether alerts that wait for an answer are left out: a device in doubt is told of none.
    hides_open: bool,
}

/// The part of an export that is read next.
enum Part {
    Account,
    Devices,
    Unended(Option<SessionId>),
    Ended(Option<HistoryCursor>),
    Events(Option<EventId>),
    Alerts(Option<AlertId>),
    End,
}

impl Export {
    /// Returns the next part of the file; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person;
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn next_part(&mut self) -> Result<Option<Vec<u8>>> {
        let mut file = Vec::new();
        self.next = match std::mem::replace(&mut self.next, Part::End) {
            Part::Account => self.add_account(&mut file).await?,
            Part::Devices => self.add_devices(&mut file).await?,
            Part::Unended(before) => self.add_unended(&mut file, before).await?,
            Part::Ended(after) => self.add_ended(&mut file, after).await?,
            Part::Events(before) => self.add_events(&mut file, before).await?,
            Part::Alerts(before) => self.add_alerts(&mut file, before).await?,
            Part::End => return Ok(None),
        };
        Ok(Some(file))
    }

    async fn add_account(&mut self, file: &mut Vec<u8>) -> Result<Part> {
        let id = self.id;
        let user = self
            .accounts
            .db
            .read(move |c| people::store::get(c, id))
            .await?;
        self.retention = user.ip_retention;
        file.extend_from_slice(br#"{"account":"#);
        write(file, &Account::from(user))?;
        self.begin(file, br#","devices":["#);
        Ok(Part::Devices)
    }

    async fn add_devices(&mut self, file: &mut Vec<u8>) -> Result<Part> {
        let id = self.id;
        let devices = self
            .accounts
            .db
            .read(move |c| devices::store::list(c, id))
            .await?;
        let device_ids = self.device_ids;
        let own = devices
            .into_iter()
            .map(|device| OwnDevice::new(device, device_ids));
        self.add(file, own)?;
        self.begin(file, br#"],"sessions":["#);
        Ok(Part::Unended(None))
    }

    async fn add_unended(&mut self, file: &mut Vec<u8>, before: Option<SessionId>) -> Result<Part> {
        let sessions = &self.accounts.sessions;
        let found = sessions.list_unended(self.id, before, PAGE).await?;
        let next = last_of(&found, |session| session.id);
        self.unended.extend(found.iter().map(|session| session.id));
        self.add_sessions(file, found).await?;
        Ok(match next {
            Some(last) => Part::Unended(Some(last)),
            None => Part::Ended(None),
        })
    }

    async fn add_ended(
        &mut self,
        file: &mut Vec<u8>,
        after: Option<HistoryCursor>,
    ) -> Result<Part> {
        let sessions = &self.accounts.sessions;
        let mut page = sessions.list_ended(self.id, after, PAGE).await?;
        // Those that have ended since the beginning are in the file already.
        page.sessions
            .retain(|session| !self.unended.contains(&session.id));
        self.add_sessions(file, page.sessions).await?;
        if page.next.is_some() {
            return Ok(Part::Ended(page.next));
        }
        self.begin(file, br#"],"events":["#);
        Ok(Part::Events(None))
    }

    async fn add_events(&mut self, file: &mut Vec<u8>, before: Option<EventId>) -> Result<Part> {
        let db = &self.accounts.db;
        let found = events::list_by_person(db, self.id, before, PAGE).await?;
        let next = last_of(&found, |event| event.id);
        let retention = self.retention;
        let own = found
            .into_iter()
            .map(|event| OwnEvent::new(event, retention));
        self.add(file, own)?;
        if next.is_some() {
            return Ok(Part::Events(next));
        }
        self.begin(file, br#"],"alerts":["#);
        Ok(Part::Alerts(None))
    }

    async fn add_alerts(&mut self, file: &mut Vec<u8>, before: Option<AlertId>) -> Result<Part> {
        let alerts = &self.accounts.alerts;
        let found = alerts.list_before(self.id, before, PAGE).await?;
        let next = last_of(&found, |alert| alert.id);
        let retention = self.retention;
        let is_told =
            |alert: &Alert| !self.hides_open || !alert.is_open() || alert.kind.is_notice();
        let own: Vec<OwnAlert> = (found.into_iter().filter(is_told))
            .map(|alert| OwnAlert::new(alert, retention))
            .collect();
        self.add(file, own.into_iter())?;
        if next.is_some() {
            return Ok(Part::Alerts(next));
        }
        file.extend_from_slice(b"]}");
        Ok(Part::End)
    }

    async fn add_sessions(&mut self, file: &mut Vec<u8>, sessions: Vec<Session>) -> Result<()> {
        let (device_ids, retention) = (self.device_ids, self.retention);
        let mut used = self.list_applications(&sessions).await?;
        let own = sessions.into_iter().map(|session| {
            let used = used.remove(&session.id).unwrap_or_default();
            OwnSession::new(session, used, device_ids, retention)
        });
        self.add(file, own)
    }

    /// Lists the applications that these sessions reached.
    async fn list_applications(
        &self,
        sessions: &[Session],
    ) -> Result<HashMap<SessionId, Vec<SessionApplication>>> {
        let mut found: HashMap<_, Vec<_>> = HashMap::new();
        for some in sessions.chunks(SESSIONS_AT_ONCE) {
            let ids = some.iter().map(|session| session.id).collect();
            for used in self
                .accounts
                .sessions
                .list_applications(self.id, ids)
                .await?
            {
                found.entry(used.session_id).or_default().push(used);
            }
        }
        Ok(found)
    }

    /// Begins another list.
    fn begin(&mut self, file: &mut Vec<u8>, text: &[u8]) {
        file.extend_from_slice(text);
        self.is_first = true;
    }

    /// Adds the rows of a list.
    fn add(
        &mut self,
        file: &mut Vec<u8>,
        rows: impl Iterator<Item = impl Serialize>,
    ) -> Result<()> {
        for row in rows {
            if !std::mem::replace(&mut self.is_first, false) {
                file.push(b',');
            }
            write(file, &row)?;
        }
        Ok(())
    }
}

fn write(file: &mut Vec<u8>, value: &impl Serialize) -> Result<()> {
    serde_json::to_writer(file, value)
        .map_err(|err| Error::Internal(Failure::new("an export can't be written", err)))
}

/// Returns the id of the last row of a full page, after which there may be more.
fn last_of<T, I>(rows: &[T], id: impl Fn(&T) -> I) -> Option<I> {
    let is_full = rows.len() >= PAGE as usize;
    rows.last().filter(|_| is_full).map(id)
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
    time_zone: Option<&'static str>,
    browser_time_zone: Option<&'static str>,
}

#[derive(Serialize)]
struct OwnDevice {
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    name: Option<String>,
    first_seen_at: Timestamp,
    last_seen_at: Timestamp,
    is_idle_exempt: bool,
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
    use_before: Option<UseBeforeRecord>,
    answered_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct OwnEvent {
    at: Timestamp,
    kind: &'static str,
    session_id: Option<SessionId>,
    detail: Option<String>,
    /// Where no session says it.
    device: Option<String>,
    /// More than once only where the like is counted, within the hour of `at`.
    times: i32,
    last_at: Option<Timestamp>,
    /// Theirs; not an administrator's.
    ip_address: Option<String>,
    by: Actor,
    reason: Option<String>,
}

impl Accounts {
    /// Returns the export of the caller, without what waits for an answer where they are on a device in doubt.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn own_export(&self, caller: &Caller) -> Result<Export> {
        Ok(Export {
            hides_open: self.list_attention(caller).await?.is_in_doubt,
            ..self.export(caller.user.id)
        })
    }

    fn export(&self, id: UserId) -> Export {
        Export {
            accounts: self.clone(),
            id,
            device_ids: DeviceIds::Included,
            retention: IpRetention::None,
            next: Part::Account,
            is_first: true,
            unended: HashSet::new(),
            hides_open: false,
        }
    }

    /// Returns the export of a person, for an administrator, which is recorded on the person.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person, or whoever does it is no administrator any
    /// more.
    pub async fn admin_export(&self, id: UserId, origin: Origin) -> Result<Export> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (_, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                record(c, id, EventKind::Exported, &authority, now)
            })
            .await?;
        Ok(Export {
            device_ids: DeviceIds::LeftOut,
            ..self.export(id)
        })
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            role: user.role().as_str(),
            time_zone: user.time_zone().map(TimeZone::name),
            browser_time_zone: user.browser_time_zone().map(TimeZone::name),
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

impl OwnDevice {
    fn new(device: KnownDevice, ids: DeviceIds) -> Self {
        Self {
            device_id: Some(device.device_id).filter(|_| ids == DeviceIds::Included),
            name: device.name,
            first_seen_at: device.first_seen_at,
            last_seen_at: device.last_seen_at,
            is_idle_exempt: device.is_idle_exempt,
        }
    }
}

impl OwnAlert {
    fn new(alert: Alert, retention: IpRetention) -> Self {
        Self {
            use_before: alert.use_before().map(UseBeforeRecord::from),
            at: alert.at,
            kind: alert.kind.as_str(),
            session_id: alert.session_id,
            device: alert.device_name,
            ip_address: alert.ip_address.and_then(|ip| retention.redact(&ip)),
            location_city: alert.location_city,
            location_country: alert.location_country,
            answered_at: alert.answered_at,
        }
    }
}

impl OwnEvent {
    fn new(event: Event, retention: IpRetention) -> Self {
        Self {
            at: event.at,
            kind: event.kind.as_str(),
            session_id: event.session_id,
            ip_address: event.own_address().and_then(|ip| retention.redact(ip)),
            by: event.actor(),
            detail: event.detail,
            device: event.device,
            times: event.times,
            last_at: event.last_at,
            reason: event.stated_reason,
        }
    }
}
