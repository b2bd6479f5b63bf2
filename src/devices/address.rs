//! The client's address. What a header says of it is believed only of trusted proxies.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;

use crate::error::Error;

/// The networks of our own reverse proxies.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Whether `ip` is the address of one.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&ip))
    }
}

/// The address of the client: `peer`, unless that is a trusted proxy. Then the headers are read
/// from the right, past every trusted proxy, up to the first address that is none. What can't be
/// read ends the walk.
///
/// `X-Forwarded-For` goes before `Forwarded` (RFC 7239): nearly every proxy writes the former, and
/// passes on whatever a client has put into the latter.
pub fn client_address(
    peer: IpAddr,
    forwarded: &[&str],
    x_forwarded_for: &[&str],
    trusted: &TrustedProxies,
) -> IpAddr {
    let peer = peer.to_canonical();
    let told: Vec<Option<IpAddr>> = match x_forwarded_for.is_empty() {
        false => x_forwarded_for
            .iter()
            .flat_map(|line| line.split(','))
            .map(address)
            .collect(),
        true => forwarded
            .iter()
            .flat_map(|line| elements(line, ','))
            .map(forwarded_for)
            .collect(),
    };
    let mut client = peer;
    for hop in told.into_iter().rev() {
        match hop {
            Some(hop) if trusted.contains(client) => client = hop,
            _ => break,
        }
    }
    client
}

/// What is kept of the addresses a person comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressKeeping {
    /// The whole address.
    #[default]
    Whole,
    /// The network it is in.
    Shortened,
    /// Nothing.
    None,
}

impl AddressKeeping {
    /// Every choice, the one that keeps most first.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Shortened, Self::None];

    /// The name it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Shortened => "shortened",
            Self::None => "none",
        }
    }

    /// What is kept of an address in canonical text.
    pub fn keep(self, ip: &str) -> Option<String> {
        match self {
            Self::Whole => Some(ip.to_owned()),
            Self::Shortened => Some(network(ip.parse().ok()?).addr().to_string()),
            Self::None => None,
        }
    }
}

impl FromStr for AddressKeeping {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|keeping| keeping.as_str() == text)
            .ok_or_else(|| Error::field("addresses", "must be whole, shortened or none"))
    }
}

/// The network that an address is in, as far as a person's connection goes: `/24`, and `/48` of IPv6,
/// where the rest may change by the hour (RFC 8981).
pub fn network(ip: IpAddr) -> IpNet {
    let ip = ip.to_canonical();
    IpNet::new_assert(ip, if ip.is_ipv4() { 24 } else { 48 }).trunc()
}

/// What is kept of an address, for people: of one that was shortened, the network. Nobody has such an
/// address themselves.
pub fn kept_in_words(text: &str) -> String {
    match text.parse::<IpAddr>() {
        Ok(ip) if network(ip).addr() == ip => network(ip).to_string(),
        _ => text.to_owned(),
    }
}

/// Whether nobody outside can have this address: private, loopback, link-local, shared (RFC 6598).
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

/// The `for` of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    elements(element, ';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| address(value.trim().trim_matches('"')))?
    })
}

/// Splits at `separator`, but not inside quotes.
fn elements(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

/// An address in any of the forms proxies write: with a port, in brackets, with a zone.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let parse = |text: &str| without_zone(text).parse::<IpAddr>().ok();
    if let Some(rest) = text.strip_prefix('[') {
        return parse(rest.split(']').next()?).map(|ip| ip.to_canonical());
    }
    let ip = parse(text).or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(ip.to_canonical())
}

fn without_zone(text: &str) -> &str {
    text.split('%').next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], x_forwarded_for: &[&str]) -> String {
        let trusted = TrustedProxies(
            ["10.0.0.0/8", "fd00::/8"]
                .iter()
                .map(|net| net.parse().unwrap())
                .collect(),
        );
        client_address(peer.parse().unwrap(), forwarded, x_forwarded_for, &trusted).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("203.0.113.9", &[], &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(
            client("203.0.113.9", &["for=198.51.100.1"], &[]),
            "203.0.113.9"
        );
    }

    #[test]
    fn the_first_address_from_the_right_that_is_no_proxy_is_the_client() {
        assert_eq!(
            client("10.0.0.1", &[], &["6.6.6.6, 198.51.100.1, 10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(
            client("10.0.0.1", &[], &["6.6.6.6", "198.51.100.1"]),
            "198.51.100.1"
        );
        assert_eq!(client("10.0.0.1", &[], &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(client("10.0.0.1", &[], &[]), "10.0.0.1");
    }

    #[test]
    fn garbage_ends_the_walk() {
        assert_eq!(
            client("10.0.0.1", &[], &["198.51.100.1, unknown"]),
            "10.0.0.1"
        );
        assert_eq!(
            client("10.0.0.1", &[], &["198.51.100.1, <script>, 10.0.0.2"]),
            "10.0.0.2"
        );
    }

    #[test]
    fn every_form_of_an_address_is_read() {
        for (written, meant) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
        ] {
            assert_eq!(client("10.0.0.1", &[], &[written]), meant);
        }
        assert_eq!(
            client("::ffff:10.0.0.1", &[], &["198.51.100.1"]),
            "198.51.100.1"
        );
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_has_it() {
        let line =
            r#"for="_hidden";by=1.1.1.1, For="[2001:db8:cafe::17]:4711";proto=https, for=10.0.0.2"#;
        assert_eq!(client("10.0.0.1", &[line], &[]), "2001:db8:cafe::17");
    }

    #[test]
    fn what_a_client_puts_into_forwarded_does_not_count_beside_x_forwarded_for() {
        let forged = ["for=6.6.6.6"];
        assert_eq!(
            client("10.0.0.1", &forged, &["198.51.100.1"]),
            "198.51.100.1"
        );
    }

    #[test]
    fn a_shortened_address_is_its_network() {
        for (ip, kept) in [
            ("203.0.113.77", "203.0.113.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("::ffff:203.0.113.77", "203.0.113.0"),
        ] {
            let shortened = AddressKeeping::Shortened.keep(ip);
            assert_eq!(shortened.as_deref(), Some(kept));
            // Shortening what is short changes nothing.
            assert_eq!(AddressKeeping::Shortened.keep(kept), shortened);
        }
        assert_eq!(AddressKeeping::None.keep("203.0.113.77"), None);
        assert_eq!(kept_in_words("203.0.113.0"), "203.0.113.0/24");
        assert_eq!(kept_in_words("2001:db8:1::"), "2001:db8:1::/48");
        assert_eq!(kept_in_words("203.0.113.77"), "203.0.113.77");
    }

    #[test]
    fn local_addresses_are_told_from_others() {
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
