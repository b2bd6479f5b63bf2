//! The rules that determine the kind of a device.

use super::facts::DeviceKind;

/// The user agent, and what the patterns matched in it.
pub(super) struct KindEvidence<'a> {
    pub(super) user_agent: &'a str,
    pub(super) browser: Option<&'a str>,
    pub(super) os: Option<&'a str>,
    pub(super) device: Option<&'a str>,
}

/// The name of every bot's device in uap-core's patterns.
const SPIDER: &str = "Spider";

/// Purposes of bots, matched at the end of a word. The patterns match what is named bot or crawler.
const BOT_PURPOSES: [&str; 34] = [
    "analyzer",
    "archiver",
    "audit",
    "checker",
    "checklink",
    "crawl",
    "crawling",
    "externalhit",
    "extractor",
    "fetcher",
    "health-check",
    "health check",
    "healthcheck",
    "heritrix",
    "imageproxy",
    "imgproxy",
    "indexer",
    "inspect",
    "link preview",
    "linkpreview",
    "mailproxy",
    "monitor",
    "monitoring",
    "nutch",
    "preview service",
    "probe",
    "resolver",
    "scanner",
    "scraper",
    "scraping",
    "slurp",
    "synthetics",
    "validator",
    "verifier",
];
/// Parts of the names of bots that nothing else identifies.
const BOTS: [&str; 26] = [
    "-user/",
    "-google",
    "; google-",
    " google-",
    "anthropic-ai",
    "censys",
    "cloudflare-",
    "cohere-ai",
    "detectify",
    "embedly",
    "expanse, a palo alto",
    "gtmetrix",
    "iframely",
    "larbin",
    "mastodon/",
    "meta-external",
    "meta-webindexer",
    "nikto",
    "nmap scripting",
    "page-preview",
    "ptst/",
    "site verification",
    " subscriber",
    "uptime-kuma",
    "web preview",
    "zgrab",
];
/// Libraries whose user agents contain a URL, as those of bots do.
const LIBRARIES_WITH_URL: [&str; 6] = [
    "terraform",
    "github.com/",
    "packer/",
    "node-fetch",
    "k6/",
    "thunder client",
];

const TV_TOKENS: [&str; 20] = [
    "andr0id",
    "tv bro/",
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
    "vidaa",
    "tivoos",
    "whaleos",
    "coolita",
    "stbapp",
    "viera",
];
const TV_SYSTEMS: [&str; 3] = ["webOS", "tvOS", "Roku OS"];

/// Words in the models of Android devices that are televisions, or are plugged into one.
const TV_WORDS: [&str; 6] = ["atv", "box", "led", "shell", "stb", "stick"];
const TV_ENDINGS: [&str; 2] = ["tv", "box"];
/// Words in the models of Android tablets, of which some claim to be mobile.
const TABLET_WORDS: [&str; 6] = ["iplay", "mid", "pmt", "slate", "tab", "tb"];
const TABLET_ENDINGS: [&str; 2] = ["pad", "tab"];

/// A maker of phones whose name ends like a tablet's model.
const COOLPAD: &str = "coolpad";

/// Headsets, which have no kind of their own.
const HEADSET: &str = "oculusbrowser";
const CARS: [&str; 5] = [
    "tesla/",
    "qtcarbrowser",
    "android automotive",
    "polestar",
    "; rivian",
];
const SPEAKERS: [&str; 8] = [
    "sonos/",
    "homepod",
    "alexamediaplayer",
    "amazonecho",
    "amazon echo",
    "googlehome",
    "google home",
    "google-speaker",
];

const CONSOLES: [&str; 3] = ["playstation", "xbox", "nintendo"];
/// Phones that run no apps.
const FEATURE_PHONES: [&str; 5] = [
    "midp",
    "up.browser",
    "wap-browser",
    "wap browser",
    "browser/maui",
];
const DESKTOP_TOKENS: [&str; 10] = [
    "(pc;",
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

/// Samsung's tablets are the SM-T, SM-X and SM-P series; Amazon's begin with KF; Huawei's end in
/// W09 and similar.
const TABLET_TOKENS: [&str; 13] = [
    "/apad ", "; yt-x", "ipad", "playbook", "kindle", "; sm-t", "; sm-x", "; sm-p", "; kf", "-w00",
    "-w09", "-w19", "-w29",
];

/// Returns the kind of a device. The first rule that matches decides.
pub(super) fn kind(evidence: &KindEvidence<'_>) -> DeviceKind {
    let text = evidence.user_agent.to_ascii_lowercase();
    let has = |token: &str| text.contains(token);

    if evidence.device == Some(SPIDER) || is_bot(evidence, &text) {
        DeviceKind::Bot
    } else if CONSOLES.iter().any(|token| has(token)) {
        DeviceKind::Console
    } else if is_watch(evidence, &text) {
        DeviceKind::Watch
    } else if CARS.iter().any(|token| has(token)) {
        DeviceKind::Car
    } else if SPEAKERS.iter().any(|token| has(token)) {
        DeviceKind::Speaker
    } else if has(HEADSET) {
        DeviceKind::Unknown
    } else if is_tv(evidence, &text) {
        DeviceKind::Tv
    } else if FEATURE_PHONES.iter().any(|token| has(token)) {
        DeviceKind::Phone
    } else if is_program(evidence) {
        DeviceKind::Program
    } else if is_tablet(evidence, &text) {
        DeviceKind::Tablet
    } else if PHONE_TOKENS.iter().any(|token| has(token)) || is_mobile(evidence, &text) {
        DeviceKind::Phone
    } else if matches!(evidence.os, Some("macOS" | "Windows"))
        || DESKTOP_TOKENS.iter().any(|token| has(token))
    {
        DeviceKind::Desktop
    } else {
        DeviceKind::Unknown
    }
}

/// Returns whether it is a bot. An app is not one for having a bot's purpose in its name, nor a
/// library for having a URL.
fn is_bot(evidence: &KindEvidence<'_>, text: &str) -> bool {
    let is_browser_like = text.starts_with("mozilla/");
    if !is_browser_like
        && (names_device(evidence.user_agent)
            || LIBRARIES_WITH_URL.iter().any(|name| text.contains(name)))
    {
        return false;
    }
    names_a_url(text)
        || is_bare_compatible(text)
        || text.starts_with("google-")
        || BOTS.iter().any(|name| text.contains(name))
        || BOT_PURPOSES
            .iter()
            .any(|purpose| ends_a_word(text, purpose))
}

/// Returns whether a URL follows the name.
fn names_a_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.find(scheme).is_some_and(|at| at > 0))
}

/// Returns whether it begins like "Mozilla/5.0 (compatible; Something/1.0)". The few browsers that
/// do are excluded.
fn is_bare_compatible(text: &str) -> bool {
    text.strip_prefix("mozilla/5.0 (compatible; ")
        .is_some_and(|rest| {
            !["msie", "konqueror", "u;"]
                .iter()
                .any(|prefix| rest.starts_with(prefix))
        })
}

/// Returns whether `word` is the end of a word in `text`.
fn ends_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let next = text.as_bytes().get(at + word.len());
        !next.is_some_and(u8::is_ascii_lowercase)
    })
}

/// Returns whether it is a smartwatch; Samsung's are the SM-R series.
fn is_watch(evidence: &KindEvidence<'_>, text: &str) -> bool {
    evidence.os == Some("watchOS")
        || text.contains("wear os")
        || text.contains("apple watch")
        || text.contains("; sm-r")
        || text.contains("; samsung sm-r")
}

fn is_tv(evidence: &KindEvidence<'_>, text: &str) -> bool {
    let os_is_tv = evidence.os.is_some_and(|os| TV_SYSTEMS.contains(&os));
    let device_is_tv = evidence
        .device
        .is_some_and(|device| device.ends_with(" TV") || device == "Chromecast");
    let is_tizen_tv = text.contains("tizen") && text.contains("tv");
    // The model of a phone, whose user agent contains "mobile", may end in "tv" by chance.
    let endings: &[&str] = if text.contains("mobile") {
        &[]
    } else {
        &TV_ENDINGS
    };
    os_is_tv
        || device_is_tv
        || is_tizen_tv
        || model_has(text, &TV_WORDS, endings)
        || TV_TOKENS.iter().any(|token| text.contains(token))
}

/// Returns whether a word of an Android device's model is one of `words`, or ends in one of
/// `endings`.
fn model_has(text: &str, words: &[&str], endings: &[&str]) -> bool {
    let model = text
        .split_once("android")
        .and_then(|(_, rest)| rest.split_once(';'))
        .map_or("", |(_, rest)| rest.split([')', '/']).next().unwrap_or(""));
    let model = model.split(" build").next().unwrap_or("");
    model
        .split(|c: char| !c.is_ascii_lowercase())
        .filter(|word| *word != COOLPAD)
        .any(|word| words.contains(&word) || endings.iter().any(|end| word.ends_with(end)))
}

/// Returns whether it is a command-line client or a library. The user agents of browsers and apps
/// begin with one of a few prefixes, or name the device they run on; those of libraries do neither.
fn is_program(evidence: &KindEvidence<'_>) -> bool {
    const BROWSER_PREFIXES: [&str; 5] = ["Mozilla/", "Opera/", "Dalvik/", "UCWEB/", "[FB"];

    let agent = evidence.user_agent;
    let powershell = evidence
        .browser
        .is_some_and(|browser| browser.ends_with("PowerShell"));
    let names_library = evidence.browser.is_some()
        && !BROWSER_PREFIXES
            .iter()
            .any(|prefix| agent.starts_with(prefix));
    powershell || (names_library && !names_device(agent))
}

/// Returns whether the user agent of something other than a browser names a person's device.
fn names_device(agent: &str) -> bool {
    // An HTTP library that only apps for Apple's systems use.
    const APPLE_APP: &str = "Alamofire/";
    const HANDHELD: [&str; 6] = ["iPhone", "iPad", "iPod", "iOS", "CFNetwork", "Android"];

    agent.contains(APPLE_APP)
        || HANDHELD.iter().any(|token| agent.contains(token))
        || agent.contains("(Mac")
        || agent.contains("(Windows NT")
}

fn is_tablet(evidence: &KindEvidence<'_>, text: &str) -> bool {
    let is_mobile = text.contains("mobile");
    let is_android = matches!(evidence.os, Some("Android" | "Fire OS" | "HarmonyOS"));
    TABLET_TOKENS.iter().any(|token| text.contains(token))
        || (text.contains("tablet") && !text.contains("tablet pc"))
        || model_has(text, &TABLET_WORDS, &TABLET_ENDINGS)
        || (is_android && !is_mobile && text.starts_with("mozilla/") && !is_pc(text))
}

/// Returns whether it is a computer with Huawei's system, which states so.
fn is_pc(text: &str) -> bool {
    text.contains("(pc;")
}

fn is_mobile(evidence: &KindEvidence<'_>, text: &str) -> bool {
    let is_desktop_system =
        is_pc(text) || matches!(evidence.os, Some("Windows" | "macOS" | "ChromeOS"));
    matches!(evidence.os, Some("iOS" | "Android"))
        || text.contains("android")
        || (!is_desktop_system && (text.contains("mobile") || text.contains("harmony")))
}
