//! What pages call the devices and sessions that are about to be signed out: the page that asks, and the
//! one for the password after it, say the same.

use crate::devices::{DeviceGroup, group_by_device};
use crate::sessions::{Caller, Session};

/// What is about to be signed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What is done: "Sign out ".
    pub verb: &'static str,
    /// To what: the name of a device, or "3 devices".
    pub object: String,
}

impl Ending {
    const fn sign_out(object: String) -> Self {
        Self {
            verb: "Sign out ",
            object,
        }
    }

    /// Returns the sign-out of these devices; `None` without any.
    #[must_use]
    pub fn of_devices(devices: &[DeviceGroup<Session>]) -> Option<Self> {
        (!devices.is_empty()).then(|| Self::sign_out(name_or_count(devices)))
    }

    /// Returns the sign-out of all other sessions of the caller, of whom these are live; `None` without any.
    #[must_use]
    pub fn of_others(live: &[Session], caller: &Caller) -> Option<Self> {
        let current = &caller.session;
        let (here, elsewhere): (Vec<Session>, Vec<Session>) = live
            .iter()
            .filter(|live| live.id != current.id)
            .cloned()
            .partition(|live| live.is_on_device_of(current));
        let object = match (group_by_device(elsewhere).as_slice(), here.len()) {
            ([], 0) => return None,
            ([], 1) => "the other session on this device".into(),
            ([], n) => format!("{n} other sessions on this device"),
            ([device], _) => other_name(&device.first().display_name(), &current.display_name()),
            (devices, _) => format!("{} other devices", devices.len()),
        };
        Some(Self::sign_out(object))
    }

    /// Returns the sign-out of all these devices, the one that it is done on among them.
    #[must_use]
    pub fn of_all(live: Vec<Session>) -> Self {
        Self::sign_out(match group_by_device(live).len() {
            0 | 1 => "everywhere".into(),
            2 => "both devices".into(),
            n => format!("all {n} devices"),
        })
    }

    /// Returns the end of the sessions `ending`, where `live` are the person's others; `None` without any.
    #[must_use]
    pub fn of_unused(ending: Vec<Session>, live: &[Session]) -> Option<Self> {
        let is_whole = |session: &Session| !live.iter().any(|live| live.is_on_device_of(session));
        let verb = match ending.iter().all(is_whole) {
            true => "Sign out ",
            false => "End sessions on ",
        };
        let devices = group_by_device(ending);
        Self::of_devices(&devices).map(|ending| Self { verb, ..ending })
    }

    /// Returns both parts: "Sign out 3 devices".
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}{}", self.verb, self.object)
    }
}

/// Returns the name of another device than the one that is called `here`, in a sentence about both.
#[must_use]
pub fn other_name(name: &str, here: &str) -> String {
    match name == here {
        true => format!("the other {name}"),
        false => name.to_owned(),
    }
}

fn name_or_count(devices: &[DeviceGroup<Session>]) -> String {
    match devices {
        [device] => device.first().display_name(),
        devices => format!("{} devices", devices.len()),
    }
}
