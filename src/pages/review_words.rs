//! What pages say of reviews of alerts: what one did. A device is called what its alert calls it.

use crate::account::ReviewOutcome;
use crate::alerts::{Alert, AlertKind, AlertReview};
use crate::db::{AlertId, UserId};
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::sessions::Session;

/// What is said of an alert that doesn't wait for an answer.
pub const NO_ANSWER_DUE: &str = "There is nothing to answer there.";
/// Devices that are named at most; the others are counted.
const MAX_NAMED: usize = 5;

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
    let alert = &outcome.details.alert;
    let device = &alert.device_name;
    if matches!(alert.review(), Some((AlertReview::Confirmed, _))) {
        return describe_confirmation(outcome);
    }
    let subject = outcome.details.session.as_ref();
    let ended = ended_devices(&outcome.ended, |session| {
        let is_on_it = subject.is_some_and(|subject| session.is_on_device_of(subject));
        is_on_it.then(|| device.clone())
    });
    match (subject, ended) {
        (Some(_), Some(ended)) if !outcome.has_ended_subject() => {
            format!("{device} was already signed out, and no longer counts as yours. {ended}")
        }
        (_, Some(ended)) => ended,
        (Some(_), None) if outcome.is_live() => "Your answer is recorded.".into(),
        (Some(_), None) => {
            format!("{device} was already signed out, and no longer counts as yours.")
        }
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
        (_, false) => format!("Good: it was you. {device} was already signed out."),
    }
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

/// Returns what a report signed out, in a sentence, if anything. `name` returns what an alert calls the
/// device of a session, if one is about it.
pub fn ended_devices(
    ended: &[Session],
    name: impl Fn(&Session) -> Option<String>,
) -> Option<String> {
    let names = device_names(ended, name);
    Some(match names.len() {
        0 => return None,
        1 => format!(
            "{} is signed out, and no longer counts as yours.",
            listed(&names)
        ),
        _ => format!(
            "{} are signed out, and no longer count as yours.",
            listed(&names)
        ),
    })
}

/// Returns what the alerts call the device of a session, if one of them is about it.
pub fn name_by_alerts(alerts: &[Alert], session: &Session) -> Option<String> {
    let about = alerts
        .iter()
        .find(|alert| alert.session_id == Some(session.id));
    about.map(|alert| alert.device_name.clone())
}

/// Returns the name of each device of these sessions, also where several have the same: the one by `name`,
/// else its label: who is in doubt may have given it any name.
pub fn device_names(
    sessions: &[Session],
    name: impl Fn(&Session) -> Option<String>,
) -> Vec<String> {
    let devices = group_by_device(sessions.to_vec());
    let name_of = |device: &DeviceGroup<Session>| {
        let given = device.iter().find_map(&name);
        given.unwrap_or_else(|| device.first().label())
    };
    devices.iter().map(name_of).collect()
}

/// Returns names of devices in a sentence: "2 devices named Firefox on Windows, curl and Safari on iPhone".
pub fn listed(names: &[String]) -> String {
    listed_up_to(names, MAX_NAMED)
}

/// Returns names as [`listed`] does, at most `max` of them; the others are counted.
pub fn listed_up_to(names: &[String], max: usize) -> String {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match counted.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => counted.push((name, 1)),
        }
    }
    let rest: usize = counted.iter().skip(max).map(|(_, n)| n).sum();
    counted.truncate(max);
    let mut parts: Vec<String> = counted
        .into_iter()
        .map(|(name, count)| match count {
            1 => name.to_owned(),
            n => format!("{n} devices named {name}"),
        })
        .collect();
    if rest > 0 {
        parts.push(format!("{rest} more"));
    }
    match parts.as_slice() {
        [] => String::new(),
        [part] => part.clone(),
        [parts @ .., last] => format!("{} and {last}", parts.join(", ")),
    }
}
