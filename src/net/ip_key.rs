//! The form of an address that sorts, IPv4 before IPv6, and the ranges of it that a network covers.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::network;
use crate::error::{Error, Result};

/// Returns the key of an address in canonical text: `4` or `6`, and its bytes in hexadecimal. Keys
/// sort as the addresses do. What is no address has none.
#[must_use]
pub fn ip_key(ip: &str) -> Option<String> {
    ip.parse().ok().map(key)
}

fn key(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => format!("4{:08x}", u32::from(ip)),
        IpAddr::V6(ip) => format!("6{:032x}", u128::from(ip)),
    }
}

/// A filter by address: one address, or a network in CIDR notation (RFC 4632).
///
/// An address that was shortened for its owner's IP retention stands for its network, so it is found
/// by that network, by a larger one, and by its own text; not by a single address in it, from which
/// nobody knows that it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpFilter(IpNet);

/// The keys that a filter finds: from `first` to `last`, both included, without `except`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpKeyRange {
    /// The least key.
    pub first: String,
    /// The greatest key.
    pub last: String,
    /// The key of a shortened address, which stands for a network that is larger than the filter's.
    pub except: Option<String>,
}

impl IpFilter {
    /// Returns the keys of the addresses that it finds.
    #[must_use]
    pub fn keys(self) -> IpKeyRange {
        let Self(net) = self;
        let around = network(net.addr());
        let is_within = net.prefix_len() > around.prefix_len();
        let is_single = net.prefix_len() == net.max_prefix_len();
        let except = key(around.addr());
        IpKeyRange {
            first: key(net.network()),
            last: key(net.broadcast()),
            except: (is_within && !is_single).then_some(except),
        }
    }
}

impl FromStr for IpFilter {
    type Err = Error;

    /// Parses `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`. The bits after the prefix are ignored.
    fn from_str(text: &str) -> Result<Self> {
        let single = text.parse::<IpAddr>();
        let net = match single {
            Ok(ip) => IpNet::from(ip.to_canonical()),
            Err(_) => text.parse::<IpNet>().map_err(|_| {
                Error::field(
                    "ip",
                    "must be an address or a network, such as 203.0.113.7 or 203.0.113.0/24",
                )
            })?,
        };
        Ok(Self(canonical(net).trunc()))
    }
}

/// Returns a network of IPv4-mapped addresses (RFC 4291, 2.5.5.2) as the IPv4 network that it is.
fn canonical(net: IpNet) -> IpNet {
    match (net.addr().to_canonical(), net.prefix_len()) {
        (IpAddr::V4(ip), prefix) if net.addr().is_ipv6() && prefix >= 96 => {
            IpNet::new_assert(IpAddr::V4(ip), prefix - 96)
        }
        _ => net,
    }
}

/// Formats a single address without its prefix length.
impl fmt::Display for IpFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(net) = self;
        match net.prefix_len() == net.max_prefix_len() {
            true => net.addr().fmt(f),
            false => net.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_addresses_do() {
        let sorted = [
            "0.0.0.0",
            "9.255.255.255",
            "10.0.0.0",
            "203.0.113.7",
            "::",
            "::1",
            "2001:db8::1",
        ];
        let keys: Vec<_> = sorted.iter().map(|ip| ip_key(ip).unwrap()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(ip_key("::ffff:10.0.0.1"), ip_key("10.0.0.1"));
        assert_eq!(ip_key("unknown"), None);
    }

    #[test]
    fn a_network_finds_its_addresses() {
        for (filter, ip, finds) in [
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("203.0.113.0", "203.0.113.0", true),
            ("203.0.113.0/24", "203.0.113.0", true),
            ("203.0.113.99/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            // Shortened: it may come from anywhere in its network.
            ("203.0.113.0/25", "203.0.113.0", false),
            ("203.0.113.0/25", "203.0.113.1", true),
            ("203.0.112.0/23", "203.0.113.0", true),
            ("2001:db8:1::/48", "2001:db8:1::", true),
            ("2001:db8:1::/64", "2001:db8:1::", false),
            ("2001:db8:1::/64", "2001:db8:1::5", true),
            ("::/0", "203.0.113.7", false),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::ffff:203.0.113.0/120", "203.0.113.7", true),
        ] {
            let range = filter.parse::<IpFilter>().unwrap().keys();
            let key = ip_key(ip).unwrap();
            let found = range.first <= key && key <= range.last && range.except != Some(key);
            assert_eq!(found, finds, "{filter} {ip}");
        }
        for text in [
            "",
            "203.0.113",
            "203.0.113.0/33",
            "example.org",
            "203.0.113.0/",
        ] {
            assert!(text.parse::<IpFilter>().is_err(), "{text}");
        }
    }
}
