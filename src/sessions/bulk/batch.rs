//! The batches of a bulk job.

use super::selection::Selection;
use super::state::BulkState;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, JobId, SessionId};
use crate::error::{Chain, Error, Result};
use crate::events::Origin;
use crate::sessions::search::{IdBatch, list_ids_after};
use crate::sessions::store::{self, BulkJob, Progress, SessionEnd};
use crate::sessions::{EndedReason, Sessions, record_ended};
use crate::text;

/// The most sessions of a batch: what other writers wait for.
const BATCH: usize = 200;
/// Running jobs that a node takes turns with.
const MAX_RUNNING: i64 = 20;
/// Errors in a row, none of them a session's own, after which a job has failed.
const MAX_ERRORS: i32 = 5;
/// The characters of an error that are stored.
const MAX_ERROR_CHARS: usize = 200;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOutcome {
    /// It is written, and there is more to do.
    More,
    /// The job is over.
    Over,
    /// Nothing was done: another node is at the job, or it was over before.
    Elsewhere,
}

/// The sessions of a batch.
struct Due {
    sessions: Vec<SessionId>,
    position: Option<(Option<Timestamp>, SessionId)>,
}

/// What is done with the sessions of a batch.
#[derive(Clone)]
enum Act {
    End,
    /// They are counted as failed, with this error.
    Skip(String),
}

impl Sessions {
    /// Runs one batch of each running job. Returns how many of them have more to do.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn run_bulk_jobs(&self) -> Result<usize> {
        let running = self
            .db
            .read(|c| store::list_running_jobs(c, MAX_RUNNING))
            .await?;
        let mut unfinished = 0;
        for id in running {
            match self.run_bulk_batch(id).await {
                Ok(BatchOutcome::More) => unfinished += 1,
                Ok(BatchOutcome::Over | BatchOutcome::Elsewhere) => {}
                Err(err) => {
                    tracing::warn!(error = %Chain(&err), job = %id, "a batch failed; it is tried again");
                }
            }
        }
        Ok(unfinished)
    }

    /// Runs one batch of a job. If it fails, the sessions in it are ended one by one, and those that
    /// fail are counted.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond: the batch is to be tried again. Any
    /// other error is recorded in the job, which has failed after a few of them.
    pub async fn run_bulk_batch(&self, id: JobId) -> Result<BatchOutcome> {
        match self.run_batch(id, BATCH, Act::End).await {
            Err(err) if !is_temporary(&err) => self.run_one_by_one(id).await,
            outcome => outcome,
        }
    }

    async fn run_one_by_one(&self, id: JobId) -> Result<BatchOutcome> {
        let mut outcome = BatchOutcome::More;
        for _ in 0..BATCH {
            outcome = match self.run_batch(id, 1, Act::End).await {
                Err(err) if !is_temporary(&err) => self.skip(id, err).await?,
                outcome => outcome?,
            };
            if outcome != BatchOutcome::More {
                break;
            }
        }
        Ok(outcome)
    }

    /// Counts the next session as failed. If not even that is possible, it is the job that fails.
    async fn skip(&self, id: JobId, err: Error) -> Result<BatchOutcome> {
        tracing::error!(error = %Chain(&err), job = %id, "a session could not be ended");
        match self.run_batch(id, 1, Act::Skip(short(&err))).await {
            Err(err) if !is_temporary(&err) => {
                self.record_error(id, short(&err)).await?;
                Err(err)
            }
            outcome => outcome,
        }
    }

    async fn record_error(&self, id: JobId, error: String) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let Some(job) = store::lock_running_job(c, id)? else {
                    return Ok(());
                };
                if store::update_error(c, &job, &error, now)? >= MAX_ERRORS {
                    store::finish_job(c, id, BulkState::Failed, now)?;
                }
                Ok(())
            })
            .await
    }

    async fn run_batch(&self, id: JobId, size: usize, act: Act) -> Result<BatchOutcome> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let Some(job) = store::lock_running_job(c, id)? else {
                    return Ok(BatchOutcome::Elsewhere);
                };
                let due = list_due(c, &job, size, now)?;
                let position = due.position;
                let progress = match act {
                    Act::End => end(c, &job, due, now)?,
                    Act::Skip(error) => Progress {
                        failed: count(due.sessions.len()),
                        position,
                        error: Some(error),
                        ..Progress::default()
                    },
                };
                store::update_progress(c, &job, &progress, now)?;
                Ok(match position {
                    Some(_) => BatchOutcome::More,
                    None => BatchOutcome::Over,
                })
            })
            .await
    }
}

/// Lists the next sessions of a job, those of the person who is left out not among them.
fn list_due(c: &mut AnyConnection, job: &BulkJob, size: usize, now: Timestamp) -> Result<Due> {
    let mut due = match job.selection()? {
        Selection::Listed(ids) => listed_after(&ids, job.position_id, size),
        Selection::Matching(filter) => {
            let after = job.position_at.zip(job.position_id);
            let limit = i64::try_from(size).unwrap_or(i64::MAX);
            let IdBatch { sessions, position } =
                list_ids_after(c, &job.bounded(*filter), after, now, limit)?;
            let position = position.map(|(at, id)| (Some(at), id));
            Due { sessions, position }
        }
    };
    if let Some(except) = job.except_user_id {
        let owners = store::list_owners(c, &due.sessions, now)?;
        due.sessions.retain(|id| {
            let is_left_out =
                |(other, owner, _): &(SessionId, _, _)| other == id && *owner == except;
            !owners.iter().any(is_left_out)
        });
    }
    Ok(due)
}

fn listed_after(ids: &[SessionId], after: Option<SessionId>, size: usize) -> Due {
    let mut left = ids
        .iter()
        .filter(|id| after.is_none_or(|after| **id > after));
    let sessions: Vec<SessionId> = left.by_ref().take(size).copied().collect();
    let last = sessions.last().filter(|_| left.next().is_some());
    Due {
        position: last.map(|id| (None, *id)),
        sessions,
    }
}

/// Ends those of the sessions that are live, and records the events.
fn end(c: &mut AnyConnection, job: &BulkJob, due: Due, now: Timestamp) -> Result<Progress> {
    const REASON: EndedReason = EndedReason::Admin;

    let ended = match due.sessions.is_empty() {
        true => Vec::new(),
        false => {
            let origin = job.origin();
            let end = SessionEnd::by(&origin, REASON, now);
            let ended = store::end_listed(c, &due.sessions, end)?;
            record_ended(c, &ended, REASON, &origin, now)?;
            ended
        }
    };
    Ok(Progress {
        ended: count(ended.len()),
        already_over: count(due.sessions.len() - ended.len()),
        position: due.position,
        ..Progress::default()
    })
}

impl BulkJob {
    /// Returns who ordered it, as the origin of its events.
    fn origin(&self) -> Origin {
        Origin {
            user: self.by_user_id,
            session: self.by_session_id,
            ip: self.by_ip.clone(),
            application: self.by_application_id,
            job: Some(self.id),
            reason: self
                .stated_reason
                .as_deref()
                .and_then(|reason| reason.parse().ok()),
        }
    }
}

/// Returns whether the same batch may succeed later.
fn is_temporary(err: &Error) -> bool {
    err.retry_after().is_some()
}

fn short(err: &Error) -> String {
    let text = Chain(err).to_string();
    text::truncate_chars(&text, MAX_ERROR_CHARS).to_owned()
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
