//! Creating sessions: one for each sign-in.

use std::time::Duration;

use super::comparison::compare_with_recent;
use super::idle_limits::{EXEMPT, IdleLimits};
use super::session_limit::end_beyond_limit;
use super::store::{self, NewSessionRow, Session, SessionEnd};
use super::values::{EndedReason, Jti, OpenedVia, SessionPersistence, last_used_bucket};
use super::{Sessions, record_ended};
use crate::alerts::AlertContext;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApplicationId, SessionId};
use crate::devices::{self, DeviceId, DeviceName, KnownDevice};
use crate::error::Result;
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::geo::Location;
use crate::net::{IpRetention, ip_key};
use crate::people::{self, IdleLimit, User};
use crate::text;
use crate::user_agent::{DeviceFacts, device_label};

/// The most characters of a user agent that are stored.
const USER_AGENT_LIMIT: usize = 500;

/// The client of a request: its device and its location.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its address and the place of that.
    pub location: Location,
    /// Its user agent, cleaned and cut to 500 characters.
    pub user_agent: Option<String>,
    /// The facts that the user agent and its client hints state.
    pub facts: DeviceFacts,
}

impl Client {
    /// Returns a client at `location`. The user agent is cleaned and cut here.
    #[must_use]
    pub fn new(location: Location, user_agent: Option<&str>, facts: DeviceFacts) -> Self {
        let user_agent = user_agent
            .map(text::clean)
            .filter(|agent| !agent.is_empty())
            .map(|agent| text::truncate_chars(&agent, USER_AGENT_LIMIT).to_owned());
        Self {
            location,
            user_agent,
            facts,
        }
    }
}

impl Client {
    /// Returns the context of an alert about what the client does outside a session.
    #[must_use]
    pub fn alert_context(&self, retention: IpRetention) -> AlertContext {
        AlertContext {
            session: None,
            device_name: device_label(&self.facts),
            device_label: device_label(&self.facts),
            device_kind: self.facts.kind,
            location: self.location.clone().redacted(retention),
            before: None,
            act: None,
        }
    }
}

/// A session to be created.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The client that signs in.
    pub client: Client,
    /// The id that the client stores for its device.
    pub device_id: Option<DeviceId>,
    /// The name that the client gives its device; derived from the user agent if none.
    pub device_name: Option<DeviceName>,
    /// How it is opened.
    pub via: OpenedVia,
    /// Which limits apply to it.
    pub persistence: SessionPersistence,
    /// The application whose key opens it, if one does.
    pub application: Option<ApplicationId>,
    /// The session that the same browser had until now, which may be another person's.
    pub replaces: Option<Session>,
}

/// The start of a new session, and its limits.
#[derive(Clone, Copy)]
pub(super) struct Lifetime {
    pub(super) now: Timestamp,
    pub(super) idle: Duration,
    pub(super) absolute_expires_at: Timestamp,
}

impl Sessions {
    /// Creates a session for a person who has just been authenticated. It replaces those that the
    /// same browser had.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`](crate::Error::InvalidCredentials) when the account was
    /// disabled or its password changed since `user` was read;
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn create_session(&self, user: &User, mut new: NewSession) -> Result<Session> {
        let jti = Jti::random()?;
        let limits = self.idle_limits();
        let policy = self.policy.clone();
        let clock = self.clock.clone();
        let user = user.clone();
        let alerts = self.alerts.clone();
        self.db
            .transaction(move |c| {
                people::store::lock_active_user(c, &user)?;
                // Since the lock, the order of a person's sign-ins is that of their times: none is committed
                // after the alert about another one and counts as from before it.
                let now = clock.now();
                let absolute_expires_at = policy.absolute_expiry(new.persistence, now);
                // The settings may have changed since `user` was read.
                let stored = people::store::get(c, user.id)?;
                new.client.location = new.client.location.redacted(stored.ip_retention);
                let device = record_device(c, &user, &new, now)?;
                let lifetime = Lifetime {
                    now,
                    idle: match device.is_idle_exempt {
                        true => EXEMPT,
                        false => limits.limit(new.persistence, stored.idle_limit()),
                    },
                    absolute_expires_at,
                };
                let session = insert(c, &user, &new, &device, &jti, lifetime)?;
                let origin = origin(&session, &new);
                end_replaced(c, &session, &new, &origin, now)?;
                if let Some(max) = policy.max_per_person {
                    end_beyond_limit(c, &session, max, &origin, now)?;
                }
                let is_doubtful =
                    compare_with_recent(c, &alerts, &user, (&session, device.is_known), now)?;
                record_sign_in(c, &session, &origin, now)?;
                match is_doubtful && device.is_idle_exempt {
                    true => without_exemption(c, session, limits, stored.idle_limit(), now),
                    false => Ok(session),
                }
            })
            .await
    }
}

/// Inserts a session.
pub(super) fn insert(
    c: &mut AnyConnection,
    user: &User,
    new: &NewSession,
    device: &SignInDevice,
    jti: &Jti,
    lifetime: Lifetime,
) -> Result<Session> {
    let Client {
        location,
        user_agent,
        facts,
    } = &new.client;
    let Lifetime {
        now,
        idle,
        absolute_expires_at,
    } = lifetime;
    // They may have been assigned to another one since `user` was read.
    let application_id = people::store::get_application_of(c, user.id)?;
    let Location { ip, place } = location;
    let label = device_label(facts);
    let sent_name = new.device_name.as_ref().map(DeviceName::as_str);
    let expires_at = absolute_expires_at.min(now + idle);
    let row = NewSessionRow {
        id: SessionId::new(now),
        user_id: user.id,
        refresh_token_jti: jti.as_str(),
        device_name: device.name.as_deref().or(sent_name).unwrap_or(&label),
        device_id: new.device_id.as_ref().map(DeviceId::as_str),
        ip_address: ip.as_deref(),
        user_agent: user_agent.as_deref(),
        last_used_at: now,
        expires_at,
        created_at: now,
        updated_at: now,
        absolute_expires_at,
        is_remembered: new.persistence == SessionPersistence::Remembered,
        idle_seconds: i32::try_from(idle.as_secs()).unwrap_or(i32::MAX),
        confirmed_at: now,
        opened_via: new.via.as_str(),
        device_kind: facts.kind.as_str(),
        browser: facts.browser.as_deref(),
        browser_version: facts.browser_version.as_deref(),
        os: facts.os.as_deref(),
        os_version: facts.os_version.as_deref(),
        brand: facts.brand.as_deref(),
        model: facts.model.as_deref(),
        location_city: place.city.as_deref(),
        location_country: place.country.as_deref(),
        location_point: place.point.map(|point| point.to_string()),
        sweep_at: expires_at,
        last_used_bucket: last_used_bucket(now),
        ip_key: ip.as_deref().and_then(ip_key),
        application_id,
        sign_in_country: place.country.as_deref(),
    };
    store::insert(c, &row)
}

/// Records the event of a sign-in.
pub(super) fn record_sign_in(
    c: &mut AnyConnection,
    session: &Session,
    origin: &Origin,
    now: Timestamp,
) -> Result<()> {
    let kind = EventKind::SignedIn;
    let event = NewEvent::for_session(session.user_id, session.id, kind, origin, now);
    events::record_events(c, &[event])
}

/// What was known of the device of a sign-in before that sign-in.
#[derive(Default)]
pub(super) struct SignInDevice {
    is_known: bool,
    is_idle_exempt: bool,
    name: Option<String>,
}

/// Records the sign-in on its device, if the client stores a device id.
pub(super) fn record_device(
    c: &mut AnyConnection,
    user: &User,
    new: &NewSession,
    now: Timestamp,
) -> Result<SignInDevice> {
    let Some(id) = &new.device_id else {
        return Ok(SignInDevice::default());
    };
    let is_known = devices::store::find(c, user.id, id.as_str())?.is_some();
    let KnownDevice {
        name,
        is_idle_exempt,
        ..
    } = devices::store::record_sign_in(c, user.id, id.as_str(), now)?;
    Ok(SignInDevice {
        is_known,
        is_idle_exempt,
        name,
    })
}

/// Gives a session that raised an alert, or came after one, the idle limit of any other, on a device that is exempt
/// from it: who signed in may only have stated the id of that device.
fn without_exemption(
    c: &mut AnyConnection,
    session: Session,
    limits: IdleLimits,
    chosen: Option<IdleLimit>,
    now: Timestamp,
) -> Result<Session> {
    let seconds = limits.seconds(&session, chosen);
    store::update_idle_limit(c, session.user_id, &[session.id], seconds, now)?;
    Ok(store::find(c, session.user_id, session.id)?.unwrap_or(session))
}

/// Ends the sessions that the same browser had before, so that a sign-in leaves none behind and
/// session fixation is impossible.
fn end_replaced(
    c: &mut AnyConnection,
    session: &Session,
    new: &NewSession,
    origin: &Origin,
    now: Timestamp,
) -> Result<()> {
    let end = SessionEnd {
        reason: EndedReason::Replaced,
        by: Some(session.id),
        at: now,
    };
    let mut replaced = Vec::new();
    if let Some(before) = &new.replaces {
        store::lock_live_and(c, session.user_id, before.id)?;
        replaced.extend(store::end(c, before.user_id, before.id, end)?);
    }
    if let (OpenedVia::Browser, Some(device)) = (new.via, &new.device_id) {
        let (owner, device) = (session.user_id, device.as_str());
        replaced.extend(store::end_in_browser(c, owner, device, session.id, end)?);
    }
    record_ended(c, &replaced, EndedReason::Replaced, origin, now)
}

/// Returns the session itself as an origin.
pub(super) fn origin(session: &Session, new: &NewSession) -> Origin {
    Origin {
        user: Some(session.user_id),
        session: Some(session.id),
        ip: session.ip_address.clone(),
        application: new.application,
        ..Origin::default()
    }
}
