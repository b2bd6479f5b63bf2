//! The links in messages about alerts, and the tickets for a new password. Both are signed with
//! HMAC-SHA-256; the alert's row ensures that a link works once.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::db::AlertId;
use crate::keys::{KeyRing, MacKeys, Purpose};
use crate::people::User;

/// Bytes of an id.
const ID_BYTES: usize = 16;
/// Bytes of a time.
const TIME_BYTES: usize = 8;
/// How long a ticket for a new password is valid.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Signs links and tickets, and verifies them.
pub struct AlertLinks {
    keys: MacKeys,
    origin: String,
}

impl AlertLinks {
    /// Returns links to the service at `origin`, signed with the keys of `ring`.
    #[must_use]
    pub fn new(ring: &KeyRing, origin: String) -> Self {
        Self {
            keys: ring.mac_keys(Purpose::MessageLink),
            origin,
        }
    }

    /// Returns the URL of *Your devices*.
    pub(super) fn devices(&self) -> String {
        format!("{}/devices", self.origin)
    }

    /// Returns the URL at which an alert is reported.
    pub(super) fn not_me(&self, alert: AlertId) -> String {
        let token = self.seal(b"alert", alert.as_bytes(), &[]);
        format!("{}/not-me/{token}", self.origin)
    }

    /// Returns the alert that a link's token is about, if the token is genuine.
    #[must_use]
    pub fn alert(&self, token: &str) -> Option<AlertId> {
        let id = self.open(b"alert", token, ID_BYTES, &[])?;
        Some(AlertId::from_bytes(id.try_into().ok()?))
    }

    /// Returns a ticket that lets its bearer set a new password once, within [`TICKET_LIFETIME`].
    #[must_use]
    pub fn ticket(&self, user: &User, now: Timestamp) -> String {
        let until = (now + TICKET_LIFETIME).timestamp_micros().to_be_bytes();
        self.seal(b"ticket", &until, &ticket_binding(user))
    }

    /// Returns whether `ticket` is genuine, for `user`, not expired and not used.
    #[must_use]
    pub fn is_ticket(&self, user: &User, ticket: &str, now: Timestamp) -> bool {
        let until = self.open(b"ticket", ticket, TIME_BYTES, &ticket_binding(user));
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

/// Returns what a ticket is bound to: the person and their password hash, so setting a new password
/// makes it invalid.
fn ticket_binding(user: &User) -> Vec<u8> {
    [user.id.as_bytes(), user.password_hash().as_bytes()].concat()
}
