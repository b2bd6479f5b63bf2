//! Network addresses: which one a request comes from, and how much of it is stored.

mod client_address;
mod forwarded;
mod ip_key;
mod ip_retention;
mod source_network;

use std::net::IpAddr;

use ipnet::IpNet;

pub use self::client_address::TrustedProxies;
pub use self::ip_key::{IpFilter, IpKeyRange, ip_key};
pub use self::ip_retention::{IpRetention, LOCAL_NETWORK, describe_stored_ip, display_stored_ip};
pub use self::source_network::SourceNetwork;

/// Returns the network that `ip` is in, about that of one connection: `/24` for IPv4, `/48` for
/// IPv6, where the rest may change within hours (RFC 8981).
#[must_use]
pub fn network(ip: IpAddr) -> IpNet {
    let ip = ip.to_canonical();
    IpNet::new_assert(ip, if ip.is_ipv4() { 24 } else { 48 }).trunc()
}

/// Returns whether `ip` is not reachable from the internet: private, loopback, link-local or
/// shared (RFC 6598).
#[must_use]
pub fn is_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_recognized() {
        for ip in [
            "10.1.2.3",
            "192.168.1.4",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(is_local(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert!(!is_local(ip.parse().unwrap()), "{ip}");
        }
    }
}
