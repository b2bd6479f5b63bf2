//! Who reads a file that is sent while it is read.

use crate::error::Result;
use crate::events::Origin;
use crate::people::Role;
use crate::sessions::Sessions;

/// Whoever reads a file. What they may read when it begins they may not a while later: they are
/// verified again before each part.
#[derive(Clone)]
pub struct ExportReader {
    sessions: Sessions,
    origin: Origin,
    least: Role,
}

impl ExportReader {
    /// Returns a reader who has to be at least `least`.
    #[must_use]
    pub fn new(sessions: &Sessions, origin: Origin, least: Role) -> Self {
        Self {
            sessions: sessions.clone(),
            origin,
            least,
        }
    }

    /// Verifies that they may read on.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`](crate::Error::Unauthenticated) when their session has ended;
    /// [`Error::InvalidClient`](crate::Error::InvalidClient) when their key was revoked or has expired;
    /// [`Error::NotFound`](crate::Error::NotFound) when they lack the role or the scope.
    pub async fn verify(&self) -> Result<()> {
        self.sessions.require_reader(&self.origin, self.least).await
    }
}
