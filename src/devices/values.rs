//! The id and the name of a device, and what becomes of it unused, each validated when it is parsed.

use std::str::FromStr;

use strum::EnumString;

use crate::error::Error;
use crate::text;

/// Random bytes of an id created for a browser.
const RANDOM_BYTES: usize = 24;
/// Characters an id or a name may have.
const LIMIT: usize = 255;

/// The identifier that a client stores for its device: the same at every sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceId(String);

impl DeviceId {
    /// Returns a new id, for a browser that has none.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system provides no randomness.
    pub fn random() -> Result<Self, Error> {
        text::random::<RANDOM_BYTES>().map(Self)
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse("device_id", text).map(Self)
    }
}

/// What becomes of a device that is signed in and not used. Its text form is the value that a form
/// sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(
    serialize_all = "kebab-case",
    parse_err_ty = Error,
    parse_err_fn = unknown_choice
)]
pub enum WhenUnused {
    /// It stays signed in until the absolute limit: it is exempt from the idle limit.
    StaysSignedIn,
    /// It signs out by itself after the idle limit.
    SignsOut,
}

fn unknown_choice(_: &str) -> Error {
    Error::field("when_unused", "must be stays-signed-in or signs-out")
}

/// The name of a device, given by its owner or its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(String);

impl DeviceName {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DeviceName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse("device_name", text).map(Self)
    }
}

fn parse(field: &str, text: &str) -> Result<String, Error> {
    let cleaned = text::clean(text);
    match cleaned.chars().count() {
        1..=LIMIT => Ok(cleaned),
        _ => Err(Error::field(field, "must have 1 to 255 characters")),
    }
}
