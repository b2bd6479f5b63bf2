//! The batches of a bulk job.

use super::selection::Selection;
use super::state::{Stop, StopCause};
use super::stopping::stop_job;
use crate::applications::{self, KeyState};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, JobId, SessionId};
use crate::error::{Chain, Error, Result};
use crate::events::Origin;
use crate::people;
use crate::sessions::search::{IdBatch, list_ids_after, list_matching, names_exist};
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
/// The error of a job that can't be completed, as it isn't known for which sessions it was.
const NAMES_GONE: &str = "the person or the application in its filter does not exist";

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

/// The sessions of a batch, once they are locked.
#[derive(Default)]
struct Sorted {
    matching: Vec<SessionId>,
    already_over: usize,
    unmatched: usize,
    unknown: usize,
}

/// What is done with the sessions of a batch.
#[derive(Clone)]
enum Act {
    End,
    /// They are counted as failed, with this error, if the job still has this position: another node
    /// may have gone on with it.
    Skip(Option<SessionId>, String),
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
            let position = self.get_bulk_job(id).await?.position_id;
            outcome = match self.run_batch(id, 1, Act::End).await {
                Err(err) if !is_temporary(&err) => self.skip(id, position, err).await?,
                outcome => outcome?,
            };
            if outcome != BatchOutcome::More {
                break;
            }
        }
        Ok(outcome)
    }

    /// Counts the session after `position` as failed. If not even that is possible, it is the job that
    /// fails.
    async fn skip(
        &self,
        id: JobId,
        position: Option<SessionId>,
        err: Error,
    ) -> Result<BatchOutcome> {
        tracing::error!(error = %Chain(&err), job = %id, "a session could not be ended");
        let skip = Act::Skip(position, short(&err));
        match self.run_batch(id, 1, skip).await {
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
                    store::fail_job(c, id, now)?;
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
                if matches!(&act, Act::Skip(position, _) if *position != job.position_id) {
                    return Ok(BatchOutcome::More);
                }
                if let Some(cause) = find_stop_cause(c, &job, now)? {
                    let origin = &Origin::default();
                    stop_job(c, id, Stop { cause, origin }, now)?;
                    return Ok(BatchOutcome::Over);
                }
                let Some(due) = list_due(c, &job, size, now)? else {
                    store::update_error(c, &job, NAMES_GONE, now)?;
                    store::fail_job(c, id, now)?;
                    return Ok(BatchOutcome::Over);
                };
                let position = due.position;
                let progress = match act {
                    Act::End => end(c, &job, due, now)?,
                    Act::Skip(_, error) => Progress {
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

/// Lists the next sessions of a job, those of the person who is left out not among them; `None` when
/// what its filter names is no more.
fn list_due(
    c: &mut AnyConnection,
    job: &BulkJob,
    size: usize,
    now: Timestamp,
) -> Result<Option<Due>> {
    let mut due = match job.selection()? {
        Selection::Listed(ids) => listed_after(&ids, job.position_id, size),
        Selection::Matching(filter) => {
            if !names_exist(c, &filter)? {
                return Ok(None);
            }
            let after = job.position_at.zip(job.position_id);
            let limit = i64::try_from(size).unwrap_or(i64::MAX);
            let IdBatch { sessions, position } =
                list_ids_after(c, &job.bounded(*filter), after, now, limit)?;
            let sessions = without_later(c, job, sessions)?;
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
    Ok(Some(due))
}

/// Returns why a job must not go on: whoever ordered it could not order it any more. What takes the
/// authority from them stops their jobs as well; this is for keys that expire, and for whatever else
/// changed the row.
fn find_stop_cause(
    c: &mut AnyConnection,
    job: &BulkJob,
    now: Timestamp,
) -> Result<Option<StopCause>> {
    if let Some(key) = job.by_key_id {
        return Ok(match applications::find_admin_key_state(c, key, now)? {
            KeyState::InUse => None,
            KeyState::Expired => Some(StopCause::KeyExpired),
            KeyState::Revoked => Some(StopCause::KeyRevoked),
        });
    }
    let Some(by) = job.by_user_id else {
        return Ok(None);
    };
    Ok(match people::store::get(c, by) {
        Err(Error::NotFound) => Some(StopCause::Deleted),
        Ok(user) if !user.is_active => Some(StopCause::Disabled),
        Ok(user) if !user.is_admin => Some(StopCause::Demoted),
        found => found.map(|_| None)?,
    })
}

/// Leaves out the sessions that were signed in after the order. Those that a clock had signed in ahead
/// of it by then are stored in the job.
fn without_later(
    c: &mut AnyConnection,
    job: &BulkJob,
    mut sessions: Vec<SessionId>,
) -> Result<Vec<SessionId>> {
    let ahead = job.ahead()?.filter(|_| job.opened_until > job.created_at);
    if let Some(ahead) = ahead {
        let mut later = store::list_signed_in_after(c, &sessions, job.created_at)?;
        later.retain(|id| !ahead.contains(id));
        sessions.retain(|id| !later.contains(id));
    }
    Ok(sessions)
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

    let Sorted {
        matching,
        already_over,
        unmatched,
        unknown,
    } = sort(c, job, due.sessions, now)?;
    let ended = match matching.is_empty() {
        true => Vec::new(),
        false => {
            let origin = job.origin();
            let end = SessionEnd::by(&origin, REASON, now);
            let ended = store::end_listed(c, &matching, end)?;
            record_ended(c, &ended, REASON, &origin, now)?;
            ended
        }
    };
    Ok(Progress {
        ended: count(ended.len()),
        already_over: count(already_over + matching.len() - ended.len()),
        unmatched: count(unmatched),
        unknown: count(unknown),
        position: due.position,
        ..Progress::default()
    })
}

/// Locks the sessions of a batch, and counts apart those that can't be ended. Since they were listed
/// they may have ended, or been used so that the job's filter doesn't find them any more.
fn sort(
    c: &mut AnyConnection,
    job: &BulkJob,
    due: Vec<SessionId>,
    now: Timestamp,
) -> Result<Sorted> {
    if due.is_empty() {
        return Ok(Sorted::default());
    }
    store::lock_listed(c, &due)?;
    let selection = job.selection()?;
    let matching = match &selection {
        Selection::Matching(filter) => {
            list_matching(c, &job.bounded((**filter).clone()), due.clone(), now)?
        }
        Selection::Listed(_) => due.clone(),
    };
    let found = store::list_owners(c, &due, now)?;
    let is_matching = |id: &SessionId| matching.contains(id);
    let others = found.iter().filter(|(id, ..)| !is_matching(id));
    let unmatched = others.filter(|(.., is_live)| *is_live).count();
    let gone = due.len() - found.len();
    let (unknown, gone) = match selection {
        Selection::Listed(_) => (gone, 0),
        // It was there when it was listed.
        Selection::Matching(_) => (0, gone),
    };
    let matching: Vec<SessionId> = found
        .iter()
        .map(|(id, ..)| *id)
        .filter(is_matching)
        .collect();
    Ok(Sorted {
        already_over: found.len() - matching.len() - unmatched + gone,
        matching,
        unmatched,
        unknown,
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
            key: self.by_key_id,
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
