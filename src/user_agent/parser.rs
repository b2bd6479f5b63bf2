//! Parses user agents with `user-agent-parser` and the service's own patterns, which are loaded
//! once. It takes microseconds.

use std::borrow::Cow;
use std::path::Path;

use user_agent_parser::{UserAgentParser, UserAgentParserError};

use super::facts::{DeviceFacts, DeviceKind};
use super::hints::ClientHints;
use super::kind::{KindEvidence, kind};
use crate::text;

const PATTERNS: &str = include_str!("patterns.yaml");
/// Bytes of a user agent that are parsed.
const LIMIT: usize = 500;
/// Characters a field may have.
const FIELD_LIMIT: usize = 100;
/// The result of the patterns when nothing matches.
const NO_MATCH: &str = "Other";
/// The version that browsers on a Mac state since macOS 11, whichever it is.
const FROZEN_MACOS: &str = "10.15";

/// The Android version that Chromium-based browsers state on every one, with the model "K".
const FROZEN_ANDROID: [&str; 2] = ["Android 10; K)", "Android 10; K;"];

/// The error of patterns that can't be read or parsed.
#[derive(Debug, thiserror::Error)]
#[error("the user-agent patterns are not usable: {0}")]
pub struct PatternError(#[from] UserAgentParserError);

/// A parser of user agents.
pub struct DeviceParser(UserAgentParser);

impl DeviceParser {
    /// Returns a parser with the patterns in `file`, or with the built-in ones when there is none.
    ///
    /// # Errors
    /// As [`DeviceParser::from_path`].
    pub fn load(file: Option<&Path>) -> Result<Self, PatternError> {
        match file {
            Some(file) => Self::from_path(file),
            None => Self::built_in(),
        }
    }

    /// Returns a parser with the built-in patterns.
    ///
    /// # Errors
    /// [`PatternError`] when they can't be parsed.
    pub fn built_in() -> Result<Self, PatternError> {
        Ok(Self(UserAgentParser::from_str(PATTERNS)?))
    }

    /// Returns a parser with the patterns in a file, in the format of uap-core.
    ///
    /// # Errors
    /// [`PatternError`] when the file can't be read, or its patterns can't be parsed.
    pub fn from_path(path: &Path) -> Result<Self, PatternError> {
        Ok(Self(UserAgentParser::from_path(path)?))
    }

    /// Returns the facts that `user_agent`, any text, states.
    #[must_use]
    pub fn parse(&self, user_agent: &str) -> DeviceFacts {
        self.parse_with_hints(user_agent, &ClientHints::default())
    }

    /// Returns the facts that `user_agent`, any text, and its client hints state.
    #[must_use]
    pub fn parse_with_hints(&self, user_agent: &str, hints: &ClientHints) -> DeviceFacts {
        parse_facts(&self.0, Self::truncate(user_agent), hints)
    }

    /// Returns as much of a user agent as is parsed.
    pub(super) fn truncate(user_agent: &str) -> &str {
        text::truncate_bytes(user_agent, LIMIT)
    }
}

/// Returns the facts that a user agent and its hints state. Hints are used only beside the user
/// agent of a Chromium-based browser: no other browser sends them.
fn parse_facts(patterns: &UserAgentParser, agent: &str, hints: &ClientHints) -> DeviceFacts {
    if !agent.contains("Chrome/") {
        return match_patterns(patterns, agent);
    }
    // A forged model can make the patterns match another system; then it is ignored.
    let unfrozen = hints
        .unfrozen_agent(agent)
        .map(|agent| match_patterns(patterns, &agent));
    let unfrozen = unfrozen.filter(|facts| facts.os.as_deref() == Some("Android"));
    apply_hints(
        unfrozen.unwrap_or_else(|| match_patterns(patterns, agent)),
        hints,
    )
}

/// Returns the facts that the user agent alone states.
fn match_patterns(patterns: &UserAgentParser, agent: &str) -> DeviceFacts {
    let product = patterns.parse_product(agent);
    let os = patterns.parse_os(agent);
    let device = patterns.parse_device(agent);
    let os_version = version(&[os.major.as_deref(), os.minor.as_deref()]);
    let facts = DeviceFacts {
        browser: cleaned(product.name).map(|name| name.replace("%20", " ").trim().to_owned()),
        browser_version: cleaned(product.major),
        os: cleaned(os.name),
        os_version: os_version.filter(|version| !is_frozen(agent, version)),
        brand: cleaned(device.brand),
        model: cleaned(device.model),
        ..DeviceFacts::default()
    };
    let device = cleaned(device.name);
    let evidence = KindEvidence {
        user_agent: agent,
        browser: facts.browser.as_deref(),
        os: facts.os.as_deref(),
        device: device.as_deref(),
    };
    clear_spoofed(DeviceFacts {
        kind: kind(&evidence),
        ..facts
    })
}

/// Corrects what a frozen user agent hides: the operating system's version, the form of the device,
/// and the browser where it claims to be Chrome.
fn apply_hints(mut facts: DeviceFacts, hints: &ClientHints) -> DeviceFacts {
    let is_for_people = matches!(
        facts.kind,
        DeviceKind::Phone | DeviceKind::Tablet | DeviceKind::Desktop | DeviceKind::Unknown
    );
    if !is_for_people {
        return facts;
    }
    if facts.os.is_some() && facts.os == hints.platform {
        facts.os_version = hints.system_version().or(facts.os_version);
    }
    if let (Some("Chrome" | "Chromium"), Some((name, version))) =
        (facts.browser.as_deref(), hints.browser())
    {
        facts.browser_version = version.or(facts.browser_version);
        facts.browser = Some(name.into());
    }
    let is_android_tablet =
        facts.os.as_deref() == Some("Android") && hints.is_mobile == Some(false);
    if let Some(kind) = hints.kind() {
        facts.kind = kind;
    } else if is_android_tablet && facts.kind == DeviceKind::Phone {
        facts.kind = DeviceKind::Tablet;
    }
    facts
}

/// Clears the facts that mislead or add nothing: the device and system that a bot imitates, and the
/// system of a console.
fn clear_spoofed(facts: DeviceFacts) -> DeviceFacts {
    match facts.kind {
        DeviceKind::Bot => DeviceFacts {
            browser: facts.browser,
            browser_version: facts.browser_version,
            kind: facts.kind,
            ..DeviceFacts::default()
        },
        DeviceKind::Console => DeviceFacts {
            os: None,
            os_version: None,
            ..facts
        },
        _ => facts,
    }
}

/// Returns a match of the patterns, cleaned; `None` when it is empty or nothing matched.
fn cleaned(found: Option<Cow<'_, str>>) -> Option<String> {
    let found = text::clean(&found?);
    let found = text::truncate_chars(&found, FIELD_LIMIT);
    (!found.is_empty() && found != NO_MATCH).then(|| found.to_owned())
}

/// Joins the known parts of a version: "17.6", "10", or `None` without any.
fn version(parts: &[Option<&str>]) -> Option<String> {
    let known: Vec<&str> = parts
        .iter()
        .map_while(|part| part.filter(|part| !part.is_empty()))
        .collect();
    (!known.is_empty())
        .then(|| text::truncate_chars(&text::clean(&known.join(".")), FIELD_LIMIT).to_owned())
}

/// Returns whether a version is the one that browsers state whichever it is.
fn is_frozen(agent: &str, version: &str) -> bool {
    (version == FROZEN_MACOS && agent.contains("Macintosh"))
        || FROZEN_ANDROID.iter().any(|text| agent.contains(text))
}
