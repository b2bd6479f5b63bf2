//! The cursor of the security log: where a page begins, bound to the filter that it is a page of.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::filter::EventFilter;
use crate::db::EventId;
use crate::error::{Error, Result};
use crate::events::EventPosition;

/// The bytes of a cursor: a direction, an id, and the first bytes of a digest of the filter.
const LENGTH: usize = 1 + 16 + DIGEST;
const DIGEST: usize = 8;
const BEFORE: u8 = 1;
const FROM: u8 = 2;

/// Returns the cursor of a position in the log with that filter.
pub(super) fn encode(position: EventPosition, filter: &EventFilter) -> String {
    let (direction, id) = match position {
        EventPosition::Before(id) => (BEFORE, id),
        EventPosition::From(id) => (FROM, id),
    };
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.push(direction);
    bytes.extend_from_slice(id.as_bytes());
    bytes.extend_from_slice(&digest(filter));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the position of a cursor.
///
/// # Errors
/// [`Error::Invalid`] when it is none, or of another filter.
pub(super) fn decode(text: &str, filter: &EventFilter) -> Result<EventPosition> {
    let refused = || Error::field("cursor", "is not one of this list with this filter");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| refused())?;
    let [direction, rest @ ..] = bytes;
    let (id, of) = rest.split_at(16);
    if of != digest(filter) {
        return Err(refused());
    }
    let id: [u8; 16] = id.try_into().map_err(|_| refused())?;
    match direction {
        BEFORE => Ok(EventPosition::Before(EventId::from_bytes(id))),
        FROM => Ok(EventPosition::From(EventId::from_bytes(id))),
        _ => Err(refused()),
    }
}

fn digest(filter: &EventFilter) -> [u8; DIGEST] {
    let mut hash = Sha256::new();
    for (name, value) in filter.to_pairs() {
        for part in [name, &value] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
    }
    let hash: [u8; 32] = hash.finalize().into();
    let mut digest = [0; DIGEST];
    digest.copy_from_slice(&hash[..DIGEST]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_its_filter_only() {
        let filter = EventFilter {
            user: Some("ada@example.org".into()),
            ..EventFilter::default()
        };
        let id = EventId::from_bytes([7; 16]);
        for position in [EventPosition::Before(id), EventPosition::From(id)] {
            let cursor = encode(position, &filter);
            assert_eq!(decode(&cursor, &filter).unwrap(), position);
            assert!(decode(&cursor, &EventFilter::default()).is_err());
        }
        for text in ["", "x", "AAAA", "é"] {
            assert!(decode(text, &filter).is_err(), "{text}");
        }
    }
}
