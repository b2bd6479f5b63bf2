//! What events are found by, in ids.

use super::EventKind;
use crate::db::{ApplicationId, EventId, JobId, SessionId, UserId};
use crate::net::IpKeyRange;

/// Which events; those that satisfy every part that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventCriteria {
    /// On whom: one of these; empty for anybody.
    pub users: Vec<UserId>,
    /// By whom: one of these; empty for anybody, or the service.
    pub by: Vec<UserId>,
    /// By which application's key.
    pub application: Option<ApplicationId>,
    /// What happened: one of these; empty for anything.
    pub kinds: Vec<EventKind>,
    /// With this detail.
    pub detail: Option<&'static str>,
    /// On which session.
    pub session: Option<SessionId>,
    /// By which bulk job.
    pub job: Option<JobId>,
    /// From where.
    pub ip: Option<IpKeyRange>,
    /// A text in the detail or in the stated reason, ignoring case.
    pub text: Option<String>,
    /// When.
    pub bounds: EventBounds,
}

/// A range of ids, and so of time: from the first one on, before the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventBounds {
    /// The least id.
    pub from: Option<EventId>,
    /// The id that is too great.
    pub before: Option<EventId>,
}

/// The order of events by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOrder {
    /// From the newest one to the oldest.
    NewestFirst,
    /// From the oldest one to the newest.
    OldestFirst,
}

impl EventBounds {
    /// Returns the range of the ids in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            before: match (self.before, other.before) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
        }
    }

    /// Returns whether `id` is in the range.
    #[must_use]
    pub fn contains(self, id: EventId) -> bool {
        self.from.is_none_or(|from| id >= from) && self.before.is_none_or(|before| id < before)
    }
}

impl EventCriteria {
    /// Returns the part whose index has the fewest events, without the others. The index of a range
    /// of addresses, or of several people, is not in the order of ids, so such a part is none.
    pub(super) fn driver(&self) -> Self {
        let none = Self::default();
        if self.session.is_some() {
            return Self {
                session: self.session,
                ..none
            };
        }
        if self.job.is_some() {
            return Self {
                job: self.job,
                ..none
            };
        }
        if self.users.len() == 1 {
            return Self {
                users: self.users.clone(),
                ..none
            };
        }
        if let Some(range) = self.ip.as_ref().filter(|range| range.first == range.last) {
            return Self {
                ip: Some(range.clone()),
                ..none
            };
        }
        if self.by.len() == 1 {
            return Self {
                by: self.by.clone(),
                ..none
            };
        }
        Self {
            application: self.application,
            kinds: match self.application {
                Some(_) => Vec::new(),
                None => self.kinds.clone(),
            },
            ..none
        }
    }

    /// Returns the criteria with each of the kinds, where there are several: the events of each are one
    /// range of an index.
    pub(super) fn by_kind(&self) -> Vec<Self> {
        let of = |kind: &EventKind| Self {
            kinds: vec![*kind],
            ..self.clone()
        };
        match self.kinds.len() {
            ..=1 => vec![self.clone()],
            _ => self.kinds.iter().map(of).collect(),
        }
    }

    /// Returns whether it is no more than kinds of events or an application, which may be many.
    pub(super) fn is_kind_or_all(&self) -> bool {
        let few = Self {
            kinds: Vec::new(),
            application: None,
            ..self.clone()
        };
        few == Self::default()
    }

    /// Returns the parts without the range of time.
    pub(super) fn without_bounds(&self) -> Self {
        Self {
            bounds: EventBounds::default(),
            ..self.clone()
        }
    }
}

/// Returns the next greater id.
pub(super) fn successor(id: EventId) -> EventId {
    let next = u128::from_be_bytes(*id.as_bytes()).saturating_add(1);
    EventId::from_bytes(next.to_be_bytes())
}
