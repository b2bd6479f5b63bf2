//! A place in the results of a search for people, from which a page begins.

use crate::db::UserId;
use crate::listing::{CursorContent, Place, Way};

/// The part of a search's results that a person is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Found by how something begins.
    Prefixed,
    /// Found by reading.
    Scanned,
}

/// A place in the results of a search.
pub type PeopleCursor = Place<(Part, UserId)>;

impl CursorContent for (Part, UserId) {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(match self.0 {
            Part::Prefixed => 0,
            Part::Scanned => 1,
        });
        self.1.write(bytes);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (part, id) = bytes.split_first()?;
        let part = match part {
            0 => Part::Prefixed,
            1 => Part::Scanned,
            _ => return None,
        };
        Some((part, UserId::read(id)?))
    }
}

/// Returns whether a person is on the cursor's side of its place.
pub(super) fn is_beyond(cursor: PeopleCursor, (part, id): (Part, UserId)) -> bool {
    let (other_part, other_id) = cursor.key;
    // Newest first: the larger id comes before.
    let order = part.cmp(&other_part).then(other_id.cmp(&id));
    match cursor.way {
        Way::After => order.is_gt(),
        Way::From => order.is_ge(),
        Way::Before => order.is_lt(),
        Way::UpTo => order.is_le(),
    }
}
