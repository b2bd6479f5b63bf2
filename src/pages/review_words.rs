//! What pages say of reviews of alerts: what one did. A device is called what its alert calls it.

use super::named_devices::listed;
use super::report_outcome::{ended_devices, over_before};
use crate::account::ReviewOutcome;
use crate::alerts::{Alert, AlertKind, AlertReview};
use crate::db::{AlertId, SessionId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::sessions::Session;

/// What is said of an alert that doesn't wait for an answer.
pub const NO_ANSWER_DUE: &str = "There is nothing to answer there.";

/// Returns an answer to an alert, as the label of its button.
pub fn answer(kind: AlertKind, review: AlertReview) -> &'static str {
    match (review, kind) {
        (AlertReview::Confirmed, AlertKind::TokenReuse) => "It was my own device",
        (AlertReview::Confirmed, _) => "Yes, it was me",
        (AlertReview::Reported, AlertKind::TokenReuse) => "It wasn’t me",
        (AlertReview::Reported, _) => "No, it wasn’t me",
    }
}

/// Returns what the review of an alert did, in words.
pub fn describe_review(outcome: &ReviewOutcome) -> String {
    match outcome.details.alert.review() {
        Some((AlertReview::Confirmed, _)) => describe_confirmation(outcome),
        _ => describe_report(outcome),
    }
}

/// Returns what the report of an alert did, in words.
fn describe_report(outcome: &ReviewOutcome) -> String {
    let cancelled = (outcome.is_change_cancelled)
        .then(|| "The change of your e-mail that was still to be confirmed is cancelled.".into());
    let all = [
        Some(describe_ends(outcome)),
        describe_others(outcome),
        cancelled,
    ];
    let sentences: Vec<String> = all.into_iter().flatten().collect();
    sentences.join(" ")
}

/// Says which other alerts a report answered, of those about neither its own session nor one that it ended, each
/// session once.
fn describe_others(outcome: &ReviewOutcome) -> Option<String> {
    let ended = outcome.ended.iter().map(|session| session.id);
    let mut named: Vec<SessionId> = ended.chain(outcome.details.alert.session_id).collect();
    let mut names: Vec<String> = Vec::new();
    for alert in &outcome.others {
        match alert.session_id {
            Some(id) if named.contains(&id) => continue,
            Some(id) => named.push(id),
            None => {}
        }
        names.push(alert.device_name.clone());
    }
    match names.len() {
        0 => None,
        1 => Some(format!(
            "This answered the alert about {}, too.",
            listed(&names)
        )),
        _ => Some(format!(
            "This answered the alerts about {}, too.",
            listed(&names)
        )),
    }
}

/// Returns what the report of an alert ended, in words.
fn describe_ends(outcome: &ReviewOutcome) -> String {
    let device = &outcome.details.alert.device_name;
    let subject = outcome.details.session.as_ref();
    let ended = ended_devices(&outcome.ended, &outcome.live, |session| {
        let is_on_it = subject.is_some_and(|subject| session.is_on_device_of(subject));
        is_on_it.then(|| device.clone())
    });
    let over = (!outcome.has_ended_subject()).then(|| over_words(outcome, true));
    match (over.flatten(), ended) {
        (Some(over), Some(ended)) => format!("{over} {ended}"),
        (None, Some(ended)) => ended,
        (_, None) if outcome.is_live() => "Your answer is recorded.".into(),
        (Some(over), None) => over,
        (None, None) => "Your answer is recorded. No device was left to sign out.".into(),
    }
}

/// Returns what is so after an alert was confirmed.
fn describe_confirmation(outcome: &ReviewOutcome) -> String {
    let alert = &outcome.details.alert;
    let device = &alert.device_name;
    match (alert.kind, outcome.is_live()) {
        (AlertKind::PasswordChanged, _) => "Good: it was you. The new password stays.".into(),
        (AlertKind::EmailChanged, _) if outcome.is_email_changed_since => {
            "Good: it was you. The e-mail was changed again since.".into()
        }
        (AlertKind::EmailChanged, _) => "Good: it was you. The new e-mail stays.".into(),
        (AlertKind::TokenReuse, true) if outcome.details.is_signed_in_again => {
            format!("Good: it was your own device. {device} is signed in again.")
        }
        (AlertKind::TokenReuse, true) => {
            format!("Good: it was your own device. {device} is still signed in.")
        }
        (AlertKind::TokenReuse, false) => {
            format!("Good: it was your own device. {device} is signed out; sign in on it again.")
        }
        (_, true) => format!("Good: it was you. {device} stays signed in."),
        (_, false) => {
            let over = over_words(outcome, false);
            format!("Good: it was you. {}", over.unwrap_or_default())
        }
    }
}

/// Says that the session of an alert, or its device, was signed out before; `None` of one that is live or was purged.
fn over_words(outcome: &ReviewOutcome, reported: bool) -> Option<String> {
    let session = outcome.details.session.clone();
    let is_its = |live: &Session| Some(live.id) == session.as_ref().map(|it| it.id);
    if session.is_none() && reported || outcome.live.iter().any(is_its) {
        return None;
    }
    let name = outcome.details.alert.device_name.clone();
    over_before(&[(name, session)], &outcome.live, reported)
}

/// Returns what became of an alert that nobody answered, and that can't be answered any more.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn describe_unanswered(app: &AppState, owner: UserId, alert: AlertId) -> Result<String> {
    let words = match app.accounts.is_replaced(owner, alert).await? {
        true => {
            "A copied sign-in was noticed on that device meanwhile. The alert about that has taken the place of this one."
        }
        false => NO_ANSWER_DUE,
    };
    Ok(words.into())
}

/// Says what the e-mail is that a report could not change back, and what to do about it.
pub fn describe_unrestored(email: &str) -> String {
    format!(
        "Your e-mail is still {email}; it can’t be changed back here. If that is not your address, change it on Account first, or ask an administrator of this service: anybody who can read {email} can set a new password."
    )
}

/// Says that the account had its e-mail again before the change of it was reported.
pub fn describe_again(email: &str) -> String {
    format!("Your e-mail is {email} again.")
}

/// Returns what the alerts call the device of a session, if one of them is about it.
pub fn name_by_alerts(alerts: &[Alert], session: &Session) -> Option<String> {
    let about = alerts
        .iter()
        .find(|alert| alert.session_id == Some(session.id));
    about.map(|alert| alert.device_name.clone())
}
