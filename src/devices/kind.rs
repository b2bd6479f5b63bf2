//! The rules that tell what kind of device it is.

use super::facts::DeviceKind;

/// What the patterns found, and the user agent itself.
pub(super) struct Clues<'a> {
    pub(super) user_agent: &'a str,
    pub(super) browser: Option<&'a str>,
    pub(super) os: Option<&'a str>,
    pub(super) device: Option<&'a str>,
}

/// How uap-core's patterns name bots.
const SPIDER: &str = "Spider";

const TV_TOKENS: [&str; 12] = [
    "smart-tv",
    "smarttv",
    "smart tv",
    "appletv",
    "apple tv",
    "googletv",
    "android tv",
    "hbbtv",
    "bravia",
    "netcast",
    "crkey",
    " tv ",
];
const TV_SYSTEMS: [&str; 3] = ["webOS", "tvOS", "Roku OS"];

/// What is worn on the head, or driven.
const NEITHER: [&str; 2] = ["oculusbrowser", "tesla/"];

const CONSOLES: [&str; 3] = ["playstation", "xbox", "nintendo"];
const DESKTOP_TOKENS: [&str; 9] = [
    "windows",
    "macintosh",
    "macos",
    "mac os x",
    "linux",
    "x11",
    "cros",
    "bsd",
    "haiku",
];
const PHONE_TOKENS: [&str; 8] = [
    "iphone",
    "ipod",
    "windows phone",
    "kaios",
    "opera mini",
    "blackberry",
    "bb10",
    "j2me",
];

/// Samsung's tablets are of the SM-T, SM-X and SM-P series, Amazon's begin with KF.
const TABLET_TOKENS: [&str; 7] = [
    "ipad", "playbook", "kindle", "; sm-t", "; sm-x", "; sm-p", "; kf",
];

/// The first rule that holds decides.
pub(super) fn kind(clues: &Clues<'_>) -> DeviceKind {
    let text = clues.user_agent.to_ascii_lowercase();
    let has = |token: &str| text.contains(token);

    if clues.device == Some(SPIDER) {
        DeviceKind::Bot
    } else if CONSOLES.iter().any(|token| has(token)) {
        DeviceKind::Console
    } else if is_watch(clues, &text) {
        DeviceKind::Watch
    } else if NEITHER.iter().any(|token| has(token)) {
        DeviceKind::Unknown
    } else if is_tv(clues, &text) {
        DeviceKind::Tv
    } else if is_program(clues) {
        DeviceKind::Program
    } else if is_tablet(clues, &text) {
        DeviceKind::Tablet
    } else if PHONE_TOKENS.iter().any(|token| has(token)) || is_mobile(clues, &text) {
        DeviceKind::Phone
    } else if matches!(clues.os, Some("macOS" | "Windows"))
        || DESKTOP_TOKENS.iter().any(|token| has(token))
    {
        DeviceKind::Desktop
    } else {
        DeviceKind::Unknown
    }
}

/// Samsung's watches are of the SM-R series.
fn is_watch(clues: &Clues<'_>, text: &str) -> bool {
    clues.os == Some("watchOS")
        || text.contains("wear os")
        || text.contains("apple watch")
        || text.contains("; sm-r")
}

fn is_tv(clues: &Clues<'_>, text: &str) -> bool {
    let os_is_tv = clues.os.is_some_and(|os| TV_SYSTEMS.contains(&os));
    let device_is_tv = clues
        .device
        .is_some_and(|device| device.ends_with(" TV") || device == "Chromecast");
    let is_tizen_tv = text.contains("tizen") && text.contains("tv");
    os_is_tv || device_is_tv || is_tizen_tv || TV_TOKENS.iter().any(|token| text.contains(token))
}

/// Everything that isn't a program and speaks HTTP begins with `Mozilla/` or `Opera/`, or says in
/// brackets what it runs on. A library that was recognised says neither.
fn is_program(clues: &Clues<'_>) -> bool {
    const PEOPLE: [&str; 3] = ["Mozilla/", "Opera/", "Dalvik/"];
    // What apps for Apple's systems speak HTTP with, and programs don't.
    const APPLE_APP: &str = "Alamofire/";
    const HELD: [&str; 6] = ["iPhone", "iPad", "iPod", "iOS", "CFNetwork", "Android"];

    let agent = clues.user_agent;
    let powershell = clues
        .browser
        .is_some_and(|browser| browser.ends_with("PowerShell"));
    let names_library =
        clues.browser.is_some() && !PEOPLE.iter().any(|prefix| agent.starts_with(prefix));
    let names_device = agent.contains(APPLE_APP)
        || HELD.iter().any(|token| agent.contains(token))
        || agent.contains("(Mac")
        || agent.contains("(Windows NT");
    powershell || (names_library && !names_device)
}

fn is_tablet(clues: &Clues<'_>, text: &str) -> bool {
    let is_mobile = text.contains("mobile");
    let is_android = matches!(clues.os, Some("Android" | "Fire OS" | "HarmonyOS"));
    TABLET_TOKENS.iter().any(|token| text.contains(token))
        || (text.contains("tablet") && !text.contains("tablet pc"))
        || (is_android && !is_mobile && text.starts_with("mozilla/"))
}

fn is_mobile(clues: &Clues<'_>, text: &str) -> bool {
    let is_desktop_system = matches!(clues.os, Some("Windows" | "macOS" | "ChromeOS"));
    clues.os == Some("iOS")
        || text.contains("android")
        || (!is_desktop_system && (text.contains("mobile") || text.contains("harmony")))
}
