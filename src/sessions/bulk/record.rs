//! An order to end sessions, and its job, as programs read them: in the API and on the command line.

use std::collections::BTreeMap;

use serde::Serialize;

use super::orders::Ordered;
use super::preview::EndPreview;
use super::selection::Selection;
use super::state::{BulkState, StopCause};
use crate::clock::Timestamp;
use crate::db::{ApplicationId, JobId, UserId};
use crate::error::Result;
use crate::listing::MatchCount;
use crate::sessions::store::BulkJob;

/// A job in JSON.
#[derive(Debug, Clone, Serialize)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// Whether it is running, or how it ended.
    pub state: BulkState,
    /// Why it was stopped, if it was.
    pub stop_cause: Option<StopCause>,
    /// The person who stopped it, if one did.
    pub stopped_by_user_id: Option<UserId>,
    /// The application whose key stopped it, if one did.
    pub stopped_by_application_id: Option<ApplicationId>,
    /// The reason that was stated for that.
    pub stop_reason: Option<String>,
    /// The reason that was stated, which the owners of the sessions see.
    pub stated_reason: Option<String>,
    /// The filter, if it is for the sessions that one finds.
    pub filter: Option<BTreeMap<&'static str, String>>,
    /// The number of ids, if it is for listed sessions.
    pub listed: Option<usize>,
    /// The person who ordered it. Neither they nor an application: on the command line.
    pub by_user_id: Option<UserId>,
    /// The application by whose key it was ordered.
    pub by_application_id: Option<ApplicationId>,
    /// Whether the sessions of the person who ordered it are included, if it was one.
    pub include_own: Option<bool>,
    /// How many sessions it was for.
    pub total: MatchCount,
    /// How many it has ended.
    pub ended: i64,
    /// How many were over before.
    pub already_over: i64,
    /// How many its filter did not find any more: they had ended, or were used since. Once it is done,
    /// these counts add up to `total`.
    pub no_longer_matching: i64,
    /// How many listed ids are no session's.
    pub unknown: i64,
    /// How many could not be ended.
    pub failed: i64,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When its first batch was run.
    pub started_at: Option<Timestamp>,
    /// When its last batch was run.
    pub updated_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
}

/// What came of an order, or would come of it, in JSON.
#[derive(Debug, Clone, Serialize)]
pub struct EndRecord {
    /// Whether sessions were only counted.
    pub dry_run: bool,
    /// The live sessions that it is for, the caller's own included.
    pub sessions: MatchCount,
    /// Their owners: at least so many, where it is not exact.
    pub people: MatchCount,
    /// The caller's own sessions among them.
    pub own: u64,
    /// How many were ended before the response.
    pub ended: i64,
    /// How many were over before; of a filter, how many ended since it was ordered.
    pub already_over: i64,
    /// How many a filter did not find any more.
    pub no_longer_matching: i64,
    /// How many listed ids are no session's.
    pub unknown: i64,
    /// How many could not be ended.
    pub failed: i64,
    /// The job, if there was need of one.
    pub job: Option<JobRecord>,
}

impl JobRecord {
    /// Returns a job.
    ///
    /// # Errors
    /// [`Error::Internal`](crate::Error::Internal) when what it is for can't be read.
    pub fn new(job: BulkJob) -> Result<Self> {
        let (filter, listed) = match job.selection()? {
            Selection::Matching(filter) => (Some(filter.to_pairs().into_iter().collect()), None),
            Selection::Listed(ids) => (None, Some(ids.len())),
        };
        let total = u64::try_from(job.total).unwrap_or_default();
        Ok(Self {
            id: job.id,
            state: job.state,
            stop_cause: job.stop_cause,
            stopped_by_user_id: job.stopped_by_user_id,
            stopped_by_application_id: job.stopped_by_application_id,
            stop_reason: job.stop_reason,
            filter,
            listed,
            by_user_id: job.by_user_id,
            by_application_id: job.by_application_id,
            include_own: job.by_user_id.map(|_| job.except_user_id.is_none()),
            total: MatchCount::of(total, job.is_total_exact),
            ended: job.ended,
            already_over: job.already_over,
            no_longer_matching: job.unmatched,
            unknown: job.unknown,
            failed: job.failed,
            created_at: job.created_at,
            started_at: job.started_at,
            updated_at: job.updated_at,
            finished_at: job.finished_at,
            stated_reason: job.stated_reason,
        })
    }
}

impl EndRecord {
    /// Returns what would come of an order.
    #[must_use]
    pub fn dry_run(preview: &EndPreview) -> Self {
        Self {
            dry_run: true,
            sessions: MatchCount::of(preview.sessions, preview.is_exact),
            people: MatchCount::of(preview.people, preview.is_exact),
            own: preview.own,
            ended: 0,
            already_over: i64::try_from(preview.already_over).unwrap_or(i64::MAX),
            no_longer_matching: 0,
            unknown: i64::try_from(preview.unknown).unwrap_or(i64::MAX),
            failed: 0,
            job: None,
        }
    }

    /// Returns what came of an order.
    ///
    /// # Errors
    /// As [`JobRecord::new`].
    pub fn ordered(ordered: Ordered) -> Result<Self> {
        let Ordered { job, preview } = ordered;
        Ok(Self {
            dry_run: false,
            ended: job.ended,
            already_over: job.already_over,
            no_longer_matching: job.unmatched,
            unknown: job.unknown,
            failed: job.failed,
            job: Some(JobRecord::new(job)?),
            ..Self::dry_run(&preview)
        })
    }

    /// Returns what came of ending a person's sessions, or one, without a job.
    #[must_use]
    pub fn done(ended: u64, already_over: i64) -> Self {
        let people = u64::from(ended > 0);
        Self {
            dry_run: false,
            sessions: MatchCount::Exactly(ended),
            people: MatchCount::Exactly(people),
            own: 0,
            ended: i64::try_from(ended).unwrap_or(i64::MAX),
            already_over,
            no_longer_matching: 0,
            unknown: 0,
            failed: 0,
            job: None,
        }
    }
}
