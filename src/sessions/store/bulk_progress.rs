//! The queries of `bulk_jobs` that record how far a job has come, and that it was stopped.

use diesel::prelude::*;

use super::bulk_jobs::BulkJob;
use crate::clock::Timestamp;
use crate::db::schema::bulk_jobs;
use crate::db::{AnyConnection, ApiKeyId, JobId, SessionId, UserId, on_each};
use crate::error::Result;
use crate::events::StatedReason;
use crate::sessions::bulk::state::{BulkState, Stop};

/// What a batch did.
#[derive(Debug, Default)]
pub(in crate::sessions) struct Progress {
    pub(in crate::sessions) ended: i64,
    pub(in crate::sessions) already_over: i64,
    pub(in crate::sessions) failed: i64,
    pub(in crate::sessions) unknown: i64,
    pub(in crate::sessions) unmatched: i64,
    /// The last session that was dealt with; `None` when it was the last of all.
    pub(in crate::sessions) position: Option<(Option<Timestamp>, SessionId)>,
    /// The error of a session that failed.
    pub(in crate::sessions) error: Option<String>,
}

/// The counts of a job after a batch.
struct Totals {
    total: i64,
    is_total_exact: bool,
    ended: i64,
    already_over: i64,
    failed: i64,
    unknown: i64,
    unmatched: i64,
}

impl Totals {
    /// Adds up what a job has done. Once it is over, the counts add up to what it was for: those of
    /// which a filter found fewer in the end than when it was ordered don't match any more.
    fn new(job: &BulkJob, progress: &Progress, is_over: bool) -> Self {
        let mut totals = Self {
            total: job.total,
            is_total_exact: job.is_total_exact,
            ended: job.ended + progress.ended,
            already_over: job.already_over + progress.already_over,
            failed: job.failed + progress.failed,
            unknown: job.unknown + progress.unknown,
            unmatched: job.unmatched + progress.unmatched,
        };
        let handled =
            totals.ended + totals.already_over + totals.failed + totals.unknown + totals.unmatched;
        if is_over && job.is_total_exact {
            totals.unmatched += (job.total - handled).max(0);
        }
        if is_over && (!job.is_total_exact || handled > job.total) {
            totals.total = handled;
            totals.is_total_exact = true;
        }
        totals
    }
}

/// Records what a batch did, in the transaction that did it and has locked the job.
pub(in crate::sessions) fn update_progress(
    c: &mut AnyConnection,
    job: &BulkJob,
    progress: &Progress,
    now: Timestamp,
) -> Result<()> {
    use bulk_jobs::dsl;

    let is_over = progress.position.is_none();
    let state = match is_over {
        true => BulkState::Done,
        false => BulkState::Running,
    };
    let totals = Totals::new(job, progress, is_over);
    let position = progress
        .position
        .or(job.position_id.map(|position| (job.position_at, position)));
    let changes = (
        dsl::total.eq(totals.total),
        dsl::is_total_exact.eq(totals.is_total_exact),
        dsl::ended.eq(totals.ended),
        dsl::already_over.eq(totals.already_over),
        dsl::failed.eq(totals.failed),
        dsl::unknown.eq(totals.unknown),
        dsl::unmatched.eq(totals.unmatched),
        dsl::position_at.eq(position.and_then(|(at, _)| at)),
        dsl::position_id.eq(position.map(|(_, id)| id)),
        dsl::started_at.eq(job.started_at.unwrap_or(now)),
        dsl::updated_at.eq(now),
        dsl::state.eq(state.as_str()),
        dsl::finished_at.eq(is_over.then_some(now)),
        dsl::by_ip.eq(job.by_ip.as_deref().filter(|_| !is_over)),
        dsl::errors.eq(0),
        dsl::last_error.eq(progress.error.as_deref().or(job.last_error.as_deref())),
    );
    diesel::update(dsl::bulk_jobs.find(job.id))
        .set(changes)
        .execute(c)?;
    Ok(())
}

/// Records an error that is no session's own. Returns how many there were in a row.
pub(in crate::sessions) fn update_error(
    c: &mut AnyConnection,
    job: &BulkJob,
    error: &str,
    now: Timestamp,
) -> Result<i32> {
    let errors = job.errors.saturating_add(1);
    diesel::update(bulk_jobs::table.find(job.id))
        .set((
            bulk_jobs::errors.eq(errors),
            bulk_jobs::last_error.eq(error),
            bulk_jobs::updated_at.eq(now),
        ))
        .execute(c)?;
    Ok(errors)
}

/// The changes that stop a job.
macro_rules! stopped {
    ($stop:expr, $now:expr) => {
        (
            bulk_jobs::state.eq(BulkState::Stopped.as_str()),
            bulk_jobs::stop_cause.eq($stop.cause.as_str()),
            bulk_jobs::stopped_by_user_id.eq($stop.origin.user),
            bulk_jobs::stopped_by_application_id.eq($stop.origin.application),
            bulk_jobs::stop_reason.eq($stop.origin.reason.as_ref().map(StatedReason::as_str)),
            bulk_jobs::updated_at.eq($now),
            bulk_jobs::finished_at.eq($now),
            bulk_jobs::by_ip.eq(None::<&str>),
        )
    };
}

/// Marks a running job as one that can't go on.
pub(in crate::sessions) fn fail_job(
    c: &mut AnyConnection,
    id: JobId,
    now: Timestamp,
) -> Result<()> {
    let running = bulk_jobs::table
        .filter(bulk_jobs::id.eq(id))
        .filter(bulk_jobs::state.eq(BulkState::Running.as_str()));
    let changes = (
        bulk_jobs::state.eq(BulkState::Failed.as_str()),
        bulk_jobs::updated_at.eq(now),
        bulk_jobs::finished_at.eq(now),
        bulk_jobs::by_ip.eq(None::<&str>),
    );
    diesel::update(running).set(changes).execute(c)?;
    Ok(())
}

/// Stops a job that is running. Returns it if it was running.
pub(in crate::sessions) fn stop_job(
    c: &mut AnyConnection,
    id: JobId,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<Option<BulkJob>> {
    let running = bulk_jobs::table
        .filter(bulk_jobs::id.eq(id))
        .filter(bulk_jobs::state.eq(BulkState::Running.as_str()));
    let stopped = on_each!(c, c => diesel::update(running)
        .set(stopped!(stop, now))
        .returning(BulkJob::as_returning())
        .get_result(c)
        .optional())?;
    Ok(stopped)
}

/// Stops the running jobs that a person ordered, and returns them.
pub(in crate::sessions) fn stop_jobs_of(
    c: &mut AnyConnection,
    by: UserId,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<Vec<BulkJob>> {
    let running = bulk_jobs::table
        .filter(bulk_jobs::by_user_id.eq(by))
        .filter(bulk_jobs::state.eq(BulkState::Running.as_str()));
    let stopped = on_each!(c, c => diesel::update(running)
        .set(stopped!(stop, now))
        .returning(BulkJob::as_returning())
        .get_results(c))?;
    Ok(stopped)
}

/// Stops the running jobs that were ordered with a key, and returns them.
pub(in crate::sessions) fn stop_jobs_of_key(
    c: &mut AnyConnection,
    key: ApiKeyId,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<Vec<BulkJob>> {
    let running = bulk_jobs::table
        .filter(bulk_jobs::by_key_id.eq(key))
        .filter(bulk_jobs::state.eq(BulkState::Running.as_str()));
    let stopped = on_each!(c, c => diesel::update(running)
        .set(stopped!(stop, now))
        .returning(BulkJob::as_returning())
        .get_results(c))?;
    Ok(stopped)
}

/// Locks the running jobs that a person ordered until the transaction ends, once their present batches
/// are over. On SQLite a transaction that writes is alone.
pub(crate) fn lock_running_jobs_of(c: &mut AnyConnection, by: UserId) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        bulk_jobs::table
            .filter(bulk_jobs::by_user_id.eq(by))
            .filter(bulk_jobs::state.eq(BulkState::Running.as_str()))
            .order(bulk_jobs::id)
            .select(bulk_jobs::id)
            .for_update()
            .load::<JobId>(c)?;
    }
    Ok(())
}

/// Locks the running jobs that were ordered with a key, as [`lock_running_jobs_of`] does.
pub(in crate::sessions) fn lock_running_jobs_of_key(
    c: &mut AnyConnection,
    key: ApiKeyId,
) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        bulk_jobs::table
            .filter(bulk_jobs::by_key_id.eq(key))
            .filter(bulk_jobs::state.eq(BulkState::Running.as_str()))
            .order(bulk_jobs::id)
            .select(bulk_jobs::id)
            .for_update()
            .load::<JobId>(c)?;
    }
    Ok(())
}

/// Locks a job until the transaction ends, once its present batch is over.
pub(in crate::sessions) fn lock_job(c: &mut AnyConnection, id: JobId) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        bulk_jobs::table
            .find(id)
            .select(bulk_jobs::id)
            .for_update()
            .load::<JobId>(c)?;
    }
    Ok(())
}
