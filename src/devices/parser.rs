//! Reads user agents with `user-agent-parser` and our own patterns, which are loaded once.

use std::borrow::Cow;
use std::path::Path;

use user_agent_parser::{UserAgentParser, UserAgentParserError};

use super::facts::{DeviceFacts, DeviceKind};
use super::kind::{Clues, kind};
use crate::text;

const PATTERNS: &str = include_str!("patterns.yaml");
/// Bytes of a user agent that are looked at.
const LIMIT: usize = 500;
/// Characters an answer may have.
const ANSWER_LIMIT: usize = 100;
/// What the patterns answer when nothing matches.
const NOTHING: &str = "Other";
/// What browsers on a Mac say since version 11, whichever it is.
const FROZEN_MACOS: &str = "10.15";

/// What Chrome and its kin say on every Android.
const FROZEN_ANDROID: [&str; 2] = ["Android 10; K)", "Android 10; K;"];

/// The patterns can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the user-agent patterns are not usable: {0}")]
pub struct PatternError(#[from] UserAgentParserError);

/// Knows user agents.
pub struct DeviceParser {
    patterns: UserAgentParser,
}

impl DeviceParser {
    /// A parser with the patterns that come with the service.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn built_in() -> Result<Self, PatternError> {
        Ok(Self {
            patterns: UserAgentParser::from_str(PATTERNS)?,
        })
    }

    /// A parser with the patterns of a file in the format of uap-core.
    ///
    /// # Errors
    /// When the file can't be read, or its patterns can't.
    pub fn from_path(path: &Path) -> Result<Self, PatternError> {
        Ok(Self {
            patterns: UserAgentParser::from_path(path)?,
        })
    }

    /// What `user_agent` tells. Any text will do.
    pub fn parse(&self, user_agent: &str) -> DeviceFacts {
        let agent = cut_bytes(user_agent, LIMIT);
        let product = self.patterns.parse_product(agent);
        let os = self.patterns.parse_os(agent);
        let device = self.patterns.parse_device(agent);
        let os_version = version(&[os.major.as_deref(), os.minor.as_deref()]);
        let facts = DeviceFacts {
            browser: answer(product.name).map(|name| name.replace("%20", " ").trim().to_owned()),
            browser_version: answer(product.major),
            os: answer(os.name),
            os_version: os_version.filter(|version| !is_frozen(agent, version)),
            brand: answer(device.brand),
            model: answer(device.model),
            ..DeviceFacts::default()
        };
        let device = answer(device.name);
        let clues = Clues {
            user_agent: agent,
            browser: facts.browser.as_deref(),
            os: facts.os.as_deref(),
            device: device.as_deref(),
        };
        without_disguise(DeviceFacts {
            kind: kind(&clues),
            ..facts
        })
    }
}

/// Bots name a device and a system that they only play; of a console, everybody knows its system.
fn without_disguise(facts: DeviceFacts) -> DeviceFacts {
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

/// An answer that says something, cleaned.
fn answer(found: Option<Cow<'_, str>>) -> Option<String> {
    let found = text::clean(&found?);
    let found = text::cut(&found, ANSWER_LIMIT);
    (!found.is_empty() && found != NOTHING).then(|| found.to_owned())
}

/// "17.6", "10", none.
fn version(parts: &[Option<&str>]) -> Option<String> {
    let told: Vec<&str> = parts
        .iter()
        .map_while(|part| part.filter(|part| !part.is_empty()))
        .collect();
    (!told.is_empty()).then(|| text::cut(&text::clean(&told.join(".")), ANSWER_LIMIT).to_owned())
}

fn is_frozen(agent: &str, version: &str) -> bool {
    (version == FROZEN_MACOS && agent.contains("Macintosh"))
        || FROZEN_ANDROID.iter().any(|text| agent.contains(text))
}

fn cut_bytes(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
