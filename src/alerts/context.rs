//! The context of an alert: the device and the place of what it reports.

use super::UseBefore;
use crate::db::SessionId;
use crate::events::{EventKind, Origin};
use crate::geo::Location;
use crate::user_agent::DeviceKind;

/// What stands for the device of what the reader of a mailbox does.
pub(super) const MAILBOX: &str = "whoever reads a former address";

/// The device from which something was done, and its location.
#[derive(Debug, Clone)]
pub struct AlertContext {
    /// The session it was done in, if any.
    pub session: Option<SessionId>,
    /// The name of the device: the one that its owner knows, if the alert is about its end, else its
    /// label.
    pub device_name: String,
    /// The label of the device, by what it states of itself.
    pub device_label: String,
    /// The kind of the device.
    pub device_kind: DeviceKind,
    /// The device's location, with its address redacted by the person's IP retention.
    pub location: Location,
    /// The use before, if it is a sign-in.
    pub before: Option<UseBefore>,
    /// What an administrator did, if it is a notice of that.
    pub act: Option<AdminAct>,
}

/// What an administrator did to an account.
#[derive(Debug, Clone)]
pub struct AdminAct {
    /// What it was.
    pub kind: EventKind,
    /// The reason that they stated.
    pub reason: Option<String>,
}

impl AlertContext {
    /// Returns the context of what the reader of a mailbox does by a link, from a redacted address.
    #[must_use]
    pub fn mailbox(ip: Option<String>) -> Self {
        Self {
            session: None,
            device_name: MAILBOX.into(),
            device_label: MAILBOX.into(),
            device_kind: DeviceKind::Unknown,
            location: Location {
                ip,
                ..Location::default()
            },
            before: None,
            act: None,
        }
    }

    /// Returns the context of what an administrator does, in their own session, with a key of an
    /// application or on the command line. From where is not said to the person.
    #[must_use]
    pub fn administrator(kind: EventKind, origin: &Origin) -> Self {
        let (device_name, device_kind) = match (origin.user, origin.application) {
            (None, None) => ("An administrator, on the server", DeviceKind::Program),
            _ => ("An administrator", DeviceKind::Unknown),
        };
        Self {
            session: None,
            device_name: device_name.into(),
            device_label: device_name.into(),
            device_kind,
            location: Location::default(),
            before: None,
            act: Some(AdminAct {
                kind,
                reason: origin.reason.as_ref().map(|it| it.as_str().to_owned()),
            }),
        }
    }
}
