//! What is stored of a password, and how many wrong ones end a session.

use crate::error::Result;
use crate::text;

/// A hashed password (a PHC string).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The wrong passwords, without a right one between them, that end a session.
pub const MAX_FAILURES: u32 = 10;

/// The same number, as it is said.
pub const MAX_FAILURES_IN_WORDS: &str = in_words(MAX_FAILURES);

const fn in_words(n: u32) -> &'static str {
    match n {
        3 => "three",
        5 => "five",
        10 => "ten",
        20 => "twenty",
        _ => "several",
    }
}

/// Stored in place of a hash where no password opens the account.
pub(super) const NO_PASSWORD: &str = "!";
/// The random bytes of a void password.
const VOID_BYTES: usize = 16;

/// Stored in place of the hash of a password that was taken away. Each is different, as hashes are.
#[derive(Debug, Clone)]
pub struct VoidPassword(String);

impl VoidPassword {
    /// Returns a new one.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when the system provides no randomness.
    pub fn random() -> Result<Self> {
        text::random::<VOID_BYTES>().map(|text| Self(format!("{NO_PASSWORD}{text}")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}
