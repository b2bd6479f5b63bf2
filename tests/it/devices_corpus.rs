//! Real user agents with their expected facts: a corpus that tests the patterns, kinds and names.

use std::collections::HashSet;
use std::path::Path;

use rollcall::user_agent::{DeviceFacts, DeviceKind, DeviceParser, device_label};
use serde::Deserialize;

const CORPUS: &str = include_str!("corpus/user_agents.jsonl");

/// The fewest distinct agents that the corpus may have; it only grows.
const MIN_AGENTS: usize = 705;

/// The most characters that a field may have, whatever was sent.
const FIELD_LIMIT: usize = 100;

/// A line of the corpus: a user agent and its expected facts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    ua: String,
    browser: Option<String>,
    browser_version: Option<String>,
    os: Option<String>,
    os_version: Option<String>,
    kind: String,
    brand: Option<String>,
    model: Option<String>,
    name: String,
}

impl Line {
    /// Lists the fields that differ: `os: Some("Linux"), not Some("Ubuntu")`.
    fn errors(&self, facts: &DeviceFacts) -> Vec<String> {
        let kind = Some(facts.kind.to_string());
        let name = Some(device_label(facts));
        let fields = [
            ("browser", &facts.browser, &self.browser),
            (
                "browser_version",
                &facts.browser_version,
                &self.browser_version,
            ),
            ("os", &facts.os, &self.os),
            ("os_version", &facts.os_version, &self.os_version),
            ("kind", &kind, &Some(self.kind.clone())),
            ("brand", &facts.brand, &self.brand),
            ("model", &facts.model, &self.model),
            ("name", &name, &Some(self.name.clone())),
        ];
        fields
            .into_iter()
            .filter(|(_, found, expected)| found != expected)
            .map(|(field, found, expected)| format!("{field}: {found:?}, not {expected:?}"))
            .collect()
    }
}

fn corpus() -> Vec<Line> {
    CORPUS
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

fn parser() -> DeviceParser {
    DeviceParser::built_in().expect("patterns that can be read")
}

/// Asserts that every field is clean, and short enough to be stored and shown.
fn assert_presentable(facts: &DeviceFacts, agent: &str) {
    let name = Some(device_label(facts));
    let values = [
        &facts.browser,
        &facts.browser_version,
        &facts.os,
        &facts.os_version,
        &facts.brand,
        &facts.model,
    ];
    for value in values.into_iter().flatten() {
        assert!(value.chars().count() <= FIELD_LIMIT, "{agent:?}: {value:?}");
    }
    for value in values.into_iter().chain([&name]).flatten() {
        assert!(!value.chars().any(char::is_control), "{agent:?}: {value:?}");
        assert!(!value.trim().is_empty(), "{agent:?}: {value:?}");
        assert!(value.chars().count() <= 255, "{agent:?}: {value:?}");
    }
}

#[test]
fn every_agent_of_the_corpus_is_parsed_correctly() {
    let parser = parser();
    let lines = corpus();
    let wrong: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let errors = line.errors(&parser.parse(&line.ua));
            (!errors.is_empty()).then(|| format!("{:?}\n    {}", line.ua, errors.join("\n    ")))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} agents are parsed wrong:\n{}",
        wrong.len(),
        lines.len(),
        wrong.join("\n")
    );
}

#[test]
fn the_corpus_has_enough_distinct_agents() {
    let lines = corpus();
    let agents: HashSet<&str> = lines.iter().map(|line| line.ua.as_str()).collect();
    assert_eq!(agents.len(), lines.len(), "an agent is there twice");
    assert!(agents.len() >= MIN_AGENTS, "only {} agents", agents.len());
}

#[test]
fn an_agent_of_64_kib_gives_a_short_result() {
    const LONG: usize = 64 * 1024;
    let parser = parser();
    let mozilla = "Mozilla/5.0 (Linux; Android 14; ";
    for piece in [
        "A",
        "(",
        "1.",
        "Chrome/",
        "; SM-",
        "\u{1F600}",
        "bot",
        " ",
        "iPhone; ",
    ] {
        let tail = piece.repeat(LONG / piece.len());
        for agent in [
            tail.clone(),
            format!("{mozilla}{tail}"),
            format!("App/{tail}"),
        ] {
            assert_presentable(&parser.parse(&agent), &agent[..mozilla.len().min(16)]);
        }
    }
}

#[test]
fn control_characters_never_reach_a_result() {
    let parser = parser();
    let agents = [
        "curl/8\u{0}.4",
        "My\u{1b}[31mApp/1.2 (iPhone; iOS 17.1; Scale/3.00)",
        "Mozilla/5.0 (Linux; Android 14; Pixel\u{7} 8) Chrome/120.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; Redmi \u{202e}Note 9) Chrome/120.0.0.0 Mobile",
        "\r\nSet-Cookie: a=b\r\n\r\nBot/1.0",
        "\u{0}\u{1}\u{2}\u{7f}\u{85}",
        "\u{2066}\u{200f}",
    ];
    for agent in agents {
        assert_presentable(&parser.parse(agent), agent);
    }
}

#[test]
fn an_agent_of_invalid_utf_8_gives_a_clean_result() {
    let parser = parser();
    let agents: [&[u8]; 5] = [
        b"\xff\xfe\xfd",
        b"curl/8.4.0\xc3",
        b"Mozilla/5.0 (Linux; Android 14; SM-\xf0\x28\x8c\x28) Chrome/120.0.0.0",
        b"\xed\xa0\x80Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
        b"\xc0\xaf\x00Bot/1",
    ];
    for bytes in agents {
        let agent = String::from_utf8_lossy(bytes);
        assert_presentable(&parser.parse(&agent), &agent);
    }
}

#[test]
fn a_cut_never_splits_a_character() {
    let parser = parser();
    for padding in 490..=505 {
        let agent = format!("{}\u{1F600}\u{1F600}", "a".repeat(padding));
        assert_presentable(&parser.parse(&agent), &agent);
    }
}

#[test]
fn patterns_of_another_file_give_the_same_kinds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/corpus");
    let parser = DeviceParser::from_path(&corpus.join("other_patterns.yaml"))
        .expect("patterns that can be read");
    let chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0";
    for (agent, kind) in [
        (
            format!("Mozilla/5.0 (Linux; Android 10; K) {chrome} Mobile Safari/537.36"),
            DeviceKind::Phone,
        ),
        (
            format!("Mozilla/5.0 (Linux; Android 10; K) {chrome} Safari/537.36"),
            DeviceKind::Tablet,
        ),
        (
            format!("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {chrome} Safari/537.36"),
            DeviceKind::Desktop,
        ),
        (
            format!("Mozilla/5.0 (Web0S; Linux/SmartTV) {chrome} Safari/537.36"),
            DeviceKind::Tv,
        ),
        (
            "Mozilla/5.0 (compatible; examplebot/1.0)".into(),
            DeviceKind::Bot,
        ),
        ("curl/8.4.0".into(), DeviceKind::Program),
    ] {
        assert_eq!(parser.parse(&agent).kind, kind, "{agent}");
    }
}

#[test]
fn a_missing_file_is_an_error() {
    assert!(DeviceParser::from_path(Path::new("no-such-patterns.yaml")).is_err());
}
