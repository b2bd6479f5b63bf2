//! The card of settings, which *Your devices* and *Account* share: each control is a form of its own.

use std::time::Duration;

use strum::VariantArray;

use super::words;
use crate::events::Setting;
use crate::http::app_state::AppState;
use crate::net::IpRetention;
use crate::people::{IdleLimit, User};
use crate::sessions::{IdleLimits, SessionPersistence};

/// The settings as the card shows them.
pub(super) struct SettingsView {
    /// The page that the card is on, which a form leads back to.
    pub(super) back: SettingsPage,
    /// How long a device stays signed in without use.
    pub(super) idle_choices: Vec<Choice>,
    /// What says so where there is nothing to choose.
    pub(super) only_limit: Option<String>,
    /// The idle limit that is stored.
    pub(super) idle_limit: &'static str,
    /// What the choices mean where the limits of the service are stricter.
    pub(super) idle_hint: Option<String>,
    /// How addresses are stored.
    pub(super) address_choices: Vec<Choice>,
    /// The IP retention that is stored.
    pub(super) addresses: &'static str,
    /// Whether alerts are sent to the e-mail.
    pub(super) gets_alerts: bool,
    /// Whether the reader of the mailbox said that it isn't theirs.
    pub(super) is_email_declined: bool,
    /// Whether the service sends mail.
    pub(super) sends_mail: bool,
    /// Whether sign-ins are reported by e-mail as well.
    pub(super) alert_emails: bool,
}

/// An option of a setting.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) words: String,
    pub(super) is_chosen: bool,
}

/// A page with the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SettingsPage {
    Devices,
    Account,
}

impl SettingsPage {
    /// Returns the page that a form states, else *Account*.
    pub(super) fn stated(path: Option<&str>) -> Self {
        match path == Some(Self::Devices.path()) {
            true => Self::Devices,
            false => Self::Account,
        }
    }

    /// Returns its path.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Devices => "/devices",
            Self::Account => "/account",
        }
    }
}

impl SettingsView {
    /// Returns the settings of `user` for a card on the page `back`.
    pub(super) fn new(app: &AppState, user: &User, back: SettingsPage) -> Self {
        let limits = app.sessions.idle_limits();
        let longest = longest(limits);
        let idle_choices = idle_choices(user.idle_limit(), longest);
        Self {
            back,
            only_limit: (idle_choices.len() == 1).then(|| only_limit(longest)),
            idle_choices,
            idle_limit: user.idle_limit().map_or("", IdleLimit::as_str),
            addresses: user.ip_retention.as_str(),
            idle_hint: describe_standard(limits, longest),
            address_choices: address_choices(user.ip_retention),
            gets_alerts: app.accounts.sends_mail() && user.gets_alerts(),
            is_email_declined: user.email_declined_at.is_some(),
            sends_mail: app.accounts.sends_mail(),
            alert_emails: user.alert_emails,
        }
    }
}

/// Returns what an idle limit means that was saved.
pub(super) fn describe_idle_limit(chosen: Option<IdleLimit>, limits: IdleLimits) -> String {
    let longest = longest(limits);
    match chosen.map(IdleLimit::span).filter(|span| *span < longest) {
        Some(span) => {
            let span = words::span(span);
            format!(
                "Saved. Devices are signed out after at most {span} without use, except those set to stay signed in."
            )
        }
        None => {
            let span = words::span(longest);
            format!(
                "Saved. Devices stay signed in for up to {span} without use, the longest this service allows; those set to stay signed in stay longer."
            )
        }
    }
}

/// Returns the idle limit in words where the service allows only shorter ones than can be chosen.
fn only_limit(longest: Duration) -> String {
    format!(
        "Devices are signed out after {} without use, except those set to stay signed in. This service allows no longer.",
        words::span(longest)
    )
}

/// Says that a setting was not saved since it had been changed in the meantime, and how it is now.
pub(super) fn describe_conflict(setting: Setting, user: &User, limits: IdleLimits) -> String {
    let chosen = |choices: Vec<Choice>| {
        let found = choices.into_iter().find(|choice| choice.is_chosen);
        found.map_or_else(String::new, |choice| choice.words)
    };
    let (label, now) = match setting {
        Setting::IdleLimit => (
            "Sign out devices not used for",
            chosen(idle_choices(user.idle_limit(), longest(limits))),
        ),
        Setting::Addresses => (
            "Store my IP addresses",
            chosen(address_choices(user.ip_retention)),
        ),
        Setting::AlertMail => (
            "Send me an e-mail about new sign-ins",
            if user.alert_emails { "on" } else { "off" }.into(),
        ),
        _ => (
            "Show times in",
            match user.time_zone() {
                Some(zone) => zone.place().unwrap_or("UTC").into(),
                None => "my browser’s time zone".into(),
            },
        ),
    };
    format!(
        "Nothing was saved: since you opened this page, “{label}” was changed to “{now}”. Choose again if \
         you want something else."
    )
}

/// Returns the longest idle limit that the service allows.
fn longest(limits: IdleLimits) -> Duration {
    let standard = limits.limit(SessionPersistence::Standard, None);
    standard.max(limits.limit(SessionPersistence::Remembered, None))
}

/// Returns the choices of an idle limit. One that is no stricter than the service's has no effect, and is
/// left out.
fn idle_choices(chosen: Option<IdleLimit>, longest: Duration) -> Vec<Choice> {
    let stricter = |limit: &&IdleLimit| limit.span() < longest;
    let chosen = chosen.filter(|limit| stricter(&limit));
    let choice = |limit: &IdleLimit| Choice {
        value: limit.as_str(),
        words: words::span(limit.span()),
        is_chosen: chosen == Some(*limit),
    };
    let mut choices: Vec<Choice> = IdleLimit::VARIANTS
        .iter()
        .filter(stricter)
        .map(choice)
        .collect();
    choices.push(Choice {
        value: "",
        words: format!("{} (the longest this service allows)", words::span(longest)),
        is_chosen: chosen.is_none(),
    });
    choices
}

/// Returns the limit where "Keep me signed in" was not ticked, if that is a stricter one.
fn describe_standard(limits: IdleLimits, longest: Duration) -> Option<String> {
    let standard = limits.limit(SessionPersistence::Standard, None);
    (standard < longest).then(|| {
        format!(
            "Without “Keep me signed in”, a device is signed out after at most {} without use, unless it is set to stay signed in.",
            words::span(standard)
        )
    })
}

fn address_choices(chosen: IpRetention) -> Vec<Choice> {
    let choice = |retention: IpRetention| Choice {
        value: retention.as_str(),
        words: match retention {
            IpRetention::Whole => "Whole, like 203.0.113.24",
            IpRetention::Shortened => "Shortened, like 203.0.113.0/24",
            IpRetention::None => "None",
        }
        .to_owned(),
        is_chosen: retention == chosen,
    };
    IpRetention::VARIANTS.iter().copied().map(choice).collect()
}
