//! A place in the results of a search for people, from which a page begins.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::db::UserId;
use crate::error::{Error, Result};

/// Bytes of the digest that binds a cursor to its search.
pub(super) const DIGEST_BYTES: usize = 8;
/// Bytes of an id.
const ID_BYTES: usize = 16;

/// The part of a search's results that a person is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Found by how something begins.
    Prefixed,
    /// Found by reading.
    Scanned,
}

/// The way from a cursor, and whether its own person is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    After,
    From,
    Before,
    UpTo,
}

/// A place in the results of a search. Its text form is opaque, and bound to the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleCursor {
    pub(super) digest: [u8; DIGEST_BYTES],
    pub(super) way: Way,
    pub(super) part: Part,
    pub(super) id: UserId,
}

impl PeopleCursor {
    /// Returns the text form.
    #[must_use]
    pub fn encode(&self) -> String {
        let way = match self.way {
            Way::After => 0,
            Way::From => 1,
            Way::Before => 2,
            Way::UpTo => 3,
        };
        let kind = [way + 4 * u8::from(self.part == Part::Scanned)];
        URL_SAFE_NO_PAD.encode([&self.digest[..], &kind, self.id.as_bytes()].concat())
    }

    /// Returns the cursor of the page on the other side of this place.
    pub(super) fn inverse(self) -> Self {
        let way = match self.way {
            Way::After => Way::UpTo,
            Way::From => Way::Before,
            Way::Before => Way::From,
            Way::UpTo => Way::After,
        };
        Self { way, ..self }
    }

    /// Returns whether its page precedes its place, rather than follows it.
    #[must_use]
    pub fn is_backward(&self) -> bool {
        !self.is_forward()
    }

    pub(super) fn is_forward(&self) -> bool {
        matches!(self.way, Way::After | Way::From)
    }

    /// Returns whether a person is on the cursor's side of its place.
    pub(super) fn admits(&self, part: Part, id: UserId) -> bool {
        // Newest first: the larger id comes before.
        let order = part.cmp(&self.part).then(self.id.cmp(&id));
        match self.way {
            Way::After => order.is_gt(),
            Way::From => order.is_ge(),
            Way::Before => order.is_lt(),
            Way::UpTo => order.is_le(),
        }
    }
}

impl FromStr for PeopleCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        decode(text).ok_or_else(|| Error::field("cursor", "is not one of this list"))
    }
}

fn decode(text: &str) -> Option<PeopleCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (digest, rest) = bytes.split_at_checked(DIGEST_BYTES)?;
    let (kind, id) = rest.split_first()?;
    let id: [u8; ID_BYTES] = id.try_into().ok()?;
    Some(PeopleCursor {
        digest: digest.try_into().ok()?,
        way: match kind % 4 {
            0 => Way::After,
            1 => Way::From,
            2 => Way::Before,
            _ => Way::UpTo,
        },
        part: match kind {
            0..4 => Part::Prefixed,
            4..8 => Part::Scanned,
            _ => return None,
        },
        id: UserId::from_bytes(id),
    })
}
