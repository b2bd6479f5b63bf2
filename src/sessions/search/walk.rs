//! Walks through the rows of a search: several lanes as one, in bounded steps, from a position.

use std::time::Duration;

use super::criteria::{Criteria, Lane, Position, WalkOrder};
use super::deadline::Deadline;
use super::plan::{FEW, plan};
use crate::db::AnyConnection;
use crate::error::Result;
use crate::sessions::store::search as store;

/// The rows of a step, at most.
const LARGEST_STEP: i64 = 8_192;
/// A step that takes longer is followed by a smaller one, so that a walk stops soon after its time.
const LONG_STEP: Duration = Duration::from_millis(250);
/// The rows that a first step reads beyond those that are needed: some live ones may have expired.
const SLACK: i64 = 16;

/// A walk, which is over when it has as many rows as needed or has come to the end.
pub(super) struct Walk {
    criteria: Criteria,
    order: WalkOrder,
    start: Option<Position>,
    needed: usize,
    lanes: Vec<Progress>,
}

/// How far a walk came on one lane.
struct Progress {
    lane: Lane,
    /// The rows found that satisfy the filter, in order.
    found: Vec<Position>,
    /// The last row that was read.
    last: Option<Position>,
    is_done: bool,
    step: i64,
}

/// What a walk found.
pub(super) struct Walked {
    /// The rows, in the order of the walk.
    pub(super) found: Vec<Position>,
    /// Where to go on, unless the end was reached.
    pub(super) rest: Option<Position>,
    /// Whether there is a row after those found.
    pub(super) has_more: bool,
}

impl Walk {
    /// Plans a walk to the first `needed` rows after `start`, and to see whether there are more.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn new(
        c: &mut AnyConnection,
        criteria: Criteria,
        order: WalkOrder,
        start: Option<Position>,
        needed: usize,
    ) -> Result<Self> {
        let lanes = plan(c, &criteria, order.key)?;
        Ok(Self::along(lanes, criteria, order, start, needed))
    }

    /// Returns a walk along these lanes.
    pub(super) fn along(
        lanes: Vec<Lane>,
        criteria: Criteria,
        order: WalkOrder,
        start: Option<Position>,
        needed: usize,
    ) -> Self {
        let progress = |lane| Progress {
            lane,
            found: Vec::new(),
            last: None,
            is_done: false,
            step: i64::try_from(needed)
                .unwrap_or(LARGEST_STEP)
                .min(LARGEST_STEP)
                + SLACK,
        };
        Self {
            criteria,
            order,
            start,
            needed,
            lanes: lanes.into_iter().map(progress).collect(),
        }
    }

    /// Returns whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        match self.horizon() {
            Horizon::End => true,
            Horizon::Start => false,
            Horizon::At(at) => self.count_to(at) > self.needed,
        }
    }

    /// Returns whether every lane was walked at least one step, so that there is a position to go on
    /// from.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.horizon(), Horizon::Start)
    }

    /// Walks one step, on the lane that is behind the others.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn step(&mut self, c: &mut AnyConnection) -> Result<()> {
        let (order, start) = (self.order, self.start);
        let behind = |a: &&mut Progress, b: &&mut Progress| match (&a.last, &b.last) {
            (Some(a), Some(b)) => order.compare(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        let open = self.lanes.iter_mut().filter(|lane| !lane.is_done);
        match open.min_by(behind) {
            Some(lane) => lane.step(c, &self.criteria, order, start),
            None => Ok(()),
        }
    }

    /// Returns what was found so far.
    pub(super) fn finish(self) -> Walked {
        let horizon = self.horizon();
        let order = self.order;
        let within = |at: &Position| match horizon {
            Horizon::Start => false,
            Horizon::At(last) => order.compare(at, &last).is_le(),
            Horizon::End => true,
        };
        let found = self.lanes.into_iter().flat_map(|lane| lane.found);
        let mut found: Vec<Position> = found.filter(within).collect();
        found.sort_unstable_by(|a, b| order.compare(a, b));
        found.dedup();
        let has_more = found.len() > self.needed;
        found.truncate(self.needed);
        let rest = match horizon {
            _ if has_more => found.last().copied().or(self.start),
            Horizon::At(last) => Some(last),
            Horizon::Start => self.start,
            Horizon::End => None,
        };
        Walked {
            found,
            rest,
            has_more,
        }
    }

    fn count_to(&self, last: Position) -> usize {
        let found = self.lanes.iter().flat_map(|lane| &lane.found);
        let within = found.filter(|at| self.order.compare(at, &last).is_le());
        within.count()
    }

    /// Returns up to where every lane was walked.
    fn horizon(&self) -> Horizon {
        let open = || self.lanes.iter().filter(|lane| !lane.is_done);
        if open().any(|lane| lane.last.is_none()) {
            return Horizon::Start;
        }
        let last = open().filter_map(|lane| lane.last);
        match last.min_by(|a, b| self.order.compare(a, b)) {
            Some(at) => Horizon::At(at),
            None => Horizon::End,
        }
    }
}

#[derive(Clone, Copy)]
enum Horizon {
    Start,
    At(Position),
    End,
}

impl Progress {
    fn step(
        &mut self,
        c: &mut AnyConnection,
        criteria: &Criteria,
        order: WalkOrder,
        start: Option<Position>,
    ) -> Result<()> {
        if !self.lane.is_sorted {
            return self.sort_all(c, criteria, order, start);
        }
        let after = self.last.or(start);
        let deadline = Deadline::after(LONG_STEP);
        let rows = store::scan(c, &self.lane, criteria, order, after, self.step)?;
        self.is_done = i64::try_from(rows.len()).unwrap_or(i64::MAX) < self.step;
        self.step = match deadline.is_over() {
            true => (self.step / 4).max(SLACK),
            false => (self.step * 4).min(LARGEST_STEP),
        };
        self.last = rows.last().map(|row| row.position).or(self.last);
        let matches = rows.into_iter().filter(|row| row.is_match);
        self.found.extend(matches.map(|row| row.position));
        Ok(())
    }

    /// Reads all rows of a lane that has few, and sorts them.
    fn sort_all(
        &mut self,
        c: &mut AnyConnection,
        criteria: &Criteria,
        order: WalkOrder,
        start: Option<Position>,
    ) -> Result<()> {
        // Some may have been added since they were counted.
        let rows = store::scan_unsorted(c, &self.lane, criteria, order.key, 2 * FEW)?;
        let follows = |at: &Position| start.is_none_or(|start| order.compare(&start, at).is_lt());
        let matches = rows.into_iter().filter(|row| row.is_match);
        self.found = matches.map(|row| row.position).filter(follows).collect();
        self.is_done = true;
        Ok(())
    }
}
