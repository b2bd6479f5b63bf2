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

/// The bytes of a digest of an address: so many that no two share a row. By a row that others filled,
/// an address without an account could be told.
const DIGEST_BYTES: usize = 16;
/// The characters of a device in a key: 132 bits.
const DEVICE_CHARS: usize = 22;
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The keys of the digests of addresses. Without any, all addresses are alike.
#[derive(Clone)]
pub struct AddressKey(Option<MacKeys>);

/// The keyed digest of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressDigest([u8; DIGEST_BYTES]);

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
    /// A live session of the person, for the password given within it.
    Session(LiveSession),
    /// The same, for signing in once more: a typo there and one within the session don't add up.
    SessionSignIn(LiveSession),
    /// An address that a link for a new password is requested for.
    ForgottenPassword(AddressDigest),
    /// A device on which somebody signed in before, whichever address a link is requested for there:
    /// neither the neighbours nor the requests of strangers hold that back.
    ForgottenOnDevice(String),
    /// An address that an account is created with.
    SignUp(AddressDigest),
    /// A person to whom links that verify an address are sent.
    Verification(UserId),
    /// The person whom a genuine link is about: neither strangers nor their neighbours stop its bearer.
    Link(UserId),
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
            return AddressDigest([0; DIGEST_BYTES]);
        };
        let folded = email.trim().to_lowercase();
        let signed = keys.sign(&[b"address ", folded.as_bytes()]);
        let mut digest = [0; DIGEST_BYTES];
        for (byte, signed) in digest.iter_mut().zip(signed) {
            *byte = signed;
        }
        AddressDigest(digest)
    }
}

impl AddressDigest {
    fn as_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

fn digest_of_device(id: &str) -> String {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(id));
    text::truncate_chars(&digest, DEVICE_CHARS).to_owned()
}

/// Returns the keys of the rows of a session.
pub(super) fn keys_of_session(id: SessionId) -> [String; 2] {
    [format!("session:{id}"), format!("session-sign-in:{id}")]
}

impl Lane {
    /// Returns the lane of a password for the account of `person`: that of a live session of theirs,
    /// which too many wrong ones end; else that of the device if it proves a former sign-in with the
    /// same password; else that of the account.
    #[must_use]
    pub fn of_password(requester: &Requester, person: KnownPerson) -> Self {
        let user = person.user;
        if let Some(session) = requester.session.filter(|session| session.user == user) {
            return Self::SessionSignIn(session);
        }
        let device = requester.device.as_ref();
        match device.filter(|device| device.knows(person)) {
            Some(device) => Self::Device {
                user,
                id: device.id.clone(),
            },
            None => Self::Account(user),
        }
    }

    /// Returns the lane of a link for a new password.
    #[must_use]
    pub fn of_forgotten(requester: &Requester, address: AddressDigest) -> Self {
        let device = requester.device.as_ref();
        match device.filter(|device| !device.people.is_empty()) {
            Some(device) => Self::ForgottenOnDevice(device.id.clone()),
            None => Self::ForgottenPassword(address),
        }
    }

    /// Returns whether who tries has proved to be somebody who was signed in, or has a genuine link:
    /// then neither the network nor the node is asked, so that nobody else can lock them out.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        matches!(
            self,
            Self::Device { .. }
                | Self::ForgottenOnDevice(_)
                | Self::Session(_)
                | Self::SessionSignIn(_)
                | Self::Verification(_)
                | Self::Link(_)
        )
    }

    /// Returns the person, where there is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Account(user)
            | Self::Device { user, .. }
            | Self::Verification(user)
            | Self::Link(user) => Some(*user),
            Self::Session(session) | Self::SessionSignIn(session) => Some(session.user),
            Self::Address(_)
            | Self::ForgottenPassword(_)
            | Self::ForgottenOnDevice(_)
            | Self::SignUp(_) => None,
        }
    }

    /// Returns the session, if its tries are counted.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Session(session) | Self::SessionSignIn(session) => Some(session.id),
            _ => None,
        }
    }

    /// Returns the key of its row; `None` if there is none.
    pub(super) fn key(&self) -> Option<String> {
        Some(match self {
            Self::Account(user) => format!("account:{user}"),
            Self::Address(digest) => format!("address:{}", digest.as_text()),
            Self::Device { user, id } => {
                format!("device:{user}:{}", digest_of_device(id))
            }
            Self::ForgottenOnDevice(id) => format!("forgotten-device:{}", digest_of_device(id)),
            Self::Session(session) => format!("session:{}", session.id),
            Self::SessionSignIn(session) => format!("session-sign-in:{}", session.id),
            Self::ForgottenPassword(digest) => format!("forgotten:{}", digest.as_text()),
            Self::SignUp(digest) => format!("sign-up:{}", digest.as_text()),
            Self::Verification(user) => format!("verification:{user}"),
            Self::Link(_) => return None,
        })
    }

    /// Returns when its failures are forgotten.
    pub(super) fn memory(&self) -> Memory {
        match self {
            Self::Session(_) | Self::SessionSignIn(_) => Memory::Session,
            Self::ForgottenPassword(_)
            | Self::ForgottenOnDevice(_)
            | Self::SignUp(_)
            | Self::Verification(_) => Memory::Quiet(HOUR),
            Self::Account(_) | Self::Address(_) | Self::Device { .. } | Self::Link(_) => {
                Memory::Quiet(HOUR * 24)
            }
        }
    }
}
