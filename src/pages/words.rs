//! The wording of pages: addresses, devices and events.

use std::net::IpAddr;
use std::time::Duration;

use super::refused_words;
pub use super::times::TimeView;
use crate::alerts::Alert;
use crate::events::{Actor, DECLINED, Event, EventKind, Setting};
use crate::http::reader_clock::ReaderClock;
use crate::net::{self, IpRetention, LOCAL_NETWORK};
use crate::sessions::{OpenedVia, Session};
use crate::text::quantity;
use crate::user_agent::DeviceKind;

/// A name and its symbol in the sprite.
pub struct Named {
    /// What it is the name of: "Browser", "App", "System".
    pub term: &'static str,
    /// The symbol.
    pub icon: &'static str,
    /// The name.
    pub name: String,
}

/// Returns a span of time in words, in the largest unit that it is a multiple of: "12 hours", "90 days".
pub fn span(span: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;

    let seconds = span.as_secs();
    let (n, unit) = match seconds {
        _ if seconds.is_multiple_of(DAY) => (seconds / DAY, "day"),
        _ if seconds.is_multiple_of(HOUR) => (seconds / HOUR, "hour"),
        _ if seconds.is_multiple_of(MINUTE) => (seconds / MINUTE, "minute"),
        _ => (seconds, "second"),
    };
    quantity(n, unit)
}

/// Returns about how long something lasted, in whole units and never more than it was: "7 days", "36 hours";
/// `None` where that is no minute.
pub fn rounded_span(span: Duration) -> Option<String> {
    const UNITS: [u64; 3] = [24 * 60 * 60, 60 * 60, 60];

    let seconds = span.as_secs();
    let is_exact = |unit: &&u64| {
        seconds.is_multiple_of(**unit)
            && (**unit == UNITS[0] || (1..100).contains(&(seconds / **unit)))
    };
    let is_several = |unit: &&u64| seconds >= 2 * **unit;
    let unit = UNITS.iter().find(is_exact);
    let unit = unit
        .or_else(|| UNITS.iter().find(is_several))
        .or(UNITS.last())?;
    let whole = seconds - seconds % unit;
    (whole > 0).then(|| self::span(Duration::from_secs(whole)))
}

/// Returns a number of devices in words: "4 devices", "1 device".
pub fn devices(n: usize) -> String {
    quantity(n as u64, "device")
}

/// Returns whether an address is not reachable from the internet.
pub fn is_local(text: &str) -> bool {
    text.parse().is_ok_and(net::is_local)
}

/// Returns "Local network" for an address that is not reachable from the internet, else the address
/// as stored: a shortened one as its network.
pub fn address(text: &str, retention: IpRetention) -> String {
    match text.parse::<IpAddr>() {
        Ok(ip) if net::is_local(ip) => LOCAL_NETWORK.into(),
        Ok(ip) if retention == IpRetention::Shortened => net::network(ip).to_string(),
        _ => text.to_owned(),
    }
}

/// Returns the address as [`address`] does, with a local one written out: "10.0.0.7 (Local
/// network)".
pub fn address_in_full(text: &str, retention: IpRetention) -> String {
    match address(text, retention) {
        words if words == LOCAL_NETWORK => format!("{text} ({words})"),
        words => words,
    }
}

/// Returns what an administrator did, after the word for who it was.
pub fn admin_act(notice: &Alert) -> String {
    match notice.act {
        Some(EventKind::EmailChanged) => format!(
            "changed your e-mail from {}; sign in with the new one",
            notice.email
        ),
        Some(EventKind::PasswordChanged) => {
            "set a new password for your account, and signed out every device".into()
        }
        Some(EventKind::RoleChanged) => "changed your role in the administration".into(),
        Some(EventKind::Disabled) => "disabled your account, and signed out every device".into(),
        Some(EventKind::Enabled) => "enabled your account again".into(),
        Some(EventKind::EmailVouched) => "marked your e-mail as verified".into(),
        _ => "changed your account".into(),
    }
}

/// Parts of the names and models of computers that are laptops.
const LAPTOPS: [&str; 9] = [
    "laptop",
    "notebook",
    "macbook",
    "chromebook",
    "thinkpad",
    "ideapad",
    "elitebook",
    "zenbook",
    "surface",
];

/// Returns the symbol of a device. A user agent doesn't tell a laptop from another computer; its
/// system and what its owner calls it may.
pub fn device_icon(session: &Session) -> &'static str {
    if session.device_kind != DeviceKind::Desktop {
        return session.device_kind.as_str();
    }
    let name = session.display_name().to_lowercase();
    let is_laptop = session.os.as_deref() == Some("ChromeOS")
        || LAPTOPS.iter().any(|laptop| name.contains(laptop));
    match is_laptop {
        true => "laptop",
        false => "desktop",
    }
}

/// Returns the browser with its version and its symbol; a program, a bot or an app that shows pages
/// is no browser.
pub fn browser(session: &Session) -> Option<Named> {
    let name = session.browser.as_deref()?;
    let icon = match browser_icon(name, session.device_kind) {
        "browser-other" if is_of_app(session.user_agent.as_deref()) => "browser-app",
        icon => icon,
    };
    let term = match icon {
        "program" | "bot" | "browser-app" => "App",
        _ => "Browser",
    };
    let name = with_version(name, session.browser_version.as_deref());
    Some(Named { term, icon, name })
}

/// Returns whether a user agent is one of an app: those of all browsers begin alike.
fn is_of_app(agent: Option<&str>) -> bool {
    const BROWSERS: [&str; 3] = ["Mozilla/", "Opera/", "UCWEB/"];

    agent.is_some_and(|agent| !BROWSERS.iter().any(|start| agent.starts_with(start)))
}

/// Returns the symbol of a browser or an app on a device of this kind.
pub fn browser_icon(name: &str, kind: DeviceKind) -> &'static str {
    match name {
        _ if matches!(kind, DeviceKind::Program | DeviceKind::Bot) => kind.as_str(),
        "Chrome" | "Chromium" | "Headless Chrome" | "Android WebView" => "browser-chrome",
        "Firefox" | "Firefox Focus" => "browser-firefox",
        "Safari" => "browser-safari",
        "Edge" => "browser-edge",
        "Opera" | "Opera GX" | "Opera Mini" => "browser-opera",
        "Samsung Internet" => "browser-samsung",
        "Brave" => "browser-brave",
        "Vivaldi" => "browser-vivaldi",
        "Tor Browser" => "browser-tor",
        "DuckDuckGo" => "browser-duckduckgo",
        "Instagram" | "Facebook" | "Messenger" | "Threads" | "TikTok" | "LinkedIn" | "WeChat"
        | "Snapchat" | "Pinterest" | "X" | "LINE" | "KakaoTalk" | "Telegram" | "Google app" => {
            "browser-app"
        }
        _ => "browser-other",
    }
}

/// Returns the system with its version and its symbol.
pub fn system(session: &Session) -> Option<Named> {
    let name = session.os.as_deref()?;
    let icon = match name {
        "Windows" | "Windows Phone" => "os-windows",
        "macOS" => "os-macos",
        "iOS" | "iPadOS" | "watchOS" => "os-ios",
        "Android" | "Fire OS" | "HarmonyOS" => "os-android",
        "Linux" | "Ubuntu" | "Fedora" | "Debian" => "os-linux",
        "ChromeOS" => "os-chromeos",
        "tvOS" | "webOS" | "Tizen" | "Roku OS" => "os-tv",
        _ => "os-other",
    };
    let name = match (name, session.os_version.as_deref()) {
        // Browsers report 10 on both unless client hints are requested.
        ("Windows", Some("10")) => "Windows 10 or 11".into(),
        (name, version) => with_version(name, version),
    };
    let term = "System";
    Some(Named { term, icon, name })
}

fn with_version(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}

/// Returns how a session was created.
pub fn opened_via(session: &Session) -> &'static str {
    match session.opened_via {
        OpenedVia::Browser => "With a password, in the browser",
        OpenedVia::Api => "With a password, through the API",
        OpenedVia::Application => "By an application",
    }
}

/// Returns that a session was signed out from a device that its person reported, and so not by them; `verb` says
/// whether its device was, and `by` is the name of the reported device, if it is known.
pub fn reported_actor_cause(verb: &str, by: Option<&str>) -> String {
    match by {
        Some(by) => format!("{verb} from {by}, which you reported"),
        None => format!("{verb} from a device that you reported"),
    }
}

/// Returns that a session ended since its person reported it; `by` is the name of the device that they did
/// it on, if that is known. By a link in a message they did it on none.
pub fn reported_cause(session: &Session, by: Option<&str>) -> String {
    const CAUSE: &str = "You reported that it was not you";

    match (session.ended_by, by) {
        (Some(_), Some(by)) => format!("{CAUSE}, from {by}"),
        (Some(_), None) => format!("{CAUSE}, from another device"),
        (None, _) => format!("{CAUSE}, with a link in an e-mail"),
    }
}

/// Returns when an event happened; of one that did several times, how long ago it did last.
pub fn event_time(event: &Event, clock: ReaderClock) -> TimeView {
    match event.last_at {
        Some(last_at) if event.times > 1 => TimeView::ago(last_at, clock),
        _ => TimeView::exact(event.at, clock),
    }
}

/// The answers to an alert, for the person who gave them.
const YOU: (&str, &str) = ("it was you", "it was not you");

/// Returns what happened to an account, and how often.
pub fn account_event(event: &Event) -> String {
    let detail = event.detail.as_deref().unwrap_or_default();
    let what = match event.kind {
        EventKind::SignedIn => "Signed in",
        EventKind::Refreshed => "Used from a new address",
        EventKind::Renamed => return renamed(event),
        EventKind::Ended => "Signed out",
        EventKind::ImpossibleTravel => "Used too far from where you were before",
        EventKind::Bound => "Sign-in bound to this browser",
        EventKind::UsedWithoutKey => "Used without its key",
        EventKind::PasswordChanged => "Password changed",
        EventKind::EmailChanged => "E-mail changed",
        EventKind::EmailChangeRequested => "Change of e-mail requested",
        EventKind::EmailChangeCancelled if detail == DECLINED => {
            "Change of e-mail cancelled: whoever reads that mailbox said that it isn’t theirs"
        }
        EventKind::EmailChangeCancelled => "Change of e-mail cancelled",
        EventKind::EmailVerified => "E-mail verified",
        EventKind::TakenBack => "Account taken back with a former e-mail",
        EventKind::AccountCreated => "Account created",
        EventKind::Invited => "Invited",
        EventKind::Disabled => "Account disabled, and signed out everywhere",
        EventKind::Enabled => "Account enabled again",
        EventKind::RoleChanged => role(detail),
        EventKind::ResetLinkCreated => "Link for a new password created",
        EventKind::NameChanged => "Name changed",
        EventKind::EmailVouched => "E-mail marked as verified",
        EventKind::JobStopped => "A job that ends sessions was stopped",
        EventKind::DelayLifted => "Delay after wrong passwords lifted",
        EventKind::Exported => "Data exported",
        EventKind::SignInFailed | EventKind::PasswordRefused | EventKind::Throttled => {
            return refused_words::refused(event);
        }
        EventKind::FormRefused => "Form refused",
        EventKind::AdminRefused => "An administrator’s page was refused",
        EventKind::TokenRefused => "Token refused",
        EventKind::SettingChanged => setting_changed(detail),
        EventKind::AlertReviewed => return alert_reviewed(detail, YOU, event),
        EventKind::SignedUp => "Account created",
        EventKind::PasswordLinkRequested => "Link for a new password requested",
        EventKind::VerificationLinkRequested => "Link to verify the e-mail requested",
        EventKind::KeyCreated | EventKind::ServiceKeyCreated => "Key created",
        EventKind::KeyRevoked | EventKind::ServiceKeyRevoked => "Key revoked",
        EventKind::AccountDeleted => "Account deleted",
    };
    format!("{what}{}", refused_words::times(event))
}

/// Returns which device was named, and how.
pub fn renamed(event: &Event) -> String {
    let name = event.detail.as_deref().unwrap_or_default();
    match event.former_name() {
        Some(former) => format!("“{former}” was renamed “{name}”"),
        None => format!("Device named “{name}”"),
    }
}

/// Returns what was done about an alert, and how often; the answers are worded for the reader.
pub fn alert_reviewed(detail: &str, (yes, no): (&str, &str), event: &Event) -> String {
    let times = refused_words::times(event);
    match detail {
        "confirmed" => format!("Alert answered{times}: {yes}"),
        "reported" => format!("Alert answered{times}: {no}"),
        "dismissed" => format!("Notice marked as read{times}"),
        _ => format!("Step after a report done or skipped{times}"),
    }
}

/// Returns which setting of an account was changed.
fn setting_changed(setting: &str) -> &'static str {
    match setting.parse() {
        Ok(Setting::Name) => "Name changed",
        Ok(Setting::AlertMail) => "Alerts by e-mail changed",
        Ok(Setting::IdleLimit) => "Time until unused devices sign out changed",
        Ok(Setting::Addresses) => "Storage of IP addresses changed",
        Ok(Setting::IdleExempt) => "Set to stay signed in when unused",
        Ok(Setting::IdleExemptionEnded) => "Set to sign out automatically when unused",
        Ok(Setting::TimeZone) => "Time zone changed",
        Err(_) => "Setting changed",
    }
}

/// Returns that somebody got a role, or none.
fn role(text: &str) -> &'static str {
    match text {
        "admin" => "Role changed to administrator",
        "auditor" => "Role changed to auditor, who can see what administrators see",
        _ => "Role in the administration removed",
    }
}

/// Returns who did what happened to the reader's account.
pub fn actor(actor: Actor) -> Option<&'static str> {
    match actor {
        Actor::Person => Some("by you"),
        Actor::Administrator => Some("by an administrator"),
        Actor::Application => Some("by an application"),
        Actor::Service | Actor::Unknown => None,
    }
}
