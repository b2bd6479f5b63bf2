//! What a person did to their account, as they read it themselves: "You changed your password".

use super::refused_words;
use crate::events::{Event, EventKind, Setting};

/// Returns what the reader did, and how often; `None` where that is not said of a person.
pub(super) fn describe(event: &Event) -> Option<String> {
    let detail = event.detail.as_deref().unwrap_or_default();
    let what = match event.kind {
        EventKind::PasswordChanged => "changed your password",
        EventKind::EmailChanged => "changed your e-mail",
        EventKind::EmailChangeRequested => "entered a new e-mail",
        EventKind::EmailChangeCancelled => "cancelled the change of your e-mail",
        EventKind::EmailVerified => "verified your e-mail",
        EventKind::TakenBack => "took the account back with a former e-mail",
        EventKind::SignedUp => "created the account",
        EventKind::Disabled => "disabled your account, and were signed out everywhere",
        EventKind::RoleChanged => "changed your role in the administration",
        EventKind::DelayLifted => "lifted the delay after wrong passwords",
        EventKind::ResetLinkCreated => "created a link for a new password",
        EventKind::Renamed => return Some(renamed(event, detail)),
        EventKind::NameChanged => "changed your name",
        EventKind::EmailVouched => "marked your e-mail as verified",
        EventKind::JobStopped => "stopped a job that ends sessions",
        EventKind::Exported => "downloaded your data",
        EventKind::PasswordLinkRequested => "requested a link for a new password",
        EventKind::VerificationLinkRequested => "requested a link to verify the e-mail",
        EventKind::SettingChanged => setting(detail)?,
        EventKind::AlertReviewed => answer(detail),
        _ => return None,
    };
    let times = match refused_words::times(event).trim() {
        "" => String::new(),
        times => format!(" ({times})"),
    };
    Some(format!("You {what}{times}"))
}

fn renamed(event: &Event, name: &str) -> String {
    match event.former_name() {
        Some(former) => format!("You renamed “{former}” to “{name}”"),
        None => format!("You named a device “{name}”"),
    }
}

fn setting(setting: &str) -> Option<&'static str> {
    Some(match setting.parse().ok()? {
        Setting::Name => "changed your name",
        Setting::AlertMail => "changed which alerts you get by e-mail",
        Setting::IdleLimit => "changed when unused devices are signed out",
        Setting::Addresses => "changed how your IP addresses are stored",
        Setting::IdleExempt => "set a device to stay signed in when unused",
        Setting::IdleExemptionEnded => "set a device to sign out when unused",
        Setting::TimeZone => "changed your time zone",
    })
}

fn answer(detail: &str) -> &'static str {
    match detail {
        "confirmed" => "answered an alert: it was you",
        "reported" => "answered an alert: it was not you",
        "dismissed" => "marked a notice as read",
        _ => "did or skipped a step after a report",
    }
}
