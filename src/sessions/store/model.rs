//! The rows of `user_sessions`, as they are read and as they are made.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{SessionId, UserId, read_from_text};
use crate::geo::{Location, Point};
use crate::sessions::values::{EndedReason, OpenedVia};
use crate::user_agent::DeviceKind;

read_from_text!(EndedReason);
read_from_text!(OpenedVia);
read_from_text!(DeviceKind);
read_from_text!(Point);

/// One sign-in on one device.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = user_sessions)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    pub(in crate::sessions) refresh_token_jti: String,
    /// The name its owner or its client gave it, else the one derived from the user agent.
    pub device_name: Option<String>,
    /// What the client calls its device, if it says.
    pub device_id: Option<String>,
    /// Where it was last used from, in canonical text.
    pub ip_address: Option<String>,
    /// As sent at sign-in, cut to 500 characters.
    pub user_agent: Option<String>,
    /// May lag by the flush interval.
    pub last_used_at: Timestamp,
    /// The earlier of the idle and the absolute limit.
    pub expires_at: Timestamp,
    /// Whether nothing has ended it. One past `expires_at` is over all the same.
    pub is_active: bool,
    /// Where the address is, if known.
    pub location_city: Option<String>,
    /// Where the address is, if known.
    pub location_country: Option<String>,
    /// The sign-in.
    pub created_at: Timestamp,
    /// The last change of the row.
    pub updated_at: Timestamp,
    pub(in crate::sessions) previous_jti: Option<String>,
    pub(in crate::sessions) rotated_at: Option<Timestamp>,
    /// When it ends, however much it is used.
    pub absolute_expires_at: Timestamp,
    /// Whether it lives under the longer pair of limits.
    pub is_remembered: bool,
    /// Through which door it came.
    pub opened_via: OpenedVia,
    /// Seconds it may go unused.
    pub idle_seconds: i32,
    /// When its owner last gave the password in it.
    pub confirmed_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub ended_reason: Option<EndedReason>,
    /// The session it was ended from.
    pub ended_by: Option<SessionId>,
    /// What kind of device it is on.
    pub device_kind: DeviceKind,
    /// "Firefox".
    pub browser: Option<String>,
    /// The major version.
    pub browser_version: Option<String>,
    /// "Windows".
    pub os: Option<String>,
    /// "10".
    pub os_version: Option<String>,
    /// Who made the device.
    pub brand: Option<String>,
    /// Which of its maker's devices it is.
    pub model: Option<String>,
    /// Where the place is.
    pub location_point: Option<Point>,
}

/// A session to be inserted.
#[derive(Insertable)]
#[diesel(table_name = user_sessions)]
pub(in crate::sessions) struct NewSessionRow<'a> {
    pub(in crate::sessions) id: SessionId,
    pub(in crate::sessions) user_id: UserId,
    pub(in crate::sessions) refresh_token_jti: &'a str,
    pub(in crate::sessions) device_name: &'a str,
    pub(in crate::sessions) device_id: Option<&'a str>,
    pub(in crate::sessions) ip_address: Option<&'a str>,
    pub(in crate::sessions) user_agent: Option<&'a str>,
    pub(in crate::sessions) last_used_at: Timestamp,
    pub(in crate::sessions) expires_at: Timestamp,
    pub(in crate::sessions) created_at: Timestamp,
    pub(in crate::sessions) updated_at: Timestamp,
    pub(in crate::sessions) absolute_expires_at: Timestamp,
    pub(in crate::sessions) is_remembered: bool,
    pub(in crate::sessions) idle_seconds: i32,
    pub(in crate::sessions) confirmed_at: Timestamp,
    pub(in crate::sessions) opened_via: &'a str,
    pub(in crate::sessions) device_kind: &'a str,
    pub(in crate::sessions) browser: Option<&'a str>,
    pub(in crate::sessions) browser_version: Option<&'a str>,
    pub(in crate::sessions) os: Option<&'a str>,
    pub(in crate::sessions) os_version: Option<&'a str>,
    pub(in crate::sessions) brand: Option<&'a str>,
    pub(in crate::sessions) model: Option<&'a str>,
    pub(in crate::sessions) location_city: Option<&'a str>,
    pub(in crate::sessions) location_country: Option<&'a str>,
    pub(in crate::sessions) location_point: Option<String>,
}

/// One use of a session.
#[derive(Debug, Clone)]
pub struct LastUse {
    pub(in crate::sessions) user_id: UserId,
    pub(in crate::sessions) session_id: SessionId,
    pub(in crate::sessions) at: Timestamp,
    pub(in crate::sessions) location: Location,
}
