//! The links in e-mails: signed, so that nobody can make one, and good for one use, which the row of
//! their alert sees to.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::db::{AlertId, Timestamp};
use crate::error::{Error, Result};
use crate::people::User;

/// Bytes of an id.
const ID: usize = 16;
/// Bytes of a time.
const TIME: usize = 8;
/// How long a ticket for a new password is good.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Makes links, and knows its own again.
pub struct Links {
    key: Hmac<Sha256>,
    origin: String,
}

impl Links {
    /// Links to the service at `origin`, signed with `key`.
    ///
    /// # Errors
    /// [`Error::Internal`] when HMAC does not take the key.
    pub fn new(key: &[u8], origin: String) -> Result<Self> {
        let key = Hmac::new_from_slice(key)
            .map_err(|fault| Error::Internal(format!("the key of links: {fault}")))?;
        Ok(Self { key, origin })
    }

    /// Where the person's devices are.
    pub(super) fn devices(&self) -> String {
        format!("{}/devices", self.origin)
    }

    /// Where they say that it was not them.
    pub(super) fn not_me(&self, alert: AlertId) -> String {
        let token = self.sealed(b"alert", alert.as_bytes(), &[]);
        format!("{}/not-me/{token}", self.origin)
    }

    /// The alert that the token of a link is about, if it is one of ours.
    pub fn alert(&self, token: &str) -> Option<AlertId> {
        let id = self.opened(b"alert", token, ID, &[])?;
        Some(AlertId::from_bytes(id.try_into().ok()?))
    }

    /// A ticket that lets its bearer set a new password once, within half an hour.
    pub fn ticket(&self, user: &User, now: Timestamp) -> String {
        let until = (now + TICKET_LIFETIME).timestamp_micros().to_be_bytes();
        self.sealed(b"ticket", &until, &circumstances(user))
    }

    /// Whether `ticket` is one for `user`, in time and not used.
    pub fn is_ticket(&self, user: &User, ticket: &str, now: Timestamp) -> bool {
        let until = self.opened(b"ticket", ticket, TIME, &circumstances(user));
        let until = until.and_then(|bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?)));
        until.is_some_and(|until| now.timestamp_micros() <= until)
    }

    /// What is told, and the proof that we told it.
    fn sealed(&self, purpose: &[u8], told: &[u8], beside: &[u8]) -> String {
        let proof = self.mac(purpose, told, beside).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([told, proof.as_slice()].concat())
    }

    /// What was told, if the proof is ours. Compares in constant time.
    fn opened(&self, purpose: &[u8], text: &str, length: usize, beside: &[u8]) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (told, proof) = bytes.split_at_checked(length)?;
        self.mac(purpose, told, beside).verify_slice(proof).ok()?;
        Some(told.to_vec())
    }

    fn mac(&self, purpose: &[u8], told: &[u8], beside: &[u8]) -> Hmac<Sha256> {
        // `told` has one length for each purpose, so no two inputs look alike.
        self.key
            .clone()
            .chain_update(purpose)
            .chain_update(told)
            .chain_update(beside)
    }
}

/// What changes when a ticket is used: it is good for this person and this password.
fn circumstances(user: &User) -> Vec<u8> {
    [user.id.as_bytes(), user.kept_password().as_bytes()].concat()
}
