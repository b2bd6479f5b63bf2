//! Bulk jobs as templates show them.

use std::collections::HashMap;

use super::{event_words, quantity};
use crate::db::{ApplicationId, UserId};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::reader_clock::ReaderClock;
use crate::pages::words::TimeView;
use crate::sessions::bulk::{BulkJob, BulkState, Selection, StopCause};
use crate::sessions::search::{SessionFilter, TimeBound};

const DELETED_APPLICATION: &str = "a deleted application";

/// A bulk job.
pub(super) struct JobView {
    pub(super) id: String,
    /// Its state in a word.
    pub(super) state: &'static str,
    /// The class of its badge.
    pub(super) badge: &'static str,
    pub(super) is_running: bool,
    /// What it ends: "8,412 sessions".
    pub(super) what: String,
    /// The parts of its filter: "browser: Firefox".
    pub(super) filter: Vec<String>,
    /// Who ordered it.
    pub(super) by: String,
    pub(super) reason: Option<String>,
    /// Who stopped it by hand.
    pub(super) stopped_by: Option<String>,
    /// The reason that they stated.
    pub(super) stop_reason: Option<String>,
    pub(super) unmatched: String,
    pub(super) has_unmatched: bool,
    pub(super) unknown: String,
    pub(super) has_unknown: bool,
    pub(super) ordered: TimeView,
    pub(super) finished: Option<TimeView>,
    pub(super) ended: String,
    pub(super) already_over: String,
    pub(super) failed: String,
    pub(super) has_any_over: bool,
    pub(super) has_failures: bool,
    /// Whether it is for sessions that were listed, and so for none that was signed in later.
    pub(super) is_for_listed: bool,
    /// Whether the sessions of its orderer are left out.
    pub(super) leaves_own: bool,
    /// The sessions it has come to, at most `total`.
    pub(super) handled: u64,
    /// At least 1, for the progress bar.
    pub(super) total: u64,
    /// How far it has come: "1,200 of 8,412 sessions".
    pub(super) progress: String,
    /// What became of it.
    pub(super) summary: String,
}

impl JobView {
    /// Returns the view of `job`.
    pub(super) async fn new(
        app: &AppState,
        names: &mut JobNames,
        job: BulkJob,
        clock: ReaderClock,
    ) -> Result<Self> {
        let size = |n: i64| u64::try_from(n).unwrap_or_default();
        let by = names
            .doer(app, (job.by_user_id, job.by_application_id))
            .await?;
        let stopped_by = match job.stop_cause {
            Some(StopCause::Requested) => {
                let by = (job.stopped_by_user_id, job.stopped_by_application_id);
                Some(names.doer(app, by).await?)
            }
            _ => None,
        };
        let selection = names.selection(app, &job).await?;
        let (what, filter) = describe(&job, &selection, size(job.total), clock);
        let handled = size(job.ended)
            + size(job.already_over)
            + size(job.failed)
            + size(job.unmatched)
            + size(job.unknown);
        let total = size(job.total).max(1);
        let is_running = job.state == BulkState::Running;
        Ok(Self {
            id: job.id.to_string(),
            state: state(job.state),
            badge: badge(job.state),
            is_running,
            what,
            filter,
            by,
            stopped_by,
            unmatched: quantity::number(size(job.unmatched)),
            has_unmatched: job.unmatched > 0,
            unknown: quantity::number(size(job.unknown)),
            has_unknown: job.unknown > 0,
            stop_reason: job.stop_reason.clone(),
            ordered: TimeView::ago(job.created_at, clock),
            finished: job.finished_at.map(|at| TimeView::ago(at, clock)),
            ended: quantity::number(size(job.ended)),
            already_over: quantity::number(size(job.already_over)),
            failed: quantity::number(size(job.failed)),
            has_any_over: job.already_over > 0,
            has_failures: job.failed > 0,
            is_for_listed: matches!(selection, Selection::Listed(_)),
            leaves_own: job.except_user_id.is_some(),
            handled: match job.state {
                BulkState::Done => total,
                _ => handled.min(total),
            },
            total,
            progress: progress(&job, handled),
            summary: summary(&job),
            reason: job.stated_reason,
        })
    }
}

fn describe(
    job: &BulkJob,
    selection: &Selection,
    total: u64,
    clock: ReaderClock,
) -> (String, Vec<String>) {
    let about = if job.is_total_exact { "" } else { "about " };
    match selection {
        Selection::Listed(_) => (
            match total {
                // One alone is no list.
                1 => "1 session".into(),
                _ => format!("{} that were listed", quantity::sessions(total)),
            },
            Vec::new(),
        ),
        Selection::Matching(filter) => (
            format!("{about}{} that matched", quantity::sessions(total)),
            filter_words(filter, clock.at(job.created_at)),
        ),
    }
}

/// Returns the parts of a filter in words: "browser: Firefox", "used before: 3 May 2026, 10:00 CEST".
/// A span counts from the time of `clock`, when it was ordered.
pub(super) fn filter_words(filter: &SessionFilter, clock: ReaderClock) -> Vec<String> {
    let time = |name: &str, bound: Option<TimeBound>| {
        let at = clock.zone.exact(bound?.resolve(clock.now));
        Some(format!("{name}: {at}"))
    };
    let times = [
        time("signed in since", filter.opened_from),
        time("signed in before", filter.opened_to),
        time("used since", filter.used_from),
        time("used before", filter.used_to),
    ];
    // All are live ones, and times are told above.
    let rest = SessionFilter {
        state: None,
        opened_from: None,
        opened_to: None,
        used_from: None,
        used_to: None,
        ..filter.clone()
    };
    let others = rest.to_pairs().into_iter().map(|(name, value)| match name {
        "q" => format!("text: {value}"),
        name => format!("{}: {value}", name.replace('_', " ")),
    });
    others.chain(times.into_iter().flatten()).collect()
}

fn state(state: BulkState) -> &'static str {
    match state {
        BulkState::Running => "Running",
        BulkState::Done => "Done",
        BulkState::Stopped => "Stopped",
        BulkState::Failed => "Failed",
    }
}

fn badge(state: BulkState) -> &'static str {
    match state {
        BulkState::Running => "",
        BulkState::Done => "badge-quiet",
        BulkState::Stopped => "badge-warn",
        BulkState::Failed => "badge-danger",
    }
}

fn progress(job: &BulkJob, handled: u64) -> String {
    let total = u64::try_from(job.total).unwrap_or_default();
    let about = if job.is_total_exact { "" } else { "about " };
    format!(
        "{} of {about}{}",
        quantity::number(handled),
        quantity::sessions(total.max(handled))
    )
}

/// Returns what became of the job so far, in sentences that its counts are behind.
fn summary(job: &BulkJob) -> String {
    let ended = match job.ended {
        0 => "No session was ended".into(),
        1 => "1 session is ended".into(),
        n => format!("{} are ended", quantity::sessions(n.unsigned_abs())),
    };
    let rest = match job.ended {
        0 => "all were left unchanged",
        _ => "the others were left unchanged",
    };
    match (job.state, job.failed) {
        (BulkState::Running, _) => format!("{ended} so far."),
        (BulkState::Done, 0) => {
            format!(
                "{ended}.{}{}{}",
                over_words(job),
                unmatched_words(job),
                unknown_words(job)
            )
        }
        (BulkState::Done, 1) => {
            format!("{ended}. 1 could not be ended and is still live; the log says why.")
        }
        (BulkState::Done, n) => format!(
            "{ended}. {} could not be ended and are still live; the log says why.",
            quantity::number(n.unsigned_abs())
        ),
        (BulkState::Stopped, _) => {
            format!("{} {ended}; {rest}.", stop_words(job.stop_cause))
        }
        (BulkState::Failed, _) => {
            format!("It could not go on; the log says why. {ended}; {rest}.")
        }
    }
}

/// Returns that a job was stopped, and why.
fn stop_words(cause: Option<StopCause>) -> String {
    match cause {
        None | Some(StopCause::Requested) => "It was stopped early.".into(),
        Some(cause) => format!("It was stopped: {}.", event_words::stop_cause(cause)),
    }
}

/// Returns the sentence about sessions that were over before the job came to them.
fn over_words(job: &BulkJob) -> String {
    match job.already_over {
        0 => String::new(),
        1 => " 1 had already ended.".into(),
        n => format!(" {} had already ended.", quantity::number(n.unsigned_abs())),
    }
}

/// Returns the sentence about sessions that matched when the job was ordered, and not when it came to
/// them.
fn unmatched_words(job: &BulkJob) -> String {
    match job.unmatched {
        0 => String::new(),
        1 => " 1 no longer matched: it had ended, or was used since.".into(),
        n => format!(
            " {} no longer matched: they had ended, or were used since.",
            quantity::number(n.unsigned_abs())
        ),
    }
}

/// Returns the sentence about ids that are no session's.
fn unknown_words(job: &BulkJob) -> String {
    match job.unknown {
        0 => String::new(),
        1 => " 1 listed id belongs to no session.".into(),
        n => format!(
            " {} listed ids belong to no session.",
            quantity::number(n.unsigned_abs())
        ),
    }
}

/// The names of those who ordered jobs, and of those they are for; each is found once.
#[derive(Default)]
pub(super) struct JobNames {
    people: HashMap<UserId, String>,
    applications: HashMap<ApplicationId, Option<String>>,
}

impl JobNames {
    /// Returns the name of who ordered or stopped a job.
    async fn doer(
        &mut self,
        app: &AppState,
        by: (Option<UserId>, Option<ApplicationId>),
    ) -> Result<String> {
        match by {
            (Some(id), _) => self.person(app, id).await,
            (None, Some(id)) => match self.application(app, id).await? {
                Some(name) => Ok(format!("the application {name}")),
                None => Ok(DELETED_APPLICATION.into()),
            },
            (None, None) => Ok("the command line".into()),
        }
    }

    /// Returns what `job` is for, with names in place of ids.
    async fn selection(&mut self, app: &AppState, job: &BulkJob) -> Result<Selection> {
        let mut selection = job.selection()?;
        if let Selection::Matching(filter) = &mut selection {
            if let Some(Ok(id)) = filter.user.as_deref().map(str::parse) {
                filter.user = Some(self.person(app, id).await?);
            }
            if let Some(Ok(id)) = filter.application.as_deref().map(str::parse) {
                let name = self.application(app, id).await?;
                filter.application = Some(name.unwrap_or_else(|| DELETED_APPLICATION.into()));
            }
        }
        Ok(selection)
    }

    async fn person(&mut self, app: &AppState, id: UserId) -> Result<String> {
        if let Some(name) = self.people.get(&id) {
            return Ok(name.clone());
        }
        let name = match app.people.get(id).await {
            Ok(person) => person.shown_email().to_owned(),
            Err(Error::NotFound) => "a deleted account".into(),
            Err(err) => return Err(err),
        };
        self.people.insert(id, name.clone());
        Ok(name)
    }

    async fn application(&mut self, app: &AppState, id: ApplicationId) -> Result<Option<String>> {
        if let Some(name) = self.applications.get(&id) {
            return Ok(name.clone());
        }
        let name = match app.applications.get(&id.to_string()).await {
            Ok(application) => Some(application.name.clone()),
            Err(Error::NotFound) => None,
            Err(err) => return Err(err),
        };
        self.applications.insert(id, name.clone());
        Ok(name)
    }
}
