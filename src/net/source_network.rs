//! The network that counts as one source of requests.

use std::net::IpAddr;

use ipnet::IpNet;

/// The network of a client as one source of requests: a single IPv4 address, or the `/64` of an IPv6
/// address, within which one client has all addresses (RFC 4291, 2.5.1). It serves to share what is
/// scarce among clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceNetwork {
    /// A known network.
    Net(IpNet),
    /// The address is unknown, as through a socket that has none.
    Unknown,
}

impl SourceNetwork {
    /// Returns the network of an address. An IPv4-mapped address is the IPv4 address that it is.
    #[must_use]
    pub fn of(ip: Option<IpAddr>) -> Self {
        match ip.map(|ip| ip.to_canonical()) {
            None => Self::Unknown,
            Some(ip @ IpAddr::V4(_)) => Self::Net(IpNet::from(ip)),
            Some(ip @ IpAddr::V6(_)) => Self::Net(IpNet::new_assert(ip, 64).trunc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_ipv4_address_or_a_64() {
        let of = |ip: &str| SourceNetwork::of(Some(ip.parse().unwrap()));
        assert_eq!(of("203.0.113.7"), of("::ffff:203.0.113.7"));
        assert_ne!(of("203.0.113.7"), of("203.0.113.8"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("0.0.0.0"), SourceNetwork::of(None));
    }
}
