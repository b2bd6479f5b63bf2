//! The values of a person: role, e-mail, name, subject, idle limit and password. Each is validated when
//! it is parsed, so that a value of its type is always valid.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::db::ApplicationId;
use crate::error::Error;
use crate::text;

/// What an account may do. Its text form is its name in JSON and on the command line.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(
    serialize_all = "lowercase",
    parse_err_ty = Error,
    parse_err_fn = unknown_role
)]
pub enum Role {
    /// Sees their own devices.
    Person,
    /// Sees what an administrator sees, and changes nothing.
    Auditor,
    /// Administers the service.
    Admin,
}

impl Role {
    /// Returns the role of an account that is marked as an administrator's or an auditor's.
    pub(super) fn from_marks(is_admin: bool, is_auditor: bool) -> Self {
        match (is_admin, is_auditor) {
            (true, _) => Self::Admin,
            (false, true) => Self::Auditor,
            (false, false) => Self::Person,
        }
    }

    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Whether the owner of an account can sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(
    serialize_all = "lowercase",
    parse_err_ty = Error,
    parse_err_fn = unknown_account_state
)]
pub enum AccountState {
    /// They can.
    Active,
    /// An administrator has barred them.
    Disabled,
}

impl AccountState {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_account_state(_: &str) -> Error {
    Error::field("state", "must be active or disabled")
}

/// Whether the e-mail of an account that a password opens was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(
    serialize_all = "lowercase",
    parse_err_ty = Error,
    parse_err_fn = unknown_email_state
)]
pub enum EmailState {
    /// It was.
    Verified,
    /// It was not.
    Unverified,
}

impl EmailState {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_email_state(_: &str) -> Error {
    Error::field("email", "must be verified or unverified")
}

fn unknown_role(_: &str) -> Error {
    Error::field("role", "must be person, auditor or admin")
}

/// An e-mail address in lower case: addresses that differ only in case are the same account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Bytes an address may have (RFC 5321, via erratum 1690 to RFC 3696).
    const LIMIT: usize = 254;

    /// Returns the address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let address = text.trim().to_lowercase();
        let plain = email_address::Options::default()
            .with_required_tld()
            .without_display_text()
            .without_domain_literal();
        let is_good = address.len() <= Self::LIMIT
            && !address.chars().any(|c| c.is_control() || c == '"')
            && email_address::EmailAddress::parse_with_options(&address, plain).is_ok();
        match is_good {
            true => Ok(Self(address)),
            false => Err(Error::field(
                "email",
                "must be an e-mail address, like ana@example.org",
            )),
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name to call a person by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullName(String);

impl FullName {
    /// Characters a name may have.
    const LIMIT: usize = 255;

    /// Parses a name and cleans it; `None` when it is empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is longer than 255 characters.
    pub fn parse(text: &str) -> Result<Option<Self>, Error> {
        let name = text::clean(text);
        match name.chars().count() {
            0 => Ok(None),
            n if n <= Self::LIMIT => Ok(Some(Self(name))),
            _ => Err(Error::field(
                "full_name",
                "must have at most 255 characters",
            )),
        }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An application's identifier of a person whom it authenticates itself: the same at every sign-in,
/// and another person's is another one, whatever characters the two have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// Characters a subject may have.
    const LIMIT: usize = 255;

    /// Returns the subject as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Subject {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if !(1..=Self::LIMIT).contains(&text.chars().count()) {
            return Err(Error::field("subject", "must have 1 to 255 characters"));
        }
        // Not cleaned: two subjects of the application would become one person.
        match text::clean(text) == text {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::field(
                "subject",
                "must have neither control characters nor white space at its ends",
            )),
        }
    }
}

/// The applications among whose people a caller finds a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Realm {
    /// The caller's application. New people are of this one.
    pub own: ApplicationId,
    /// Whether those of "Earlier" are found besides.
    pub has_earlier: bool,
}

impl Realm {
    /// Returns the applications.
    pub(super) fn applications(self) -> Vec<ApplicationId> {
        let earlier = self.has_earlier.then_some(ApplicationId::EARLIER);
        [self.own].into_iter().chain(earlier).collect()
    }
}

/// The idle limit that a person chose for their own sessions; the service's limit applies where it
/// is stricter. Its text form is the value that a form sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = Error,
    parse_err_fn = unknown_idle_limit
)]
pub enum IdleLimit {
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
    /// Ninety days.
    ThreeMonths,
    /// 365 days.
    Year,
}

impl IdleLimit {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the limit as a span of time.
    #[must_use]
    pub fn span(self) -> Duration {
        let days = match self {
            Self::Week => 7,
            Self::Month => 30,
            Self::ThreeMonths => 90,
            Self::Year => 365,
        };
        Duration::from_secs(days * 24 * 60 * 60)
    }
}

fn unknown_idle_limit(_: &str) -> Error {
    Error::field("idle_limit", "must be week, month, three-months or year")
}

/// A password in plain text, to be verified. It is never displayed, logged or stored, and its memory
/// is overwritten when it is dropped.
#[derive(Debug, Clone)]
pub struct PlainPassword(SecretString);

impl PlainPassword {
    /// Bytes that may be typed: more than the longest password that can be set has, decomposed.
    const MAX_BYTES: usize = 8 * 1024;

    /// Returns a password to be verified: any text. One that is longer than a password may be
    /// becomes empty, which never matches.
    #[must_use]
    pub fn claimed(mut text: String) -> Self {
        if text.len() > Self::MAX_BYTES {
            text.zeroize();
        }
        Self(text.into())
    }

    /// Returns what to compare with a hash: the normalization form C, which new hashes are of, then
    /// what was typed, where that differs, for hashes from before.
    pub(super) fn forms(&self) -> PasswordForms {
        let typed = self.0.expose_secret();
        let composed = text::composed(typed).into_owned();
        PasswordForms {
            typed: (composed != typed).then(|| self.0.clone()),
            composed: composed.into(),
        }
    }
}

/// What a password may have been hashed as.
pub(super) struct PasswordForms {
    composed: SecretString,
    typed: Option<SecretString>,
}

impl PasswordForms {
    /// Returns what a new hash is of.
    pub(super) fn current(&self) -> &[u8] {
        self.composed.expose_secret().as_bytes()
    }

    /// Returns what a hash from before may be of.
    pub(super) fn former(&self) -> Option<&[u8]> {
        let typed = self.typed.as_ref();
        typed.map(|typed| typed.expose_secret().as_bytes())
    }
}
