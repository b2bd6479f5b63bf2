//! Values derived from a session's row.

use std::time::Duration;

use super::idle_limits::EXEMPT_SECONDS;
use super::rotation::RecentRotations;
use super::store::Session;
use super::values::{EndedReason, Jti};
use crate::alerts::AlertContext;
use crate::clock::Timestamp;
use crate::geo::{Location, Place};
use crate::user_agent::{DeviceFacts, device_label};

impl Session {
    /// Returns the label of the device, from what it states: "Firefox on Windows".
    #[must_use]
    pub fn label(&self) -> String {
        device_label(&self.facts())
    }

    /// Returns the device's given name, else its label.
    #[must_use]
    pub fn display_name(&self) -> String {
        self.device_name.clone().unwrap_or_else(|| self.label())
    }

    /// Returns the device's label and where it was last used, as far as that is known: "Firefox on Linux, in
    /// France". Whoever is in doubt names their device as they like.
    #[must_use]
    pub fn label_with_place(&self) -> String {
        let label = self.label();
        match self.place().describe() {
            Some(place) => format!("{label}, {place}"),
            None => label,
        }
    }

    /// Returns whether it is live at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.is_active && self.expires_at > now
    }

    /// Returns why it ended. One that is past its expiry and not marked as ended has expired.
    #[must_use]
    pub fn end_reason(&self) -> Option<EndedReason> {
        match self.is_active {
            true => Some(EndedReason::Expired),
            false => self.ended_reason,
        }
    }

    /// Returns when it ended, if it has by `now`: one past its expiry has, whether or not it is marked as
    /// expired yet.
    #[must_use]
    pub fn end_time(&self, now: Timestamp) -> Option<Timestamp> {
        match self.is_active {
            _ if self.is_live(now) => None,
            true => Some(self.expires_at),
            false => Some(self.ended_at.unwrap_or(self.expires_at)),
        }
    }

    /// Returns whether it ended because it lasted as long as a session may, and not because it was not
    /// used.
    #[must_use]
    pub fn is_past_absolute_limit(&self) -> bool {
        let ended_at = self.ended_at.unwrap_or(self.expires_at);
        self.end_reason() == Some(EndedReason::Expired)
            && self.expires_at.min(ended_at) >= self.absolute_expires_at
    }

    /// Returns the id of the current refresh token. It may leave the service only in a signed token
    /// or an encrypted cookie.
    pub(crate) fn jti(&self) -> Jti {
        Jti::claimed(self.refresh_token_jti.clone())
    }

    /// Returns when the current refresh token was created.
    pub(crate) fn rotated_at(&self) -> Timestamp {
        self.rotated_at.unwrap_or(self.created_at)
    }

    /// Returns the rotations of its refresh token that were at most `grace` before `now`.
    pub(super) fn recent_rotations(&self, grace: Duration, now: Timestamp) -> RecentRotations {
        RecentRotations::parse(&self.recent_rotations).since(now - grace)
    }

    /// Returns whether it is on a device that is exempt from the idle limit.
    #[must_use]
    pub fn is_idle_exempt(&self) -> bool {
        self.idle_seconds == EXEMPT_SECONDS
    }

    /// Returns when the session expires if its last use is at `now`.
    pub(super) fn expiry_if_used(&self, now: Timestamp) -> Timestamp {
        self.expiry(now, self.idle_seconds)
    }

    /// Returns when the session expires with an idle limit of `seconds`, if it is not used again.
    pub(super) fn expiry_with_limit(&self, seconds: i32) -> Timestamp {
        self.expiry(self.last_used_at, seconds)
    }

    fn expiry(&self, used: Timestamp, seconds: i32) -> Timestamp {
        let idle = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        self.absolute_expires_at.min(used + idle)
    }

    /// Returns the session as its row will be once a use at `now` is written.
    #[must_use]
    pub fn with_use_at(self, now: Timestamp) -> Self {
        Self {
            last_used_at: now,
            expires_at: self.expiry_if_used(now),
            ..self
        }
    }

    /// Returns the place where it was last used.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            city: self.location_city.clone(),
            country: self.location_country.clone(),
            point: self.location_point,
        }
    }

    /// Returns where it was last used.
    pub(super) fn location(&self) -> Location {
        Location {
            ip: self.ip_address.clone(),
            place: self.place(),
        }
    }

    /// Returns the context of an alert about this session.
    pub(crate) fn alert_context(&self) -> AlertContext {
        AlertContext {
            session: Some(self.id),
            device_name: self.label(),
            device_label: self.label(),
            device_kind: self.device_kind,
            location: self.location(),
            before: None,
            act: None,
        }
    }

    /// Returns the context of an alert about the end of this session, whose device its owner knows
    /// by the name that it has.
    pub(crate) fn end_alert_context(&self) -> AlertContext {
        AlertContext {
            device_name: self.display_name(),
            ..self.alert_context()
        }
    }

    fn facts(&self) -> DeviceFacts {
        DeviceFacts {
            browser: self.browser.clone(),
            browser_version: self.browser_version.clone(),
            os: self.os.clone(),
            os_version: self.os_version.clone(),
            kind: self.device_kind,
            brand: self.brand.clone(),
            model: self.model.clone(),
        }
    }
}
