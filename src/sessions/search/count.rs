//! How many sessions and people a filter finds.

use std::collections::HashSet;
use std::time::Duration;

use super::criteria::{Criteria, WalkOrder};
use super::filter::{SessionFilter, SortKey, StateFilter};
use super::find::{Deadline, FoundSession};
use super::resolve::resolve;
use super::walk::{Walk, Walked};
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::sessions::Sessions;
use crate::sessions::store::search as store;

/// Up to so many sessions are counted; of more, the number is estimated from a sample.
const COUNTED: usize = 10_000;
/// How long counting may take before the number is estimated.
const COUNT_BUDGET: Duration = Duration::from_secs(1);
/// The sessions that a preview names.
const EXAMPLES: usize = 20;
/// The ids of a statement.
const IDS: usize = 2_000;

/// A number of sessions or people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchCount {
    /// So many.
    Exactly(u64),
    /// About so many, estimated from a sample.
    About(u64),
}

impl MatchCount {
    /// Returns the number.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::About(number) => number,
        }
    }

    /// Returns whether it is an estimate.
    #[must_use]
    pub fn is_approximate(self) -> bool {
        matches!(self, Self::About(_))
    }
}

/// What a filter finds, for the page before all of it is ended.
#[derive(Debug)]
pub struct MatchPreview {
    /// How many sessions.
    pub sessions: MatchCount,
    /// How many people have them.
    pub people: MatchCount,
    /// How many of them are the caller's.
    pub own: u64,
    /// The first of them, in the default order.
    pub examples: Vec<FoundSession>,
}

impl MatchPreview {
    fn empty() -> Self {
        Self {
            sessions: MatchCount::Exactly(0),
            people: MatchCount::Exactly(0),
            own: 0,
            examples: Vec::new(),
        }
    }
}

impl Sessions {
    /// Counts the sessions that satisfy a filter: exactly to 10,000, and approximately beyond.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn count_matching(&self, filter: &SessionFilter) -> Result<MatchCount> {
        let Some(criteria) = self.find_criteria(filter).await? else {
            return Ok(MatchCount::Exactly(0));
        };
        let walked = self.walk_to_count(criteria.clone()).await?;
        self.total(criteria, &walked).await
    }

    /// Counts the sessions that satisfy a filter and the people who have them, and those of `own`.
    /// Up to 10,000 sessions the numbers are exact.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn preview_matching(
        &self,
        filter: &SessionFilter,
        own: Option<UserId>,
    ) -> Result<MatchPreview> {
        let Some(criteria) = self.find_criteria(filter).await? else {
            return Ok(MatchPreview::empty());
        };
        let walked = self.walk_to_count(criteria.clone()).await?;
        let sessions = self.total(criteria.clone(), &walked).await?;
        let ids: Vec<SessionId> = walked.found.iter().map(|at| at.id).collect();
        let (counted, people) = (ids.len() as u64, self.count_people(ids).await?);
        let people = match sessions {
            MatchCount::Exactly(_) => MatchCount::Exactly(people),
            // In the same proportion as among those that were counted.
            MatchCount::About(all) => MatchCount::About(scaled(people, all, counted)),
        };
        let first = &walked.found[..walked.found.len().min(EXAMPLES)];
        let examples = self.find_all(first, criteria.state, criteria.now).await?;
        Ok(MatchPreview {
            sessions,
            people,
            own: self.count_own(criteria, own).await?,
            examples,
        })
    }

    async fn find_criteria(&self, filter: &SessionFilter) -> Result<Option<Criteria>> {
        let (filter, now) = (filter.clone(), self.clock.now());
        self.db.read(move |c| resolve(c, &filter, now)).await
    }

    async fn walk_to_count(&self, criteria: Criteria) -> Result<Walked> {
        let deadline = Deadline::after(COUNT_BUDGET);
        let order = WalkOrder {
            key: match criteria.state {
                StateFilter::Ended => SortKey::Ended,
                StateFilter::Live | StateFilter::Any => SortKey::Used,
            },
            descending: true,
        };
        let walk = self
            .db
            .read(move |c| Walk::new(c, criteria, order, None, COUNTED));
        let walk = self.walk(walk.await?, &deadline).await?;
        Ok(walk.finish())
    }

    /// Returns how many sessions there are, of which a walk has found the first.
    async fn total(&self, criteria: Criteria, walked: &Walked) -> Result<MatchCount> {
        let counted = walked.found.len() as u64;
        if walked.rest.is_none() {
            return Ok(MatchCount::Exactly(counted));
        }
        let estimated = self.db.read(move |c| store::estimate(c, &criteria)).await?;
        Ok(MatchCount::About(estimated.max(counted)))
    }

    async fn count_own(&self, criteria: Criteria, own: Option<UserId>) -> Result<u64> {
        let is_possible = |own: &UserId| {
            let users = criteria.users.as_ref();
            users.is_none_or(|users| users.contains(own))
        };
        let Some(own) = own.filter(is_possible) else {
            return Ok(0);
        };
        let criteria = Criteria {
            users: Some(vec![own]),
            ..criteria
        };
        let walked = self.walk_to_count(criteria).await?;
        Ok(walked.found.len() as u64)
    }

    async fn count_people(&self, ids: Vec<SessionId>) -> Result<u64> {
        let people = self.db.read(move |c| {
            let mut people = HashSet::new();
            for ids in ids.chunks(IDS) {
                people.extend(store::list_owners(c, ids)?);
            }
            Ok(people.len() as u64)
        });
        people.await
    }
}

fn scaled(part: u64, all: u64, counted: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(all) / u128::from(counted.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
