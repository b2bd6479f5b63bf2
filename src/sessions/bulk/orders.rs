//! Orders to end sessions: made, listed, stopped and purged.

use super::batch::BatchOutcome;
use super::preview::EndPreview;
use super::selection::{MAX_LISTED, OwnSessions, Selection, encode};
use super::state::BulkState;
use super::ticket::OrderTicket;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, JobId, NodeLock};
use crate::error::{Chain, Error, Result};
use crate::events::{Origin, StatedReason};
use crate::listing::{MatchCount, Page, Place};
use crate::sessions::Sessions;
use crate::sessions::authority::Authority;
use crate::sessions::store::{self, BulkJob, NewBulkJob};

/// The most sessions that are ended before the response to the order.
const MAX_AT_ONCE: u64 = 200;
/// The number to which jobs are counted.
const MAX_COUNTED: usize = 10_000;
/// The batches that are run before that response. A node runs what is left.
const BATCHES_AT_ONCE: usize = 5;

/// What an order is that is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// Another order.
    Another,
    /// The same, if it has the same ticket and comes from the same session.
    Same(OrderTicket),
}

/// An order to end sessions.
#[derive(Debug, Clone)]
pub struct EndOrder {
    /// Which.
    pub selection: Selection,
    /// Whether those of the person in `origin` are among them.
    pub own: OwnSessions,
    /// What it is if it is made again.
    pub repetition: Repetition,
    /// Who orders it, from where, and the reason they state.
    pub origin: Origin,
}

/// An order that was made.
#[derive(Debug)]
pub struct Ordered {
    /// Its job. One for few sessions is done.
    pub job: BulkJob,
    /// What it was for.
    pub preview: EndPreview,
}

/// A page of jobs, newest first.
pub type JobPage = Page<BulkJob, JobId>;

impl Sessions {
    /// Orders that sessions end. Few end before this returns; for many, the nodes go on with the job.
    ///
    /// # Errors
    /// Those of [`Self::create_job`]; then there is no order.
    pub async fn order_end(&self, order: EndOrder) -> Result<Ordered> {
        let ordered = self.create_job(order).await?;
        let is_small = ordered.preview.is_exact && ordered.preview.sessions <= MAX_AT_ONCE;
        if !is_small {
            return Ok(ordered);
        }
        let Ordered { job, preview } = ordered;
        for _ in 0..BATCHES_AT_ONCE {
            match self.run_bulk_batch(job.id).await {
                Ok(BatchOutcome::More) => {}
                Ok(BatchOutcome::Over | BatchOutcome::Elsewhere) => break,
                Err(err) => {
                    // The job is stored: the nodes try again.
                    tracing::warn!(error = %Chain(&err), job = %job.id, "a batch failed");
                    break;
                }
            }
        }
        let job = self.get_bulk_job(job.id).await.unwrap_or(job);
        Ok(Ordered { job, preview })
    }

    /// Stores an order without running any of it. One that is made again is what it was.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the filter names a person or an application that there is not, or
    /// several people with too many sessions; those of an administrator who is none any more;
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn create_job(&self, order: EndOrder) -> Result<Ordered> {
        let EndOrder {
            selection,
            own,
            repetition,
            origin,
        } = order;
        let selection = self.with_ids(selection).await?;
        let preview = match repetition {
            Repetition::Another => self.count_for(&selection, origin.user).await?,
            Repetition::Same(ticket) => {
                let due = selection.signed_in_by(ticket.until);
                self.count_for(&due, origin.user).await?
            }
        };
        let except = origin.user.filter(|_| own == OwnSessions::LeftOut);
        let total = preview.considered(own);
        let (filter, listed) = selection.to_stored()?;
        let (now, is_total_exact) = (self.clock.now(), preview.is_exact);
        let job = self
            .db
            .transaction(move |c| {
                // Whoever takes it from them waits for this, and stops what is stored by then.
                let authority = Authority::require(c, &origin, now)?;
                let origin = authority.origin();
                // The clock of the node that a session was signed in on may be ahead of this one.
                let ahead = list_ahead(c, now)?;
                let latest = store::find_latest_sign_in(c)?.unwrap_or(now).max(now);
                let (order_id, until) = match repetition {
                    Repetition::Another => (None, latest),
                    Repetition::Same(ticket) => (Some(ticket.id), ticket.until.min(latest)),
                };
                let job = NewBulkJob {
                    id: JobId::new(now),
                    created_at: now,
                    by_user_id: origin.user,
                    by_session_id: origin.session,
                    by_application_id: origin.application,
                    by_key_id: origin.key,
                    by_ip: origin.ip.as_deref(),
                    stated_reason: origin.reason.as_ref().map(StatedReason::as_str),
                    filter: filter.as_deref(),
                    listed: listed.as_deref(),
                    except_user_id: except,
                    opened_until: until,
                    state: BulkState::Running.as_str(),
                    total,
                    is_total_exact,
                    updated_at: now,
                    ahead: ahead.as_deref(),
                    order_id,
                };
                match store::insert_job(c, &job)? {
                    Some(job) => Ok(job),
                    None => find_first(c, &job),
                }
            })
            .await?;
        Ok(Ordered { job, preview })
    }

    /// Returns a job.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such job.
    pub async fn get_bulk_job(&self, id: JobId) -> Result<BulkJob> {
        self.db
            .read(move |c| store::find_job(c, id)?.ok_or(Error::NotFound))
            .await
    }

    /// Lists a page of jobs, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_bulk_jobs(&self, start: Option<Place<JobId>>, limit: u32) -> Result<JobPage> {
        let jobs = self
            .db
            .read(move |c| store::list_jobs(c, start, i64::from(limit) + 1))
            .await?;
        Ok(Page::cut(jobs, limit as usize, start.as_ref(), |job| {
            job.id
        }))
    }

    /// Counts the jobs, to 10,000.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn count_bulk_jobs(&self) -> Result<MatchCount> {
        let limit = MAX_COUNTED as i64 + 1;
        let counted = self.db.read(move |c| store::count_jobs(c, limit)).await?;
        Ok(MatchCount::up_to(MAX_COUNTED, counted))
    }

    /// Purges jobs that have been over for as long as ended sessions are retained, in batches,
    /// unless another node does so. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; what was purged until then stays
    /// purged.
    pub async fn purge_bulk_jobs(&self) -> Result<usize> {
        let before = self.clock.now() - self.policy.retention;
        let limit = i64::from(self.sweep_batch);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| {
                let over = store::list_jobs_finished_before(c, before, limit)?;
                match over.is_empty() {
                    true => Ok(0),
                    false => store::delete_jobs(c, &over),
                }
            })
            .await
    }
}

/// Returns the job of the order that another one repeats.
fn find_first(c: &mut AnyConnection, repeated: &NewBulkJob<'_>) -> Result<BulkJob> {
    let first = match (repeated.by_session_id, repeated.order_id) {
        (Some(session), Some(order)) => store::find_ordered(c, session, order)?,
        _ => None,
    };
    first.ok_or(Error::NotFound)
}

/// Returns the sessions whose sign-in is after `now`, as they are stored; `None` when they are so many
/// that the order is for all up to the latest one.
fn list_ahead(c: &mut AnyConnection, now: Timestamp) -> Result<Option<String>> {
    let limit = i64::try_from(MAX_LISTED).unwrap_or(i64::MAX);
    let ahead = store::list_live_signed_in_after(c, now, limit.saturating_add(1))?;
    match ahead.len() > MAX_LISTED {
        true => Ok(None),
        false => encode(&ahead).map(Some),
    }
}
