//! `rollcall device`: parses user agents.

use std::io::{BufRead, Write, stdin, stdout};

use clap::Subcommand;
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::CliError;
use super::error::Result;
use crate::error::{Error, Failure};
use crate::settings::Settings;
use crate::user_agent::{ClientHints, DeviceFacts, DeviceParser, device_label};

#[derive(Subcommand)]
pub(super) enum Device {
    /// Read user agents from standard input, one a line, and print one JSON object a line
    ///
    /// A line may also be a JSON object: {"user_agent": "…", "hints": {"Sec-CH-UA-Model": "\"Pixel
    /// 9\"", …}}. Hints are values of headers, or plain ones.
    #[command(verbatim_doc_comment)]
    Parse,
}

/// The output for one line.
#[derive(Serialize)]
struct ParsedAgent {
    #[serde(flatten)]
    facts: DeviceFacts,
    name: String,
}

impl Device {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let parser = DeviceParser::load(settings.device_patterns.as_deref()).map_err(|err| {
            Error::Configuration(Failure::new("device_patterns can't be used", err))
        })?;
        match self {
            Self::Parse => parse(&parser).map_err(|source| CliError::Io {
                action: "the user agents could not be read or the result written",
                source,
            }),
        }
    }
}

fn parse(parser: &DeviceParser) -> std::io::Result<()> {
    let (mut input, mut output) = (stdin().lock(), stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        let text = String::from_utf8_lossy(&line);
        let (agent, hints) = read(text.trim_end_matches(['\n', '\r']));
        let facts = parser.parse_with_hints(&agent, &hints);
        let parsed = ParsedAgent {
            name: device_label(&facts),
            facts,
        };
        serde_json::to_writer(&mut output, &parsed)?;
        output.write_all(b"\n")?;
    }
}

/// Reads a line: a user agent, or a JSON object with one and its client hints.
fn read(line: &str) -> (String, ClientHints) {
    let Ok(Value::Object(object)) = serde_json::from_str(line) else {
        return (line.to_owned(), ClientHints::default());
    };
    let fields = Fields::new(&object);
    let agent = ["useragent", "ua"].iter().find_map(|name| fields.get(name));
    let agent = agent.and_then(Value::as_str).unwrap_or_default().to_owned();
    let hints = ClientHints::from_headers(|name| fields.get(&bare(name)).and_then(field_value));
    (agent, hints)
}

/// The fields of an object and of the objects in it, by their bare names.
struct Fields<'a>(Vec<(String, &'a Value)>);

impl<'a> Fields<'a> {
    fn new(object: &'a Map<String, Value>) -> Self {
        let mut fields = Vec::new();
        for (name, value) in object {
            match value {
                Value::Object(inside) => fields.extend(Self::new(inside).0),
                _ => fields.push((bare(name), value)),
            }
        }
        Self(fields)
    }

    fn get(&self, bare: &str) -> Option<&'a Value> {
        let found = self.0.iter().find(|(name, _)| name == bare);
        found.map(|(_, value)| *value)
    }
}

/// Returns the bare form of a name, in which "Sec-CH-UA-Platform-Version", "platform_version" and
/// "platformVersion" are the same.
fn bare(name: &str) -> String {
    let alphanumerics: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let alphanumerics = alphanumerics.to_ascii_lowercase();
    match alphanumerics
        .strip_prefix("secchua")
        .unwrap_or(&alphanumerics)
    {
        "" => "brands".into(),
        rest => rest.into(),
    }
}

/// Returns a hint as it is in its header. Values from scripts in browsers are plain: text,
/// booleans, lists.
fn field_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if is_structured(text) => Some(text.clone()),
        Value::String(text) => Some(quoted(text)),
        Value::Bool(yes) => Some(if *yes { "?1" } else { "?0" }.into()),
        Value::Array(members) => {
            let members: Vec<_> = members.iter().filter_map(member).collect();
            Some(members.join(", "))
        }
        _ => None,
    }
}

fn member(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(quoted(text)),
        Value::Object(brand) => {
            let version = brand.get("version")?.as_str()?;
            let name = brand.get("brand")?.as_str()?;
            Some(format!("{};v={}", quoted(name), quoted(version)))
        }
        _ => None,
    }
}

fn is_structured(text: &str) -> bool {
    text.starts_with('"') || matches!(text, "?0" | "?1")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
