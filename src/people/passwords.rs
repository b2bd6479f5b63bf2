//! What is stored of a password.

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
