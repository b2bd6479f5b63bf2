//! The client's address: the peer's, or the one that a trusted proxy reports in a header.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

/// The networks of the reverse proxies whose headers are trusted.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Returns whether `ip` is the address of a trusted proxy.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&ip))
    }
}

/// Returns the address of the client: `peer`, unless that is a trusted proxy. Then the headers are
/// read from the right, past every trusted proxy, up to the first address that is not one. An
/// element that can't be parsed ends the search at the proxy that added it.
///
/// `X-Forwarded-For` takes precedence over `Forwarded` (RFC 7239): nearly every proxy writes the
/// former and passes the client's own value of the latter through.
#[must_use]
pub fn client_address(
    peer: IpAddr,
    forwarded: &[&str],
    x_forwarded_for: &[&str],
    trusted: &TrustedProxies,
) -> IpAddr {
    let peer = peer.to_canonical();
    let hops: Vec<Option<IpAddr>> = match x_forwarded_for.is_empty() {
        false => x_forwarded_for
            .iter()
            .flat_map(|line| line.split(','))
            .map(parse_address)
            .collect(),
        true => forwarded
            .iter()
            .flat_map(|line| elements(line, ','))
            .map(forwarded_for)
            .collect(),
    };
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        match hop {
            Some(hop) if trusted.contains(client) => client = hop,
            _ => break,
        }
    }
    client
}

/// Returns the `for` address of one element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    elements(element, ';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| parse_address(value.trim().trim_matches('"')))?
    })
}

/// Splits `text` at `separator`, except inside quotes.
fn elements(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

/// Parses an address in any form that proxies write: with a port, in brackets, with a zone.
fn parse_address(text: &str) -> Option<IpAddr> {
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
    fn headers_of_an_untrusted_peer_are_ignored() {
        assert_eq!(client("203.0.113.9", &[], &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(
            client("203.0.113.9", &["for=198.51.100.1"], &[]),
            "203.0.113.9"
        );
    }

    #[test]
    fn the_client_is_the_first_untrusted_address_from_the_right() {
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
    fn an_element_that_cannot_be_parsed_ends_the_search() {
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
    fn every_form_of_an_address_is_parsed() {
        for (written, expected) in [
            ("198.51.100.1:4711", "198.51.100.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:198.51.100.1", "198.51.100.1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
        ] {
            assert_eq!(client("10.0.0.1", &[], &[written]), expected);
        }
        assert_eq!(
            client("::ffff:10.0.0.1", &[], &["198.51.100.1"]),
            "198.51.100.1"
        );
    }

    #[test]
    fn forwarded_is_parsed_by_rfc_7239() {
        let line =
            r#"for="_hidden";by=1.1.1.1, For="[2001:db8:cafe::17]:4711";proto=https, for=10.0.0.2"#;
        assert_eq!(client("10.0.0.1", &[line], &[]), "2001:db8:cafe::17");
    }

    #[test]
    fn x_forwarded_for_takes_precedence_over_forwarded() {
        let forged = ["for=6.6.6.6"];
        assert_eq!(
            client("10.0.0.1", &forged, &["198.51.100.1"]),
            "198.51.100.1"
        );
    }
}
