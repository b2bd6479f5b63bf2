//! The headers in which proxies state where a request came from: `X-Forwarded-For`, and `Forwarded`
//! (RFC 7239). Both are read from the right, where the nearest proxy writes: what a client sent
//! stands further left, and can't change how the rest is read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The most parameters of an element of `Forwarded`; the RFC has four.
const MAX_PARAMETERS: usize = 16;

/// One hop: the address that a proxy states; `None` where it states none that can be used.
pub(super) type Hop = Option<IpAddr>;

/// Returns the hops of `X-Forwarded-For`, from the right. Its lines are one list (RFC 9110, 5.3), in
/// which empty elements mean nothing.
pub(super) fn x_forwarded_for<'a>(lines: &'a [&'a [u8]]) -> impl Iterator<Item = Hop> + 'a {
    lines
        .iter()
        .rev()
        .flat_map(|line| line.rsplit(|byte| *byte == b','))
        .map(trim)
        .filter(|element| !element.is_empty())
        .map(parse_node)
}

/// Returns the hops of `Forwarded`, from the right. The last one is `None` where a quote isn't
/// closed, since what stands left of it can't be told apart.
pub(super) fn forwarded(lines: &[&[u8]]) -> impl Iterator<Item = Hop> + use<> {
    let mut rest = Some(lines.join(&b", "[..]));
    std::iter::from_fn(move || {
        loop {
            let mut list = rest.take()?;
            let Some(start) = last_element(&list) else {
                return Some(None);
            };
            let hop = match trim(&list[start..]) {
                [] => None,
                element => Some(forwarded_for(element)),
            };
            if let Some(comma) = start.checked_sub(1) {
                list.truncate(comma);
                rest = Some(list);
            }
            if hop.is_some() {
                return hop;
            }
        }
    })
}

/// Returns where the last element of a list starts; `None` where a quote in it isn't closed.
fn last_element(list: &[u8]) -> Option<usize> {
    let mut end = list.len();
    while let Some(before) = end.checked_sub(1) {
        match list[before] {
            b',' => return Some(end),
            b'"' => end = opening_quote(list, before)?,
            _ => end = before,
        }
    }
    Some(0)
}

/// Returns where the quoted string starts that ends with the quote at `closing`.
fn opening_quote(list: &[u8], closing: usize) -> Option<usize> {
    if is_escaped(list, closing) {
        return None;
    }
    (0..closing)
        .rev()
        .find(|at| list[*at] == b'"' && !is_escaped(list, *at))
}

fn is_escaped(list: &[u8], at: usize) -> bool {
    let backslashes = list[..at].iter().rev().take_while(|byte| **byte == b'\\');
    backslashes.count() % 2 == 1
}

/// Returns the address that one element of `Forwarded` states by its one `for`. An element that
/// isn't well-formed, or has a parameter twice, states none.
fn forwarded_for(element: &[u8]) -> Hop {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut node = None;
    let mut rest = element;
    loop {
        rest = trim(rest);
        if let Some((name, value, behind)) = pair(rest)? {
            if names.contains(&name) || names.len() >= MAX_PARAMETERS {
                return None;
            }
            if name == b"for" {
                node = Some(value);
            }
            names.push(name);
            rest = trim(behind);
        }
        match rest {
            [] => return parse_node(&node?),
            [b';', behind @ ..] => rest = behind,
            _ => return None,
        }
    }
}

/// A parameter's name in lower case, its value without quotes, and what stands behind it.
type Pair<'a> = (Vec<u8>, Vec<u8>, &'a [u8]);

/// Parses the parameter that `text` starts with; `Some(None)` where there is none, `None` where it
/// isn't well-formed.
fn pair(text: &[u8]) -> Option<Option<Pair<'_>>> {
    if matches!(text, [] | [b';', ..]) {
        return Some(None);
    }
    let at = text.iter().position(|byte| *byte == b'=')?;
    let name = trim(&text[..at]).to_ascii_lowercase();
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return None;
    }
    let (value, behind) = value(trim(&text[at + 1..]))?;
    Some(Some((name, value, behind)))
}

/// Parses a value, a token or a quoted string, and returns what stands behind it.
fn value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let [b'"', quoted @ ..] = text else {
        // An address with colons and brackets needs quotes, but some proxies write none.
        let is_end = |byte: &u8| matches!(byte, b';' | b'"' | b'\\' | b' ' | b'\t');
        let end = text.iter().position(is_end).unwrap_or(text.len());
        return Some((text[..end].to_vec(), &text[end..]));
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((value, &quoted[at + 1..])),
            b'\\' => value.push(*bytes.next()?.1),
            byte => value.push(*byte),
        }
    }
    None
}

/// Returns whether the byte may stand in a token (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Removes optional white space (RFC 9110, 5.6.3).
fn trim(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    match text.iter().position(is_text) {
        Some(start) => {
            let end = text.iter().rposition(is_text).map_or(start, |end| end + 1);
            &text[start..end]
        }
        None => &[],
    }
}

/// Parses the address of a node (RFC 7239, section 6), also in the forms that proxies write besides:
/// IPv6 without brackets, and with a zone. `unknown` and obfuscated identifiers (`_hidden`) are none.
fn parse_node(node: &[u8]) -> Hop {
    let node = std::str::from_utf8(node).ok()?;
    if let Some(rest) = node.strip_prefix('[') {
        let (ip, port) = rest.split_once(']')?;
        return is_port_or_empty(port).then(|| parse_v6(ip))?;
    }
    match node.split_once(':') {
        None => parse_v4(node),
        Some((ip, port)) if !port.contains(':') => is_port(port).then(|| parse_v4(ip))?,
        Some(_) => parse_v6(node),
    }
}

fn parse_v4(text: &str) -> Hop {
    text.parse::<Ipv4Addr>().ok().map(IpAddr::from)
}

/// Parses an IPv6 address, perhaps with a zone (RFC 4007, 11), which means nothing elsewhere.
fn parse_v6(text: &str) -> Hop {
    let ip = match text.split_once('%') {
        Some((ip, zone)) if !zone.is_empty() => ip,
        Some(_) => return None,
        None => text,
    };
    let ip = ip.parse::<Ipv6Addr>().ok()?;
    Some(IpAddr::from(ip).to_canonical())
}

fn is_port_or_empty(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(is_port)
}

/// Returns whether the text is a port: up to five digits, or obfuscated (`_gate`).
fn is_port(text: &str) -> bool {
    let is_obfuscated = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match text.strip_prefix('_') {
        Some(rest) => !rest.is_empty() && rest.chars().all(is_obfuscated),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
