//! After a report: what else a person should do once they have reported an alert, since whoever it
//! was may know their password. What is done is worked out from what happened; what they skip is
//! recorded with the alert. After several reports the steps are those of the last one: what was not done
//! after an earlier one is not done after it either.

use std::time::Duration;

use super::Accounts;
use super::alert_details::list_settled_by;
use super::review_record::record_review;
use super::trust::TrustBasis;
use crate::alerts::{self, Alert, AlertKind, StepRecord};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, SessionId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind};
use crate::people::User;
use crate::sessions::{self, Caller, EndedReason, Session};

/// How long the steps are shown.
const SHOWN_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Reports whose steps are shown as one at most.
const MAX_REPORTS: u32 = 5;

/// The steps after a report of an alert.
#[derive(Debug, Clone)]
pub struct AfterReport {
    /// The alert; of several, the one that was reported last.
    pub alert: Alert,
    /// The names of the devices that were reported and have steps left, the last one first, with those of the
    /// alerts that were settled with them.
    pub devices: Vec<String>,
    /// What became of the device that was reported.
    pub first: FirstStep,
    /// Signing out the other devices.
    pub others: StepState,
    /// Setting a new password.
    pub password: StepState,
    /// Checking that the e-mail is right.
    pub email: StepState,
}

/// What became of the device that was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstStep {
    /// The report, or the person otherwise, signed it out.
    SignedOut,
    /// It had been signed out before, by something else.
    OverBefore,
    /// The alert was about none: it was reported.
    Reported,
}

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

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It is to be done.
    Open,
    /// It is done.
    Done,
    /// There is nothing to do: no other device is signed in.
    NoneLeft,
    /// There is nothing to do: the other devices signed in after the report.
    NoneFromBefore,
    /// It was skipped.
    Skipped,
}

impl StepState {
    fn new(is_done: bool, skipped_at: Option<Timestamp>) -> Self {
        match (is_done, skipped_at) {
            (true, _) => Self::Done,
            (false, Some(_)) => Self::Skipped,
            (false, None) => Self::Open,
        }
    }

    /// Returns whether it is done, or nothing is to be done.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::NoneLeft | Self::NoneFromBefore)
    }
}

impl AfterReport {
    /// Returns whether a step is still to be done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.has(StepState::Open)
    }

    /// Returns whether a step was skipped, and could be taken up again.
    #[must_use]
    pub fn has_skipped(&self) -> bool {
        self.has(StepState::Skipped)
    }

    fn has(&self, state: StepState) -> bool {
        [self.others, self.password, self.email].contains(&state)
    }

    /// Returns the steps for somebody who signs out the others from `here`.
    fn new(
        alert: Alert,
        user: &User,
        (here, live): (&Session, &[Session]),
        reported_at: Timestamp,
    ) -> Self {
        let is_left =
            |session: &Session| session.created_at < reported_at && !session.is_on_device_of(here);
        let is_any_left = live.iter().any(is_left);
        let steps = &alert.steps;
        let is_email_done =
            steps.email_confirmed_at.is_some() || user.email_verified_at > Some(reported_at);
        Self {
            devices: Vec::new(),
            first: FirstStep::Reported,
            others: StepState::new(!is_any_left, steps.others_skipped_at),
            password: StepState::new(
                user.password_changed_at > reported_at,
                steps.password_skipped_at,
            ),
            email: StepState::new(is_email_done, steps.email_skipped_at),
            alert,
        }
    }
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
    let mut reports = reported.into_iter().filter_map(|alert| {
        let reported_at = alert.reported_at()?;
        Some(AfterReport::new(alert, user, (session, live), reported_at))
    });
    let Some(mut last) = reports.next() else {
        return Ok(None);
    };
    let mut reported = vec![last.alert.clone()];
    reported.extend(reports.filter(AfterReport::is_open).map(|it| it.alert));
    let mut settled = Vec::new();
    for alert in &reported {
        settled.extend(list_settled_by(c, alert)?);
    }
    last.devices = device_names(reported.iter().chain(&settled));
    let others = sessions::store::list_compared(c, session.user_id, Some(session.id), None)?;
    let Some(basis) = find_basis(c, session, &last.alert, now)? else {
        return Ok(None);
    };
    if last.password != StepState::Done {
        let about: Vec<&Alert> = reported.iter().chain(&settled).collect();
        if has_new_password(c, user, &basis, &about)? {
            last.password = StepState::Done;
        }
    }
    if last.others == StepState::Done && !has_signed_out_since(&others, last.alert.reported_at()) {
        last.others = match live.iter().all(|it| it.is_on_device_of(session)) {
            true => StepState::NoneLeft,
            false => StepState::NoneFromBefore,
        };
    }
    last.first = first_step(c, &reported)?;
    Ok(Some(last))
}

/// Returns whether somebody signed out one of these sessions after a report.
fn has_signed_out_since(sessions: &[Session], reported_at: Option<Timestamp>) -> bool {
    sessions
        .iter()
        .any(|it| is_signed_out_by_person(it) && it.ended_at > reported_at)
}

fn is_signed_out_by_person(session: &Session) -> bool {
    matches!(
        session.ended_reason,
        Some(EndedReason::SignedOutRemotely | EndedReason::PasswordChanged)
    )
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

/// Returns what became of the devices of reported alerts: whether one of them was signed out by that.
fn first_step(c: &mut AnyConnection, alerts: &[Alert]) -> Result<FirstStep> {
    let mut first = FirstStep::Reported;
    for alert in alerts {
        let (Some(id), Some(reported_at)) = (alert.session_id, alert.reported_at()) else {
            continue;
        };
        let Some(subject) = sessions::store::find(c, alert.user_id, id)? else {
            return Ok(FirstStep::SignedOut);
        };
        let ended = sessions::store::list_ended_at(c, alert.user_id, reported_at)?;
        let is_by_report = ended.iter().any(|ended| ended.is_on_device_of(&subject));
        if is_signed_out_by_person(&subject) || is_by_report {
            return Ok(FirstStep::SignedOut);
        }
        first = FirstStep::OverBefore;
    }
    Ok(first)
}

/// Returns what alerts call their devices, each name once.
fn device_names<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for alert in alerts {
        if !names.contains(&alert.device_name) {
            names.push(alert.device_name.clone());
        }
    }
    names
}

/// Returns whether the person set a new password after everybody whom they reported had come, and before they
/// reported them: nobody of those can know it.
fn has_new_password(
    c: &mut AnyConnection,
    user: &User,
    basis: &TrustBasis,
    reported: &[&Alert],
) -> Result<bool> {
    let changes = alerts::store::list_of_kind(c, user.id, AlertKind::PasswordChanged)?;
    let Some(last) = changes.iter().find(|it| it.at == user.password_changed_at) else {
        return Ok(false);
    };
    for alert in reported {
        let is_theirs = (basis.all.iter())
            .any(|it| last.session_id == Some(it.id) && basis.is_owners_as_of(it, alert));
        let ended = match alert.reported_at() {
            Some(at) => sessions::store::list_ended_at(c, user.id, at)?,
            None => Vec::new(),
        };
        let is_after = last.at > alert.at && ended.iter().all(|it| last.at > it.created_at);
        if !is_theirs || !is_after {
            return Ok(false);
        }
    }
    Ok(!reported.is_empty())
}

/// Returns what trust is worked out from, if a session is trusted as of an alert, and is not in doubt itself.
fn find_basis(
    c: &mut AnyConnection,
    session: &Session,
    alert: &Alert,
    now: Timestamp,
) -> Result<Option<TrustBasis>> {
    let open = alerts::list_open(c, session.user_id, now)?;
    let first = open.iter().map(|open| open.at).chain([alert.at]).min();
    let basis = TrustBasis::load_since(c, (session.user_id, first), &open, Some(session))?;
    let is_known = basis.is_owners_as_of(session, alert) && !basis.is_in_doubt(session);
    Ok(is_known.then_some(basis))
}
