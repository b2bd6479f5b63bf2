//! The types of settings, which can't hold an invalid value.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

/// The kind and the location of the database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum DatabaseUrl {
    /// A connection string for libpq, including its password.
    Postgres(String),
    /// The path of an SQLite file.
    Sqlite(PathBuf),
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) => match path.strip_prefix("//").unwrap_or(path) {
                "" | ":memory:" => Err(not_allowed(text)),
                path => Ok(Self::Sqlite(path.into())),
            },
            None => Err(not_allowed(text)),
        }
    }
}

/// Returns the message for an invalid URL. It contains only the URL's scheme, since a password may
/// follow.
fn not_allowed(text: &str) -> String {
    let shown = text.split_once("://").map_or(text, |(scheme, _)| scheme);
    format!("{shown:?} is not allowed; allowed: sqlite:PATH or postgres://USER@HOST/DATABASE")
}

impl TryFrom<String> for DatabaseUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Displays the URL without its password, and without the query of a PostgreSQL URL.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(text) => match url::Url::parse(text) {
                Ok(mut url) => {
                    if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
                        return f.write_str("postgres:(hidden)");
                    }
                    let (base, _) = url.as_str().split_once('?').unwrap_or((url.as_str(), ""));
                    f.write_str(base)
                }
                Err(_) => f.write_str("postgres:(hidden)"),
            },
        }
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Serializes a secret as `(hidden)`, which shows only that it is set.
pub(super) fn hide_secret<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some("(hidden)"),
        None => serializer.serialize_none(),
    }
}

/// The header in which trusted proxies state the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustedHeader {
    /// `X-Forwarded-For`
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// How much of a client's address the log has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogAddresses {
    /// The whole address.
    Whole,
    /// The network it is in.
    #[default]
    Shortened,
    /// Nothing.
    None,
}

/// How the connection to the SMTP server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS from the start (RFC 8314). The default port is 465.
    Implicit,
    /// STARTTLS; nothing is sent to a server without it. The default port is 587.
    #[default]
    Starttls,
    /// None, for a server on this machine. The default port is 25.
    None,
}
