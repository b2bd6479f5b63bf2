//! The steps after a report, as templates show them.

use super::named_devices::listed;
use super::words::TimeView;
use crate::account::{AfterReport, FirstStep, StepState};
use crate::alerts::AlertKind;
use crate::http::reader_clock::ReaderClock;

/// The steps after a report.
pub struct StepsView {
    /// The id of the alert.
    pub id: String,
    /// What was reported: "Edge on Windows".
    pub devices: String,
    /// When it was reported.
    pub at: TimeView,
    /// What somebody may have: the password, or only a copy of a sign-in.
    pub risk: &'static str,
    /// How far the person is, if a step is left: "2 of 3 steps done".
    pub progress: Option<String>,
    /// What was skipped, if nothing is to be done: "setting a new password".
    pub skipped: String,
    /// What the report did.
    pub first: FirstView,
    /// Signing out the other devices.
    pub others: StepView,
    /// Setting a new password and checking the e-mail.
    pub last: StepView,
    /// Setting a new password.
    pub password: StepView,
    /// Checking the e-mail.
    pub email: StepView,
    /// The e-mail to be checked.
    pub address: String,
}

/// What a report did, as the first step.
pub struct FirstView {
    /// The step: "Sign it out".
    pub what: &'static str,
    /// What became of it: "Done".
    pub state: &'static str,
}

/// A step.
pub struct StepView {
    /// Whether it is to be done.
    pub is_open: bool,
    /// Whether it is done.
    pub is_done: bool,
    /// The class that marks it.
    pub class: &'static str,
    /// What became of it: "Done".
    pub state: &'static str,
}

impl FirstView {
    /// Returns the first step.
    pub fn new(step: FirstStep, devices: usize) -> Self {
        let is_one = devices == 1;
        let (what, state) = match step {
            FirstStep::SignedOut if is_one => ("Sign it out", "Done"),
            FirstStep::SignedOut => ("Sign them out", "Done"),
            FirstStep::OverBefore if is_one => ("Sign it out", "It was already signed out"),
            FirstStep::OverBefore => ("Sign them out", "They were already signed out"),
            FirstStep::Reported => ("Report it", "Done"),
        };
        Self { what, state }
    }
}

impl StepView {
    fn new(state: StepState) -> Self {
        let (class, words) = match state {
            StepState::Open => ("open", "To do"),
            StepState::Done => ("done", "Done"),
            StepState::NoneLeft => ("done", "No other device is signed in"),
            StepState::NoneFromBefore => ("done", "The others signed in later"),
            StepState::Skipped => ("skipped", "Skipped"),
        };
        Self {
            is_open: state == StepState::Open,
            is_done: state.is_done(),
            class,
            state: words,
        }
    }
}

impl StepsView {
    /// Returns the steps for their person, whose e-mail is `address`; `None` when all are done.
    pub fn new(steps: &AfterReport, address: &str, clock: ReaderClock) -> Option<Self> {
        let alert = &steps.alert;
        let last = [steps.password, steps.email];
        let last = match last {
            _ if last.contains(&StepState::Open) => StepState::Open,
            _ if last.contains(&StepState::Skipped) => StepState::Skipped,
            _ => StepState::Done,
        };
        let is_shown = steps.is_open() || steps.has_skipped();
        is_shown.then(|| Self {
            id: alert.id.to_string(),
            devices: listed(&steps.devices),
            at: TimeView::ago(alert.reported_at().unwrap_or(alert.at), clock),
            risk: risk(steps),
            progress: steps.is_open().then(|| {
                let both = [steps.others, last].into_iter();
                progress(1 + both.filter(|state| state.is_done()).count())
            }),
            skipped: skipped(steps),
            first: FirstView::new(steps.first, steps.devices.len()),
            others: StepView::new(steps.others),
            last: StepView::new(last),
            password: StepView::new(steps.password),
            email: StepView::new(steps.email),
            address: address.to_owned(),
        })
    }
}

/// Says what somebody may have. Of several reports, only the last one's kind is known.
fn risk(steps: &AfterReport) -> &'static str {
    let is_of_copy = matches!(
        steps.alert.kind,
        AlertKind::TwoPlaces | AlertKind::TokenReuse | AlertKind::CopyRefused
    );
    match (steps.alert.kind, steps.devices.len()) {
        (AlertKind::WrongPasswords, 1) => "Somebody may have the device, or a copy of its sign-in.",
        _ if is_of_copy && steps.devices.len() == 1 => "Somebody may have a copy of its sign-in.",
        _ => "Somebody may know your password.",
    }
}

/// Returns how many of the three steps are done.
pub fn progress(done: usize) -> String {
    match done {
        1 => "1 of 3 steps is done".into(),
        n => format!("{n} of 3 steps are done"),
    }
}

/// Says that the steps are behind the person, if they are.
pub fn describe_finish(steps: &AfterReport) -> Option<String> {
    let all = [steps.others, steps.password, steps.email];
    match (steps.is_open(), steps.has_skipped()) {
        (true, _) => None,
        _ if all == [StepState::Skipped; 3] => Some(
            "You skipped the steps that make your account safe. You can still do them: they stay listed on Your devices."
                .into(),
        ),
        (false, false) => Some("You finished the steps that make your account safe.".into()),
        (false, true) => Some(format!(
            "You skipped {}. You can still do that: it stays listed on Your devices.",
            skipped(steps)
        )),
    }
}

fn skipped(steps: &AfterReport) -> String {
    let names = [
        (steps.others, "signing out your other devices"),
        (steps.password, "setting a new password"),
        (steps.email, "checking your e-mail"),
    ];
    let skipped = names
        .into_iter()
        .filter(|(state, _)| *state == StepState::Skipped);
    listed(&skipped.map(|(_, name)| name.to_owned()).collect::<Vec<_>>())
}
