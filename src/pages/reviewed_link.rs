//! The pages after an alert was confirmed or reported by the link in a message: what was done, and
//! after a report the steps that are left.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::named_devices::listed;
use super::new_password::{DISABLED, FORMER_FIRST, PasswordForm, after_page};
use super::report_outcome::{ended_devices, over_before};
use super::review_words::{describe_again, describe_review, name_by_alerts};
use super::steps_view::{FirstView, progress};
use super::take_back;
use crate::account::{
    AlertDetails, FirstStep, LinkedMessage, Reported, ReviewOutcome, UnchangedEmail,
};
use crate::alerts::Alert;
use crate::db::{SessionId, UserId};
use crate::devices::group_by_device;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, page};
use crate::sessions::Session;

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
    /// Whether nobody can sign in.
    is_disabled: bool,
    token: &'a str,
    form: Option<PasswordForm>,
    /// Whether a new password was set since everybody came whom the report is about.
    is_password_new: bool,
}

/// Returns what is left to do once the alerts of a message were answered; `is_late` if a press has just done
/// nothing, and `has_form` if the page sets a new password.
pub(super) fn next_step(
    (message, listed): (&LinkedMessage, &[AlertDetails]),
    is_late: bool,
    has_form: bool,
) -> String {
    if !message.user.is_active {
        return DISABLED.into();
    }
    let reported = message.alerts.iter().filter_map(Alert::reported_at).max();
    let Some(at) = reported else {
        return after_yes(message, listed, is_late);
    };
    let step = match message.user.is_password_void() {
        true if message.has_former => FORMER_FIRST,
        true if has_form => "Then sign in, and review your devices.",
        true => {
            "Set a new password first: choose “Forgotten your password?”. Then sign in, and review your devices."
        }
        false if message.user.password_changed_at > at => {
            "The password was changed after that. Sign in, and review your devices."
        }
        false => "To be sure, sign in, review your devices, and change your password.",
    };
    step.into()
}

/// Returns what to do where somebody answered *Yes*, who may have been somebody else.
fn after_yes(message: &LinkedMessage, details: &[AlertDetails], is_late: bool) -> String {
    const SET: &str =
        "choose “Forgotten your password?”, and set a new password, which signs out every device.";

    let live = details.iter().filter(|it| it.is_signed_in).count();
    let them = match live {
        1 => "it",
        _ => "them",
    };
    let sign_out = format!("sign in, and sign {them} out on Your devices.");
    let what = match (message.has_former, live) {
        (true, 0) => format!("sign in, and review your devices. {FORMER_FIRST}"),
        (true, _) => format!("{sign_out} {FORMER_FIRST}"),
        (false, 0) => SET.to_owned(),
        (false, _) => format!("{SET} Or {sign_out}"),
    };
    match is_late {
        true => format!("If it was not you: {what}"),
        false => format!("If it was you, nothing is left to do. If it was not: {what}"),
    }
}

/// Returns how to set a new password after a report, where there is no form.
pub(super) fn advice(message: &LinkedMessage) -> &'static str {
    match (message.user.is_active, message.has_former) {
        (false, _) => DISABLED,
        (true, true) => FORMER_FIRST,
        (true, false) => FORGOTTEN,
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
    let done = match done {
        Some(done) => done,
        None => confirmed_several(app, message).await?,
    };
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
    let owner = before.user.id;
    let live = list_live(app, owner).await?;
    let name = |it: &Session| name_by_alerts(&before.alerts, it);
    let mut done = match (&outcome, ended_devices(&reported.ended, &live, name)) {
        (Some(outcome), _) => describe_review(outcome),
        (None, Some(ended)) => ended,
        (None, None) => describe_over(app, owner, (&before.alerts, true))
            .await?
            .unwrap_or_else(|| "Your answer is recorded. No device was left to sign out.".into()),
    };
    // Of an address that the reader reads, nothing else is to be said.
    if let Some(UnchangedEmail::Again(email)) = &reported.email {
        done = format!("{done} {}", describe_again(email));
    }
    let first = first_step(before, reported, outcome.as_ref());
    let is_signed_in = !live.is_empty();
    let template = AfterReportPage {
        layout: Layout::anonymous(request)?,
        done: &done,
        progress: progress(1 + usize::from(!is_signed_in)),
        first: FirstView::new(first, count_devices(app, (before, reported)).await?),
        is_signed_in,
        advice: advice(before),
        is_disabled: !before.user.is_active,
        email: &before.user.email,
        token,
        form: PasswordForm::new(app, before).filter(|_| before.may_set_password),
        is_password_new: app
            .accounts
            .has_new_password(&before.user, &before.alerts)
            .await?,
    };
    page(StatusCode::OK, &template)
}

/// Says of each device that several confirmed alerts are about whether it is signed in.
async fn confirmed_several(app: &AppState, message: &LinkedMessage) -> Result<String> {
    let owner = message.user.id;
    let details = app
        .accounts
        .describe_alerts(owner, message.alerts.clone())
        .await?;
    let named = |is_in: bool| {
        let about = details.iter().filter(|it| it.alert.session_id.is_some());
        let those: Vec<Alert> = about
            .filter(|it| it.is_signed_in == is_in)
            .map(|it| it.alert.clone())
            .collect();
        those
    };
    let live = device_names_of(&named(true));
    let live = (!live.is_empty()).then(|| match live.len() {
        1 => format!("{} stays signed in.", listed(&live)),
        _ => format!("{} stay signed in.", listed(&live)),
    });
    let over = describe_over(app, owner, (&named(false), false)).await?;
    let all: Vec<String> = [Some("Good: all of it was you.".to_owned()), live, over]
        .into_iter()
        .flatten()
        .collect();
    Ok(all.join(" "))
}

/// Says of the devices of alerts that they were signed out before they were answered, if they are about any.
async fn describe_over(
    app: &AppState,
    owner: UserId,
    (alerts, reported): (&[Alert], bool),
) -> Result<Option<String>> {
    let ids: Vec<SessionId> = alerts.iter().filter_map(|it| it.session_id).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let sessions = app.sessions.list_by_ids(owner, ids).await?;
    let live = list_live(app, owner).await?;
    let subject = |alert: &Alert| {
        let mut its = sessions.iter().filter(|it| alert.session_id == Some(it.id));
        its.next().cloned()
    };
    let over: Vec<_> = (about_sessions(alerts).into_iter())
        .map(|alert| (alert.device_name.clone(), subject(alert)))
        .collect();
    Ok(over_before(&over, &live, reported))
}

/// Lists the person's live sessions, the one first by which each device is shown.
async fn list_live(app: &AppState, owner: UserId) -> Result<Vec<Session>> {
    let live = app.sessions.list_live(owner).await?;
    app.accounts.order_for_names(owner, None, live).await
}

/// Returns what the alerts call the devices that they are about, each session once.
fn device_names_of(alerts: &[Alert]) -> Vec<String> {
    about_sessions(alerts)
        .iter()
        .map(|alert| alert.device_name.clone())
        .collect()
}

/// Returns those of the alerts that are about sessions, the first about each.
fn about_sessions(alerts: &[Alert]) -> Vec<&Alert> {
    let mut first: Vec<&Alert> = Vec::new();
    for alert in alerts.iter().filter(|alert| alert.session_id.is_some()) {
        if first.iter().all(|it| it.session_id != alert.session_id) {
            first.push(alert);
        }
    }
    first
}

/// Returns how many devices a report is about: those of its alerts, or more that it signed out.
async fn count_devices(
    app: &AppState,
    (message, reported): (&LinkedMessage, &Reported),
) -> Result<usize> {
    let ids = message.alerts.iter().filter_map(|alert| alert.session_id);
    let sessions = app.sessions.list_by_ids(message.user.id, ids.collect());
    let ended = group_by_device(reported.ended.clone()).len();
    Ok(group_by_device(sessions.await?).len().max(ended))
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
