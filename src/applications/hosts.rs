//! What an application is, and the hosts that it is reached at.

use std::str::FromStr;

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};
use url::Url;

use super::values::Name;
use crate::error::{Error, Result};

/// What an application is. Its text form is stored.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[strum(serialize_all = "lowercase")]
pub enum ApplicationKind {
    /// A program that calls the API with keys.
    #[default]
    Service,
    /// A website that stands behind forward-auth.
    Website,
}

impl ApplicationKind {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The names of hosts, in lower case, each perhaps with a port: `app.example.org:8443`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostNames(Vec<String>);

impl HostNames {
    /// The most hosts of an application.
    const LIMIT: usize = 20;
    /// Characters that a host with its port may have.
    const HOST_LIMIT: usize = 259;

    /// Returns the hosts.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// Returns the form in which they are stored: separated by spaces.
    pub(super) fn join(&self) -> String {
        self.0.join(" ")
    }
}

impl FromStr for HostNames {
    type Err = Error;

    /// Parses names that white space or commas separate.
    fn from_str(text: &str) -> Result<Self> {
        let mut hosts = Vec::new();
        let is_separator = |c: char| c.is_whitespace() || c == ',';
        for name in text.split(is_separator).filter(|name| !name.is_empty()) {
            let host = parse_host(name).ok_or_else(|| {
                let shown: String = name.chars().take(Self::HOST_LIMIT).collect();
                Error::field("hosts", format!("{shown:?} is not the name of a host"))
            })?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
            if hosts.len() > Self::LIMIT {
                return Err(Error::field("hosts", "must be at most 20"));
            }
        }
        Ok(Self(hosts))
    }
}

/// Returns the host as browsers write it, without the port that is the scheme's default.
fn parse_host(text: &str) -> Option<String> {
    if text.len() > HostNames::HOST_LIMIT || text.contains(['/', '?', '#', '@', '\\']) {
        return None;
    }
    let url = Url::parse(&format!("https://{text}/")).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// An application to be created, or what one is to be changed to.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: ApplicationKind,
    /// The hosts that it is reached at.
    pub hosts: HostNames,
}

impl NewApplication {
    /// Returns a service with that name.
    #[must_use]
    pub fn service(name: Name) -> Self {
        Self {
            name,
            kind: ApplicationKind::Service,
            hosts: HostNames::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_without_anything_around_them() {
        let hosts: HostNames = "App.example.org, 127.0.0.1:3000\nb\u{fc}cher.example"
            .parse()
            .unwrap();
        assert_eq!(
            hosts.join(),
            "app.example.org 127.0.0.1:3000 xn--bcher-kva.example"
        );
        for text in [
            "https://app.example.org",
            "app.example.org/path",
            "user@app.example.org",
            "app example.org:x",
            "a..b:99999",
            &"a".repeat(300),
            &(0..21).map(|n| format!("h{n} ")).collect::<String>(),
        ] {
            assert!(text.parse::<HostNames>().is_err(), "{text}");
        }
        assert_eq!("".parse::<HostNames>().unwrap(), HostNames::default());
    }
}
