//! The cursors of a search: opaque text that is bound to the filter and the order it was made for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::criteria::Position;
use super::filter::{SessionFilter, SessionSort};
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::{Error, Result};

/// The bytes of the digest.
const DIGEST: usize = 12;
/// Direction, time of the first page, sort value, id, digest.
const LENGTH: usize = 1 + 8 + 8 + 16 + DIGEST;

/// Whether a page follows a position or precedes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Next,
    Previous,
}

/// The position at which a page of a search begins or ends, bound to a filter and an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchCursor {
    pub(super) direction: Direction,
    pub(super) position: Position,
    /// When the first page was read: spans before now are counted from it.
    pub(super) since: Timestamp,
}

impl SearchCursor {
    /// Returns the cursor as opaque text, for the filter and the order of its page.
    #[must_use]
    pub fn encode(&self, filter: &SessionFilter, sort: SessionSort) -> String {
        let mut bytes = self.to_bytes();
        bytes.extend(digest(&bytes, filter, sort));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Parses a cursor. An empty text is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none of this filter and this order.
    pub fn parse(text: &str, filter: &SessionFilter, sort: SessionSort) -> Result<Option<Self>> {
        if text.is_empty() {
            return Ok(None);
        }
        let decoded = URL_SAFE_NO_PAD.decode(text).ok();
        let bytes = decoded.filter(|bytes| bytes.len() == LENGTH);
        let parsed = bytes.and_then(|bytes| {
            let (content, stated) = bytes.split_at(LENGTH - DIGEST);
            let is_genuine = digest(content, filter, sort) == stated;
            Self::from_bytes(content).filter(|_| is_genuine)
        });
        let invalid = || {
            Error::field(
                "cursor",
                "is not a cursor of this filter and order; begin at the first page",
            )
        };
        parsed.map(Some).ok_or_else(invalid)
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![match self.direction {
            Direction::Next => 0,
            Direction::Previous => 1,
        }];
        bytes.extend(self.since.timestamp_micros().to_be_bytes());
        bytes.extend(self.position.at.to_be_bytes());
        bytes.extend(self.position.id.as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(i64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        let direction = match bytes.first()? {
            0 => Direction::Next,
            1 => Direction::Previous,
            _ => return None,
        };
        let position = Position {
            at: number(9)?,
            id: SessionId::from_bytes(bytes.get(17..33)?.try_into().ok()?),
        };
        Some(Self {
            direction,
            position,
            since: Timestamp::from_micros(number(1)?)?,
        })
    }
}

/// Returns the digest of a cursor's content with the filter and the order. It is no secret: whoever
/// may list sessions may begin anywhere in the list.
fn digest(content: &[u8], filter: &SessionFilter, sort: SessionSort) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix(b"rollcall session cursor 1");
    hash.update(content);
    hash.update(sort.to_string());
    for (name, value) in filter.to_pairs() {
        for part in [name, &value] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hash.finalize()[..DIGEST].to_vec()
}
