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

    /// Returns the sign-out of the device of `session`, where `live` are the caller's sessions: on the device that it
    /// is done on, the others end. `None` if there is nothing on it to end.
    #[must_use]
    pub fn of_device(session: &Session, live: &[Session], caller: &Caller) -> Option<Self> {
        let is_here = session.is_on_device_of(&caller.session);
        let left = live.iter().filter(|live| live.is_on_device_of(session));
        let names_it = left.clone().next()?.display_name();
        let others = left.filter(|live| live.id != caller.session.id).count();
        match (is_here, others) {
            (false, _) => Some(Self::sign_out(names_it)),
            (true, 0) => None,
            (true, n) => Some(Self {
                verb: "End ",
                object: match n {
                    1 => "the other session on this device".into(),
                    n => format!("{n} other sessions on this device"),
                },
            }),
        }
    }

    /// Returns the end of `session` alone, where `live` are the caller's sessions; `None` where it is the only one
    /// of its device.
    #[must_use]
    pub fn of_session(session: &Session, live: &[Session], caller: &Caller) -> Option<Self> {
        let is_here = session.is_on_device_of(&caller.session);
        let mut others = live
            .iter()
            .filter(|live| live.id != session.id && live.is_on_device_of(session));
        let (device, own) = (others.next()?.display_name(), session.display_name());
        let device = match is_here {
            true => "this device".to_owned(),
            false => device,
        };
        Some(
            match own == device || (is_here && own == caller.session.display_name()) {
                true => Self {
                    verb: "End one session on ",
                    object: device,
                },
                false => Self {
                    verb: "End the session of ",
                    object: format!("{own} on {device}"),
                },
            },
        )
    }

    /// Returns the end of the sessions `ending`, where `live` are the person's others; `None` without any.
    #[must_use]
    pub fn of_unused(ending: Vec<Session>, live: &[Session]) -> Option<Self> {
        let is_whole = |session: &Session| !live.iter().any(|live| live.is_on_device_of(session));
        let verb = match (ending.iter().all(is_whole), ending.len()) {
            (true, _) => "Sign out ",
            (false, 1) => "End one session on ",
            (false, _) => "End sessions on ",
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
