//! Reads user agents with `user-agent-parser` and our own patterns, which are loaded once.
//!
//! One thread does it. A regular expression keeps a cache for each thread that uses it, here about
//! 7 MB in all, and a sign-in waits far longer for its password's hash than for these microseconds.

use std::borrow::Cow;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use user_agent_parser::{UserAgentParser, UserAgentParserError};

use super::facts::{DeviceFacts, DeviceKind};
use super::hints::ClientHints;
use super::kind::{KindEvidence, kind};
use crate::text;

const PATTERNS: &str = include_str!("patterns.yaml");
/// Bytes of a user agent that are looked at.
const LIMIT: usize = 500;
/// Characters an answer may have.
const FIELD_LIMIT: usize = 100;
/// What the patterns answer when nothing matches.
const NO_MATCH: &str = "Other";
/// What browsers on a Mac say since version 11, whichever it is.
const FROZEN_MACOS: &str = "10.15";

/// What Chrome and its kin say on every Android.
const FROZEN_ANDROID: [&str; 2] = ["Android 10; K)", "Android 10; K;"];

/// The patterns can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// They can't be read.
    #[error("the user-agent patterns are not usable: {0}")]
    Unreadable(#[from] UserAgentParserError),
    /// The system has no thread for them.
    #[error("no thread for the user-agent patterns: {0}")]
    NoThread(#[from] std::io::Error),
}

/// Knows user agents.
pub struct DeviceParser {
    requests: Sender<ParseRequest>,
}

/// A user agent with its hints, and where the answer goes.
struct ParseRequest {
    agent: String,
    hints: ClientHints,
    reply: SyncSender<DeviceFacts>,
}

impl DeviceParser {
    /// A parser with the patterns of `file`, if one is named, else those that come with the service.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn load(file: Option<&Path>) -> Result<Self, PatternError> {
        match file {
            Some(file) => Self::from_path(file),
            None => Self::built_in(),
        }
    }

    /// A parser with the patterns that come with the service.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn built_in() -> Result<Self, PatternError> {
        Self::start(UserAgentParser::from_str(PATTERNS)?)
    }

    /// A parser with the patterns of a file in the format of uap-core.
    ///
    /// # Errors
    /// When the file can't be read, or its patterns can't.
    pub fn from_path(path: &Path) -> Result<Self, PatternError> {
        Self::start(UserAgentParser::from_path(path)?)
    }

    /// What `user_agent` tells. Any text will do.
    #[must_use]
    pub fn parse(&self, user_agent: &str) -> DeviceFacts {
        self.parse_with_hints(user_agent, ClientHints::default())
    }

    /// What `user_agent` and the hints beside it tell.
    #[must_use]
    pub fn parse_with_hints(&self, user_agent: &str, hints: ClientHints) -> DeviceFacts {
        let (reply, replied) = sync_channel(1);
        let request = ParseRequest {
            agent: text::truncate_bytes(user_agent, LIMIT).to_owned(),
            hints,
            reply,
        };
        let facts = self.requests.send(request).ok();
        facts.and_then(|()| replied.recv().ok()).unwrap_or_else(|| {
            tracing::error!("the user-agent parser is gone; devices go unrecognised");
            DeviceFacts::default()
        })
    }

    fn start(patterns: UserAgentParser) -> Result<Self, PatternError> {
        let (requests, received) = channel();
        thread::Builder::new()
            .name("user-agents".into())
            .spawn(move || serve_requests(&patterns, &received))?;
        Ok(Self { requests })
    }
}

/// Answers until nobody can ask any more.
fn serve_requests(patterns: &UserAgentParser, received: &Receiver<ParseRequest>) {
    for ParseRequest {
        agent,
        hints,
        reply,
    } in received
    {
        // Whoever asked may have gone away.
        let _ = reply.send(parse_facts(patterns, &agent, &hints));
    }
}

/// Hints count only beside a user agent of Chromium's kin: nobody else sends them.
fn parse_facts(patterns: &UserAgentParser, agent: &str, hints: &ClientHints) -> DeviceFacts {
    if !agent.contains("Chrome/") {
        return match_patterns(patterns, agent);
    }
    // A model can pretend to be another system; then it is none.
    let unfrozen = hints
        .unfrozen_agent(agent)
        .map(|agent| match_patterns(patterns, &agent));
    let unfrozen = unfrozen.filter(|facts| facts.os.as_deref() == Some("Android"));
    apply_hints(
        unfrozen.unwrap_or_else(|| match_patterns(patterns, agent)),
        hints,
    )
}

/// What the user agent alone tells.
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

/// Puts right what the user agent hides: the version of the system, the form of the device, and
/// the browser that calls itself Chrome.
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

/// Bots name a device and a system that they only play; of a console, everybody knows its system.
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

/// An answer that says something, cleaned.
fn cleaned(found: Option<Cow<'_, str>>) -> Option<String> {
    let found = text::clean(&found?);
    let found = text::truncate_chars(&found, FIELD_LIMIT);
    (!found.is_empty() && found != NO_MATCH).then(|| found.to_owned())
}

/// "17.6", "10", none.
fn version(parts: &[Option<&str>]) -> Option<String> {
    let known: Vec<&str> = parts
        .iter()
        .map_while(|part| part.filter(|part| !part.is_empty()))
        .collect();
    (!known.is_empty())
        .then(|| text::truncate_chars(&text::clean(&known.join(".")), FIELD_LIMIT).to_owned())
}

fn is_frozen(agent: &str, version: &str) -> bool {
    (version == FROZEN_MACOS && agent.contains("Macintosh"))
        || FROZEN_ANDROID.iter().any(|text| agent.contains(text))
}
