//! What a proxy states of the request that it received.

use actix_web::http::header::{self, HeaderMap};

/// The proxy, by whose headers the original request is known. Those of other proxies may be the
/// client's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proxy {
    /// nginx: `X-Original-URL`, `X-Original-Method`.
    Nginx,
    /// Traefik and Caddy: `X-Forwarded-Proto`, `-Host`, `-Uri` and `-Method`.
    TraefikOrCaddy,
}

/// The request that the proxy received. A header that is given twice or can't be read states
/// nothing. The client's own headers, which the proxy passes on, are read besides.
pub(super) struct OriginalRequest<'a> {
    /// The URL, if one is stated.
    pub url: Option<String>,
    method: Option<String>,
    headers: &'a HeaderMap,
}

impl<'a> OriginalRequest<'a> {
    /// Reads what the proxy states.
    pub(super) fn stated(proxy: Proxy, headers: &'a HeaderMap) -> Self {
        let (url, method) = match proxy {
            Proxy::Nginx => (original_url(headers), "x-original-method"),
            Proxy::TraefikOrCaddy => (forwarded_url(headers), "x-forwarded-method"),
        };
        Self {
            url,
            method: stated(headers, method),
            headers,
        }
    }

    /// Returns whether it is a CORS preflight (Fetch, 4.8), which browsers send without cookies.
    pub(super) fn is_preflight(&self) -> bool {
        self.method.as_deref() == Some("OPTIONS")
            && self.text("origin").is_some()
            && self.text("access-control-request-method").is_some()
    }

    /// Returns whether a browser loads a page, which can be redirected. A request of a script, a
    /// web socket or a form can't. A browser without `Sec-Fetch-Mode`, as on plain HTTP, is known by
    /// what it accepts. Where no method is stated, a redirect is harmless.
    pub(super) fn is_page_load(&self) -> bool {
        let is_reading = matches!(self.method.as_deref(), None | Some("GET" | "HEAD"));
        // A web view on Android states its application in `X-Requested-With`.
        let is_scripted = self.text("x-requested-with").as_deref() == Some("XMLHttpRequest")
            || self.text("sec-fetch-dest").as_deref() == Some("empty");
        // Traefik passes on no `Upgrade`.
        let is_socket = self.headers.contains_key("sec-websocket-key")
            || self
                .text("upgrade")
                .is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
        let is_navigation = match self.text("sec-fetch-mode") {
            Some(mode) => mode == "navigate",
            None => self.accepts_html(),
        };
        is_reading && !is_scripted && !is_socket && is_navigation
    }

    fn accepts_html(&self) -> bool {
        let mut kinds = self
            .headers
            .get_all(header::ACCEPT)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.any(|kind| {
            kind.eq_ignore_ascii_case("text/html")
                || kind.eq_ignore_ascii_case("application/xhtml+xml")
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        stated(self.headers, name)
    }
}

/// Returns the URL of nginx's header.
fn original_url(headers: &HeaderMap) -> Option<String> {
    let stated = stated(headers, "x-original-url")?;
    let (scheme, rest) = stated.split_once("://")?;
    let (host, uri) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    url(scheme, host, if uri.is_empty() { "/" } else { uri })
}

/// Returns the URL of Traefik's and Caddy's headers.
fn forwarded_url(headers: &HeaderMap) -> Option<String> {
    let scheme = match headers.contains_key("x-forwarded-proto") {
        true => stated(headers, "x-forwarded-proto")?,
        false => "https".to_owned(),
    };
    let host = stated(headers, "x-forwarded-host")?;
    url(&scheme, &host, &stated(headers, "x-forwarded-uri")?)
}

/// Returns the URL of these parts, none of which may become another's: no path makes another host
/// of the one stated.
fn url(scheme: &str, host: &str, uri: &str) -> Option<String> {
    let scheme = match scheme {
        // Traefik has schemes of their own for web sockets.
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => return None,
    };
    let is_host = !host.is_empty() && !host.contains(['/', '\\', '?', '#', '@', '\t', ' ']);
    // `OPTIONS *` is about the whole host.
    let uri = if uri == "*" { "/" } else { uri };
    (is_host && uri.starts_with('/')).then(|| format!("{scheme}://{host}{uri}"))
}

/// Returns the value of a header that is given once. Bytes that are not ASCII, as in a URL that the
/// client didn't encode, are percent-encoded.
fn stated(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut lines = headers.get_all(name);
    let value = lines.next().filter(|_| lines.next().is_none())?;
    let bytes = value.as_bytes().iter();
    Some(
        bytes
            .map(|byte| match byte.is_ascii() {
                true => char::from(*byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect(),
    )
}
