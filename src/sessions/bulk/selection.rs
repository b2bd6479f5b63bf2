//! Which sessions an order is for, and how that is stored.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::{Error, Failure, Result};
use crate::sessions::search::{SessionFilter, StateFilter, TimeBound};
use crate::sessions::store::BulkJob;

/// The ids that one order can list.
pub const MAX_LISTED: usize = 1_000;

/// Times are stored to the microsecond.
const TICK: Duration = Duration::from_micros(1);

/// The sessions that an order is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The live ones that a filter finds.
    Matching(Box<SessionFilter>),
    /// These, in the order of their ids, each once.
    Listed(Vec<SessionId>),
}

/// Whether an order is also for the sessions of the person who makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnSessions {
    /// It is.
    Included,
    /// All of that person's sessions are left out.
    LeftOut,
}

impl Selection {
    /// Returns the selection of the live sessions that `filter` finds at `now`: spans before now are
    /// times from here on.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the filter finds only sessions that have ended.
    pub fn matching(filter: &SessionFilter, now: Timestamp) -> Result<Self> {
        if filter.state() == StateFilter::Ended || filter.reason.is_some() {
            return Err(Error::field(
                "filter",
                "finds only sessions that have ended; there is nothing to end",
            ));
        }
        Ok(Self::Matching(Box::new(SessionFilter {
            state: Some(StateFilter::Live),
            ..filter.at(now)
        })))
    }

    /// Returns the selection of these sessions.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are none, or more than [`MAX_LISTED`].
    pub fn listed(ids: impl IntoIterator<Item = SessionId>) -> Result<Self> {
        let mut ids: Vec<SessionId> = ids.into_iter().take(MAX_LISTED + 1).collect();
        if !(1..=MAX_LISTED).contains(&ids.len()) {
            return Err(Error::field(
                "ids",
                format!("must be from 1 to {MAX_LISTED} ids"),
            ));
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(Self::Listed(ids))
    }

    /// Returns the text form of a filter, and that of a list: one of the two.
    pub(super) fn to_stored(&self) -> Result<(Option<String>, Option<String>)> {
        match self {
            Self::Matching(filter) => {
                let pairs: BTreeMap<_, _> = filter.to_pairs().into_iter().collect();
                Ok((Some(encode(&pairs)?), None))
            }
            Self::Listed(ids) => Ok((None, Some(encode(ids)?))),
        }
    }
}

impl BulkJob {
    /// Returns the sessions that it is for.
    ///
    /// # Errors
    /// [`Error::Internal`] when its row can't be read.
    pub fn selection(&self) -> Result<Selection> {
        match (&self.filter, &self.listed) {
            (Some(filter), _) => {
                let pairs: BTreeMap<String, String> = decode(filter)?;
                let pairs = pairs.iter().map(|(name, value)| (&**name, &**value));
                SessionFilter::parse(pairs)
                    .map(|filter| Selection::Matching(Box::new(filter)))
                    .map_err(|err| Error::Internal(Failure::new("a job's filter", err)))
            }
            (None, Some(listed)) => Ok(Selection::Listed(decode(listed)?)),
            (None, None) => Err(Error::Internal(Failure::because("a job of no sessions"))),
        }
    }

    /// Returns the sessions that it is for though their sign-in is after the order; `None` where it is
    /// for any such session up to the latest one.
    ///
    /// # Errors
    /// [`Error::Internal`] when its row can't be read.
    pub(super) fn ahead(&self) -> Result<Option<Vec<SessionId>>> {
        self.ahead.as_deref().map(decode).transpose()
    }

    /// Returns `filter` without sessions that were signed in after the latest one that it may end.
    pub(super) fn bounded(&self, filter: SessionFilter) -> SessionFilter {
        signed_in_by(self.opened_until, filter)
    }
}

impl Selection {
    /// Returns the selection without sessions that were signed in after `until`. Listed ones stay.
    #[must_use]
    pub fn signed_in_by(&self, until: Timestamp) -> Self {
        match self {
            Self::Listed(ids) => Self::Listed(ids.clone()),
            Self::Matching(filter) => {
                Self::Matching(Box::new(signed_in_by(until, (**filter).clone())))
            }
        }
    }
}

fn signed_in_by(until: Timestamp, filter: SessionFilter) -> SessionFilter {
    let after = until + TICK;
    let end = filter
        .opened_to
        .map_or(after, |bound| bound.resolve(after).min(after));
    SessionFilter {
        opened_to: Some(TimeBound::At(end)),
        ..filter
    }
}

pub(super) fn encode<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|err| Error::Internal(Failure::new("a job could not be stored", err)))
}

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|err| Error::Internal(Failure::new("a job could not be read", err)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_live_sessions_can_be_ended() {
        let now = Timestamp::clamped(1_000_000);
        let parse = |pairs: &[(&'static str, &'static str)]| {
            SessionFilter::parse(pairs.iter().copied()).unwrap()
        };
        assert!(Selection::matching(&parse(&[("state", "ended")]), now).is_err());
        assert!(Selection::matching(&parse(&[("reason", "limit")]), now).is_err());
        assert!(
            Selection::matching(&parse(&[("state", "any"), ("reason", "limit")]), now).is_err()
        );
        let all = Selection::matching(&parse(&[("state", "any"), ("os", "iOS")]), now).unwrap();
        let Selection::Matching(filter) = all else {
            panic!("a list");
        };
        assert_eq!(filter.state, Some(StateFilter::Live));
    }

    #[test]
    fn a_list_has_each_id_once_and_is_bounded() {
        let id = |n: u8| SessionId::from_bytes([n; 16]);
        let listed = Selection::listed([id(3), id(1), id(3)]).unwrap();
        assert_eq!(listed, Selection::Listed(vec![id(1), id(3)]));
        assert!(Selection::listed([]).is_err());
        assert!(Selection::listed(std::iter::repeat_n(id(1), MAX_LISTED + 1)).is_err());
    }
}
