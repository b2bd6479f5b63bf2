//! The steps after a report of an alert, and how far each is.

use crate::alerts::Alert;
use crate::clock::Timestamp;
use crate::people::User;
use crate::sessions::{EndedReason, Session};

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
    pub(super) fn new(
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

/// Returns whether its person signed a session out, other than in itself.
pub(super) fn is_signed_out_by_person(session: &Session) -> bool {
    matches!(
        session.ended_reason,
        Some(EndedReason::SignedOutRemotely | EndedReason::PasswordChanged)
    )
}
