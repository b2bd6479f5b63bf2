//! The cookies of a request as the client sent them, for an application behind a proxy: all but the
//! service's own.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use super::cookies::CookieConfig;
use crate::settings::DEFAULT_COOKIE_PREFIX;

/// A name after `cookie_prefix` and an underscore that a cookie of a later version has.
const RESERVED: &str = "bound";
/// Prefixes by which browsers treat a cookie's attributes as conditions (RFC 6265bis, 4.1.3).
const NAME_PREFIXES: [&str; 2] = ["__Host-", "__Secure-"];

/// The lines of a request's `Cookie` header.
pub struct SentCookies(Vec<HeaderValue>);

impl SentCookies {
    /// Takes the lines out of the request: what follows sees only the service's own cookies.
    pub(super) fn take(headers: &mut HeaderMap) -> Self {
        Self(headers.remove(header::COOKIE).collect())
    }

    /// Returns the cookies that are not the service's, as one line. They keep their bytes, whatever
    /// they are. With the default prefix, cookies are the service's as well: a browser may still
    /// have those from before `cookie_prefix` was set, and of earlier versions.
    #[must_use]
    pub fn foreign(&self, config: &CookieConfig) -> Vec<u8> {
        let ours = bare_names(config);
        let pairs: Vec<&[u8]> = self
            .0
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
            .map(<[u8]>::trim_ascii)
            .filter(|pair| !pair.is_empty() && !is_ours(name(pair), &ours))
            // No header of a response may have them.
            .filter(|pair| pair.iter().all(|b| !b.is_ascii_control() || *b == b'\t'))
            .collect();
        pairs.join(&b"; "[..])
    }
}

fn name(pair: &[u8]) -> &[u8] {
    let end = pair.iter().position(|byte| *byte == b'=');
    pair[..end.unwrap_or(pair.len())].trim_ascii()
}

/// Returns the names of the service's cookies without browsers' prefixes.
fn bare_names(config: &CookieConfig) -> Vec<String> {
    let own = config.names.iter();
    let after_prefix = own.filter_map(|name| bare(name).strip_prefix(config.prefix()));
    let reserved = format!("_{RESERVED}");
    let endings: Vec<&str> = after_prefix.chain([reserved.as_str()]).collect();
    [config.prefix(), DEFAULT_COOKIE_PREFIX]
        .iter()
        .flat_map(|prefix| {
            endings
                .iter()
                .map(move |ending| format!("{prefix}{ending}"))
        })
        .collect()
}

/// Returns whether the name is one of `ours`, in any case: browsers and some applications compare
/// the prefixes without regard to it.
fn is_ours(name: &[u8], ours: &[String]) -> bool {
    let name = String::from_utf8_lossy(name);
    let bare = bare(&name);
    ours.iter().any(|own| own.eq_ignore_ascii_case(bare))
}

fn bare(name: &str) -> &str {
    let prefix = NAME_PREFIXES.iter().find(|prefix| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    prefix.map_or(name, |prefix| &name[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::super::cookies::FORMER_SESSION;
    use super::*;

    fn left(lines: &[&[u8]]) -> Vec<u8> {
        left_with("rollcall", lines)
    }

    fn left_with(prefix: &str, lines: &[&[u8]]) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let value = HeaderValue::from_bytes(line).expect("a header");
            headers.append(header::COOKIE, value);
        }
        let config = CookieConfig::new(prefix, "https://login.example.org", Some("example.org"));
        SentCookies::take(&mut headers).foreign(&config)
    }

    #[test]
    fn every_cookie_of_the_service_is_left_out() {
        for name in [
            "session", "device", "forward", "notice", "onward", "zone", "bound",
        ] {
            for prefix in ["", "__Host-", "__Secure-", "__host-", "__SECURE-"] {
                let line = format!("a=1; {prefix}rollcall_{name}=x; {prefix}rollcall_{name}; b=2");
                assert_eq!(left(&[line.as_bytes()]), b"a=1; b=2", "{line}");
            }
        }
        assert_eq!(left(&[b"rollcall_session=x"]), b"");
        assert_eq!(left(&[b"\trollcall_session =x;rollcall_device"]), b"");
        assert_eq!(left(&[]), b"");
    }

    #[test]
    fn cookies_of_an_earlier_prefix_are_left_out() {
        for name in ["session", "device", "forward", "notice", "bound"] {
            for prefix in ["", "__Host-", "__Secure-"] {
                let line = format!("{prefix}rollcall_{name}=x; {prefix}two_{name}=y; a=1");
                assert_eq!(left_with("two", &[line.as_bytes()]), b"a=1", "{line}");
            }
        }
        let line = b"three_session=x; two_theme=y";
        assert_eq!(left_with("two", &[line]), line);
        assert_eq!(left_with("two", &[FORMER_SESSION.as_bytes()]), b"");
    }

    #[test]
    fn every_other_cookie_keeps_its_bytes() {
        for line in [
            &b"a=\xe9\xc3\xa9"[..],
            br#"a={"b": "c"}"#,
            b"bare",
            b"=nameless",
            b"xrollcall_session=1; rollcall_sessions=2; rollcall=3; session=4; rollcall_theme=5",
            b"a=rollcall_session=x",
            b"\xff\xfe=1",
        ] {
            assert_eq!(left(&[line]), line);
        }
        assert_eq!(
            left(&[b"a=1;;b=2 ", b"rollcall_device=x", b"a=3"]),
            b"a=1; b=2; a=3"
        );
        assert_eq!(left(&[br#"a="open; b"#]), br#"a="open; b"#);
    }
}
