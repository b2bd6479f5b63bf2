//! The cursors of a search: opaque text that is bound to the filter and the order it was made for.

use super::criteria::Position;
use super::filter::{SessionFilter, SessionSort};
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::Result;
use crate::listing::CursorContent;

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
    /// Returns whether its page precedes the position, rather than follows it.
    #[must_use]
    pub fn is_backward(&self) -> bool {
        self.direction == Direction::Previous
    }

    /// Returns the cursor as opaque text, for the filter and the order of its page.
    #[must_use]
    pub fn encode(&self, filter: &SessionFilter, sort: SessionSort) -> String {
        filter.list_key(sort).seal(self)
    }

    /// Parses a cursor. An empty text is none.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when it is none of this filter and this order.
    pub fn parse(text: &str, filter: &SessionFilter, sort: SessionSort) -> Result<Option<Self>> {
        match text {
            "" => Ok(None),
            text => filter.list_key(sort).open(text).map(Some),
        }
    }
}

impl CursorContent for SearchCursor {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(match self.direction {
            Direction::Next => 0,
            Direction::Previous => 1,
        });
        bytes.extend(self.since.timestamp_micros().to_be_bytes());
        bytes.extend(self.position.at.to_be_bytes());
        bytes.extend(self.position.id.as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (direction, bytes) = bytes.split_first()?;
        let (since, bytes) = bytes.split_first_chunk()?;
        let (at, id) = bytes.split_first_chunk()?;
        Some(Self {
            direction: match direction {
                0 => Direction::Next,
                1 => Direction::Previous,
                _ => return None,
            },
            position: Position {
                at: i64::from_be_bytes(*at),
                id: SessionId::from_bytes(id.try_into().ok()?),
            },
            since: Timestamp::from_micros(i64::from_be_bytes(*since))?,
        })
    }
}
