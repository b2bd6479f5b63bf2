//! The service's own cookies: their names, their attributes and the scopes they may stand in, and
//! those that a response sets.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, CookieBuilder, SameSite};
use actix_web::{HttpMessage, HttpRequest};
use url::Url;

/// The longest lifetime of a cookie that browsers allow (RFC 6265bis, 5.5).
pub(super) const MAX_AGE: CookieDuration = CookieDuration::days(400);
/// The number of parent domains, and of leading segments of the path, that cookies are removed from.
const MAX_DOMAINS: usize = 4;
const MAX_SEGMENTS: usize = 3;
/// The session cookie of versions that sent it to every host of `cookie_domain` over HTTPS.
pub(super) const FORMER_SESSION: &str = "__Secure-rollcall_session";

/// A cookie of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnCookie {
    /// The session cookie, for this host alone.
    Session,
    /// The device cookie, for this host alone.
    Device,
    /// The cookie of forward-auth, for every host of `cookie_domain`.
    Forward,
    /// The cookie with the notice for the next page, for this host alone.
    Notice,
    /// The mark of the way on from sign-in, for this host alone.
    Onward,
    /// The cookie with a form to be shown again, for this host alone.
    UnsentForm,
    /// The cookie with a form that failed, for this host alone.
    FailedForm,
    /// The browser's time zone, for this host alone. The script sets it, never a response.
    Zone,
    /// The bound cookie, for this host alone: that the browser has the key of its session.
    Bound,
}

impl OwnCookie {
    /// The number of them.
    pub(super) const COUNT: usize = 9;
}

/// The names and the attributes of the service's cookies.
#[derive(Debug, Clone)]
pub struct CookieConfig {
    prefix: String,
    pub(super) names: [String; OwnCookie::COUNT],
    is_https: bool,
    domain: Option<String>,
    /// The domains that a cookie of this host can have: `domain`, the host and its parents.
    domains: Vec<String>,
}

impl CookieConfig {
    /// Returns the names with this prefix, and the attributes of cookies for a service at `origin`.
    ///
    /// The names' own prefixes make browsers accept a cookie over HTTPS only and, without a domain,
    /// from this host only (RFC 6265bis, 4.1.3).
    #[must_use]
    pub fn new(prefix: &str, origin: &str, domain: Option<&str>) -> Self {
        let url = Url::parse(origin).ok();
        let is_https = url.as_ref().is_some_and(|url| url.scheme() == "https");
        let domain = domain
            .map(|domain| domain.trim_start_matches('.').to_ascii_lowercase())
            .filter(|domain| !domain.is_empty());
        let host_only = if is_https { "__Host-" } else { "" };
        let forward = match (is_https, &domain) {
            (true, Some(_)) => "__Secure-",
            _ => host_only,
        };
        let mut domains: Vec<String> = domain.iter().cloned().collect();
        for parent in url.iter().flat_map(parents) {
            if !domains.contains(&parent) {
                domains.push(parent);
            }
        }
        Self {
            prefix: prefix.to_owned(),
            names: [
                format!("{host_only}{prefix}_session"),
                format!("{host_only}{prefix}_device"),
                format!("{forward}{prefix}_forward"),
                format!("{host_only}{prefix}_notice"),
                format!("{host_only}{prefix}_onward"),
                format!("{host_only}{prefix}_form"),
                format!("{host_only}{prefix}_failed"),
                format!("{host_only}{prefix}_zone"),
                format!("{host_only}{prefix}_bound"),
            ],
            is_https,
            domain,
            domains,
        }
    }

    /// Returns what every cookie's name begins with (`cookie_prefix`), after the names' own prefixes.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the cookie's name.
    #[must_use]
    pub fn name(&self, cookie: OwnCookie) -> &str {
        &self.names[cookie as usize]
    }

    /// Returns whether a session cookie of this name may be one that an earlier version sent to
    /// every host of `cookie_domain`. Over HTTPS, their names differ.
    #[must_use]
    pub fn may_be_domain_wide(&self) -> bool {
        !self.is_https && self.domain.is_some()
    }

    /// Returns a cookie with its attributes, which expires when the browser closes.
    #[must_use]
    pub fn build(&self, cookie: OwnCookie, value: String) -> CookieBuilder<'static> {
        let domain = self.domain_of(cookie);
        self.scoped(self.name(cookie), value, domain, "/")
    }

    /// Returns whether this is the cookie, in the scope that it is set in.
    pub(super) fn is_in_own_scope(&self, cookie: &Cookie<'_>, own: OwnCookie) -> bool {
        scope(cookie) == (self.name(own), self.domain_of(own), Some("/"))
    }

    /// Returns the domain whose hosts all receive the cookie; `None` for this host alone.
    pub(super) fn domain_of(&self, cookie: OwnCookie) -> Option<&str> {
        match cookie {
            OwnCookie::Forward => self.domain.as_deref(),
            OwnCookie::Session
            | OwnCookie::Device
            | OwnCookie::Notice
            | OwnCookie::Onward
            | OwnCookie::UnsentForm
            | OwnCookie::FailedForm
            | OwnCookie::Zone
            | OwnCookie::Bound => None,
        }
    }

    /// Returns the cookie's removal from its own scope.
    fn removal(&self, cookie: OwnCookie) -> Cookie<'static> {
        let domain = self.domain_of(cookie);
        self.removal_from(self.name(cookie), domain, "/")
    }

    /// Returns the removals of cookies of this name from every other scope that the request of
    /// `path` may have brought them from.
    fn removals_elsewhere(&self, cookie: OwnCookie, path: &str) -> Vec<Cookie<'static>> {
        let (name, own) = (self.name(cookie), self.domain_of(cookie));
        // Browsers store a cookie of such a name in one scope only.
        if name.starts_with("__Host-") {
            return Vec::new();
        }
        let paths = leading_paths(path);
        let domains = self.domains.iter().map(|domain| Some(domain.as_str()));
        let scopes = domains
            .chain([None])
            .flat_map(|domain| paths.iter().map(move |path| (domain, path.as_str())));
        scopes
            .filter(|scope| *scope != (own, "/"))
            .map(|(domain, path)| self.removal_from(name, domain, path))
            .collect()
    }

    fn removal_from(&self, name: &str, domain: Option<&str>, path: &str) -> Cookie<'static> {
        self.scoped(name, String::new(), domain, path)
            .max_age(CookieDuration::ZERO)
            .finish()
    }

    fn scoped(
        &self,
        name: &str,
        value: String,
        domain: Option<&str>,
        path: &str,
    ) -> CookieBuilder<'static> {
        let cookie = Cookie::build(name.to_owned(), value)
            .path(path.to_owned())
            .http_only(true)
            .secure(self.is_https)
            .same_site(SameSite::Lax);
        match domain {
            Some(domain) => cookie.domain(domain.to_owned()),
            None => cookie,
        }
    }
}

/// Returns the host of a URL and its parent domains, without the top-level domain. An address has
/// no parents.
fn parents(url: &Url) -> Vec<String> {
    let Some(host) = url.domain() else {
        return Vec::new();
    };
    let starts = host.match_indices('.').map(|(dot, _)| dot + 1);
    let parents = [0].into_iter().chain(starts).map(|start| &host[start..]);
    parents
        .filter(|parent| parent.contains('.'))
        .take(MAX_DOMAINS)
        .map(str::to_owned)
        .collect()
}

/// Returns `/` and the paths that lead to a path: `/devices`, `/devices/` and `/devices/1` of
/// `/devices/1`. A segment that could end the attribute ends them.
fn leading_paths(path: &str) -> Vec<String> {
    let is_plain = |segment: &&str| {
        let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~%".contains(&b);
        !segment.is_empty() && segment.bytes().all(is_unreserved)
    };
    let mut paths = vec!["/".to_owned()];
    let mut leading = String::new();
    let mut segments = path.split('/').skip(1).take(MAX_SEGMENTS + 1).peekable();
    for _ in 0..MAX_SEGMENTS {
        let Some(segment) = segments.next().filter(is_plain) else {
            break;
        };
        leading = format!("{leading}/{segment}");
        paths.push(leading.clone());
        if segments.peek().is_some() {
            paths.push(format!("{leading}/"));
        }
    }
    paths
}

/// The cookies that the response sets, besides that of `actix-session`.
#[derive(Default)]
struct ResponseCookies(Vec<Cookie<'static>>);

/// Has the response set a cookie, in place of an earlier one of the same name and scope.
pub(super) fn add(request: &HttpRequest, cookie: Cookie<'static>) {
    let mut extensions = request.extensions_mut();
    if !extensions.contains::<ResponseCookies>() {
        extensions.insert(ResponseCookies::default());
    }
    if let Some(ResponseCookies(cookies)) = extensions.get_mut() {
        cookies.retain(|earlier| scope(earlier) != scope(&cookie));
        cookies.push(cookie);
    }
}

/// Has the response remove a cookie from its own scope.
pub(super) fn remove(request: &HttpRequest, config: &CookieConfig, cookie: OwnCookie) {
    add(request, config.removal(cookie));
}

/// Has the response remove a cookie from every scope besides its own.
pub(super) fn remove_elsewhere(request: &HttpRequest, config: &CookieConfig, cookie: OwnCookie) {
    for removal in config.removals_elsewhere(cookie, request.path()) {
        add(request, removal);
    }
}

/// Has the response remove the session cookie that an earlier version sent to every host of a
/// domain.
pub(super) fn remove_former_session(request: &HttpRequest, config: &CookieConfig) {
    for domain in &config.domains {
        let removal = config.removal_from(FORMER_SESSION, Some(domain), "/");
        add(request, removal);
    }
}

/// Takes the cookies that the response is to set.
pub(super) fn take(request: &HttpRequest) -> Vec<Cookie<'static>> {
    let cookies = request.extensions_mut().remove::<ResponseCookies>();
    cookies.unwrap_or_default().0
}

type Scope<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

fn scope<'a>(cookie: &'a Cookie<'_>) -> Scope<'a> {
    (cookie.name(), cookie.domain(), cookie.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(origin: &str, domain: Option<&str>) -> CookieConfig {
        CookieConfig::new("rollcall", origin, domain)
    }

    fn removed(config: &CookieConfig, cookie: OwnCookie, path: &str) -> Vec<String> {
        let removals = config.removals_elsewhere(cookie, path);
        let shown = removals.iter().map(|removal| {
            let domain = removal.domain().unwrap_or("-");
            format!("{domain} {}", removal.path().unwrap_or_default())
        });
        shown.collect()
    }

    #[test]
    fn names_say_what_browsers_are_to_hold() {
        let plain = config("http://127.0.0.1:8080", Some("example.org"));
        assert_eq!(plain.name(OwnCookie::Session), "rollcall_session");
        assert_eq!(plain.name(OwnCookie::Forward), "rollcall_forward");
        let alone = config("https://login.example.org", None);
        assert_eq!(alone.name(OwnCookie::Device), "__Host-rollcall_device");
        assert_eq!(alone.name(OwnCookie::Forward), "__Host-rollcall_forward");
        let wide = config("https://login.example.org", Some(".Example.org"));
        assert_eq!(wide.name(OwnCookie::Session), "__Host-rollcall_session");
        assert_eq!(wide.name(OwnCookie::Forward), "__Secure-rollcall_forward");
        let built = wide.build(OwnCookie::Forward, "x".into()).finish();
        assert_eq!(built.domain(), Some("example.org"));
    }

    #[test]
    fn cookies_are_removed_from_every_scope_but_their_own() {
        let plain = config("http://login.example.org", Some("example.org"));
        assert_eq!(
            removed(&plain, OwnCookie::Session, "/sign-in"),
            [
                "example.org /",
                "example.org /sign-in",
                "login.example.org /",
                "login.example.org /sign-in",
                "- /sign-in",
            ]
        );
        let wide = config("https://login.example.org", Some("example.org"));
        assert_eq!(
            removed(&wide, OwnCookie::Forward, "/"),
            ["login.example.org /", "- /"]
        );
        assert!(removed(&wide, OwnCookie::Session, "/sign-in").is_empty());
        let address = config("http://127.0.0.1:8080", None);
        assert!(removed(&address, OwnCookie::Session, "/").is_empty());
        assert_eq!(
            removed(&address, OwnCookie::Session, "/a/b;Domain=x/c"),
            ["- /a", "- /a/"]
        );
        for (path, shown) in [
            (
                "/devices/1",
                ["- /devices", "- /devices/", "- /devices/1"].as_slice(),
            ),
            ("/devices/", &["- /devices", "- /devices/"]),
            ("/devices", &["- /devices"]),
        ] {
            assert_eq!(removed(&address, OwnCookie::Session, path), shown);
        }
        let deep = config("http://a.b.c.d.e.f.example.org", None);
        assert_eq!(
            removed(&deep, OwnCookie::Session, "/1/2/3/4/5").len(),
            5 * 7 - 1
        );
    }
}
