//! The context of an alert: the device and the place of what it reports.

use crate::db::SessionId;
use crate::events::Origin;
use crate::geo::Location;
use crate::user_agent::DeviceKind;

/// The device from which something was done, and its location.
#[derive(Debug, Clone)]
pub struct AlertContext {
    /// The session it was done in, if any.
    pub session: Option<SessionId>,
    /// The label of the device.
    pub device_name: String,
    /// The kind of the device.
    pub device_kind: DeviceKind,
    /// The device's location, with its address redacted by the person's IP retention.
    pub location: Location,
}

impl AlertContext {
    /// Returns the context of what the reader of a mailbox does by a link, from a redacted address.
    #[must_use]
    pub fn mailbox(ip: Option<String>) -> Self {
        Self {
            session: None,
            device_name: "Whoever reads a former address".into(),
            device_kind: DeviceKind::Unknown,
            location: Location {
                ip,
                ..Location::default()
            },
        }
    }

    /// Returns the context of what an administrator does, in their own session or on the command
    /// line. From where is not said to the person.
    #[must_use]
    pub fn administrator(origin: &Origin) -> Self {
        match (origin.user, origin.application) {
            (None, None) => Self::command_line(),
            _ => Self {
                device_name: "An administrator".into(),
                ..Self::command_line()
            },
        }
    }

    /// Returns the context of what an administrator does on the command line.
    #[must_use]
    pub fn command_line() -> Self {
        Self {
            session: None,
            device_name: "An administrator, on the server".into(),
            device_kind: DeviceKind::Program,
            location: Location::default(),
        }
    }
}
