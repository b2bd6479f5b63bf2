//! After a report: what else a person should do once they have reported an alert, since whoever it
//! was may know their password. What is done is worked out from what happened; what they skip is
//! recorded with the alert.

use std::time::Duration;

use super::Accounts;
use super::alert_review::{list_trusted, record_review};
use crate::alerts::{self, Alert, StepRecord};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection};
use crate::error::{Error, Result};
use crate::people::User;
use crate::sessions::{self, Caller, RECENT_LIMIT, Session, is_trusted};

/// How long the steps are shown.
const SHOWN_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The steps after a report of an alert.
#[derive(Debug, Clone)]
pub struct AfterReport {
    /// The alert.
    pub alert: Alert,
    /// Signing out the other devices.
    pub others: StepState,
    /// Setting a new password.
    pub password: StepState,
    /// Checking that the e-mail is right.
    pub email: StepState,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It is to be done.
    Open,
    /// It is done.
    Done,
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
}

impl AfterReport {
    /// Returns whether a step is still to be done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        [self.others, self.password, self.email].contains(&StepState::Open)
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
    /// Finds the steps that are left after the last report of an alert, for a caller whose device was
    /// known before that alert.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_after_report(&self, caller: &Caller) -> Result<Option<AfterReport>> {
        let now = self.clock.now();
        let (user, session) = (caller.user.clone(), caller.session.clone());
        self.db.read(move |c| find(c, &user, &session, now)).await
    }

    /// Records what the caller did about a step after a report.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there are no such steps for the caller.
    pub async fn record_step(
        &self,
        caller: &Caller,
        id: AlertId,
        record: StepRecord,
    ) -> Result<()> {
        let steps = self.find_after_report(caller).await?;
        if steps.is_none_or(|steps| steps.alert.id != id) {
            return Err(Error::NotFound);
        }
        let (owner, now, origin) = (caller.user.id, self.clock.now(), caller.origin());
        self.db
            .transaction(
                move |c| match alerts::store::record_step(c, (owner, id), record, now)? {
                    true => record_review(c, owner, "step", &origin, now),
                    false => Err(Error::NotFound),
                },
            )
            .await
    }
}

fn find(
    c: &mut AnyConnection,
    user: &User,
    session: &Session,
    now: Timestamp,
) -> Result<Option<AfterReport>> {
    let Some(alert) = alerts::store::find_last_reported(c, user.id, now - SHOWN_FOR)? else {
        return Ok(None);
    };
    let Some(reported_at) = alert.reported_at() else {
        return Ok(None);
    };
    let live = sessions::store::list_live(c, user.id, now)?;
    let steps = AfterReport::new(alert, user, (session, &live), reported_at);
    let is_shown = steps.is_open() && is_known(c, session, steps.alert.at, now)?;
    Ok(is_shown.then_some(steps))
}

/// Returns whether the device of a session was known before `at`, and is not in doubt itself.
fn is_known(
    c: &mut AnyConnection,
    session: &Session,
    at: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let open = alerts::list_open(c, session.user_id, now)?;
    let itself = std::slice::from_ref(session);
    if list_trusted(c, itself, &open)?.is_empty() {
        return Ok(false);
    }
    let others = sessions::store::list_recent(c, session.user_id, Some(session.id), RECENT_LIMIT)?;
    let trusted = list_trusted(c, &others, &open)?;
    Ok(is_trusted(session, at, &trusted))
}
