//! The network that a token was used from, as a keyed digest: enough to compare two networks while
//! the grace period lasts, and nothing that an address could be read from.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::db::SessionId;
use crate::keys::MacKeys;
use crate::net::network;

/// The characters of a digest: the address family, the key's id and the HMAC.
pub(super) const DIGEST_CHARS: usize = 1 + KEY_ID_CHARS + MAC_CHARS;
const KEY_ID_CHARS: usize = 2;
const MAC_CHARS: usize = 11;
const MAC_BYTES: usize = 8;
/// The family of an unknown address, which stands in for the whole digest.
const UNKNOWN: char = '-';

/// The keys of network digests. Without any, every network is unknown.
#[derive(Clone)]
pub struct NetworkKey(Option<MacKeys>);

/// A keyed digest of a network: `/24` for IPv4, `/48` for IPv6. It has a fixed width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkDigest(String);

/// How two networks relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NetworkRelation {
    /// They are the same, or can't be compared: one is unknown, their address families differ, or
    /// their digests have different keys.
    Same,
    /// They differ.
    Other,
}

impl NetworkKey {
    /// Returns the keys of `ring` for this purpose.
    #[must_use]
    pub fn new(keys: MacKeys) -> Self {
        Self(Some(keys))
    }

    /// Returns no key, for processes in which no token is refreshed.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Returns the digest of the network of `ip`, an address in text. The same network has another
    /// digest in another session.
    pub(super) fn digest(&self, session: SessionId, ip: Option<&str>) -> NetworkDigest {
        match &self.0 {
            Some(keys) => NetworkDigest::new(|parts| keys.sign(parts), session, ip),
            None => NetworkDigest::unknown(),
        }
    }
}

impl NetworkDigest {
    /// Returns the digest of the network of `ip`, by the key that `sign` uses. The digest names the
    /// key, since those of two keys can't be compared.
    fn new(
        sign: impl Fn(&[&[u8]]) -> [u8; 32],
        session: SessionId,
        ip: Option<&str>,
    ) -> NetworkDigest {
        let ip: Option<IpAddr> = ip.and_then(|ip| ip.parse().ok());
        let Some(network) = ip.map(network) else {
            return Self::unknown();
        };
        let family = if network.addr().is_ipv4() { '4' } else { '6' };
        let key_id = text(sign(&[b"key id"]), KEY_ID_CHARS);
        let message = format!("network {session} {network}");
        let mac = text(sign(&[message.as_bytes()]), MAC_CHARS);
        Self(format!("{family}{key_id}{mac}"))
    }

    /// Returns the digest of an unknown network.
    pub(super) fn unknown() -> Self {
        Self(UNKNOWN.to_string().repeat(DIGEST_CHARS))
    }

    /// Returns the digest that was stored as `text`.
    pub(super) fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns how the networks of two digests relate.
    pub(super) fn relation_to(&self, other: &Self) -> NetworkRelation {
        let family_and_key =
            |digest: &Self| -> String { digest.0.chars().take(1 + KEY_ID_CHARS).collect() };
        let can_compare =
            !self.0.starts_with(UNKNOWN) && family_and_key(self) == family_and_key(other);
        match can_compare && self != other {
            true => NetworkRelation::Other,
            false => NetworkRelation::Same,
        }
    }
}

impl fmt::Display for NetworkDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the first characters of the MAC in base64url.
fn text(mac: [u8; 32], chars: usize) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(&mac[..MAC_BYTES]);
    text.truncate(chars);
    text
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::*;

    fn digest(key: u8, session: SessionId, ip: Option<&str>) -> NetworkDigest {
        let sign = |parts: &[&[u8]]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(&[key; 64]).unwrap();
            for part in parts {
                mac.update(part);
            }
            mac.finalize().into_bytes().into()
        };
        NetworkDigest::new(sign, session, ip)
    }

    fn relation(one: Option<&str>, other: Option<&str>) -> NetworkRelation {
        let session = "019700d5-5a00-7000-8000-000000000000".parse().unwrap();
        let (one, other) = (digest(7, session, one), digest(7, session, other));
        assert_eq!(one.to_string().chars().count(), DIGEST_CHARS);
        one.relation_to(&other)
    }

    #[test]
    fn only_two_known_networks_of_one_family_can_differ() {
        use NetworkRelation::{Other, Same};
        for (one, other, expected) in [
            (Some("203.0.113.7"), Some("203.0.113.250"), Same),
            (Some("203.0.113.7"), Some("203.0.114.7"), Other),
            (Some("2001:db8:1:2::3"), Some("2001:db8:1:ffff::9"), Same),
            (Some("2001:db8:1::3"), Some("2001:db8:2::3"), Other),
            (Some("203.0.113.7"), Some("::ffff:203.0.113.9"), Same),
            (Some("203.0.113.7"), Some("2001:db8:1::3"), Same),
            (Some("203.0.113.7"), None, Same),
            (None, Some("2001:db8:1::3"), Same),
            (None, None, Same),
            (Some("not an address"), Some("203.0.113.7"), Same),
        ] {
            assert_eq!(relation(one, other), expected, "{one:?} {other:?}");
            assert_eq!(relation(other, one), expected, "{other:?} {one:?}");
        }
    }

    #[test]
    fn digests_differ_by_session_and_are_not_compared_across_keys() {
        let session = |text: &str| text.parse::<SessionId>().unwrap();
        let (a, b) = (
            session("019700d5-5a00-7000-8000-000000000000"),
            session("019700d5-5a00-7000-8000-000000000001"),
        );
        let (ip, elsewhere) = (Some("203.0.113.7"), Some("198.51.100.7"));
        assert_ne!(digest(7, a, ip), digest(7, b, ip));
        assert_ne!(digest(7, a, ip), digest(8, a, ip));
        assert_eq!(
            digest(7, a, ip).relation_to(&digest(8, a, elsewhere)),
            NetworkRelation::Same
        );
        assert_eq!(NetworkKey::none().digest(a, ip), NetworkDigest::unknown());
    }
}
