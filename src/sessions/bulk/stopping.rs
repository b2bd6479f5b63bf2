//! Stopping jobs: by hand, or since whoever ordered one may not end sessions any more.

use super::state::{Stop, StopCause};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApiKeyId, JobId, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::sessions::Sessions;
use crate::sessions::authority::Authority;
use crate::sessions::store::{self, BulkJob};

impl Sessions {
    /// Stops a job, once its present batch is over. Returns it as it is then, also when it was over
    /// before. That it was stopped is recorded, with who did it and the reason in `origin`. An
    /// application stops what it ordered itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such job, or it is not the application's own; those of an
    /// administrator who is none any more.
    pub async fn stop_bulk_job(&self, id: JobId, origin: Origin) -> Result<BulkJob> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let authority = Authority::require_over_job(c, &origin, id, now)?;
                let origin = authority.origin();
                let job = store::find_job(c, id)?.ok_or(Error::NotFound)?;
                if origin.application.is_some() && origin.application != job.by_application_id {
                    return Err(Error::NotFound);
                }
                let stop = Stop {
                    cause: StopCause::Requested,
                    origin,
                };
                match stop_job(c, id, stop, now)? {
                    Some(stopped) => Ok(stopped),
                    None => Ok(job),
                }
            })
            .await
    }
}

/// Stops a job that is running, as a part of a transaction. Returns it if it was running.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(super) fn stop_job(
    c: &mut AnyConnection,
    id: JobId,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<Option<BulkJob>> {
    let stopped = store::stop_job(c, id, stop, now)?;
    let event = stopped.as_ref().map(|job| event(job, stop, now));
    events::record_events(c, event.as_slice())?;
    Ok(stopped)
}

/// Stops the running jobs that a person ordered, as a part of a transaction. Returns what is to be
/// recorded of it.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn stop_jobs_of(
    c: &mut AnyConnection,
    by: UserId,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<Vec<NewEvent>> {
    let stopped = store::stop_jobs_of(c, by, stop, now)?;
    let events = stopped.iter().map(|job| event(job, stop, now));
    Ok(events.collect())
}

/// Stops the running jobs that were ordered with a key, as a part of the transaction that revokes it.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn stop_jobs_of_key(
    c: &mut AnyConnection,
    key: ApiKeyId,
    stop: Stop<'_>,
    now: Timestamp,
) -> Result<()> {
    let stopped = store::stop_jobs_of_key(c, key, stop, now)?;
    let events = stopped.iter().map(|job| event(job, stop, now));
    events::record_events(c, &events.collect::<Vec<_>>())
}

/// Returns the event of a job that was stopped: of the person who ordered it, or else of who stopped
/// it; of nobody, where neither was a person.
fn event(job: &BulkJob, Stop { cause, origin }: Stop<'_>, now: Timestamp) -> NewEvent {
    let origin = Origin {
        job: Some(job.id),
        ..origin.clone()
    };
    let event = match job.by_user_id.or(origin.user) {
        Some(person) => NewEvent::for_person(person, EventKind::JobStopped, &origin, now),
        None => NewEvent::for_service(EventKind::JobStopped, &origin, now),
    };
    event.with_detail(cause.as_str())
}
