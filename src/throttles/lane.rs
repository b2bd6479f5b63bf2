//! Lanes: what the tries of a password are counted by. Failures in one neither delay nor reset
//! another.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::requester::{KnownPerson, LiveSession, Requester};
use crate::db::{SessionId, UserId};
use crate::keys::MacKeys;
use crate::text;

/// The bits of a digest of an address: so many rows there are at most for addresses without an
/// account. To tell such an address by the rows of others, each would have to be filled.
const ADDRESS_BITS: u32 = 18;
/// The characters of a device in a key: 132 bits.
const DEVICE_CHARS: usize = 22;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The keys of the digests of addresses. Without any, all addresses are alike.
#[derive(Clone)]
pub struct AddressKey(Option<MacKeys>);

/// The keyed digest of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressDigest(u32);

/// What tries are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lane {
    /// The account, for whoever proves nothing.
    Account(UserId),
    /// An address without an account, alike.
    Address(AddressDigest),
    /// A device on which the person signed in before.
    Device {
        /// The person.
        user: UserId,
        /// The device.
        id: String,
    },
    /// A live session of the person.
    Session(LiveSession),
    /// An address that a link for a new password is requested for.
    ForgottenPassword(AddressDigest),
    /// An address that an account is created with.
    SignUp(AddressDigest),
    /// A person to whom links that verify an address are sent.
    Verification(UserId),
    /// Only the network, where somebody has a genuine link.
    Link,
}

/// When the failures in a lane are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// After so long without a try.
    Quiet(Duration),
    /// Never, as long as the session lives.
    Session,
}

impl AddressKey {
    /// Returns the keys of `ring` for this purpose.
    #[must_use]
    pub fn new(keys: MacKeys) -> Self {
        Self(Some(keys))
    }

    /// Returns no key, for processes in which nobody signs in.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Returns the digest of an address, whatever its case.
    #[must_use]
    pub fn digest(&self, email: &str) -> AddressDigest {
        let Some(keys) = &self.0 else {
            return AddressDigest(0);
        };
        let folded = email.trim().to_lowercase();
        let [a, b, c, d, ..] = keys.sign(&[b"address ", folded.as_bytes()]);
        AddressDigest(u32::from_be_bytes([a, b, c, d]) >> (u32::BITS - ADDRESS_BITS))
    }
}

impl Lane {
    /// Returns the lane of a password for the account of `person`: that of the device if it proves a
    /// former sign-in with the same password, else that of a live session of theirs, else that of
    /// the account.
    #[must_use]
    pub fn of_password(requester: &Requester, person: KnownPerson) -> Self {
        let user = person.user;
        let device = requester.device.as_ref();
        if let Some(device) = device.filter(|device| device.knows(person)) {
            let id = device.id.clone();
            return Self::Device { user, id };
        }
        match requester.session.filter(|session| session.user == user) {
            Some(session) => Self::Session(session),
            None => Self::Account(user),
        }
    }

    /// Returns whether who tries has proved to be somebody who was signed in: then neither the
    /// network nor the node is asked, so that nobody else can lock them out.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        matches!(
            self,
            Self::Device { .. } | Self::Session(_) | Self::Verification(_)
        )
    }

    /// Returns the person, where there is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Account(user) | Self::Device { user, .. } | Self::Verification(user) => {
                Some(*user)
            }
            Self::Session(session) => Some(session.user),
            Self::Address(_) | Self::ForgottenPassword(_) | Self::SignUp(_) | Self::Link => None,
        }
    }

    /// Returns the session, if its tries are counted.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Session(session) => Some(session.id),
            _ => None,
        }
    }

    /// Returns the key of its row; `None` if there is none.
    pub(super) fn key(&self) -> Option<String> {
        Some(match self {
            Self::Account(user) => format!("account:{user}"),
            Self::Address(AddressDigest(digest)) => format!("address:{digest}"),
            Self::Device { user, id } => {
                let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(id));
                let digest = text::truncate_chars(&digest, DEVICE_CHARS);
                format!("device:{user}:{digest}")
            }
            Self::Session(session) => format!("session:{}", session.id),
            Self::ForgottenPassword(AddressDigest(digest)) => format!("forgotten:{digest}"),
            Self::SignUp(AddressDigest(digest)) => format!("sign-up:{digest}"),
            Self::Verification(user) => format!("verification:{user}"),
            Self::Link => return None,
        })
    }

    /// Returns when its failures are forgotten.
    pub(super) fn memory(&self) -> Memory {
        match self {
            Self::Session(_) => Memory::Session,
            Self::ForgottenPassword(_) | Self::SignUp(_) | Self::Verification(_) => {
                Memory::Quiet(HOUR)
            }
            Self::Account(_) | Self::Address(_) | Self::Device { .. } | Self::Link => {
                Memory::Quiet(HOUR * 24)
            }
        }
    }
}
