//! A session of anybody as programs read it: in the API, in exports and on the command line.

use serde::Serialize;

use super::find::FoundSession;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::people::User;
use crate::sessions::values::EndedReason;
use crate::user_agent::DeviceKind;

/// A session of anybody in JSON, with its owner. Neither the JTI nor the raw user agent is in it, nor
/// the id of the device, which is the value of a cookie.
#[derive(Debug, Clone, Serialize)]
pub struct SessionRecord {
    /// Its id.
    pub id: SessionId,
    /// Whether it is `live` or `ended`.
    pub state: &'static str,
    /// The id of its owner.
    pub user_id: UserId,
    /// The e-mail of its owner.
    pub email: Option<String>,
    /// Its owner.
    pub owner: OwnerRecord,
    /// The name of its device, if it has one.
    pub device_name: Option<String>,
    /// The kind of its device.
    pub device_kind: DeviceKind,
    /// Its browser.
    pub browser: Option<String>,
    /// Its operating system.
    pub os: Option<String>,
    /// Where it was last used, as much as the owner's IP retention allows.
    pub ip_address: Option<String>,
    /// The city of that address.
    pub location_city: Option<String>,
    /// The country of that address.
    pub location_country: Option<String>,
    /// When it was last used.
    pub last_used_at: Timestamp,
    /// When it expires without use.
    pub expires_at: Timestamp,
    /// When it was signed in.
    pub created_at: Timestamp,
    /// Whether its device is exempt from the idle limit.
    pub idle_exempt: bool,
    /// Whether it is not marked as ended.
    pub is_active: bool,
    /// Whether it is the session that requests this.
    pub is_current: bool,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub ended_reason: Option<EndedReason>,
    /// How it was signed in.
    pub opened_via: &'static str,
    /// Whether it was used in another country than that of the sign-in.
    pub country_changed: bool,
    /// Whether impossible travel was recorded of it.
    pub impossible_travel: bool,
    /// Since when it is bound to its browser, if it is.
    pub bound_since: Option<Timestamp>,
}

/// The owner of a session in JSON.
#[derive(Debug, Clone, Serialize)]
pub struct OwnerRecord {
    /// Their id.
    pub id: UserId,
    /// The e-mail that they sign in with, or the one that their application states.
    pub email: Option<String>,
    /// Their name.
    pub full_name: Option<String>,
    /// What their application calls them.
    pub subject: Option<String>,
    /// The application that authenticates them.
    pub application_id: Option<ApplicationId>,
}

impl SessionRecord {
    /// Returns a session for a caller that calls from `current`, if from one.
    #[must_use]
    pub fn new(found: FoundSession, current: Option<SessionId>, now: Timestamp) -> Self {
        let (state, ip_address) = (found.state(now), found.shown_ip());
        let FoundSession { session, owner } = found;
        Self {
            state,
            ip_address,
            is_current: current == Some(session.id),
            idle_exempt: session.is_idle_exempt(),
            id: session.id,
            user_id: session.user_id,
            email: owner.known_email().map(str::to_owned),
            owner: OwnerRecord::from(owner),
            device_kind: session.device_kind,
            opened_via: session.opened_via.as_str(),
            device_name: session.device_name,
            browser: session.browser,
            os: session.os,
            location_city: session.location_city,
            location_country: session.location_country,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            created_at: session.created_at,
            is_active: session.is_active,
            ended_at: session.ended_at,
            ended_reason: session.ended_reason,
            country_changed: session.has_changed_country,
            impossible_travel: session.has_impossible_travel,
            bound_since: session.bound_at,
        }
    }
}

impl From<User> for OwnerRecord {
    fn from(owner: User) -> Self {
        Self {
            id: owner.id,
            email: owner.known_email().map(str::to_owned),
            full_name: owner.full_name,
            subject: owner.external_subject,
            application_id: owner.application_id,
        }
    }
}
