//! Compression of what has nothing secret in it: static files, once each, and a few public pages.
//!
//! The length of a compressed response tells whether two parts of it are alike. Where one part is
//! secret and another can be chosen by somebody who sees the length, the secret can be guessed byte by
//! byte (BREACH). So nothing is compressed that shows who is signed in, that responds to what was
//! submitted, or that is streamed; and nothing of the API.

use std::io::Write;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::cookies::OwnCookie;
use super::received_cookies::ReceivedCookies;

/// Shorter responses are sent as they are.
const MIN_BYTES: usize = 512;
/// Of Brotli: the highest is 11, slow and for little more.
const FILE_QUALITY: u32 = 9;
/// Of Brotli, for what is compressed at every request.
const PAGE_QUALITY: u32 = 4;
/// The window of Brotli, as a power of two; more than any file has.
const WINDOW: u32 = 18;
const BUFFER_BYTES: usize = 4096;
/// The most members of `Accept-Encoding` that are read.
const MAX_MEMBERS: usize = 16;

/// A content coding (RFC 9110, 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// `br`
    Brotli,
    /// `gzip`
    Gzip,
}

impl Coding {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn compress(self, bytes: &[u8], quality: u32) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Brotli => {
                let mut writer = CompressorWriter::new(Vec::new(), BUFFER_BYTES, quality, WINDOW);
                writer.write_all(bytes)?;
                writer.flush()?;
                Ok(writer.into_inner())
            }
            Self::Gzip => {
                let mut writer = GzEncoder::new(Vec::new(), Compression::new(quality.min(9)));
                writer.write_all(bytes)?;
                writer.finish()
            }
        }
    }
}

/// Returns the coding that a client prefers; `None` where it takes none of ours, or prefers what isn't
/// compressed. Of two that it likes as much, Brotli's is the shorter.
pub fn accepted(headers: &HeaderMap) -> Option<Coding> {
    let lines = headers.get_all(header::ACCEPT_ENCODING);
    let members: Vec<(String, u16)> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .take(MAX_MEMBERS)
        .map(member)
        .collect();
    let weight = |name: &str| {
        let find = |name: &str| members.iter().find(|(known, _)| known == name);
        find(name).map(|(_, weight)| *weight)
    };
    let any = weight("*").unwrap_or(0);
    let (coding, best) = [Coding::Brotli, Coding::Gzip]
        .into_iter()
        .map(|coding| (coding, weight(coding.as_str()).unwrap_or(any)))
        .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
    // What isn't compressed is taken as well, but only preferred where that is said.
    let plain = weight("identity").unwrap_or(0);
    (best > 0 && best >= plain).then_some(coding)
}

/// Returns a member of `Accept-Encoding`, and its weight in thousandths (RFC 9110, 12.4.2).
fn member(text: &str) -> (String, u16) {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case("q")
            .then(|| thousandths(value.trim()))
    });
    (name, weight.unwrap_or(1000))
}

/// Returns a weight like `0.8` in thousandths; 0 for what is none.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(fraction) || fraction.len() > 3 {
        return 0;
    }
    match whole {
        "1" => 1000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

/// A body as it is and compressed, each made once.
pub struct CompressedBody {
    plain: Vec<u8>,
    brotli: Option<Vec<u8>>,
    gzip: Option<Vec<u8>>,
}

impl CompressedBody {
    /// Returns a body and what it is compressed, where that is shorter.
    pub fn new(plain: Vec<u8>) -> Self {
        let shorter = |coding: Coding| {
            let compressed = coding.compress(&plain, FILE_QUALITY).ok()?;
            (plain.len() >= MIN_BYTES && compressed.len() < plain.len()).then_some(compressed)
        };
        let (brotli, gzip) = (shorter(Coding::Brotli), shorter(Coding::Gzip));
        Self {
            plain,
            brotli,
            gzip,
        }
    }

    /// Returns the body as a request prefers it, and its coding.
    pub fn choose(&self, request: &HttpRequest) -> (&[u8], Option<Coding>) {
        let coding = accepted(request.headers());
        let compressed = match coding {
            Some(Coding::Brotli) => self.brotli.as_deref(),
            Some(Coding::Gzip) => self.gzip.as_deref(),
            None => None,
        };
        match compressed {
            Some(body) => (body, coding),
            None => (&self.plain, None),
        }
    }
}

/// Returns a page that anybody may see, compressed as the request prefers it.
///
/// Only where nothing in it can have been chosen by somebody else: in a response to a request with a
/// query, a body, or a cookie besides the device cookie, its CSRF token would be beside what is.
pub fn compress_page(request: &HttpRequest, mut page: HttpResponse) -> HttpResponse {
    let is_plain = matches!(*request.method(), Method::GET | Method::HEAD)
        && page.status() == StatusCode::OK
        && request.query_string().is_empty()
        && has_no_cookie_but_device(request);
    add_vary(page.headers_mut());
    let coding = accepted(request.headers()).filter(|_| is_plain);
    let Some(coding) = coding else {
        return page;
    };
    let (mut page, body) = page.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(body) => return page.set_body(body),
    };
    match coding.compress(&body, PAGE_QUALITY) {
        Ok(compressed) if body.len() >= MIN_BYTES && compressed.len() < body.len() => {
            add_coding(page.headers_mut(), coding);
            page.set_body(BoxBody::new(compressed))
        }
        _ => page.set_body(BoxBody::new(body)),
    }
}

/// States the coding of a body.
pub fn add_coding(headers: &mut HeaderMap, coding: Coding) {
    let value = HeaderValue::from_static(coding.as_str());
    headers.insert(header::CONTENT_ENCODING, value);
}

/// States that the coding depends on the request.
pub fn add_vary(headers: &mut HeaderMap) {
    let value = HeaderValue::from_static("accept-encoding");
    headers.append(header::VARY, value);
}

/// Returns whether the browser sent none of the service's cookies but the one that tells it from
/// others, which no page shows, and that of its time zone, which is one of a fixed list.
fn has_no_cookie_but_device(request: &HttpRequest) -> bool {
    let received = ReceivedCookies::of(request);
    let others = [
        OwnCookie::Session,
        OwnCookie::Forward,
        OwnCookie::Notice,
        OwnCookie::Onward,
    ];
    others
        .iter()
        .all(|cookie| received.values(*cookie).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(lines: &[&'static str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
        }
        accepted(&headers).map(Coding::as_str)
    }

    #[test]
    fn the_coding_is_the_one_that_a_client_prefers() {
        for (lines, expected) in [
            (&["gzip, deflate, br, zstd"][..], Some("br")),
            (&["gzip, deflate"], Some("gzip")),
            (&["gzip", "br"], Some("br")),
            (&["gzip;q=1.0, br;q=0.8"], Some("gzip")),
            (&["br;q=0, gzip"], Some("gzip")),
            (&["BR"], Some("br")),
            (&["*"], Some("br")),
            (&["*, br;q=0"], Some("gzip")),
            (&["*;q=0"], None),
            (&["gzip;q=0"], None),
            (&["gzip;q=0.000"], None),
            (&["identity"], None),
            (&["identity, gzip;q=0.5"], None),
            (&["identity;q=0.5, gzip"], Some("gzip")),
            (&["gzip;q=2"], None),
            (&["gzip;q=x"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(chosen(lines), expected, "{lines:?}");
        }
    }
}
