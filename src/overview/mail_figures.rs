//! The figures of mail.

use crate::clock::Timestamp;

/// The messages that are counted at most.
pub const MAX_MESSAGES: usize = 1_000;
/// The attempts after which a message that waits is a sign that mail fails.
const MANY_ATTEMPTS: i32 = 3;

/// The mail, up to [`MAX_MESSAGES`] of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MailFigures {
    /// Messages that wait; one more than [`MAX_MESSAGES`] where there are more.
    pub waiting: usize,
    /// Those of them that were tried three times or more.
    pub retried: usize,
    /// Messages that were given up within a day; one more than [`MAX_MESSAGES`] where there are more.
    pub failed: usize,
}

impl MailFigures {
    /// Returns the figures of messages that wait, by their attempts, and of those that were given up.
    pub(super) fn new(waiting: &[i32], failed: &[Timestamp]) -> Self {
        let is_retried = |attempts: &&i32| **attempts >= MANY_ATTEMPTS;
        Self {
            waiting: waiting.len(),
            retried: waiting.iter().filter(is_retried).count(),
            failed: failed.len(),
        }
    }
}
