//! What the service signs for itself, so that it needs no memory of it: challenges, and bound cookies.
//!
//! A stamp is a byte for the version and one for what it is, a time, and what it says besides, followed by an
//! HMAC over these and the session. So none of them counts as another, or for another session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::public_key::KeyDigest;
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::keys::MacKeys;

const VERSION: u8 = 1;
/// What a bound cookie is, where a challenge has its [`ChallengeKind`].
const COOKIE: u8 = 4;
/// Bytes of the version, the kind and the time.
const HEAD: usize = 2 + size_of::<i64>();
/// Bytes of the HMAC.
const TAG: usize = 32;

/// What a challenge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ChallengeKind {
    /// Registering the first key of a session.
    Register = 1,
    /// Registering a key in place of one that nothing came of.
    Replace = 2,
    /// Proving the registered key once more.
    Refresh = 3,
}

/// Makes and opens stamps.
#[derive(Clone)]
pub(super) struct Stamps(MacKeys);

impl Stamps {
    pub(super) fn new(keys: MacKeys) -> Self {
        Self(keys)
    }

    /// Returns a challenge for the browser of a session, made at `at`.
    pub(super) fn challenge(
        &self,
        kind: ChallengeKind,
        session: SessionId,
        at: Timestamp,
    ) -> String {
        self.seal((kind as u8, at), session, &[])
    }

    /// Returns when a genuine challenge for this session was made, if `text` is one of this kind.
    pub(super) fn open_challenge(
        &self,
        kind: ChallengeKind,
        session: SessionId,
        text: &str,
    ) -> Option<Timestamp> {
        let (at, rest) = self.open(kind as u8, session, text)?;
        rest.is_empty().then_some(at)
    }

    /// Returns the value of the bound cookie of a session, for a browser that has proved `key`. It is good
    /// before `until`.
    pub(super) fn cookie(&self, session: SessionId, key: KeyDigest, until: Timestamp) -> String {
        self.seal((COOKIE, until), session, key.as_bytes())
    }

    /// Returns which key a genuine bound cookie of this session proves, and until when.
    pub(super) fn open_cookie(
        &self,
        session: SessionId,
        text: &str,
    ) -> Option<(KeyDigest, Timestamp)> {
        let (until, rest) = self.open(COOKIE, session, text)?;
        Some((KeyDigest::from_bytes(&rest)?, until))
    }

    fn seal(&self, (kind, at): (u8, Timestamp), session: SessionId, rest: &[u8]) -> String {
        let at = at.timestamp_micros().to_be_bytes();
        let content = [&[VERSION, kind], at.as_slice(), rest].concat();
        let tag = self.0.sign(&[&content, session.as_bytes()]);
        URL_SAFE_NO_PAD.encode([content.as_slice(), &tag].concat())
    }

    /// Returns the time and the rest of what a stamp says. Compares in constant time.
    fn open(&self, kind: u8, session: SessionId, text: &str) -> Option<(Timestamp, Vec<u8>)> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (content, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG)?)?;
        let (head, rest) = content.split_at_checked(HEAD)?;
        let (start, at) = head.split_at_checked(2)?;
        let is_genuine = self.0.verify(&[content, session.as_bytes()], tag);
        if !is_genuine || start != [VERSION, kind] {
            return None;
        }
        let at = i64::from_be_bytes(at.try_into().ok()?);
        Some((Timestamp::from_micros(at)?, rest.to_vec()))
    }
}
