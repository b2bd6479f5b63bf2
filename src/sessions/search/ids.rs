//! The ids of the sessions that satisfy a filter, in batches, for jobs that change them.

use super::criteria::{Position, WalkOrder};
use super::filter::{SessionFilter, SortKey};
use super::resolve::resolve;
use super::walk::Walk;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId};
use crate::error::Result;
use crate::sessions::store::search as store;

/// The steps of a walk in a batch, each longer than the one before.
const STEPS: u32 = 3;

/// A batch of ids.
#[derive(Debug)]
pub struct IdBatch {
    /// The sessions that satisfy the filter, by the time of their sign-in.
    pub sessions: Vec<SessionId>,
    /// The position after which the next batch begins; `None` when the end was reached.
    pub position: Option<(Timestamp, SessionId)>,
}

/// Lists ids of sessions that satisfy a filter, in the order of their sign-ins, which never changes.
/// It returns at most `limit` ids and reads a bounded number of rows, about twenty times as many at
/// most, so a batch may be empty before the end.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn list_ids_after(
    c: &mut AnyConnection,
    filter: &SessionFilter,
    after: Option<(Timestamp, SessionId)>,
    now: Timestamp,
    limit: i64,
) -> Result<IdBatch> {
    let order = WalkOrder {
        key: SortKey::Opened,
        descending: false,
    };
    let start = after.map(|(at, id)| Position {
        at: at.timestamp_micros(),
        id,
    });
    let Some(criteria) = resolve(c, filter, now)? else {
        return Ok(IdBatch {
            sessions: Vec::new(),
            position: None,
        });
    };
    let needed = usize::try_from(limit).unwrap_or_default().max(1);
    let mut walk = Walk::new(c, criteria, order, start, needed)?;
    let mut steps = 0;
    while !(walk.is_over() || walk.has_begun() && steps >= STEPS) {
        walk.step(c)?;
        steps += 1;
    }
    let walked = walk.finish();
    let position = |at: Position| (Timestamp::clamped(at.at), at.id);
    Ok(IdBatch {
        sessions: walked.found.into_iter().map(|at| at.id).collect(),
        position: walked.rest.map(position),
    })
}

/// Lists those of `ids` that satisfy a filter.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(in crate::sessions) fn list_matching(
    c: &mut AnyConnection,
    filter: &SessionFilter,
    ids: Vec<SessionId>,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    match resolve(c, filter, now)? {
        Some(criteria) => store::list_matching(c, &criteria, ids),
        None => Ok(Vec::new()),
    }
}
