//! The wording of events for those who administer.

use super::session_words;
use crate::events::{DECLINED, Event, EventKind};
use crate::sessions::bulk::StopCause;

/// Returns what a kind of events is, in words.
pub(super) fn kind(kind: EventKind) -> String {
    match kind {
        EventKind::SignedIn => "Signed in".into(),
        EventKind::Refreshed => "Used from another address".into(),
        EventKind::Renamed => "Device renamed".into(),
        EventKind::Ended => "Session ended".into(),
        EventKind::ImpossibleTravel => "Impossible travel".into(),
        EventKind::PasswordChanged => "Password changed".into(),
        EventKind::EmailChanged => "E-mail changed".into(),
        EventKind::EmailChangeRequested => "Change of e-mail requested".into(),
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
        EventKind::AccountDeleted => "Account deleted".into(),
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
        EventKind::Renamed => Some(format!("“{detail}”")),
        EventKind::AccountDeleted if detail == DECLINED => {
            Some("whoever reads its mailbox said that it isn’t theirs".into())
        }
        _ => Some(detail),
    }
}

/// Returns why a job was stopped.
pub(super) fn stop_cause(cause: StopCause) -> &'static str {
    match cause {
        StopCause::Requested => "by hand",
        StopCause::Disabled => "the account that ordered it was disabled",
        StopCause::Demoted => "whoever ordered it ceased to be an administrator",
        StopCause::Deleted => "the account that ordered it was deleted",
        StopCause::Secured => {
            "the account that ordered it got a new password, was taken back, or had an alert reported"
        }
        StopCause::KeyRevoked => "the API key that ordered it was revoked",
        StopCause::KeyExpired => "the API key that ordered it has expired",
    }
}
