//! How many a list has in all.

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// A number of what a list has. In JSON it is `{"count": …, "is_exact": …}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchCount {
    /// So many.
    Exactly(u64),
    /// About so many, estimated from a sample; or at least so many, where counting stopped there.
    About(u64),
}

impl MatchCount {
    /// Returns the number of what was counted to one more than `most`.
    #[must_use]
    pub fn up_to(most: usize, counted: usize) -> Self {
        match counted > most {
            true => Self::About(most as u64),
            false => Self::Exactly(counted as u64),
        }
    }

    /// Returns a number that is exact, or isn't.
    #[must_use]
    pub fn of(number: u64, is_exact: bool) -> Self {
        match is_exact {
            true => Self::Exactly(number),
            false => Self::About(number),
        }
    }

    /// Returns the number, of which a page has `found`: where those are all, that is what there is.
    #[must_use]
    pub fn of_page(self, found: usize, is_all: bool) -> Self {
        let found = found as u64;
        match self {
            _ if is_all => Self::Exactly(found),
            Self::About(about) => Self::About(about.max(found)),
            exactly @ Self::Exactly(_) => exactly,
        }
    }

    /// Returns the number.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::About(number) => number,
        }
    }

    /// Returns whether it is not exact.
    #[must_use]
    pub fn is_approximate(self) -> bool {
        matches!(self, Self::About(_))
    }
}

impl Serialize for MatchCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut count = serializer.serialize_struct("MatchCount", 2)?;
        count.serialize_field("count", &self.number())?;
        count.serialize_field("is_exact", &!self.is_approximate())?;
        count.end()
    }
}
