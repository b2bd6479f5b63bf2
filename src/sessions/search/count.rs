//! How many sessions a filter finds.

use std::time::Duration;

use super::criteria::{Criteria, Lane, Position, WalkOrder};
use super::deadline::Deadline;
use super::filter::{SessionFilter, SortKey};
use super::find::SearchPage;
use super::plan::plan_to_count;
use super::resolve::resolve;
use super::walk::Walk;
use crate::db::AnyConnection;
use crate::error::Result;
use crate::listing::MatchCount;
use crate::sessions::Sessions;
use crate::sessions::store::search as store;

/// Up to so many sessions are counted; of more, the number is estimated from a sample.
const COUNTED: usize = 10_000;
/// An estimate of so many is of more than are counted, however rare those are in the sample.
const CLEARLY_MORE: u64 = 3 * COUNTED as u64;
/// The rows of a lane that are counted first, to find out how long all take.
const PROBED: i64 = 1_000;
/// Where these take longer, the others are not counted.
const PROBE_BUDGET: Duration = Duration::from_millis(150);
/// How long counting may take before the number is estimated.
const COUNT_BUDGET: Duration = Duration::from_secs(1);

impl SearchPage {
    /// Returns the number of sessions that match, of which `counted` was found besides: where the page
    /// has all of them, that is what it has.
    #[must_use]
    pub fn total(&self, counted: MatchCount) -> MatchCount {
        let is_all = self.next.is_none() && self.previous.is_none() && !self.is_partial;
        counted.of_page(self.found.len(), is_all)
    }
}

impl Sessions {
    /// Counts the sessions that satisfy a filter: exactly to 10,000, and approximately beyond.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn count_matching(&self, filter: &SessionFilter) -> Result<MatchCount> {
        let Some((criteria, lanes)) = self.plan_count(filter).await? else {
            return Ok(MatchCount::Exactly(0));
        };
        let (counting, along) = (criteria.clone(), lanes.clone());
        let counted = self.db.search(move |c| count_at_once(c, &along, &counting));
        match counted.await? {
            AtOnce::Exactly(number) => Ok(MatchCount::Exactly(number)),
            AtOnce::Late(number) => Ok(MatchCount::About(number)),
            AtOnce::Many => self.estimate(criteria, COUNTED as u64).await,
            AtOnce::Unknown => self.count_or_estimate(criteria, lanes).await,
        }
    }

    /// Estimates how many sessions there are; where that isn't clearly more than are counted, counts
    /// them one by one.
    async fn count_or_estimate(&self, criteria: Criteria, lanes: Vec<Lane>) -> Result<MatchCount> {
        let estimated = self.estimate(criteria.clone(), 0).await?;
        if estimated.number() >= CLEARLY_MORE {
            return Ok(estimated);
        }
        let tally = self.walk_to_count(criteria, lanes).await?;
        let counted = tally.found.len() as u64;
        Ok(match tally.is_whole {
            true => MatchCount::Exactly(counted),
            false => MatchCount::About(estimated.number().max(counted)),
        })
    }

    /// Resolves a filter and chooses the lanes to count along; `None` when it finds no session.
    async fn plan_count(&self, filter: &SessionFilter) -> Result<Option<(Criteria, Vec<Lane>)>> {
        let (filter, now) = (filter.clone(), self.clock.now());
        let planned = self.db.search(move |c| {
            let Some(criteria) = resolve(c, &filter, now)? else {
                return Ok(None);
            };
            let lanes = plan_to_count(c, &criteria)?;
            Ok(Some((criteria, lanes)))
        });
        planned.await
    }

    /// Walks along the lanes, one after the other, up to one more than are counted.
    async fn walk_to_count(&self, criteria: Criteria, lanes: Vec<Lane>) -> Result<Tally> {
        let deadline = Deadline::after(COUNT_BUDGET);
        let mut tally = Tally {
            found: Vec::new(),
            is_whole: true,
        };
        for lane in lanes {
            let key = lane.own_key().unwrap_or(SortKey::Used);
            let order = WalkOrder {
                key,
                descending: true,
            };
            let is_sorted = lane.has_order(key);
            let lane = Lane { is_sorted, ..lane };
            let rest = COUNTED - tally.found.len();
            let walk = Walk::along(vec![lane], criteria.clone(), order, None, rest);
            let walked = self.walk(walk, &deadline).await?.finish();
            tally.found.extend(walked.found);
            tally.is_whole &= walked.rest.is_none() && !walked.has_more;
        }
        Ok(tally)
    }

    /// Estimates how many sessions there are, of which there are at least `least`.
    async fn estimate(&self, criteria: Criteria, least: u64) -> Result<MatchCount> {
        let estimated = self
            .db
            .search(move |c| store::estimate(c, &criteria))
            .await?;
        Ok(MatchCount::About(estimated.max(least)))
    }
}

/// The result of counting in one statement for each lane.
enum AtOnce {
    Exactly(u64),
    /// More than are counted.
    Many,
    /// The statements were at their limit before.
    Unknown,
    /// It takes too long; so many were found until then.
    Late(u64),
}

/// What was found by counting one by one, and whether that is all.
struct Tally {
    found: Vec<Position>,
    is_whole: bool,
}

fn count_at_once(c: &mut AnyConnection, lanes: &[Lane], criteria: &Criteria) -> Result<AtOnce> {
    let most = COUNTED as i64;
    let (mut matches, mut is_whole) = (0, true);
    for lane in lanes {
        let deadline = Deadline::after(PROBE_BUDGET);
        let (mut rows, mut found) = store::count_matches(c, lane, criteria, PROBED)?;
        let limit = most + most / 5;
        if rows == PROBED {
            if deadline.is_over() {
                return Ok(AtOnce::Late((matches + found).unsigned_abs()));
            }
            (rows, found) = store::count_matches(c, lane, criteria, limit)?;
        }
        matches += found;
        is_whole &= rows < limit;
    }
    Ok(match u64::try_from(matches).unwrap_or_default() {
        matches if matches > COUNTED as u64 => AtOnce::Many,
        matches if is_whole => AtOnce::Exactly(matches),
        _ => AtOnce::Unknown,
    })
}
