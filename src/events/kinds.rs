//! What events are searched for by: a kind, or a group of kinds.

use std::fmt;
use std::str::FromStr;

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::EventKind;

/// Kinds that are searched for together.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum EventGroup {
    /// Tries that failed, or were refused since there were too many.
    FailedTries,
    /// Everything that was refused.
    Refusals,
    /// Keys that were created or revoked.
    Keys,
}

/// A kind of events, or a group of kinds. Its text form is the name of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKinds {
    /// One kind.
    One(EventKind),
    /// A group.
    Group(EventGroup),
}

impl EventGroup {
    /// Returns the text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn kinds(self) -> &'static [EventKind] {
        match self {
            Self::FailedTries => &EventKind::REFUSED_TRIES,
            Self::Refusals => &EventKind::REFUSALS,
            Self::Keys => &[
                EventKind::KeyCreated,
                EventKind::KeyRevoked,
                EventKind::ServiceKeyCreated,
                EventKind::ServiceKeyRevoked,
            ],
        }
    }
}

impl EventKinds {
    /// Returns every name, of a group or of a kind.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        [
            <EventGroup as VariantNames>::VARIANTS,
            <EventKind as VariantNames>::VARIANTS,
        ]
        .concat()
    }

    /// Returns the kinds.
    #[must_use]
    pub fn list(self) -> Vec<EventKind> {
        match self {
            Self::One(kind) => vec![kind],
            Self::Group(group) => group.kinds().to_vec(),
        }
    }
}

impl From<EventKind> for EventKinds {
    fn from(kind: EventKind) -> Self {
        Self::One(kind)
    }
}

impl FromStr for EventKinds {
    type Err = strum::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(group) => Ok(Self::Group(group)),
            Err(_) => text.parse().map(Self::One),
        }
    }
}

impl fmt::Display for EventKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One(kind) => kind.as_str(),
            Self::Group(group) => group.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_one_kind_or_group() {
        let names = EventKinds::names();
        let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(distinct.len(), names.len());
        for name in names {
            let kinds: EventKinds = name.parse().unwrap();
            assert_eq!(kinds.to_string(), name);
            assert!(!kinds.list().is_empty());
        }
        assert!("gone".parse::<EventKinds>().is_err());
    }
}
