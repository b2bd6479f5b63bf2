//! The values of applications and keys: names, scopes and expiry.

use std::str::FromStr;
use std::time::Duration;

use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::clock::{MAX_SPAN, Timestamp};
use crate::db::ApplicationId;
use crate::error::{Error, Result};
use crate::listing::parse_time;
use crate::text;

/// What a key may be used for. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(
    serialize_all = "lowercase",
    parse_err_ty = String,
    parse_err_fn = unknown_scope
)]
pub enum Scope {
    /// Introspecting and revoking tokens that were made for the application.
    Tokens,
    /// Introspecting and revoking every token, whatever it was made for.
    #[strum(serialize = "tokens:any")]
    TokensAny,
    /// Creating, listing and ending sessions of people whom the application authenticates itself.
    Sessions,
    /// Reading what an administrator sees.
    #[strum(serialize = "admin:read")]
    AdminRead,
    /// Ending anybody's sessions and disabling people.
    #[strum(serialize = "admin:write")]
    AdminWrite,
}

impl Scope {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the text form of several: each once, separated by spaces.
    pub(super) fn join(scopes: &[Self]) -> String {
        let names = Self::VARIANTS.iter().filter(|scope| scopes.contains(scope));
        let names: Vec<&str> = names.map(|scope| scope.as_str()).collect();
        names.join(" ")
    }
}

fn unknown_scope(text: &str) -> String {
    format!(
        "{text:?} is not a scope; allowed: tokens, tokens:any, sessions, admin:read, admin:write"
    )
}

/// The name of an application or of a key. No UUID is one, since applications are named by their
/// ids as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Characters a name may have.
    const LIMIT: usize = 255;

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let name = text::clean(text);
        if name.parse::<ApplicationId>().is_ok() {
            return Err(Error::field("name", "must not be a UUID"));
        }
        match name.chars().count() {
            1..=Self::LIMIT => Ok(Self(name)),
            _ => Err(Error::field("name", "must have 1 to 255 characters")),
        }
    }
}

/// When a key expires, as an administrator states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// So long after it is made.
    After(Duration),
    /// At that time.
    At(Timestamp),
}

impl Expiry {
    /// Returns the time at which a key that is made at `now` expires.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not after `now`, or more than 100 years after it.
    pub(super) fn resolve(self, now: Timestamp) -> Result<Option<Timestamp>> {
        let span = match self {
            Self::Never => return Ok(None),
            Self::After(span) => TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX),
            Self::At(at) => at.signed_duration_since(*now),
        };
        if span <= TimeDelta::zero() {
            return Err(Error::field("expires", "must be in the future"));
        }
        let is_within = span.to_std().is_ok_and(|span| span <= MAX_SPAN);
        let at = (*now).checked_add_signed(span);
        match at.filter(|_| is_within) {
            Some(at) => Ok(Some(at.into())),
            None => Err(Error::field("expires", "must be within 100 years")),
        }
    }
}

impl FromStr for Expiry {
    type Err = String;

    /// Parses `never`, a span (`90d`), a day (`2027-01-01`, which is its first moment in UTC) or a
    /// time of RFC 3339.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self::Never);
        }
        if let Some(at) = parse_time(text) {
            return Ok(Self::At(at));
        }
        let span = humantime::parse_duration(text);
        span.map(Self::After).map_err(|_| {
            format!(
                "{text:?} is neither a span (90d), a day (2027-01-01), a time (RFC 3339) nor never"
            )
        })
    }
}
