//! Pages of a list that is sorted by a key, which no two of its items have in common. A page begins
//! at a place, never after a number of items.

use std::str::FromStr;

use serde::Serialize;

use super::count::MatchCount;
use super::cursor::{CursorContent, ListKey};

/// The items of a page, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

impl Limit {
    /// The most that may be requested.
    pub const MAX: u32 = 200;

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.parse().ok();
        let allowed = number.filter(|number| (1..=Self::MAX).contains(number));
        let refused = || format!("must be a number from 1 to {}", Self::MAX);
        allowed.map(Self).ok_or_else(refused)
    }
}

/// The way from a place, and whether the item that is there is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To what follows it.
    After,
    /// To what follows, with itself.
    From,
    /// Back, to what precedes it.
    Before,
    /// Back, with itself.
    UpTo,
}

/// A place in a list, from which a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<K> {
    /// The way.
    pub way: Way,
    /// The key of the item.
    pub key: K,
}

impl<K> Place<K> {
    /// Returns the place of what follows the item with that key.
    #[must_use]
    pub fn after(key: K) -> Self {
        let way = Way::After;
        Self { way, key }
    }

    /// Returns whether the page follows the place, rather than precedes it.
    #[must_use]
    pub fn is_forward(&self) -> bool {
        matches!(self.way, Way::After | Way::From)
    }

    /// Returns whether the page precedes the place.
    #[must_use]
    pub fn is_backward(&self) -> bool {
        !self.is_forward()
    }

    /// Returns the place of the page on the other side.
    #[must_use]
    pub fn inverse(self) -> Self {
        let way = match self.way {
            Way::After => Way::UpTo,
            Way::From => Way::Before,
            Way::Before => Way::From,
            Way::UpTo => Way::After,
        };
        Self { way, ..self }
    }
}

impl<K: CursorContent> CursorContent for Place<K> {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(match self.way {
            Way::After => 0,
            Way::From => 1,
            Way::Before => 2,
            Way::UpTo => 3,
        });
        self.key.write(bytes);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (way, key) = bytes.split_first()?;
        Some(Self {
            way: match way {
                0 => Way::After,
                1 => Way::From,
                2 => Way::Before,
                3 => Way::UpTo,
                _ => return None,
            },
            key: K::read(key)?,
        })
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page<T, K> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// The place of the next page, if there may be one.
    pub next: Option<Place<K>>,
    /// The place of the page before, if there may be one.
    pub previous: Option<Place<K>>,
}

impl<T, K: Clone> Page<T, K> {
    /// Returns the page of what was found from `start` on, in the order of the way: one more than
    /// `limit` says that there is another page.
    #[must_use]
    pub fn cut(
        mut found: Vec<T>,
        limit: usize,
        start: Option<&Place<K>>,
        key: impl Fn(&T) -> K,
    ) -> Self {
        let has_more = found.len() > limit;
        found.truncate(limit);
        let further = found.last().filter(|_| has_more).map(&key);
        Self::new(found, start, further, key)
    }

    /// Returns the page of what was found from `start` on, in the order of the way, which goes on after
    /// the key `further`, if it does.
    #[must_use]
    pub fn new(
        mut items: Vec<T>,
        start: Option<&Place<K>>,
        further: Option<K>,
        key: impl Fn(&T) -> K,
    ) -> Self {
        let is_forward = start.is_none_or(Place::is_forward);
        let (onward, back) = match is_forward {
            true => (Way::After, Way::Before),
            false => (Way::Before, Way::After),
        };
        let further = further.map(|key| Place { way: onward, key });
        let behind = start.map(|start| match items.first() {
            Some(first) => Place {
                way: back,
                key: key(first),
            },
            None => start.clone().inverse(),
        });
        if !is_forward {
            items.reverse();
        }
        let (next, previous) = match is_forward {
            true => (further, behind),
            false => (behind, further),
        };
        Self {
            items,
            next,
            previous,
        }
    }
}

impl<T, K: CursorContent> Page<T, K> {
    /// Returns what the page says besides its items, as one of the list with that key.
    #[must_use]
    pub fn ends(&self, key: &ListKey, total: MatchCount) -> ListEnds {
        ListEnds {
            next_cursor: self.next.as_ref().map(|place| key.seal(place)),
            previous_cursor: self.previous.as_ref().map(|place| key.seal(place)),
            is_partial: false,
            total,
        }
    }
}

/// What a list says in JSON besides its items.
#[derive(Debug, Clone, Serialize)]
pub struct ListEnds {
    /// The cursor of the next page, if there may be one.
    pub next_cursor: Option<String>,
    /// The cursor of the page before, if there may be one.
    pub previous_cursor: Option<String>,
    /// Whether searching took too long: the cursors go on where it stopped.
    pub is_partial: bool,
    /// How many there are on all pages.
    pub total: MatchCount,
}

impl ListEnds {
    /// Returns the ends of a list of nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            next_cursor: None,
            previous_cursor: None,
            is_partial: false,
            total: MatchCount::Exactly(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::db::JobId;

    /// Returns a page of the numbers from 1 to 5.
    fn page(start: Option<&Place<u8>>, limit: usize) -> Page<u8, u8> {
        let mut found: Vec<u8> = (1..=5)
            .filter(|number| {
                start.is_none_or(|start| match start.way {
                    Way::After => *number > start.key,
                    Way::From => *number >= start.key,
                    Way::Before => *number < start.key,
                    Way::UpTo => *number <= start.key,
                })
            })
            .collect();
        if start.is_some_and(|start| !start.is_forward()) {
            found.reverse();
        }
        found.truncate(limit + 1);
        Page::cut(found, limit, start, |number| *number)
    }

    #[test]
    fn pages_go_both_ways_without_gaps() {
        let first = page(None, 2);
        let second = page(first.next.as_ref(), 2);
        let third = page(second.next.as_ref(), 2);
        assert_eq!(
            (first.items, second.items, third.items),
            (vec![1, 2], vec![3, 4], vec![5])
        );
        assert!(first.previous.is_none() && third.next.is_none());
        let back = page(third.previous.as_ref(), 2);
        assert_eq!(back.items, [3, 4]);
        assert_eq!(page(back.previous.as_ref(), 2).items, [1, 2]);
    }

    #[test]
    fn an_empty_page_leads_back_to_what_is_before_it() {
        let beyond = page(Some(&Place::after(5)), 2);
        assert!(beyond.items.is_empty());
        assert_eq!(page(beyond.previous.as_ref(), 2).items, [4, 5]);
    }

    #[test]
    fn a_cursor_is_of_its_list_filter_and_order_only() {
        let parts = |value: &str| vec![("q", value.to_owned())];
        let key = ListKey::new("people", &parts("ada"));
        for way in [Way::After, Way::From, Way::Before, Way::UpTo] {
            let place = Place {
                way,
                key: "Blog".to_owned(),
            };
            let cursor = key.seal(&place);
            assert_eq!(key.open::<Place<String>>(&cursor).unwrap(), place);
            for other in [
                ListKey::new("people", &parts("bob")),
                ListKey::new("people", &[]),
                ListKey::new("jobs", &parts("ada")),
            ] {
                assert!(other.open::<Place<String>>(&cursor).is_err());
            }
            assert!(key.open::<Place<JobId>>(&cursor).is_err());
        }
        for text in ["", "x", "AAAA", "é", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(key.open::<Place<String>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_changed_cursor_is_refused() {
        let key = ListKey::new("jobs", &[]);
        let place = Place {
            way: Way::After,
            key: JobId::from_bytes([7; 16]),
        };
        let mut bytes = URL_SAFE_NO_PAD.decode(key.seal(&place)).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(&bytes);
            assert!(key.open::<Place<JobId>>(&changed).is_err(), "byte {at}");
            bytes[at] ^= 1;
        }
    }
}
