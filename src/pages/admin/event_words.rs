//! The wording of events for those who administer.

use super::quantity::signed;
use super::session_words;
use crate::events::{DECLINED, Event, EventGroup, EventKind, Setting};
use crate::http::reader_clock::ReaderClock;
use crate::sessions::bulk::StopCause;

/// Returns what a kind of events is, in words.
pub(super) fn kind(kind: EventKind) -> String {
    match kind {
        EventKind::SignedIn => "Signed in".into(),
        EventKind::Refreshed => "Used from another address".into(),
        EventKind::Renamed => "Device renamed".into(),
        EventKind::Ended => "Session ended".into(),
        EventKind::ImpossibleTravel => "Impossible travel".into(),
        EventKind::Bound => "Bound to its browser".into(),
        EventKind::UsedWithoutKey => "Used without its key".into(),
        EventKind::PasswordChanged => "Password changed".into(),
        EventKind::EmailChanged => "E-mail changed".into(),
        EventKind::EmailChangeRequested => "Change of e-mail requested".into(),
        EventKind::EmailChangeCancelled => "Change of e-mail cancelled".into(),
        EventKind::EmailVerified => "E-mail verified".into(),
        EventKind::TakenBack => "Account taken back".into(),
        EventKind::AccountCreated => "Account created".into(),
        EventKind::Invited => "Invited".into(),
        EventKind::Disabled => "Account disabled".into(),
        EventKind::Enabled => "Account enabled".into(),
        EventKind::RoleChanged => "Role changed".into(),
        EventKind::ResetLinkCreated => "Link for a new password created".into(),
        EventKind::NameChanged => "Name changed".into(),
        EventKind::EmailVouched => "E-mail marked as verified".into(),
        EventKind::JobStopped => "Job stopped".into(),
        EventKind::DelayLifted => "Delay after wrong passwords lifted".into(),
        EventKind::Exported => "Data exported".into(),
        EventKind::SignInFailed => "Sign-in failed".into(),
        EventKind::PasswordRefused => "Wrong password at step-up".into(),
        EventKind::Throttled => "Too many attempts".into(),
        EventKind::FormRefused => "Possibly forged form refused".into(),
        EventKind::AdminRefused => "Administration refused".into(),
        EventKind::TokenRefused => "Token or key refused".into(),
        EventKind::SettingChanged => "Setting changed".into(),
        EventKind::AlertReviewed => "Alert answered".into(),
        EventKind::SignedUp => "Signed up".into(),
        EventKind::PasswordLinkRequested => "Link for a new password requested".into(),
        EventKind::VerificationLinkRequested => "Link to verify the e-mail requested".into(),
        EventKind::KeyCreated => "API key created".into(),
        EventKind::KeyRevoked => "API key revoked".into(),
        EventKind::ServiceKeyCreated => "Key of the service created".into(),
        EventKind::ServiceKeyRevoked => "Key of the service revoked".into(),
        EventKind::AccountDeleted => "Account deleted".into(),
    }
}

/// Returns what a group of kinds is, in words.
pub(super) fn group(group: EventGroup) -> &'static str {
    match group {
        EventGroup::FailedTries => "Failed or throttled attempts",
        EventGroup::Refusals => "Anything refused",
        EventGroup::Keys => "Keys created or revoked",
    }
}

/// Returns an event with what it states, and how often it happened: "Too many attempts: to sign in from this
/// network, ×7".
pub(super) fn sentence(event: &Event) -> String {
    let what = match detail(event) {
        Some(detail) => format!("{}: {detail}", kind(event.kind)),
        None => kind(event.kind),
    };
    match event.times {
        ..=1 => what,
        times => format!("{what}, ×{}", signed(times.into())),
    }
}

/// Returns how often a counted event happened, and when last: "×7, last 14:05 CET". It happened within one
/// hour.
pub(super) fn repetition(event: &Event, clock: ReaderClock) -> Option<String> {
    let last_at = event.last_at.filter(|_| event.times > 1)?;
    let times = signed(event.times.into());
    Some(format!(
        "×{times}, last {}",
        clock.zone.time_of_day(last_at)
    ))
}

/// Returns words for whom an event is on that names no person.
pub(super) fn nobody(kind: EventKind) -> &'static str {
    match kind {
        EventKind::KeyCreated | EventKind::KeyRevoked => "an application",
        EventKind::ServiceKeyCreated | EventKind::ServiceKeyRevoked => "the service",
        _ => "no known account",
    }
}

/// Returns what an event states besides its kind, in words.
pub(super) fn detail(event: &Event) -> Option<String> {
    let detail = event.detail.clone()?;
    match event.kind {
        EventKind::Ended => Some(match detail.parse() {
            Ok(reason) => session_words::reason(reason).to_owned(),
            Err(_) => detail,
        }),
        EventKind::JobStopped => Some(match detail.parse() {
            Ok(cause) => stop_cause(cause).to_owned(),
            Err(_) => detail,
        }),
        EventKind::Renamed => Some(match event.former_name() {
            Some(former) => format!("from “{former}” to “{detail}”"),
            None => format!("“{detail}”"),
        }),
        EventKind::PasswordRefused => Some(purpose(&detail).to_owned()),
        EventKind::Throttled => Some(throttled(&detail)),
        EventKind::TokenRefused => Some(token_refusal(&detail).to_owned()),
        EventKind::SettingChanged => Some(setting(&detail).to_owned()),
        EventKind::AlertReviewed => Some(alert_review(&detail).to_owned()),
        // That is what the kind says.
        EventKind::SignInFailed if detail == "abandoned" => {
            Some("the client left before it was decided".into())
        }
        EventKind::SignInFailed => None,
        EventKind::AccountDeleted | EventKind::EmailChangeCancelled if detail == DECLINED => {
            Some("the person who reads the mailbox said that it isn’t theirs".into())
        }
        _ => Some(detail),
    }
}

/// Returns what a try was for.
fn purpose(detail: &str) -> &'static str {
    match detail {
        "sign_in" => "to sign in",
        "step_up" => "at step-up",
        "password_change" => "to change the password",
        "forgotten_password" => "to get a link for a new password",
        "new_password" => "to set a new password",
        "verification" => "to verify an e-mail",
        "verification_link" => "to get a link that verifies an e-mail",
        "sign_up" => "to sign up",
        _ => "for something else",
    }
}

/// Returns what too many tries were for, and of whom.
fn throttled(detail: &str) -> String {
    let (purpose, reason) = detail.split_once(':').unwrap_or((detail, ""));
    let of = match reason {
        "delay" => "on this account or address",
        "network" => "from this network",
        "node" => "from all networks together",
        _ => "of an account",
    };
    format!("{} {of}", self::purpose(purpose))
}

/// Returns why a token or a key was refused.
fn token_refusal(detail: &str) -> &'static str {
    match detail {
        "malformed" => "it is not sent as a token",
        "too_long" => "it is too long",
        "not_genuine" => "it is not genuine",
        "unknown_key" => "it names an unknown key",
        "another_type" => "it is a token of another kind",
        "another_audience" => "it is for another audience",
        "another_application" => "it is of a person of another application",
        "expired" => "it has expired",
        "session_over" => "its session has ended",
        "owner_gone" => "its owner was deleted",
        "spent" => "it was used before",
        "api_key" => "no such API key is in use",
        "scope" => "the API key lacks the scope",
        "link" => "there is no such link, or not any more",
        _ => "it is not valid",
    }
}

/// Returns what a person did about an alert.
fn alert_review(detail: &str) -> &'static str {
    match detail {
        "confirmed" => "it was them",
        "reported" => "it was not them",
        "dismissed" => "a notice was read",
        _ => "a step after a report was done or skipped",
    }
}

/// Returns a setting of an account.
fn setting(detail: &str) -> &'static str {
    match detail.parse() {
        Ok(Setting::Name) => "the name",
        Ok(Setting::AlertMail) => "alerts by e-mail",
        Ok(Setting::IdleLimit) => "when unused devices sign out",
        Ok(Setting::Addresses) => "how IP addresses are stored",
        Ok(Setting::IdleExempt) => "that a device stays signed in, used or not",
        Ok(Setting::IdleExemptionEnded) => "that a device signs out when unused",
        Ok(Setting::TimeZone) => "the time zone",
        Err(_) => "another one",
    }
}

/// Returns why a job was stopped.
pub(super) fn stop_cause(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Requested => "by hand",
        StopCause::Disabled => "the account that ordered it was disabled",
        StopCause::Demoted => "the person who ordered it is no longer an administrator",
        StopCause::Deleted => "the account that ordered it was deleted",
        StopCause::Secured => {
            "the account that ordered it got a new password, was taken back, or had an alert reported"
        }
        StopCause::KeyRevoked => "the API key that ordered it was revoked",
        StopCause::KeyExpired => "the API key that ordered it has expired",
    }
}
