//! The reports of a person whose steps are shown as one: what they are about, and what became of that.

use super::alert_details::list_settled_by;
use super::report_steps::{AfterReport, FirstStep, StepState, is_signed_out_by_person};
use super::trust::TrustBasis;
use crate::alerts::{self, Alert, AlertKind};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection};
use crate::error::Result;
use crate::people::User;
use crate::sessions::{self, Session};

/// A report, with the steps after it.
pub(super) struct Report {
    /// The steps.
    pub(super) steps: AfterReport,
    /// The other alerts that it settled.
    settled: Vec<Alert>,
}

impl Report {
    /// Returns what was reported, with what that settled.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        std::iter::once(&self.steps.alert).chain(&self.settled)
    }
}

/// Loads what the steps are after each of the `reported` alerts, the one that was reported last first.
pub(super) fn load_reports(
    c: &mut AnyConnection,
    (user, session): (&User, &Session),
    (reported, live): (Vec<Alert>, &[Session]),
    basis: &TrustBasis,
) -> Result<Vec<Report>> {
    let last = find_last_change(c, user)?;
    let mut reports = Vec::new();
    for alert in reported {
        let Some(reported_at) = alert.reported_at() else {
            continue;
        };
        let mut report = Report {
            settled: list_settled_by(c, &alert)?,
            steps: AfterReport::new(alert, user, (session, live), reported_at),
        };
        let is_since = |last: &Alert| report.alerts().all(|it| basis.is_new_since(last, it));
        if last.as_ref().is_some_and(is_since) {
            report.steps.password = StepState::Done;
        }
        reports.push(report);
    }
    Ok(reports)
}

/// Finds the alert about the last change of a person's password, unless an administrator made that.
fn find_last_change(c: &mut AnyConnection, user: &User) -> Result<Option<Alert>> {
    let changes = alerts::store::list_of_kind(c, user.id, AlertKind::PasswordChanged)?;
    let mut last = changes.into_iter();
    Ok(last.find(|it| it.at == user.password_changed_at))
}

/// Returns whether the person has set a new password since everybody came whom the reports of these alerts are about.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) fn has_new_password(
    c: &mut AnyConnection,
    user: &User,
    reported: &[AlertId],
    now: Timestamp,
) -> Result<bool> {
    let mut reported = alerts::store::list_by_ids(c, user.id, reported)?;
    for alert in reported.clone() {
        reported.extend(list_settled_by(c, &alert)?);
    }
    let Some(last) = find_last_change(c, user)? else {
        return Ok(false);
    };
    let open = alerts::list_open(c, user.id, now)?;
    let first = open.iter().chain(&reported).map(|alert| alert.at).min();
    let basis = TrustBasis::load_since(c, (user.id, first), &open, None)?;
    Ok(reported
        .iter()
        .all(|alert| basis.is_new_since(&last, alert)))
}

/// Returns what became of the devices of reported alerts: whether one of them was signed out by that.
pub(super) fn first_step(c: &mut AnyConnection, alerts: &[Alert]) -> Result<FirstStep> {
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

/// Returns what alerts call their devices, each session and each name once.
pub(super) fn device_names(alerts: &[Alert]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (n, alert) in alerts.iter().enumerate() {
        let is_its = |it: &Alert| it.session_id.is_some() && it.session_id == alert.session_id;
        if !alerts[..n].iter().any(is_its) && !names.contains(&alert.device_name) {
            names.push(alert.device_name.clone());
        }
    }
    names
}
