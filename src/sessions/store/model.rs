//! The rows of `user_sessions`, as they are read and as they are inserted.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{ApplicationId, SessionId, UserId, read_from_text};
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
    /// Its owner.
    pub user_id: UserId,
    pub(in crate::sessions) refresh_token_jti: String,
    /// The name its owner or its client gave it, else the one derived from the user agent.
    pub device_name: Option<String>,
    /// The id that the client stores for its device, if it sent one.
    pub device_id: Option<String>,
    /// The address it was last used from, in canonical text, redacted by IP retention.
    pub ip_address: Option<String>,
    /// The user agent at sign-in, cleaned and cut to 500 characters.
    pub user_agent: Option<String>,
    /// The last use; may lag by the flush interval.
    pub last_used_at: Timestamp,
    /// The earlier of its idle and absolute expiry.
    pub expires_at: Timestamp,
    /// Whether it is not marked as ended. One past `expires_at` is not live either way.
    pub is_active: bool,
    /// The city of the address, if known.
    pub location_city: Option<String>,
    /// The country of the address, if known.
    pub location_country: Option<String>,
    /// The time of the sign-in.
    pub created_at: Timestamp,
    /// The time of the row's last change.
    pub updated_at: Timestamp,
    pub(in crate::sessions) previous_jti: Option<String>,
    pub(in crate::sessions) rotated_at: Option<Timestamp>,
    /// When it expires even if it is used.
    pub absolute_expires_at: Timestamp,
    /// Whether the longer pair of limits applies to it.
    pub is_remembered: bool,
    /// How it was opened.
    pub opened_via: OpenedVia,
    /// Its idle limit in seconds.
    pub idle_seconds: i32,
    /// The time of the sign-in or of the last step-up in it.
    pub confirmed_at: Timestamp,
    /// When it ended, if it is marked as ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended, if it is marked as ended.
    pub ended_reason: Option<EndedReason>,
    /// The session it was ended from, if any.
    pub ended_by: Option<SessionId>,
    /// The kind of its device.
    pub device_kind: DeviceKind,
    /// The browser, such as "Firefox".
    pub browser: Option<String>,
    /// The major version of the browser.
    pub browser_version: Option<String>,
    /// The operating system, such as "Windows".
    pub os: Option<String>,
    /// The version of the operating system, such as "10".
    pub os_version: Option<String>,
    /// The brand of the device.
    pub brand: Option<String>,
    /// The model of the device.
    pub model: Option<String>,
    /// The point of the place, if known.
    pub location_point: Option<Point>,
    /// The counter of the current refresh token.
    pub rotation_count: i32,
    /// The last rotations, as text.
    pub(in crate::sessions) recent_rotations: String,
    pub(in crate::sessions) is_token_used: bool,
    /// The ten minutes of its last use, counted from the Unix epoch.
    pub last_used_bucket: i32,
    /// The application that authenticates its owner, if one does.
    pub application_id: Option<ApplicationId>,
    /// Whether it was used in another country than that of the sign-in.
    pub has_changed_country: bool,
    /// Whether impossible travel was recorded of it.
    pub has_impossible_travel: bool,
    /// Since when it is bound to its browser, if it is.
    pub bound_at: Option<Timestamp>,
}

/// A session to be inserted.
#[derive(Insertable)]
#[diesel(table_name = user_sessions, treat_none_as_default_value = false)]
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
    pub(in crate::sessions) sweep_at: Timestamp,
    pub(in crate::sessions) last_used_bucket: i32,
    pub(in crate::sessions) ip_key: Option<String>,
    pub(in crate::sessions) application_id: Option<ApplicationId>,
    pub(in crate::sessions) sign_in_country: Option<&'a str>,
}

/// One use of a session.
#[derive(Debug, Clone)]
pub struct LastUse {
    pub(in crate::sessions) user_id: UserId,
    pub(in crate::sessions) session_id: SessionId,
    pub(in crate::sessions) at: Timestamp,
    pub(in crate::sessions) location: Location,
    /// The impossible travel that the use revealed, in words; recorded together with the use.
    pub(in crate::sessions) travel: Option<String>,
}
