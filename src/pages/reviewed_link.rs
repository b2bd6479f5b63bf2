//! The pages after an alert was confirmed or reported by the link in a message: what was done, and
//! after a report the steps that are left.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::new_password::{FORMER_FIRST, PasswordForm, after_page};
use super::review_words::{describe_review, describe_unrestored, ended_devices, name_by_alerts};
use super::steps_view::{FirstView, progress};
use super::take_back;
use crate::account::{FirstStep, LinkedMessage, Reported, ReviewOutcome};
use crate::alerts::Alert;
use crate::devices::group_by_device;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, page};

/// What to do where the page can set no password.
pub(super) const FORGOTTEN: &str = "If somebody may know your password, set a new one: choose \
                                    “Forgotten your password?” on the sign-in page.";

#[derive(Template)]
#[template(path = "pages/after_report.html")]
struct AfterReportPage<'a> {
    layout: Layout,
    /// What was done, in words.
    done: &'a str,
    /// How far the reader is.
    progress: String,
    /// What the report did.
    first: FirstView,
    /// Whether a device is signed in still.
    is_signed_in: bool,
    /// How to set a new password, where there is no form.
    advice: &'static str,
    /// The e-mail of the account.
    email: &'a str,
    token: &'a str,
    form: Option<PasswordForm>,
}

/// Returns what is left to do once the alerts of a message were answered.
pub(super) fn next_step(message: &LinkedMessage) -> &'static str {
    let reported = message.alerts.iter().filter_map(Alert::reported_at).max();
    let Some(at) = reported else {
        return "Nothing is left to do. To see what is signed in now, open Your devices.";
    };
    match message.user.is_password_void() {
        true if message.has_former => FORMER_FIRST,
        true => {
            "The old password no longer works, so set a new one first. Then sign in, and review your devices."
        }
        false if message.user.password_changed_at > at => {
            "The password was changed after that. Sign in, and review your devices."
        }
        false => "To be sure, sign in, review your devices, and change your password.",
    }
}

/// Returns the page after a confirmation.
pub(super) async fn after_confirmation(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
) -> Result<HttpResponse> {
    let outcome = find_single(app, message).await?;
    let done = outcome.as_ref().map(describe_review);
    let done = done.unwrap_or_else(|| "Good: it was you. Everything stays as it is.".into());
    after_page(request, token, &done, None, None)
}

/// Returns the page after a report, from the message as it was `before`.
pub(super) async fn after_report(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    (before, reported): (&LinkedMessage, &Reported),
) -> Result<HttpResponse> {
    if let Some(taken_back) = &reported.taken_back {
        return after_page(request, token, &take_back::outcome(taken_back), None, None);
    }
    let outcome = find_single(app, before).await?;
    let mut done = match &outcome {
        Some(outcome) => describe_review(outcome),
        None => ended_devices(&reported.ended, |it| name_by_alerts(&before.alerts, it))
            .unwrap_or_else(|| "All of these devices were already signed out.".into()),
    };
    if let Some(email) = &reported.unrestored_email {
        done = format!("{done} {}", describe_unrestored(email));
    }
    let first = first_step(before, reported, outcome.as_ref());
    let is_signed_in = !app.sessions.list_live(before.user.id).await?.is_empty();
    let template = AfterReportPage {
        layout: Layout::anonymous(request)?,
        done: &done,
        progress: progress(1 + usize::from(!is_signed_in)),
        first: FirstView::new(first, count_devices(app, before).await?),
        is_signed_in,
        advice: match before.has_former {
            true => FORMER_FIRST,
            false => FORGOTTEN,
        },
        email: &before.user.email,
        token,
        form: PasswordForm::new(app, before).filter(|_| before.may_set_password),
    };
    page(StatusCode::OK, &template)
}

/// Returns the number of devices that the alerts of a message are about.
async fn count_devices(app: &AppState, message: &LinkedMessage) -> Result<usize> {
    let ids = message.alerts.iter().filter_map(|alert| alert.session_id);
    let sessions = app.sessions.list_by_ids(message.user.id, ids.collect());
    Ok(group_by_device(sessions.await?).len())
}

/// Returns what the review did, if the message is about one alert.
async fn find_single(app: &AppState, message: &LinkedMessage) -> Result<Option<ReviewOutcome>> {
    match message.alerts.as_slice() {
        [alert] => app.accounts.find_review(alert.user_id, alert.id).await,
        _ => Ok(None),
    }
}

/// Returns what became of what was reported; `outcome` is that of a single alert.
fn first_step(
    message: &LinkedMessage,
    reported: &Reported,
    outcome: Option<&ReviewOutcome>,
) -> FirstStep {
    let has_device = |alert: &Alert| alert.session_id.is_some();
    let has_ended = match outcome {
        Some(outcome) => outcome.has_ended_subject(),
        None => !reported.ended.is_empty(),
    };
    match (message.alerts.iter().any(has_device), has_ended) {
        (false, _) => FirstStep::Reported,
        (true, true) => FirstStep::SignedOut,
        (true, false) => FirstStep::OverBefore,
    }
}
