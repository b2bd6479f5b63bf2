//! A session as it is in the export of its person.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::net::IpRetention;
use crate::sessions::{EndedReason, Session, SessionApplication};

/// Whether the ids that browsers store for their devices are in an export: they are the values of a
/// cookie, and nobody but its person needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeviceIds {
    /// They are.
    Included,
    /// They are not.
    LeftOut,
}

/// A session in the export of its person.
#[derive(Serialize)]
pub(super) struct OwnSession {
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
    bound_since: Option<Timestamp>,
    applications: Vec<SessionApplication>,
}

impl OwnSession {
    /// Returns a session with the applications that it reached; its address by `retention`.
    pub(super) fn new(
        session: Session,
        applications: Vec<SessionApplication>,
        ids: DeviceIds,
        retention: IpRetention,
    ) -> Self {
        Self {
            device_name: session.display_name(),
            id: session.id,
            device_id: session.device_id.filter(|_| ids == DeviceIds::Included),
            user_agent: session.user_agent,
            ip_address: session.ip_address.and_then(|ip| retention.redact(&ip)),
            location_city: session.location_city,
            location_country: session.location_country,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            is_active: session.is_active,
            ended_at: session.ended_at,
            ended_reason: session.ended_reason,
            bound_since: session.bound_at,
            applications,
        }
    }
}
