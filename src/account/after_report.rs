//! After a report: what else a person should do once they have reported an alert, since whoever it
//! was may know their password. What is done is worked out from what happened; what they skip is
//! recorded with the alert. After several reports the steps are those of the last one: what was not done
//! after an earlier one is not done after it either.

use std::iter;
use std::time::Duration;

use super::Accounts;
use super::report_steps::{AfterReport, StepState, is_signed_out_by_person};
use super::reported_group::{Report, device_names, first_step, has_new_password, load_reports};
use super::review_record::record_review;
use super::trust::TrustBasis;
use crate::alerts::{self, Alert, StepRecord};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, SessionId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::people::User;
use crate::sessions::{self, Caller, Session};

/// How long the steps are shown.
const SHOWN_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Reports whose steps are shown as one at most.
const MAX_REPORTS: u32 = 5;

/// What a person did that may be one of the steps after a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepAct {
    /// They skipped a step, or confirmed their e-mail as one.
    Recorded,
    /// They signed out others from this session, at this time.
    SignedOutOthers(SessionId, Timestamp),
    /// They changed the password.
    ChangedPassword,
    /// They verified the e-mail, or changed it.
    VerifiedEmail,
}

impl Accounts {
    /// Finds the steps after the last report of an alert, for a caller whose device was known before that
    /// alert; also when each is done or skipped. `live` are the person's live sessions.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_after_report(
        &self,
        caller: &Caller,
        live: Vec<Session>,
    ) -> Result<Option<AfterReport>> {
        let now = self.clock.now();
        let (user, session) = (caller.user.clone(), caller.session.clone());
        self.db
            .read(move |c| {
                let reported = list_reported(c, &user, now)?;
                find_among(c, (&user, &session), (reported, &live), now)
            })
            .await
    }

    /// Returns whether a person has set a new password since everybody came whom the reports of these alerts are about.
    ///
    /// # Errors
    /// As [`Accounts::find_after_report`].
    pub async fn has_new_password(&self, user: &User, reported: &[Alert]) -> Result<bool> {
        let (user, now) = (user.clone(), self.clock.now());
        let reported: Vec<AlertId> = reported.iter().map(|alert| alert.id).collect();
        self.db
            .read(move |c| has_new_password(c, &user, &reported, now))
            .await
    }

    /// Finds the steps after the last report of an alert if an act of the caller, just now, finished them:
    /// if its step was not done before, and none is left to do. Of a step that was skipped before, only if no
    /// other is skipped.
    ///
    /// # Errors
    /// As [`Accounts::find_after_report`].
    pub async fn find_finish(&self, caller: &Caller, act: StepAct) -> Result<Option<AfterReport>> {
        let now = self.clock.now();
        let (user, session) = (caller.user.clone(), caller.session.clone());
        self.db
            .read(move |c| {
                let Some(steps) = find(c, &user, &session, now)?.filter(|it| !it.is_open()) else {
                    return Ok(None);
                };
                let has_finished = has_finished(c, (&user, &session), &steps, act)?;
                Ok(Some(steps).filter(|_| has_finished))
            })
            .await
    }

    /// Records what the caller did about a step after a report. Returns the steps as they are then.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there are no such steps for the caller.
    pub async fn record_step(
        &self,
        caller: &Caller,
        id: AlertId,
        record: StepRecord,
    ) -> Result<AfterReport> {
        let now = self.clock.now();
        let (user, session) = (caller.user.clone(), caller.session.clone());
        let origin = caller.origin();
        self.db
            .transaction(move |c| {
                let steps = find(c, &user, &session, now)?;
                if steps.is_none_or(|steps| steps.alert.id != id)
                    || !alerts::store::record_step(c, (user.id, id), record, now)?
                {
                    return Err(Error::NotFound);
                }
                record_review(c, user.id, "step", &origin, now)?;
                find(c, &user, &session, now)?.ok_or(Error::NotFound)
            })
            .await
    }
}

fn find(
    c: &mut AnyConnection,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Result<Option<AfterReport>> {
    let reported = list_reported(c, user, now)?;
    let live = match reported.is_empty() {
        true => Vec::new(),
        false => sessions::store::list_live(c, user.id, now)?,
    };
    find_among(c, (user, session), (reported, &live), now)
}

fn list_reported(c: &mut AnyConnection, user: &User, now: Timestamp) -> Result<Vec<Alert>> {
    alerts::store::list_last_reported(c, user.id, now - SHOWN_FOR, MAX_REPORTS)
}

/// Finds the steps after the last one of the `reported` alerts, of a person with these live sessions.
fn find_among(
    c: &mut AnyConnection,
    (user, session): (&User, &Session),
    (reported, live): (Vec<Alert>, &[Session]),
    now: Timestamp,
) -> Result<Option<AfterReport>> {
    let Some(basis) = find_basis(c, session, &reported, now)? else {
        return Ok(None);
    };
    let reports = load_reports(c, (user, session), (reported, live), &basis)?;
    let mut reports = reports.into_iter();
    let Some(first) = reports.next() else {
        return Ok(None);
    };
    let earlier: Vec<Report> = reports.filter(|it| it.steps.is_open()).collect();
    let all = iter::once(&first).chain(&earlier);
    let alerts: Vec<Alert> = all.flat_map(Report::alerts).cloned().collect();
    let mut last = first.steps;
    let is_password_left = earlier
        .iter()
        .any(|it| it.steps.password == StepState::Open);
    if last.password == StepState::Done && is_password_left {
        last.password = StepState::Open;
    }
    let others = sessions::store::list_compared(c, session.user_id, Some(session.id), None)?;
    if last.others == StepState::Done && !has_signed_out_since(&others, last.alert.reported_at()) {
        last.others = match live.iter().all(|it| it.is_on_device_of(session)) {
            true => StepState::NoneLeft,
            false => StepState::NoneFromBefore,
        };
    }
    last.devices = device_names(&alerts);
    last.first = first_step(c, &alerts)?;
    Ok(Some(last))
}

/// Returns whether somebody signed out one of these sessions after a report.
fn has_signed_out_since(sessions: &[Session], reported_at: Option<Timestamp>) -> bool {
    sessions
        .iter()
        .any(|it| is_signed_out_by_person(it) && it.ended_at > reported_at)
}

/// Returns whether an act did a step that was not done before, and with that what was to be done.
fn has_finished(
    c: &mut AnyConnection,
    (user, here): (&User, &Session),
    steps: &AfterReport,
    act: StepAct,
) -> Result<bool> {
    const EMAIL: [EventKind; 2] = [EventKind::EmailVerified, EventKind::EmailChanged];

    let Some(reported_at) = steps.alert.reported_at() else {
        return Ok(false);
    };
    let recorded = &steps.alert.steps;
    let mut is_first = |kinds: &[EventKind]| {
        let times = events::store::count_since(c, user.id, kinds, reported_at)?;
        Ok::<_, Error>(times == 1)
    };
    let (is_new, skipped_at) = match act {
        StepAct::Recorded => return Ok(true),
        StepAct::SignedOutOthers(by, at) => {
            let was_left = |ended: &Session| {
                ended.ended_by == Some(by)
                    && ended.created_at < reported_at
                    && !ended.is_on_device_of(here)
            };
            let ended = sessions::store::list_ended_at(c, user.id, at)?;
            (ended.iter().any(was_left), recorded.others_skipped_at)
        }
        StepAct::ChangedPassword => (
            is_first(&[EventKind::PasswordChanged])?,
            recorded.password_skipped_at,
        ),
        StepAct::VerifiedEmail => (
            recorded.email_confirmed_at.is_none() && is_first(&EMAIL)?,
            recorded.email_skipped_at,
        ),
    };
    Ok(is_new && (skipped_at.is_none() || !steps.has_skipped()))
}

/// Returns what trust is worked out from, if a session is trusted as of the last reported alert, which is the first
/// of these, and is not in doubt itself.
fn find_basis(
    c: &mut AnyConnection,
    session: &Session,
    reported: &[Alert],
    now: Timestamp,
) -> Result<Option<TrustBasis>> {
    let Some(last) = reported.first() else {
        return Ok(None);
    };
    let open = alerts::list_open(c, session.user_id, now)?;
    let first = open.iter().chain(reported).map(|alert| alert.at).min();
    let basis = TrustBasis::load_since(c, (session.user_id, first), &open, Some(session))?;
    let is_known = basis.is_owners_as_of(session, last) && !basis.is_in_doubt(session);
    Ok(is_known.then_some(basis))
}
