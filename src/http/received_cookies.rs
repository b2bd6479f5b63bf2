//! The service's cookies in a request. Everything else in its `Cookie` header belongs to somebody
//! else, and is read only as far as to skip it: `actix-web` refuses all cookies for one that it can't
//! read.

use std::rc::Rc;

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage, HttpRequest};

use super::cookies::{CookieConfig, FORMER_SESSION, OwnCookie};

/// The number of different cookies of one name that are tried. With more of them, none counts:
/// nobody has so many by accident.
const MAX_VALUES: usize = 4;

/// The service's cookies in a request, as they were sent.
#[derive(Debug, Default)]
pub struct ReceivedCookies {
    values: [Vec<String>; OwnCookie::COUNT],
    has_former_session: bool,
}

impl ReceivedCookies {
    /// Reads every line of the header byte by byte. Names are compared as they are: whoever may not
    /// set a cookie of that name could otherwise write it in another way.
    #[must_use]
    pub fn read(headers: &HeaderMap, config: &CookieConfig) -> Self {
        let mut received = Self::default();
        let lines = headers.get_all(header::COOKIE);
        let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        for (name, value) in pairs.filter_map(name_and_value) {
            received.has_former_session |= name == FORMER_SESSION.as_bytes();
            let names = config.names.iter().zip(&mut received.values);
            for (_, values) in names.filter(|(own, _)| own.as_bytes() == name) {
                let value = String::from_utf8_lossy(value);
                if values.len() <= MAX_VALUES && !values.iter().any(|known| *known == value) {
                    values.push(value.into_owned());
                }
            }
        }
        received
    }

    /// Stores the cookies in the request that brought them, for [`Self::of`].
    pub(super) fn store(self: Rc<Self>, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }

    /// Returns the cookies of a request.
    pub(super) fn of(request: &HttpRequest) -> Rc<Self> {
        let extensions = request.extensions();
        let received = extensions.get::<Rc<Self>>();
        received.map(Rc::clone).unwrap_or_default()
    }

    /// Returns the different values of a cookie, in their order; none when there are too many.
    #[must_use]
    pub fn values(&self, cookie: OwnCookie) -> &[String] {
        match &self.values[cookie as usize] {
            values if values.len() > MAX_VALUES => &[],
            values => values,
        }
    }

    /// Returns the first values of a cookie, however many there are.
    #[must_use]
    pub fn first_values(&self, cookie: OwnCookie) -> &[String] {
        let values = &self.values[cookie as usize];
        &values[..values.len().min(MAX_VALUES)]
    }

    /// Returns whether there is more than one value of a cookie.
    #[must_use]
    pub fn are_several(&self, cookie: OwnCookie) -> bool {
        self.values[cookie as usize].len() > 1
    }

    /// Returns whether there are more values of a cookie than are tried.
    #[must_use]
    pub fn are_too_many(&self, cookie: OwnCookie) -> bool {
        self.values[cookie as usize].len() > MAX_VALUES
    }

    /// Returns whether the request brings a session cookie that an earlier version sent to every
    /// host of a domain.
    #[must_use]
    pub fn has_former_session(&self) -> bool {
        self.has_former_session
    }

    /// Returns whether the request brings any value of a cookie.
    #[must_use]
    pub fn has(&self, cookie: OwnCookie) -> bool {
        !self.values[cookie as usize].is_empty()
    }
}

fn name_and_value(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
    match value {
        [b'"', inside @ .., b'"'] => Some((name, inside)),
        _ => Some((name, value)),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn config() -> CookieConfig {
        CookieConfig::new("rollcall", "http://127.0.0.1:8080", None)
    }

    #[test]
    fn foreign_cookies_never_hide_ours() {
        let config = config();
        let own = "rollcall_session=first";
        for junk in [
            &b"a=\xe9"[..],
            b"\xff\xfe",
            b"bare",
            b"=nameless",
            b"",
            b"=",
            b"a=\"open",
            b"a={\"b\":[1,2],\"c\":\"d\"}",
            b"rollcall_session",
            b"rollcall_session_=x",
            b"Rollcall_session=x",
            b"rollcall%5Fsession=x",
            b"\xc2\xa0rollcall_session=x",
            b"$Version=1",
            b"a=b, rollcall_session=x",
            b"a=%ff%zz",
        ] {
            for line in [
                [junk, b"; ", own.as_bytes()].concat(),
                [own.as_bytes(), b";", junk].concat(),
                [junk, b";;\t", own.as_bytes(), b" ; ", junk].concat(),
            ] {
                let mut headers = HeaderMap::new();
                let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).expect("a header");
                headers.append(header::COOKIE, value(junk));
                headers.append(header::COOKIE, value(&line));
                headers.append(header::COOKIE, value(b"rollcall_session=\"second\""));
                let received = ReceivedCookies::read(&headers, &config);
                let shown = String::from_utf8_lossy(&line);
                let values = received.values(OwnCookie::Session);
                assert_eq!(values, ["first", "second"], "{shown}");
            }
        }
    }

    #[test]
    fn of_too_many_none_counts() {
        let config = config();
        let mut headers = HeaderMap::new();
        for number in 0..5 {
            let cookie = format!("rollcall_session={number}; rollcall_session={number}");
            let value = HeaderValue::from_str(&cookie).expect("a header");
            headers.append(header::COOKIE, value);
            let received = ReceivedCookies::read(&headers, &config);
            let (tried, is_over) = if number < 4 {
                (number + 1, false)
            } else {
                (0, true)
            };
            assert_eq!(received.values(OwnCookie::Session).len(), tried);
            assert_eq!(received.are_too_many(OwnCookie::Session), is_over);
        }
    }
}
