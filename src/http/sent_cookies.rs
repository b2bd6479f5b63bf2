//! The cookies of a request as the client sent them, for an application behind a proxy: all but the
//! service's own.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// The names of the service's cookies, after `cookie_prefix` and an underscore.
const OURS: [&str; 6] = ["session", "device", "forward", "notice", "onward", "bound"];
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
    /// they are.
    #[must_use]
    pub fn foreign(&self, cookie_prefix: &str) -> Vec<u8> {
        let pairs: Vec<&[u8]> = self
            .0
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
            .map(<[u8]>::trim_ascii)
            .filter(|pair| !pair.is_empty() && !is_ours(name(pair), cookie_prefix))
            .collect();
        pairs.join(&b"; "[..])
    }
}

fn name(pair: &[u8]) -> &[u8] {
    let end = pair.iter().position(|byte| *byte == b'=');
    pair[..end.unwrap_or(pair.len())].trim_ascii()
}

/// Returns whether the name is one of the service's, in any case: browsers and some applications
/// compare the prefixes without regard to it.
fn is_ours(name: &[u8], cookie_prefix: &str) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let bare = NAME_PREFIXES
        .iter()
        .find_map(|prefix| name.strip_prefix(&prefix.to_ascii_lowercase()))
        .unwrap_or(&name);
    let rest = bare
        .strip_prefix(cookie_prefix)
        .and_then(|rest| rest.strip_prefix('_'));
    rest.is_some_and(|rest| OURS.contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(lines: &[&[u8]]) -> Vec<u8> {
        let mut headers = HeaderMap::new();
        for line in lines {
            let value = HeaderValue::from_bytes(line).expect("a header");
            headers.append(header::COOKIE, value);
        }
        SentCookies::take(&mut headers).foreign("rollcall")
    }

    #[test]
    fn every_cookie_of_the_service_is_left_out() {
        for name in ["session", "device", "forward", "notice", "onward", "bound"] {
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
