//! Every field that somebody outside can set: what goes into it, and where it is shown.

use super::strings::Payload;

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text of at most 100 characters.
    Short,
    /// An e-mail address.
    Email,
    /// A user agent, which begins as that of a browser.
    Agent,
    /// A user agent with the model of a device.
    Model,
    /// A client hint: a string item (RFC 9651).
    Hint,
    /// Client hints: a list of brands.
    Brands,
    /// The name of a host.
    Host,
    /// A path on this site.
    Path,
}

/// Where a field is shown.
#[derive(Debug, Clone, Copy)]
pub enum Shown {
    /// On these pages and in these files, whole.
    On(&'static [&'static [&'static str]]),
    /// Nowhere, for that reason.
    Nowhere(&'static str),
}

/// A field, by a name of ours.
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    /// The fields of requests that it stands for: `Struct.field`, `action#input` of a form, and
    /// `header: name`.
    pub covers: &'static [&'static str],
    pub shown: Shown,
}

/// The characters of a payload beside a mark in a short text.
const SHORT: usize = 94;

/// Returns the number of a field.
#[track_caller]
fn position(name: &str) -> usize {
    let found = super::table::FIELDS
        .iter()
        .position(|field| field.name == name);
    found.unwrap_or_else(|| panic!("no field is named {name}"))
}

/// The texts that go into the fields with one payload.
#[derive(Clone, Copy)]
pub struct Texts {
    pub round: usize,
    pub payload: &'static Payload,
}

impl Texts {
    /// Returns what goes into a field.
    #[track_caller]
    pub fn of(self, name: &str) -> String {
        let field = &super::table::FIELDS[position(name)];
        let mark = self.mark(name);
        let Payload {
            text,
            local_part,
            host,
            ..
        } = self.payload;
        let short: String = text.chars().take(SHORT).collect();
        let short = self.payload.marked(&short, &mark);
        let whole = self.payload.marked(text, &mark);
        let in_header = |text: &str| text.replace(|c: char| c.is_control(), "");
        match field.kind {
            Kind::Text => whole,
            Kind::Short => short,
            Kind::Email => format!("{mark}{local_part}@example.org"),
            Kind::Agent => in_header(&format!("{} {whole}", crate::support::FIREFOX)),
            Kind::Model => in_header(&format!(
                "Mozilla/5.0 (Linux; Android 14; {mark}{text}) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/126.0.0.0 Mobile Safari/537.36"
            )),
            Kind::Hint => format!("\"{}\"", quoted(&whole)),
            Kind::Brands => format!("\"{0}\";v=\"{0}\", \"Chromium\";v=\"126\"", quoted(&whole)),
            Kind::Host => format!("{mark}{host}"),
            // White space, which no path has, separates attributes as well as a slash does.
            Kind::Path => {
                let path = whole.replace(char::is_whitespace, "/");
                format!(
                    "/{}",
                    path.replace(|c: char| c.is_control() || c == '\\', "")
                )
            }
        }
    }

    /// Returns what tells a field from the others: six signs that no escaping changes.
    #[track_caller]
    pub fn mark(self, name: &str) -> String {
        format!("zq{:03}{}", position(name), self.round)
    }
}

/// Returns a text as a string item may have it: of ASCII, with its quotation marks escaped.
fn quoted(text: &str) -> String {
    let ascii: String = text.chars().filter(|c| matches!(c, ' '..='~')).collect();
    ascii.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Returns a text without what is stored and shown in another way: white space, control characters
/// and those that turn the text after them.
pub fn plain(text: &str) -> String {
    let stays = |c: &char| {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        !c.is_whitespace()
            && !c.is_control()
            && !turns
            && !matches!(c, '\u{feff}' | '\u{200b}' | '\u{fffd}')
    };
    text.chars().filter(stays).collect()
}
