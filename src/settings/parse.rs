//! Deserializes single settings. The error for an invalid one contains its value and what is
//! allowed; the `config` crate adds the key and the source.

use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use humantime::format_duration;
use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use url::{Host, Url};

/// Deserializes an address and a port: `127.0.0.1:8080`.
pub(super) fn address<'de, D: Deserializer<'de>>(reader: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(reader)?;
    parse(&text, "an address and a port, like 127.0.0.1:8080")
}

/// Deserializes an address and a port, if there is one.
pub(super) fn optional_address<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<SocketAddr>, D::Error> {
    match Option::<String>::deserialize(reader)? {
        None => Ok(None),
        Some(text) => parse(&text, "an address and a port, like 127.0.0.1:9090").map(Some),
    }
}

/// Deserializes an origin: `https://login.example.org`.
pub(super) fn origin<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Url>, D::Error> {
    match Option::<String>::deserialize(reader)? {
        None => Ok(None),
        Some(text) => parse(&text, "http:// or https:// and a host").map(Some),
    }
}

/// Deserializes what the names of cookies begin with. On plain HTTP browsers refuse names that begin
/// with `__Host-` or `__Secure-`, in whatever case.
pub(super) fn cookie_prefix<'de, D: Deserializer<'de>>(reader: D) -> Result<String, D::Error> {
    let text = String::deserialize(reader)?;
    let is_plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    let is_allowed =
        (1..=32).contains(&text.len()) && text.bytes().all(is_plain) && !text.starts_with("__");
    match is_allowed {
        true => Ok(text),
        false => Err(D::Error::custom(format!(
            "{text:?} is not allowed; allowed: 1 to 32 of a-z, 0-9, _ and -, not beginning with __"
        ))),
    }
}

/// Deserializes the domain of a cookie: `example.org`. An empty text is none, and a leading dot is
/// left out, as by browsers (RFC 6265, 5.2.3).
pub(super) fn cookie_domain<'de, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(reader)?.unwrap_or_default();
    let name = text.strip_prefix('.').unwrap_or(&text);
    match Host::parse(name) {
        _ if text.is_empty() => Ok(None),
        Ok(Host::Domain(domain)) if domain.contains('.') && is_host_name(&domain) => {
            Ok(Some(domain))
        }
        _ => Err(D::Error::custom(format!(
            "{text:?} is not allowed; allowed: a domain like example.org"
        ))),
    }
}

/// Deserializes hosts, each with a port where it is not the scheme's default:
/// `["app.example.org", "127.0.0.1:3000"]`.
pub(super) fn hosts<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    Vec::<String>::deserialize(reader)?
        .iter()
        .map(|text| {
            host_and_port(text.trim()).ok_or_else(|| {
                D::Error::custom(format!(
                    "{text:?} is not allowed; allowed: hosts, like app.example.org or \
                     app.example.org:8443"
                ))
            })
        })
        .collect()
}

/// Returns a host and its port as a browser writes them.
fn host_and_port(text: &str) -> Option<String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse::<u16>().ok()?)),
        _ => (text, None),
    };
    let host = match Host::parse(host).ok()? {
        Host::Domain(domain) if !is_host_name(&domain) => return None,
        host => host.to_string(),
    };
    Some(match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

fn is_host_name(domain: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_plain);
    domain.split('.').all(is_label)
}

/// Deserializes a list of networks; an address is a network of one: `["10.0.0.0/8", "192.0.2.7"]`.
pub(super) fn networks<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<IpNet>, D::Error> {
    let allowed = "networks or addresses, like 10.0.0.0/8 or 192.0.2.7";
    let network = |text: &String| match text.trim().parse() {
        Ok(ip) => Ok(IpNet::new_assert(ip, if ip.is_ipv4() { 32 } else { 128 })),
        Err(_) => parse(text.trim(), allowed),
    };
    Vec::<String>::deserialize(reader)?
        .iter()
        .map(network)
        .collect()
}

/// Spans of time: `30days`, `12h 30m`. None is longer than [`MAX_SPAN`](crate::clock::MAX_SPAN).
pub(super) mod span {
    use std::time::Duration;

    use humantime::Duration as Span;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::clock::MAX_SPAN;

    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(
        reader: D,
    ) -> Result<Duration, D::Error> {
        let text = String::deserialize(reader)?;
        let allowed = "a span of time of at most 100years, like 30days, 12h or 15s";
        let span: Duration = super::parse::<Span, _>(&text, allowed)?.into();
        match span <= MAX_SPAN {
            true => Ok(span),
            false => Err(D::Error::custom(format!(
                "{text:?} is not allowed; allowed: {allowed}"
            ))),
        }
    }

    pub(in crate::settings) fn serialize<S: Serializer>(
        span: &Duration,
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        writer.collect_str(&super::format_span(*span))
    }
}

/// Formats a span in the largest unit that divides it: "180days", where `humantime` would start
/// with months of 30.44 days.
pub(super) fn format_span(span: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "days"), (3_600, "h"), (60, "m"), (1, "s")];

    let seconds = span.as_secs();
    let unit = UNITS
        .iter()
        .find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    match unit {
        Some((length, name)) if span.subsec_nanos() == 0 => format!("{}{name}", seconds / length),
        _ => format_duration(span).to_string(),
    }
}

fn parse<T: FromStr, E: Error>(text: &str, allowed: impl Display) -> Result<T, E> {
    text.parse()
        .map_err(|_| E::custom(format!("{text:?} is not allowed; allowed: {allowed}")))
}
