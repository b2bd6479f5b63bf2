//! The values that settings are made of and that can't hold a wrong one.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};

/// Which database, and where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum DatabaseUrl {
    /// A connection string for libpq, password and all.
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

/// Says what is allowed; of what was given only the scheme, as a password may follow.
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

/// The URL as it may be shown: without its password.
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

/// Serializes a secret as the fact that it is set.
pub(super) fn hide_secret<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some("(hidden)"),
        None => serializer.serialize_none(),
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// From its beginning (RFC 8314): port 465.
    Implicit,
    /// By STARTTLS, without which nothing is sent: port 587.
    #[default]
    Starttls,
    /// Not at all, for a server on this machine: port 25.
    None,
}
