//! IP retention: how much of a person's IP addresses is stored.

use std::net::IpAddr;

use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{is_local, network};
use crate::error::Error;
use crate::settings::LogAddresses;

/// How much of an IP address is stored. The greater of two is the stricter one.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(
    serialize_all = "lowercase",
    parse_err_ty = Error,
    parse_err_fn = unknown_retention
)]
pub enum IpRetention {
    /// The whole address.
    #[default]
    Whole,
    /// The [`network`] it is in.
    Shortened,
    /// Nothing.
    None,
}

impl IpRetention {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the form in which `ip`, an address in canonical text, is stored, if it is. What is
    /// not an address can't be shortened and is not stored then.
    #[must_use]
    pub fn redact(self, ip: &str) -> Option<String> {
        match self {
            Self::Whole => Some(ip.to_owned()),
            Self::Shortened => Some(network(ip.parse().ok()?).addr().to_string()),
            Self::None => None,
        }
    }

    /// Returns the form in which `ip` may stand in the log, if it may: the address, or its network in
    /// CIDR notation.
    #[must_use]
    pub fn display(self, ip: IpAddr) -> Option<String> {
        match self {
            Self::Whole => Some(ip.to_canonical().to_string()),
            Self::Shortened => Some(network(ip).to_string()),
            Self::None => None,
        }
    }
}

impl From<LogAddresses> for IpRetention {
    fn from(addresses: LogAddresses) -> Self {
        match addresses {
            LogAddresses::Whole => Self::Whole,
            LogAddresses::Shortened => Self::Shortened,
            LogAddresses::None => Self::None,
        }
    }
}

fn unknown_retention(_: &str) -> Error {
    Error::field("addresses", "must be whole, shortened or none")
}

/// Formats a stored address for people: a shortened one as its network, since no host has such an
/// address itself.
#[must_use]
pub fn display_stored_ip(text: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(ip) if network(ip).addr() == ip => network(ip).to_string(),
        _ => text.to_owned(),
    }
}

/// What stands for the place of an address that is not reachable from the internet.
pub const LOCAL_NETWORK: &str = "Local network";

/// Formats a stored address as [`display_stored_ip`] does, and says of a local one that it is: "10.0.0.7
/// (Local network)".
#[must_use]
pub fn describe_stored_ip(text: &str) -> String {
    let shown = display_stored_ip(text);
    match text.parse().is_ok_and(is_local) {
        true => format!("{shown} ({LOCAL_NETWORK})"),
        false => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_address_is_its_network() {
        for (ip, stored) in [
            ("203.0.113.77", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("::ffff:203.0.113.77", "203.0.113.0"),
        ] {
            let shortened = IpRetention::Shortened.redact(ip);
            assert_eq!(shortened.as_deref(), Some(stored));
            // Redacting a redacted address changes nothing.
            assert_eq!(IpRetention::Shortened.redact(stored), shortened);
        }
        assert_eq!(IpRetention::None.redact("203.0.113.77"), None);
        assert!(IpRetention::Whole < IpRetention::Shortened);
        assert!(IpRetention::Shortened < IpRetention::None);
        for (ip, whole, shortened) in [
            ("203.0.113.0", "203.0.113.0", "203.0.113.0/24"),
            ("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
            ("2001:db8:1:2::5", "2001:db8:1:2::5", "2001:db8:1::/48"),
        ] {
            let ip = ip.parse().unwrap();
            assert_eq!(IpRetention::Whole.display(ip).as_deref(), Some(whole));
            let displayed = IpRetention::Shortened.display(ip);
            assert_eq!(displayed.as_deref(), Some(shortened));
            assert_eq!(IpRetention::None.display(ip), None);
        }
        assert_eq!(display_stored_ip("203.0.113.0"), "203.0.113.0/24");
        assert_eq!(display_stored_ip("2001:db8:1::"), "2001:db8:1::/48");
        assert_eq!(display_stored_ip("203.0.113.77"), "203.0.113.77");
    }
}
