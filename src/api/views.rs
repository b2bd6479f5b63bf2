//! The JSON forms of sessions, devices, people and tokens.

use serde::Serialize;

use crate::account::Doubts;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::devices::DeviceGroup;
use crate::people::{Email, FullName, User};
use crate::sessions::{EndedReason, Session};
use crate::tokens::TokenPair;
use crate::user_agent::DeviceKind;

/// A session in JSON. Neither the JTI nor the raw user agent is in it.
#[derive(Debug, Serialize)]
pub(in crate::api) struct SessionJson {
    id: SessionId,
    user_id: UserId,
    device_name: Option<String>,
    device_id: Option<String>,
    device_kind: DeviceKind,
    browser: Option<String>,
    os: Option<String>,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    created_at: Timestamp,
    is_active: bool,
    is_current: bool,
    /// Whether its device is exempt from the idle limit.
    idle_exempt: bool,
    /// Since when it is bound to its browser, if it is.
    bound_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_reason: Option<EndedReason>,
    /// The reason that an administrator stated for ending it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_note: Option<String>,
}

impl SessionJson {
    /// Returns `session` for a caller that calls from no session.
    pub(in crate::api) fn from_outside(session: Session) -> Self {
        Self {
            is_current: false,
            ..Self::from_itself(session)
        }
    }

    /// Returns `session` for a caller that calls from it.
    pub(in crate::api) fn from_itself(session: Session) -> Self {
        let id = session.id;
        Self::new(session, id)
    }

    /// Returns `session` for a caller that calls from `current`.
    pub(in crate::api) fn new(session: Session, current: SessionId) -> Self {
        Self {
            is_current: session.id == current,
            idle_exempt: session.is_idle_exempt(),
            bound_since: session.bound_at,
            id: session.id,
            user_id: session.user_id,
            device_name: session.device_name,
            device_id: session.device_id,
            device_kind: session.device_kind,
            browser: session.browser,
            os: session.os,
            ip_address: session.ip_address,
            location_city: session.location_city,
            location_country: session.location_country,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            created_at: session.created_at,
            is_active: session.is_active,
            ended_at: session.ended_at,
            ended_reason: session.ended_reason,
            ended_note: None,
        }
    }

    /// Returns the session with the reason that an administrator stated for ending it.
    pub(super) fn with_note(self, ended_note: Option<String>) -> Self {
        Self { ended_note, ..self }
    }
}

/// A device in JSON: the sessions that have the same `device_id`.
#[derive(Debug, Serialize)]
pub(super) struct DeviceJson {
    device_id: Option<String>,
    device_name: Option<String>,
    device_kind: DeviceKind,
    last_used_at: Timestamp,
    is_current: bool,
    session_ids: Vec<SessionId>,
}

impl DeviceJson {
    /// Returns `device` for a caller that calls from `current`. It is called by none of the sessions that are in
    /// doubt, if there is or was another.
    pub(super) fn new(device: &DeviceGroup<Session>, current: SessionId, doubts: &Doubts) -> Self {
        let (latest, shown) = (device.first(), device.shown(&doubts.sessions));
        Self {
            device_id: shown.device_id.clone(),
            device_name: doubts.named(shown.clone()).device_name,
            device_kind: shown.device_kind,
            last_used_at: latest.last_used_at,
            is_current: device.contains(current),
            session_ids: device.iter().map(|session| session.id).collect(),
        }
    }
}

/// A person in JSON, as they see themselves.
#[derive(Debug, Serialize)]
pub(super) struct PersonJson {
    id: UserId,
    email: String,
    email_verified: bool,
    full_name: Option<String>,
    is_admin: bool,
    created_at: Timestamp,
}

impl PersonJson {
    /// Returns the person who signed up at `now`, where the e-mail has to be verified first. The id
    /// is no account's: otherwise the response would tell whether the e-mail had one.
    pub(super) fn signed_up(email: &Email, full_name: Option<FullName>, now: Timestamp) -> Self {
        Self {
            id: UserId::new(now),
            email: email.as_str().to_owned(),
            email_verified: false,
            full_name: full_name.map(|name| name.as_str().to_owned()),
            is_admin: false,
            created_at: now,
        }
    }
}

impl From<User> for PersonJson {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.shown_email().to_owned(),
            email_verified: user.email_verified_at.is_some(),
            full_name: user.full_name,
            is_admin: user.is_admin,
            created_at: user.created_at,
        }
    }
}

/// The response to creating and refreshing a session.
#[derive(Serialize)]
pub(super) struct TokenGrant {
    #[serde(flatten)]
    tokens: TokenPair,
    session: SessionJson,
}

impl TokenGrant {
    pub(super) fn new(tokens: TokenPair, session: Session) -> Self {
        Self {
            tokens,
            session: SessionJson::from_itself(session),
        }
    }
}

/// The response to a step-up with a cookie: the renewed cookie is in its header.
#[derive(Serialize)]
pub(super) struct ConfirmedSession {
    session: SessionJson,
}

impl ConfirmedSession {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session: SessionJson::from_itself(session),
        }
    }
}

/// The number of sessions that a request ended.
#[derive(Debug, Serialize)]
pub(super) struct EndedCount {
    pub(super) ended: usize,
}
