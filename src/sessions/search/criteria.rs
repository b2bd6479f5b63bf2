//! What a search looks up in the database: a filter with its names resolved, and the positions and
//! the ways by which rows are walked.

use std::cmp::Ordering;

use super::filter::{BoundFilter, Mark, SessionFilter, SortKey, StateFilter};
use crate::clock::Timestamp;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::net::{IpFilter, IpKeyRange};
use crate::sessions::values::EndedReason;
use crate::user_agent::DeviceKind;

/// A filter whose names are resolved to what the rows contain.
#[derive(Debug, Clone)]
pub(in crate::sessions) struct Criteria {
    pub(in crate::sessions) now: Timestamp,
    pub(in crate::sessions) state: StateFilter,
    pub(in crate::sessions) users: Option<Vec<UserId>>,
    pub(in crate::sessions) application: Option<ApplicationId>,
    pub(in crate::sessions) reason: Option<EndedReason>,
    pub(in crate::sessions) kind: Option<DeviceKind>,
    pub(in crate::sessions) browser: Option<Spellings>,
    pub(in crate::sessions) os: Option<Spellings>,
    pub(in crate::sessions) country: Option<Spellings>,
    pub(in crate::sessions) ip: Option<IpKeyRange>,
    pub(in crate::sessions) mark: Option<Mark>,
    pub(in crate::sessions) bound: Option<BoundFilter>,
    pub(in crate::sessions) opened: TimeRange,
    pub(in crate::sessions) used: TimeRange,
    pub(in crate::sessions) text: Option<String>,
}

impl Criteria {
    /// Returns the part of the filter that is the same for every database; names are resolved by
    /// [`resolve`](super::resolve).
    pub(super) fn of(filter: &SessionFilter, now: Timestamp) -> Self {
        let range = |from: Option<crate::listing::TimeBound>,
                     to: Option<crate::listing::TimeBound>| TimeRange {
            from: from.map(|bound| bound.resolve(now)),
            to: to.map(|bound| bound.resolve(now)),
        };
        Self {
            now,
            state: filter.state(),
            users: None,
            application: None,
            reason: filter.reason,
            kind: filter.kind,
            browser: None,
            os: None,
            country: None,
            ip: filter.ip.map(IpFilter::keys),
            mark: filter.mark,
            bound: filter.bound,
            opened: range(filter.opened_from, filter.opened_to),
            used: range(filter.used_from, filter.used_to),
            text: filter.q.clone(),
        }
    }

    /// Returns the range of the times that rows are sorted by. No session is used or over before its
    /// sign-in, so that a walk in the order of one time begins where the range of another one does.
    pub(in crate::sessions) fn range_of(&self, key: SortKey) -> TimeRange {
        let (opened, used) = (self.opened, self.used);
        match key {
            SortKey::Used => TimeRange {
                from: used.from.max(opened.from),
                to: used.to,
            },
            SortKey::Opened => TimeRange {
                from: opened.from,
                to: [opened.to, used.to].into_iter().flatten().min(),
            },
            SortKey::Ended => TimeRange {
                from: opened.from,
                to: None,
            },
        }
    }
}

/// The texts of a column that are equal when case is ignored.
#[derive(Debug, Clone)]
pub(in crate::sessions) enum Spellings {
    /// All of them.
    Known(Vec<String>),
    /// The column has too many texts to list; this is the one looked for, in lower case.
    Unknown(String),
}

/// From a time, to before another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::sessions) struct TimeRange {
    pub(in crate::sessions) from: Option<Timestamp>,
    pub(in crate::sessions) to: Option<Timestamp>,
}

impl TimeRange {
    pub(in crate::sessions) fn is_whole(self) -> bool {
        self == Self::default()
    }
}

/// The rows that an index has apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sessions) enum Part {
    /// Those not marked as ended.
    Live,
    /// Those marked as ended.
    Ended,
    /// All of them.
    Both,
}

/// The index that leads to the rows, by the condition that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sessions) enum Driver {
    /// None but the order itself.
    Order,
    User(UserId),
    Ip(String),
    IpRange(String, String),
    Application(ApplicationId),
    Mark(Mark),
    Reason(EndedReason),
    Country(String),
    Os(String),
    Browser(String),
    Kind(DeviceKind),
    /// By the time of the sign-in.
    Opened,
    /// By the last use.
    Used,
}

/// A way to rows: one walk through one index.
#[derive(Debug, Clone)]
pub(in crate::sessions) struct Lane {
    pub(in crate::sessions) part: Part,
    pub(in crate::sessions) driver: Driver,
    /// Whether the index has the rows in the order of the list. Otherwise they are few, and are
    /// sorted here.
    pub(in crate::sessions) is_sorted: bool,
}

impl Lane {
    /// Returns what its index sorts rows by after its own condition.
    pub(in crate::sessions) fn own_key(&self) -> Option<SortKey> {
        match (&self.driver, self.part) {
            (Driver::Order | Driver::IpRange(..), _) => None,
            (Driver::Opened, _) => Some(SortKey::Opened),
            (Driver::Used | Driver::Mark(_), _) | (_, Part::Live | Part::Both) => {
                Some(SortKey::Used)
            }
            (_, Part::Ended) => Some(SortKey::Ended),
        }
    }

    /// Returns whether it can be walked in the order of `key`.
    pub(in crate::sessions) fn has_order(&self, key: SortKey) -> bool {
        self.driver == Driver::Order || self.own_key() == Some(key)
    }
}

/// A row's place in an order: the value that it is sorted by, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sessions) struct Position {
    /// The ten minutes of the last use, or microseconds since the Unix epoch.
    pub(in crate::sessions) at: i64,
    pub(in crate::sessions) id: SessionId,
}

/// The order in which rows are walked.
#[derive(Debug, Clone, Copy)]
pub(in crate::sessions) struct WalkOrder {
    pub(in crate::sessions) key: SortKey,
    pub(in crate::sessions) descending: bool,
}

impl WalkOrder {
    /// Compares two positions: what comes first on the walk is less.
    pub(super) fn compare(self, a: &Position, b: &Position) -> Ordering {
        match self.descending {
            true => b.cmp(a),
            false => a.cmp(b),
        }
    }

    /// Returns the order of the walk back.
    pub(super) fn reversed(self) -> Self {
        Self {
            descending: !self.descending,
            ..self
        }
    }

    /// Returns the position right before `position` on the walk.
    pub(super) fn before(self, position: Position) -> Position {
        let id = u128::from_be_bytes(*position.id.as_bytes());
        let id = match self.descending {
            true => id.saturating_add(1),
            false => id.saturating_sub(1),
        };
        Position {
            id: SessionId::from_bytes(id.to_be_bytes()),
            ..position
        }
    }
}

/// A row that a walk came by.
#[derive(Debug, Clone, Copy)]
pub(in crate::sessions) struct Scanned {
    pub(in crate::sessions) position: Position,
    /// Whether it satisfies the whole filter.
    pub(in crate::sessions) is_match: bool,
}
