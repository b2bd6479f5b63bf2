//! The target of a redirect after sign-in: a path on this site, a page of an allowed host, or *Your
//! devices*. Nothing else, so that a link to sign-in is no open redirect.

use url::Url;

/// The target where none is given or allowed.
pub const HOME: &str = "/devices";

/// The hosts besides this one that sign-in may lead back to: `app.example.org`, with the port where
/// it is not the scheme's default.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts {
    hosts: Vec<String>,
    is_https: bool,
}

/// Where sign-in leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A path on this site.
    Here(String),
    /// A page of an allowed host, and that host with its port.
    Elsewhere {
        /// The URL, normalized as by a browser.
        url: String,
        /// The host, with the port where it is not the scheme's default.
        host: String,
    },
}

/// A page of an allowed host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPage {
    /// The URL, normalized as by a browser.
    pub url: String,
    /// The host, with the port where it is not the scheme's default.
    pub host: String,
}

impl Destination {
    /// Returns the path or the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Here(path) => path,
            Self::Elsewhere { url, .. } => url,
        }
    }
}

impl AllowedHosts {
    /// Returns a list of these hosts, which are compared in lower case, for a service that people
    /// reach over HTTPS or not.
    pub fn new(hosts: &[String], is_https: bool) -> Self {
        Self {
            hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            is_https,
        }
    }

    /// Returns whether there is any: whether forward-auth is in use.
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Returns whether `host` is one of them: in lower case, with its port where it is not the
    /// scheme's default.
    #[must_use]
    pub fn contains(&self, host: &str) -> bool {
        self.hosts.iter().any(|allowed| allowed == host)
    }

    /// Returns `target` if it is a path on this site or a page of an allowed host, else [`HOME`].
    pub fn destination(&self, target: Option<&str>) -> Destination {
        match target.and_then(|target| self.page(target)) {
            Some(HostPage { url, host }) => Destination::Elsewhere { url, host },
            None => Destination::Here(local_path(target).to_owned()),
        }
    }

    /// Returns the URL `target`, if it is a page of an allowed host. A URL with credentials is refused.
    /// Where this service is reached over HTTPS, so is the page: nobody is sent to plain HTTP by it.
    pub fn page(&self, target: &str) -> Option<HostPage> {
        let mut url = Url::parse(target).ok()?;
        if url.scheme() == "http" && self.is_https {
            url.set_scheme("https").ok()?;
        }
        let is_web = matches!(url.scheme(), "http" | "https");
        let is_plain = url.username().is_empty() && url.password().is_none();
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str()?),
            None => url.host_str()?.to_owned(),
        };
        let is_allowed = is_web && is_plain && self.hosts.contains(&host);
        is_allowed.then(|| HostPage {
            url: url.into(),
            host,
        })
    }
}

/// Returns `target` if it is a path on this site, else [`HOME`].
pub fn local_path(target: Option<&str>) -> &str {
    target.filter(|target| is_local(target)).unwrap_or(HOME)
}

/// Returns the page with the form that is posted to `path`, for somebody who has to open it again.
pub fn page_of_form(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        ["account", "delete"] => path.to_owned(),
        ["account", ..] => "/account".into(),
        ["admin", "users", id, "name" | "email"] => format!("/admin/users/{id}/edit"),
        ["admin", "users", id, "export"] => format!("/admin/users/{id}"),
        ["admin", "jobs", id, "stop"] => format!("/admin/jobs/{id}"),
        ["admin", "users", "new" | "invite"]
        | ["admin", "users", _, _]
        | ["admin", "api-keys", _, "revoke"] => path.to_owned(),
        ["admin", "api-keys"] => "/admin/applications".into(),
        ["admin", section, ..] => format!("/admin/{section}"),
        ["devices", id, "rename" | "when-unused"] => format!("/devices/{id}"),
        ["sign-out", "clear"] => "/sign-in".into(),
        ["sign-in" | "sign-up" | "forgot-password"]
        | ["devices", "sign-out-others" | "sign-out-everywhere"]
        | ["setup" | "reset-password" | "verify-email", _] => path.to_owned(),
        ["not-me", token, ..] => format!("/not-me/{token}"),
        _ => HOME.to_owned(),
    }
}

/// Returns the page for somebody who does not open the one at `path`, where an administrator has to enter
/// the password to see that.
pub fn page_above(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    Some(match segments.as_slice() {
        ["admin", "users", "new" | "invite"] => "/admin/users".into(),
        ["admin", "users", id, _] => format!("/admin/users/{id}"),
        ["admin", "api-keys", ..] | ["admin", "applications", _, "delete"] => {
            "/admin/applications".into()
        }
        ["admin", "sessions", "end"] => "/admin/sessions".into(),
        _ => return None,
    })
}

/// Returns whether a browser resolves `target` to a path on this site. What it may resolve to
/// another host is refused: `//host`, `/\host`, control characters, white space, a scheme.
pub fn is_local(target: &str) -> bool {
    let has_unsafe = target
        .chars()
        .any(|c| c == '\\' || c.is_control() || c.is_whitespace());
    target.starts_with('/') && !target.starts_with("//") && !has_unsafe
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: [&str; 18] = [
        "",
        "devices",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "https://app.example.org.evil.example/",
        "https://evil.example/app.example.org",
        "https://app.example.org@evil.example/",
        "https://user:password@app.example.org/",
        "https://app.example.org:8443/",
        "https:evil.example",
        "ftp://app.example.org/",
        "javascript:alert(1)//app.example.org",
        "/\t/evil.example",
        "/ /evil.example",
        "/a\nb",
    ];

    #[test]
    fn only_paths_on_this_site_are_followed() {
        for good in ["/devices", "/devices?ended=1", "/account#password"] {
            assert_eq!(local_path(Some(good)), good);
        }
        for bad in REFUSED {
            assert_eq!(local_path(Some(bad)), HOME, "{bad:?}");
        }
        assert_eq!(local_path(None), HOME);
    }

    #[test]
    fn only_pages_of_allowed_hosts_are_followed() {
        let names = ["App.example.org".into(), "127.0.0.1:3000".into()];
        let hosts = AllowedHosts::new(&names, false);
        for good in [
            "https://app.example.org/a?b=c&d=e#f",
            "http://127.0.0.1:3000/",
            "/devices",
        ] {
            assert_eq!(hosts.destination(Some(good)).as_str(), good);
        }
        for bad in REFUSED {
            assert_eq!(hosts.destination(Some(bad)).as_str(), HOME, "{bad:?}");
        }
        assert_eq!(
            AllowedHosts::default().page("https://app.example.org/"),
            None
        );
    }
    #[test]
    fn nobody_is_sent_from_https_to_http() {
        let names = ["app.example.org".into(), "app.example.org:8443".into()];
        let hosts = AllowedHosts::new(&names, true);
        for (target, page) in [
            ("http://app.example.org/a", "https://app.example.org/a"),
            ("http://app.example.org:80/a", "https://app.example.org/a"),
            ("http://app.example.org:443/a", "https://app.example.org/a"),
            (
                "HTTP://app.example.org:8443",
                "https://app.example.org:8443/",
            ),
            ("https://app.example.org/a", "https://app.example.org/a"),
        ] {
            let found = hosts.page(target).map(|found| found.url);
            assert_eq!(found.as_deref(), Some(page), "{target}");
        }
        assert_eq!(hosts.page("http://app.example.org:8080/"), None);
    }
}
