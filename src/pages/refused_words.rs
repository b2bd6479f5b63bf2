//! What a person is told of tries on their account that failed, or were refused since there were too many:
//! what was tried, how often, and that nobody got in by it.

use crate::events::{Event, EventKind};

/// Returns what was refused.
pub(super) fn refused(event: &Event) -> String {
    let detail = event.detail.as_deref().unwrap_or_default();
    let times = times(event);
    match event.kind {
        EventKind::SignInFailed => {
            format!("Sign-in failed{times}: nobody got in")
        }
        EventKind::Throttled => throttled(detail, &times),
        _ => format!("Wrong password entered{times}, {}", purpose(detail)),
    }
}

/// Returns how often something happened, if more than once.
pub(super) fn times(event: &Event) -> String {
    match event.times {
        ..=1 => String::new(),
        2 => " twice".into(),
        times => format!(" {times} times"),
    }
}

/// Returns what a password was given for.
fn purpose(detail: &str) -> &'static str {
    match detail {
        "step_up" => "when confirming something",
        "password_change" => "when changing the password",
        "verification" => "when verifying the e-mail",
        _ => "for something else",
    }
}

/// Returns what was refused since there were too many tries.
fn throttled(detail: &str, times: &str) -> String {
    match detail
        .split_once(':')
        .map_or(detail, |(purpose, _)| purpose)
    {
        "sign_in" => {
            format!("Sign-in refused{times}, after too many attempts: nobody got in")
        }
        "new_password" => {
            format!("Setting a new password by a link was refused{times}: too many attempts")
        }
        "verification_link" => {
            format!("Link to verify the e-mail refused{times}: too many were requested")
        }
        "forgotten_password" => {
            format!("Link for a new password refused{times}: too many were requested")
        }
        purpose => format!(
            "Password not checked{times}, {}: too many wrong ones before",
            self::purpose(purpose)
        ),
    }
}
