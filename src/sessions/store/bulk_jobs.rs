//! Every query of `bulk_jobs`.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::bulk_jobs;
use crate::db::{
    AnyConnection, ApiKeyId, ApplicationId, JobId, OrderId, SessionId, UserId, on_each,
    read_from_text,
};
use crate::error::Result;
use crate::listing::{Place, Way};
use crate::sessions::bulk::state::{BulkState, StopCause};

read_from_text!(BulkState);
read_from_text!(StopCause);

/// An order to end sessions, and how far it has come.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = bulk_jobs)]
pub struct BulkJob {
    /// Its id; later jobs have larger ones.
    pub id: JobId,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// The person who ordered it, if one did.
    pub by_user_id: Option<UserId>,
    /// The session it was ordered from, if any.
    pub by_session_id: Option<SessionId>,
    /// The application whose key ordered it, if one did.
    pub by_application_id: Option<ApplicationId>,
    /// The address it was ordered from; deleted once it is over.
    pub(in crate::sessions) by_ip: Option<String>,
    /// The reason that was stated.
    pub stated_reason: Option<String>,
    pub(in crate::sessions) filter: Option<String>,
    pub(in crate::sessions) listed: Option<String>,
    /// The person whose sessions are left out.
    pub except_user_id: Option<UserId>,
    /// Sessions of later sign-ins are not ended: the time of the order, or that of the latest sign-in
    /// before it, by a clock that is ahead.
    pub(in crate::sessions) opened_until: Timestamp,
    /// Whether it is running, or how it ended.
    pub state: BulkState,
    /// The sessions that it was for when it was ordered.
    pub total: i64,
    /// Whether `total` was counted to the end.
    pub is_total_exact: bool,
    /// The sessions that it has ended.
    pub ended: i64,
    /// The sessions that had ended before it came to them.
    pub already_over: i64,
    /// The sessions that could not be ended.
    pub failed: i64,
    pub(in crate::sessions) position_at: Option<Timestamp>,
    pub(in crate::sessions) position_id: Option<SessionId>,
    /// When its first batch ran.
    pub started_at: Option<Timestamp>,
    /// When it last came further.
    pub updated_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    pub(in crate::sessions) errors: i32,
    /// The last error, for operators: no client is sent it.
    pub last_error: Option<String>,
    /// Why it was stopped, if it was and that is known.
    pub stop_cause: Option<StopCause>,
    /// Of the sessions that were signed in after the order by their time, those that it is for all the
    /// same, as a JSON list; `None` for any up to `opened_until`.
    pub(in crate::sessions) ahead: Option<String>,
    /// The key that ordered it, if one did.
    pub(in crate::sessions) by_key_id: Option<ApiKeyId>,
    /// The person who stopped it, if one did.
    pub stopped_by_user_id: Option<UserId>,
    /// The application whose key stopped it, if one did.
    pub stopped_by_application_id: Option<ApplicationId>,
    /// The reason that was stated when it was stopped.
    pub stop_reason: Option<String>,
    /// The listed ids that no session has.
    pub unknown: i64,
    /// The sessions that its filter did not find any more when it came to them.
    pub unmatched: i64,
}

/// A job to be inserted.
#[derive(Insertable)]
#[diesel(table_name = bulk_jobs)]
pub(in crate::sessions) struct NewBulkJob<'a> {
    pub(in crate::sessions) id: JobId,
    pub(in crate::sessions) created_at: Timestamp,
    pub(in crate::sessions) by_user_id: Option<UserId>,
    pub(in crate::sessions) by_session_id: Option<SessionId>,
    pub(in crate::sessions) by_application_id: Option<ApplicationId>,
    pub(in crate::sessions) by_ip: Option<&'a str>,
    pub(in crate::sessions) stated_reason: Option<&'a str>,
    pub(in crate::sessions) filter: Option<&'a str>,
    pub(in crate::sessions) listed: Option<&'a str>,
    pub(in crate::sessions) except_user_id: Option<UserId>,
    pub(in crate::sessions) opened_until: Timestamp,
    pub(in crate::sessions) state: &'a str,
    pub(in crate::sessions) total: i64,
    pub(in crate::sessions) is_total_exact: bool,
    pub(in crate::sessions) updated_at: Timestamp,
    pub(in crate::sessions) ahead: Option<&'a str>,
    pub(in crate::sessions) by_key_id: Option<ApiKeyId>,
    pub(in crate::sessions) order_id: Option<OrderId>,
}

/// Inserts a job. Returns `None` when its session made the same order before.
pub(in crate::sessions) fn insert_job(
    c: &mut AnyConnection,
    job: &NewBulkJob<'_>,
) -> Result<Option<BulkJob>> {
    Ok(on_each!(c, c => diesel::insert_into(bulk_jobs::table)
        .values(job)
        .on_conflict((bulk_jobs::by_session_id, bulk_jobs::order_id))
        .do_nothing()
        .returning(BulkJob::as_returning())
        .get_result(c)
        .optional())?)
}

/// Finds the job of an order that was made in a session.
pub(in crate::sessions) fn find_ordered(
    c: &mut AnyConnection,
    session: SessionId,
    order: OrderId,
) -> Result<Option<BulkJob>> {
    Ok(bulk_jobs::table
        .filter(bulk_jobs::by_session_id.eq(session))
        .filter(bulk_jobs::order_id.eq(order))
        .select(BulkJob::as_select())
        .get_result(c)
        .optional()?)
}

/// Finds a job.
pub(in crate::sessions) fn find_job(c: &mut AnyConnection, id: JobId) -> Result<Option<BulkJob>> {
    Ok(bulk_jobs::table
        .find(id)
        .select(BulkJob::as_select())
        .get_result(c)
        .optional()?)
}

/// Finds a running job and locks its row until the transaction ends. Returns `None` also when
/// another transaction has the lock; on SQLite a transaction that writes is alone.
pub(in crate::sessions) fn lock_running_job(
    c: &mut AnyConnection,
    id: JobId,
) -> Result<Option<BulkJob>> {
    let running = bulk_jobs::table
        .filter(bulk_jobs::id.eq(id))
        .filter(bulk_jobs::state.eq(BulkState::Running.as_str()));
    if let AnyConnection::Postgres(c) = c {
        let locked: Option<JobId> = running
            .select(bulk_jobs::id)
            .for_update()
            .skip_locked()
            .get_result(c)
            .optional()?;
        if locked.is_none() {
            return Ok(None);
        }
    }
    Ok(running
        .select(BulkJob::as_select())
        .get_result(c)
        .optional()?)
}

/// Lists the running jobs, oldest first, at most `limit`.
pub(in crate::sessions) fn list_running_jobs(
    c: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<JobId>> {
    Ok(bulk_jobs::table
        .filter(bulk_jobs::state.eq(BulkState::Running.as_str()))
        .order(bulk_jobs::id)
        .limit(limit)
        .select(bulk_jobs::id)
        .load(c)?)
}

/// Lists at most `limit` jobs from a place on, in the order of the way. The list has the newest first.
pub(in crate::sessions) fn list_jobs(
    c: &mut AnyConnection,
    start: Option<Place<JobId>>,
    limit: i64,
) -> Result<Vec<BulkJob>> {
    let mut jobs = bulk_jobs::table
        .limit(limit)
        .select(BulkJob::as_select())
        .into_boxed();
    if let Some(Place { way, key }) = start {
        jobs = match way {
            Way::After => jobs.filter(bulk_jobs::id.lt(key)),
            Way::From => jobs.filter(bulk_jobs::id.le(key)),
            Way::Before => jobs.filter(bulk_jobs::id.gt(key)),
            Way::UpTo => jobs.filter(bulk_jobs::id.ge(key)),
        };
    }
    jobs = match start.is_none_or(|start| start.is_forward()) {
        true => jobs.order(bulk_jobs::id.desc()),
        false => jobs.order(bulk_jobs::id),
    };
    Ok(jobs.load(c)?)
}

/// Counts jobs, to `limit`.
pub(in crate::sessions) fn count_jobs(c: &mut AnyConnection, limit: i64) -> Result<usize> {
    let ids = bulk_jobs::table.select(bulk_jobs::id).limit(limit);
    let ids: Vec<JobId> = ids.load(c)?;
    Ok(ids.len())
}

/// Lists the addresses of the running jobs that a person ordered.
pub(crate) fn list_job_addresses(
    c: &mut AnyConnection,
    by: UserId,
) -> Result<Vec<(JobId, String)>> {
    Ok(bulk_jobs::table
        .filter(bulk_jobs::by_user_id.eq(by))
        .filter(bulk_jobs::by_ip.is_not_null())
        .order(bulk_jobs::id)
        .select((bulk_jobs::id, bulk_jobs::by_ip.assume_not_null()))
        .load(c)?)
}

/// Updates the address that a job was ordered from. One that is over has none.
pub(crate) fn update_job_address(
    c: &mut AnyConnection,
    id: JobId,
    ip: Option<&str>,
) -> Result<usize> {
    let running = bulk_jobs::table
        .find(id)
        .filter(bulk_jobs::by_ip.is_not_null());
    Ok(diesel::update(running)
        .set(bulk_jobs::by_ip.eq(ip))
        .execute(c)?)
}

/// Lists jobs that were over before `before`, at most `limit`.
pub(in crate::sessions) fn list_jobs_finished_before(
    c: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<JobId>> {
    Ok(bulk_jobs::table
        .filter(bulk_jobs::finished_at.lt(before))
        .order(bulk_jobs::finished_at)
        .limit(limit)
        .select(bulk_jobs::id)
        .load(c)?)
}

/// Deletes jobs. Returns how many there were.
pub(in crate::sessions) fn delete_jobs(c: &mut AnyConnection, ids: &[JobId]) -> Result<usize> {
    let listed = bulk_jobs::table.filter(bulk_jobs::id.eq_any(ids));
    Ok(diesel::delete(listed).execute(c)?)
}
