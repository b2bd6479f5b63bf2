//! The links in messages, and the tickets for a new password. Both are signed with HMAC-SHA-256;
//! the row that a link is about ensures that it works once.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::db::{AlertId, LinkId, MailId, ResetId, VerificationId};
use crate::keys::{KeyRing, MacKeys, Purpose};

/// Bytes of an id.
const ID_BYTES: usize = 16;
/// Bytes of a time.
const TIME_BYTES: usize = 8;
/// How long a ticket for a new password is valid.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// What a link that reports something names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageLink {
    /// The message that it is in.
    Message(MailId),
    /// The alert that its message is about, in messages from version 0.1.
    Alert(AlertId),
}

impl MessageLink {
    /// Returns whether what it is in, or about, was created before `at`.
    #[must_use]
    pub fn is_before(self, at: Timestamp) -> bool {
        match self {
            Self::Message(id) => id < MailId::first_at(at),
            Self::Alert(id) => id < AlertId::first_at(at),
        }
    }
}

impl From<MessageLink> for LinkId {
    fn from(link: MessageLink) -> Self {
        match link {
            MessageLink::Message(id) => id.into(),
            MessageLink::Alert(id) => id.into(),
        }
    }
}

/// Signs links and tickets, and verifies them.
pub struct MessageLinks {
    keys: MacKeys,
    origin: String,
}

impl MessageLinks {
    /// Returns links to the service at `origin`, signed with the keys of `ring`.
    #[must_use]
    pub fn new(ring: &KeyRing, origin: String) -> Self {
        Self {
            keys: ring.mac_keys(Purpose::MessageLink),
            origin,
        }
    }

    /// Returns the URL of *Your devices*.
    #[must_use]
    pub fn devices(&self) -> String {
        format!("{}/devices", self.origin)
    }

    /// Returns the URL of the sign-in page.
    #[must_use]
    pub fn sign_in(&self) -> String {
        format!("{}/sign-in", self.origin)
    }

    /// Returns the URL at which the reader of a message reports what it is about, or takes the
    /// account back. It is bound to the message, so that the page knows the mailbox.
    #[must_use]
    pub fn not_me(&self, message: MailId) -> String {
        let token = self.seal(b"message", message.as_bytes(), &[]);
        format!("{}/not-me/{token}", self.origin)
    }

    /// Returns what a link's token names, if the token is genuine.
    #[must_use]
    pub fn message(&self, token: &str) -> Option<MessageLink> {
        if let Some(id) = self.open(b"message", token, ID_BYTES, &[]) {
            return Some(MessageLink::Message(MailId::from_bytes(
                id.try_into().ok()?,
            )));
        }
        let id = self.open(b"alert", token, ID_BYTES, &[])?;
        Some(MessageLink::Alert(AlertId::from_bytes(id.try_into().ok()?)))
    }

    /// Returns the URL at which an e-mail address is verified.
    #[must_use]
    pub fn verify_email(&self, verification: VerificationId) -> String {
        let token = self.seal(b"verify", verification.as_bytes(), &[]);
        format!("{}/verify-email/{token}", self.origin)
    }

    /// Returns the verification that a link's token is about, if the token is genuine.
    #[must_use]
    pub fn verification(&self, token: &str) -> Option<VerificationId> {
        let id = self.open(b"verify", token, ID_BYTES, &[])?;
        Some(VerificationId::from_bytes(id.try_into().ok()?))
    }

    /// Returns the URL at which a new password is set.
    #[must_use]
    pub fn reset_password(&self, reset: ResetId) -> String {
        let token = self.seal(b"reset", reset.as_bytes(), &[]);
        format!("{}/reset-password/{token}", self.origin)
    }

    /// Returns the reset that a link's token is about, if the token is genuine.
    #[must_use]
    pub fn reset(&self, token: &str) -> Option<ResetId> {
        let id = self.open(b"reset", token, ID_BYTES, &[])?;
        Some(ResetId::from_bytes(id.try_into().ok()?))
    }

    /// Returns a ticket that lets its bearer set a new password within [`TICKET_LIFETIME`], while
    /// `binding` is unchanged.
    #[must_use]
    pub fn ticket(&self, binding: &[u8], now: Timestamp) -> String {
        let until = (now + TICKET_LIFETIME).timestamp_micros().to_be_bytes();
        self.seal(b"ticket", &until, binding)
    }

    /// Returns whether `ticket` is genuine, has this binding, and has not expired.
    #[must_use]
    pub fn is_ticket(&self, binding: &[u8], ticket: &str, now: Timestamp) -> bool {
        let until = self.open(b"ticket", ticket, TIME_BYTES, binding);
        let until = until.and_then(|bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?)));
        until.is_some_and(|until| now.timestamp_micros() <= until)
    }

    /// Returns `payload` and its MAC, as URL-safe Base64.
    fn seal(&self, purpose: &[u8], payload: &[u8], binding: &[u8]) -> String {
        // `payload` has a fixed length for each purpose, so the concatenation is unambiguous.
        let mac = self.keys.sign(&[purpose, payload, binding]);
        URL_SAFE_NO_PAD.encode([payload, mac.as_slice()].concat())
    }

    /// Returns the payload of `length` bytes in `text`, if its MAC is valid. Compares in constant
    /// time.
    fn open(&self, purpose: &[u8], text: &str, length: usize, binding: &[u8]) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (payload, mac) = bytes.split_at_checked(length)?;
        let is_genuine = self.keys.verify(&[purpose, payload, binding], mac);
        is_genuine.then(|| payload.to_vec())
    }
}
