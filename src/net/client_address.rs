//! The client's address: the peer's, or the one that a trusted proxy reports in a header.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::forwarded::{forwarded, x_forwarded_for};
use crate::settings::TrustedHeader;

/// The most hops that are read: no chain of one's own proxies is that long.
const MAX_HOPS: usize = 32;
/// The bits before the IPv4 address in an IPv4-mapped one (RFC 4291, 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// The reverse proxies that are trusted, and the header that they write.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: TrustedHeader,
}

impl TrustedProxies {
    /// Returns the proxies in these networks, which write `header`. An IPv4-mapped network is the
    /// IPv4 network in it.
    #[must_use]
    pub fn new(networks: &[IpNet], header: TrustedHeader) -> Self {
        Self {
            networks: networks.iter().map(|network| canonical(*network)).collect(),
            header,
        }
    }

    /// Returns whether `ip` is the address of a trusted proxy.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.networks.iter().any(|network| network.contains(&ip))
    }

    /// Returns the header that they write. Any other can be the client's own.
    #[must_use]
    pub fn header(&self) -> TrustedHeader {
        self.header
    }

    /// Returns the address of the client: `peer`, unless that is a trusted proxy. Then `lines`, the
    /// values of [`TrustedProxies::header`], are read from the right, past every trusted proxy, up
    /// to the first address that is not one. An element without a usable address ends the search at
    /// the proxy that added it.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, lines: &[&[u8]]) -> IpAddr {
        let peer = peer.to_canonical();
        match self.header {
            TrustedHeader::XForwardedFor => self.search(peer, x_forwarded_for(lines)),
            TrustedHeader::Forwarded => self.search(peer, forwarded(lines)),
        }
    }

    fn search(&self, peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut client = peer;
        if !self.contains(client) {
            return client;
        }
        for hop in hops.take(MAX_HOPS) {
            let Some(hop) = hop else {
                break;
            };
            client = hop;
            if !self.contains(client) {
                break;
            }
        }
        client
    }
}

fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped(),
        IpNet::V4(_) => None,
    };
    let prefix = network.prefix_len().checked_sub(MAPPED_PREFIX);
    match mapped.zip(prefix) {
        Some((ip, prefix)) => Ipv4Net::new(ip, prefix).map_or(network, IpNet::V4),
        None => network,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted(header: TrustedHeader) -> TrustedProxies {
        let networks: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8", "::ffff:172.16.0.0/108"]
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        TrustedProxies::new(&networks, header)
    }

    fn client(header: TrustedHeader, peer: &str, lines: &[&str]) -> String {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let ip = trusted(header).client_address(peer.parse().unwrap(), &lines);
        ip.to_string()
    }

    fn by_x_forwarded_for(peer: &str, lines: &[&str]) -> String {
        client(TrustedHeader::XForwardedFor, peer, lines)
    }

    fn by_forwarded(line: &str) -> String {
        client(TrustedHeader::Forwarded, "10.0.0.1", &[line])
    }

    #[test]
    fn headers_of_an_untrusted_peer_are_ignored() {
        let peer = "203.0.113.9";
        assert_eq!(by_x_forwarded_for(peer, &["198.51.100.1"]), peer);
        let lines = ["for=198.51.100.1"];
        assert_eq!(client(TrustedHeader::Forwarded, peer, &lines), peer);
    }

    #[test]
    fn the_client_is_the_first_untrusted_address_from_the_right() {
        for (lines, expected) in [
            (&["6.6.6.6, 198.51.100.1, 10.0.0.2"][..], "198.51.100.1"),
            (&["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
            (&["198.51.100.1", "10.0.0.3", "10.0.0.2"], "198.51.100.1"),
            (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&["198.51.100.1, 172.16.0.9"], "198.51.100.1"),
            (&[], "10.0.0.1"),
            (&[""], "10.0.0.1"),
        ] {
            assert_eq!(by_x_forwarded_for("10.0.0.1", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn empty_elements_mean_nothing() {
        for line in [
            "198.51.100.7,",
            "198.51.100.7 , ,\t,",
            "6.6.6.6,,198.51.100.7,,10.0.0.2,",
            ",198.51.100.7",
        ] {
            assert_eq!(by_x_forwarded_for("10.0.0.1", &[line]), "198.51.100.7");
            let forwarded: Vec<String> = line
                .split(',')
                .map(|element| match element.trim() {
                    "" => element.to_owned(),
                    ip => format!("for={ip}"),
                })
                .collect();
            assert_eq!(by_forwarded(&forwarded.join(",")), "198.51.100.7");
        }
        assert_eq!(
            by_x_forwarded_for("10.0.0.1", &["198.51.100.7", "", " , "]),
            "198.51.100.7"
        );
    }

    #[test]
    fn an_element_without_an_address_ends_the_search() {
        for (line, expected) in [
            ("198.51.100.1, unknown", "10.0.0.1"),
            ("198.51.100.1, _hidden", "10.0.0.1"),
            ("198.51.100.1, <script>, 10.0.0.2", "10.0.0.2"),
            ("198.51.100.1, \"198.51.100.2\", 10.0.0.2", "10.0.0.2"),
            ("198.51.100.1, 010.0.0.5", "10.0.0.1"),
            ("198.51.100.1, 10.0.0.5:port", "10.0.0.1"),
            ("198.51.100.1, [2001:db8::1]evil", "10.0.0.1"),
            ("198.51.100.1, [198.51.100.2]", "10.0.0.1"),
        ] {
            assert_eq!(by_x_forwarded_for("10.0.0.1", &[line]), expected, "{line}");
        }
    }

    #[test]
    fn every_form_of_an_address_is_parsed() {
        for (written, expected) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("198.51.100.1:_gate", "198.51.100.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]:_a.b-c", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
        ] {
            assert_eq!(by_x_forwarded_for("10.0.0.1", &[written]), expected);
            assert_eq!(by_forwarded(&format!("for=\"{written}\"")), expected);
        }
        assert_eq!(
            by_x_forwarded_for("::ffff:10.0.0.1", &["198.51.100.1"]),
            "198.51.100.1"
        );
    }

    #[test]
    fn a_left_part_hides_nothing_to_its_right() {
        for left in [
            "\u{fffd}\u{e9}",
            "for=\"",
            "\"",
            "for=\"a\\",
            "\\",
            ";;=",
            "for=\"a\\\"",
        ] {
            let line = format!("{left}, for=198.51.100.1, for=10.0.0.2");
            assert_eq!(by_forwarded(&line), "198.51.100.1", "{left}");
            let line = format!("{left}, 198.51.100.1, 10.0.0.2");
            assert_eq!(by_x_forwarded_for("10.0.0.1", &[&line]), "198.51.100.1");
        }
        let lines: [&[u8]; 2] = [b"for=\"\xff\xfe", b"for=198.51.100.1"];
        let peer = "10.0.0.1".parse().unwrap();
        let found = trusted(TrustedHeader::Forwarded).client_address(peer, &lines);
        assert_eq!(found.to_string(), "198.51.100.1");
    }

    #[test]
    fn forwarded_is_read_by_rfc_7239() {
        for (line, expected) in [
            // The examples of sections 4 and 7.
            ("for=\"_gazonk\"", "10.0.0.1"),
            ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
            ("for=192.0.2.43, for=10.0.0.17", "192.0.2.43"),
            (
                r#"for="_hidden";by=1.1.1.1, For="[2001:db8:cafe::17]:4711";proto=https, for=10.0.0.2"#,
                "2001:db8:cafe::17",
            ),
            // Commas, semicolons and quotes inside a quoted string.
            (r#"for=198.51.100.1;host="a, for=6.6.6.6""#, "198.51.100.1"),
            (r#"for=198.51.100.1;host="a; for=6.6.6.6""#, "198.51.100.1"),
            (
                r#"for=198.51.100.1;host="evil\", for=6.6.6.6;x=\"""#,
                "198.51.100.1",
            ),
            (r#"for=198.51.100.1;host="a\\""#, "198.51.100.1"),
            (r#"for="198.51\.100.1""#, "198.51.100.1"),
            // Names in any case, white space, empty parameters.
            ("FOR = 198.51.100.1 ; proto = https", "198.51.100.1"),
            (";for=198.51.100.1;;", "198.51.100.1"),
            // What can't be used.
            ("for=198.51.100.1, proto=https", "10.0.0.1"),
            ("for=198.51.100.1, for=10.0.0.9;for=6.6.6.6", "10.0.0.1"),
            ("for=198.51.100.1, proto=a;for=10.0.0.9;Proto=b", "10.0.0.1"),
            ("for=198.51.100.1, for=unknown", "10.0.0.1"),
            ("for=198.51.100.1, for", "10.0.0.1"),
            ("for=198.51.100.1, for=", "10.0.0.1"),
            ("for=198.51.100.1, f or=10.0.0.9", "10.0.0.1"),
            (r#"for=198.51.100.1, for="10.0.0.9"x"#, "10.0.0.1"),
            (r#"for=198.51.100.1, for="10.0.0.9"#, "10.0.0.1"),
            (r#"for=198.51.100.1, for=10.0.0.9;host="a\""#, "10.0.0.1"),
        ] {
            assert_eq!(by_forwarded(line), expected, "{line}");
        }
    }

    #[test]
    fn a_long_chain_ends_at_the_bound() {
        let line = format!("198.51.100.1{}", ", 10.0.0.2".repeat(10_000));
        assert_eq!(by_x_forwarded_for("10.0.0.1", &[&line]), "10.0.0.2");
    }

    proptest! {
        #[test]
        fn what_a_client_sent_never_counts(
            left in proptest::collection::vec(any::<u8>(), 0..60),
            header in prop_oneof![
                Just(TrustedHeader::Forwarded),
                Just(TrustedHeader::XForwardedFor),
            ],
        ) {
            let added: &[u8] = match header {
                TrustedHeader::Forwarded => b"for=\"198.51.100.1\"",
                TrustedHeader::XForwardedFor => b"198.51.100.1",
            };
            let line = [&left[..], added].join(&b", "[..]);
            let peer = "10.0.0.1".parse().unwrap();
            for lines in [&[&line[..]][..], &[&left[..], added][..]] {
                let found = trusted(header).client_address(peer, lines);
                prop_assert_eq!(found.to_string(), "198.51.100.1");
            }
        }
    }
}
