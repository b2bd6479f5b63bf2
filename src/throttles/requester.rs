//! Who makes a try: the network, and what proves that somebody was here before.

use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::events::Source;
use crate::net::SourceNetwork;

/// The people of one device that are remembered: those of a family's computer.
pub const MAX_PEOPLE: usize = 5;

/// Who makes a try.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The network.
    pub network: SourceNetwork,
    /// The device, by a sealed cookie of its own.
    pub device: Option<KnownDevice>,
    /// The live session that the request comes with.
    pub session: Option<LiveSession>,
    /// Where it comes from, for the security log.
    pub source: Source,
}

/// A live session and its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveSession {
    /// The owner.
    pub user: UserId,
    /// The session.
    pub id: SessionId,
}

/// A device, and who signed in on it lately: newest first, at most [`MAX_PEOPLE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownDevice {
    /// The id of the device.
    pub id: String,
    /// Who signed in.
    pub people: Vec<KnownPerson>,
}

/// Somebody who signed in with the password of that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPerson {
    /// The person.
    pub user: UserId,
    /// When the password was set, in microseconds since the Unix epoch.
    pub password_version: i64,
}

impl KnownPerson {
    /// Returns a person whose password was set at `password_changed_at`.
    #[must_use]
    pub fn new(user: UserId, password_changed_at: Timestamp) -> Self {
        Self {
            user,
            password_version: password_changed_at.timestamp_micros(),
        }
    }
}

impl KnownDevice {
    /// Returns a device on which nobody signed in yet.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self {
            id,
            people: Vec::new(),
        }
    }

    /// Returns the device after `person` has signed in: first in the list, from which the oldest is
    /// dropped when it is full.
    #[must_use]
    pub fn with(mut self, person: KnownPerson) -> Self {
        self.people.retain(|known| known.user != person.user);
        self.people.insert(0, person);
        self.people.truncate(MAX_PEOPLE);
        self
    }

    /// Returns whether `person` signed in here with the password that they still have.
    #[must_use]
    pub fn knows(&self, person: KnownPerson) -> bool {
        self.people.contains(&person)
    }
}
