//! The text of the search box: `name:value` terms and words, parsed into a filter and formatted from
//! one.
//!
//! `user:ada@example.org country:"South Korea" used:<30d pixel` is each session of that person that
//! was used in South Korea in the last 30 days, and where "pixel" is in the names of the person or
//! the device. A value with spaces is in quotes, in which a backslash stands before a quote or a
//! backslash. Times are spans (`<30d`: less than so long ago, `>90d`: longer ago), a day, or two
//! times around `..`, either of which may be missing.

mod term;
mod times;

use self::term::Term;
use self::times::{NOT_A_TIME, format_times, parse_times};
use super::filter::SessionFilter;
use crate::error::{Error, FieldError, Result};
use crate::net::IpFilter;
use crate::text;

/// The characters that a search may have. The longest that [`format_terms`] returns has fewer.
const LIMIT: usize = 8_000;
/// The characters of a term that an error repeats.
const SHOWN: usize = 60;

/// The terms with one value: their names, and the part of the filter that they set. Those with the
/// same part are other words for it; the first is the one that is shown.
const SINGLE: [(&str, &str); 12] = [
    ("user", "user"),
    ("state", "state"),
    ("reason", "reason"),
    ("kind", "kind"),
    ("browser", "browser"),
    ("os", "os"),
    ("country", "country"),
    ("ip", "ip"),
    ("app", "application"),
    ("application", "application"),
    ("mark", "mark"),
    ("bound", "bound"),
];
/// The terms with times, and the parts of the filter that they set.
const TIMES: [(&str, &str, &str); 2] = [
    ("opened", "opened_from", "opened_to"),
    ("used", "used_from", "used_to"),
];
/// The term for what words say as well.
const DEVICE: &str = "device";
/// The part of the filter that words set.
const WORDS: &str = "q";
/// The parts whose values are fixed words in lower case.
const FIXED: [&str; 5] = ["state", "reason", "kind", "mark", "bound"];

/// Parses the text of the search box.
///
/// # Errors
/// [`Error::Invalid`] with every term that is not understood, as it was typed.
pub fn parse_terms(text: &str) -> Result<SessionFilter> {
    if text.chars().count() > LIMIT {
        let message = format!("is too long: a search has at most {LIMIT} characters");
        return Err(Error::field(shown(text), message));
    }
    let mut parts = Parts::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (term, after) = Term::take(rest);
        if let Err(message) = parts.add(&term) {
            parts
                .errors
                .push(FieldError::new(shown(term.typed), message));
        }
        rest = after.trim_start();
    }
    parts.into_filter()
}

/// Formats a filter as the text of the search box, which [`parse_terms`] reads.
#[must_use]
pub fn format_terms(filter: &SessionFilter) -> String {
    let mut terms: Vec<String> = Vec::new();
    for (name, value) in filter.to_pairs() {
        if let Some((term, _)) = SINGLE.iter().find(|(_, part)| *part == name) {
            terms.push(format!("{term}:{}", quoted_if_needed(&value)));
        }
    }
    let times = [
        (filter.opened_from, filter.opened_to),
        (filter.used_from, filter.used_to),
    ];
    for ((name, ..), (from, to)) in TIMES.iter().zip(times) {
        terms.extend(format_times(from, to).map(|times| format!("{name}:{times}")));
    }
    terms.extend(filter.q.as_deref().map(format_words));
    terms.join(" ")
}

/// The parts of the filter so far.
#[derive(Default)]
struct Parts {
    pairs: Vec<(&'static str, String)>,
    words: Vec<String>,
    errors: Vec<FieldError>,
}

impl Parts {
    fn add(&mut self, term: &Term<'_>) -> Result<(), String> {
        if !term.is_closed {
            return Err("has a quote that is not closed".into());
        }
        // An address has colons, and is in no name.
        if !term.is_quoted && term.typed.parse::<IpFilter>().is_ok() {
            return self.set("ip", term.typed.to_owned());
        }
        let Some(name) = term.name.map(str::to_lowercase) else {
            return self.add_word(term.value.clone());
        };
        let (single, times) = (
            SINGLE.iter().find(|(known, _)| *known == name),
            TIMES.iter().find(|(known, ..)| *known == name),
        );
        if single.is_none() && times.is_none() && name != DEVICE {
            let known = known_names().join(", ");
            return Err(format!(
                "is not a filter. Filters are {known}. Text with a colon goes in quotes"
            ));
        }
        if text::clean(&term.value).is_empty() {
            return Err("has no value".into());
        }
        match (single, times) {
            (Some((_, part)), _) => self.set(part, term.value.clone()),
            (_, Some((_, from, to))) => self.set_times((from, to), &term.value),
            _ if self.words.is_empty() => self.set(WORDS, term.value.clone()),
            _ => Err(WITH_WORDS.into()),
        }
    }

    fn add_word(&mut self, word: String) -> Result<(), String> {
        if self.pairs.iter().any(|(part, _)| *part == WORDS) {
            return Err(WITH_WORDS.into());
        }
        self.words.push(word);
        Ok(())
    }

    fn set(&mut self, part: &'static str, value: String) -> Result<(), String> {
        if self.pairs.iter().any(|(other, _)| *other == part) {
            return Err("is given twice".into());
        }
        let value = match FIXED.contains(&part) {
            true => value.to_lowercase(),
            false => value,
        };
        if let Err(err) = SessionFilter::parse([(part, value.as_str())]) {
            return Err(message(&err));
        }
        self.pairs.push((part, value));
        Ok(())
    }

    fn set_times(
        &mut self,
        (from, to): (&'static str, &'static str),
        text: &str,
    ) -> Result<(), String> {
        if self
            .pairs
            .iter()
            .any(|(part, _)| *part == from || *part == to)
        {
            return Err("is given twice".into());
        }
        let (earliest, latest) = parse_times(text).ok_or(NOT_A_TIME)?;
        for (part, bound) in [(from, earliest), (to, latest)] {
            if let Some(bound) = bound {
                self.set(part, bound.to_string())?;
            }
        }
        Ok(())
    }

    fn into_filter(mut self) -> Result<SessionFilter> {
        let words = self.words.join(" ");
        if let Err(err) = SessionFilter::parse([(WORDS, words.as_str())]) {
            self.errors
                .push(FieldError::new(shown(&words), message(&err)));
        }
        match self.errors.is_empty() {
            false => Err(Error::Invalid(self.errors)),
            true => {
                let words = (!words.is_empty()).then_some((WORDS, words.as_str()));
                let pairs = self
                    .pairs
                    .iter()
                    .map(|(part, value)| (*part, value.as_str()));
                SessionFilter::parse(pairs.chain(words))
            }
        }
    }
}

const WITH_WORDS: &str =
    "can’t stand beside other words: device and words search the same text, in one piece";

/// Returns the names of terms, other words for the same left out.
fn known_names() -> Vec<&'static str> {
    let single = SINGLE.iter().map(|(name, _)| *name);
    let times = TIMES.iter().map(|(name, ..)| *name);
    single
        .filter(|name| *name != "application")
        .chain(times)
        .chain([DEVICE])
        .collect()
}

/// Formats a text as words, in quotes if it would be read as anything else.
fn format_words(text: &str) -> String {
    let is_plain = |word: &str| {
        !word.is_empty()
            && !word.contains(|c: char| c == '"' || c == ':' || c.is_whitespace())
            && word.parse::<IpFilter>().is_err()
    };
    match text.split(' ').all(is_plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

fn quoted_if_needed(value: &str) -> String {
    match value.contains(|c: char| c == '"' || c.is_whitespace()) {
        true => quoted(value),
        false => value.to_owned(),
    }
}

fn quoted(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

fn shown(term: &str) -> String {
    match text::truncate_chars(term, SHOWN) {
        whole if whole.len() == term.len() => whole.to_owned(),
        cut => format!("{cut}…"),
    }
}

/// Returns the message of an error about one part.
fn message(err: &Error) -> String {
    let messages = err.field_errors().iter().map(|err| err.message.as_str());
    messages.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use strum::VariantNames;

    use super::super::filter::{BoundFilter, Mark, StateFilter};
    use super::*;
    use crate::sessions::EndedReason;
    use crate::user_agent::DeviceKind;

    fn pairs_of(text: &str) -> Vec<(&'static str, String)> {
        parse_terms(text).expect(text).to_pairs()
    }

    fn errors_of(text: &str) -> Vec<FieldError> {
        match parse_terms(text) {
            Err(Error::Invalid(errors)) => errors,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn terms_say_what_the_filter_is() {
        for (text, pairs) in [
            ("", vec![]),
            ("ada  lovelace", vec![("q", "ada lovelace")]),
            ("user:ada@example.org", vec![("user", "ada@example.org")]),
            (
                "KIND:Desktop country:no",
                vec![("kind", "desktop"), ("country", "Norway")],
            ),
            (
                r#"country:"South Korea" app:shop"#,
                vec![("country", "South Korea"), ("application", "shop")],
            ),
            (r#""a:b \"c\"""#, vec![("q", r#"a:b "c""#)]),
            ("device:pixel", vec![("q", "pixel")]),
            ("203.0.113.7", vec![("ip", "203.0.113.7")]),
            ("2001:db8::/32", vec![("ip", "2001:db8::/32")]),
            ("\"203.0.113.7\"", vec![("q", "203.0.113.7")]),
            ("used:<30d", vec![("used_from", "30d")]),
            ("used:30d", vec![("used_from", "30d")]),
            ("used:>90d", vec![("used_to", "90d")]),
            ("opened:<2026-11-01", vec![("opened_to", "2026-11-01")]),
            (
                "opened:2026-11-01..2026-11-08",
                vec![("opened_from", "2026-11-01"), ("opened_to", "2026-11-08")],
            ),
            (
                "opened:2026-11-01",
                vec![("opened_from", "2026-11-01"), ("opened_to", "2026-11-02")],
            ),
            ("used:7d..", vec![("used_from", "7d")]),
        ] {
            let expected: Vec<_> = pairs.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
            assert_eq!(pairs_of(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named_as_it_was_typed() {
        for (text, typed) in [
            ("colour:red ada", vec!["colour:red"]),
            ("kind:fridge user:", vec!["kind:fridge", "user:"]),
            ("ip:here used:soon", vec!["ip:here", "used:soon"]),
            ("used:.. opened:10:30", vec!["used:..", "opened:10:30"]),
            ("os:a os:b", vec!["os:b"]),
            ("device:a b", vec!["b"]),
            (r#"a "b c"#, vec![r#""b c"#]),
        ] {
            let fields: Vec<_> = errors_of(text).into_iter().map(|err| err.field).collect();
            assert_eq!(fields, typed, "{text}");
        }
        let long = "x".repeat(LIMIT + 1);
        assert_eq!(errors_of(&long)[0].field.chars().count(), SHOWN + 1);
    }

    /// A value of any characters, more often of those that mean something in the search box.
    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z:\"\\\\ .<>0-9]{0,12}",
            "\\PC{0,12}",
            select(vec!["203.0.113.7", "::1", "user:x", "\"", "\\", "a  b"]).prop_map(String::from),
        ]
    }

    fn any_time() -> impl Strategy<Value = String> {
        prop_oneof![
            (1..28_u32).prop_map(|day| format!("2026-11-{day:02}")),
            (0..60_u32).prop_map(|second| format!("2026-11-01T10:00:{second:02}.5Z")),
            (0..100_000_u32, select(vec!["ms", "s", "m", "h", "d"]))
                .prop_map(|(n, unit)| format!("{}{unit}", n % 36_000)),
        ]
    }

    fn any_ip() -> impl Strategy<Value = String> {
        prop_oneof![
            (any::<[u8; 4]>(), 0..=32_u8)
                .prop_map(|(ip, prefix)| format!("{}/{prefix}", std::net::Ipv4Addr::from(ip))),
            (any::<[u8; 16]>(), 0..=128_u8)
                .prop_map(|(ip, prefix)| format!("{}/{prefix}", std::net::Ipv6Addr::from(ip))),
        ]
    }

    fn any_pair() -> impl Strategy<Value = (&'static str, String)> {
        let text = select(vec!["user", "browser", "os", "country", "application", "q"]);
        let time = select(vec!["opened_from", "opened_to", "used_from", "used_to"]);
        let fixed = |name: &'static str, values: &'static [&'static str]| {
            select(values).prop_map(move |value| (name, value.to_owned()))
        };
        prop_oneof![
            8 => (text, any_text()),
            6 => (time, any_time()),
            1 => any_ip().prop_map(|ip| ("ip", ip)),
            1 => fixed("state", StateFilter::VARIANTS),
            1 => fixed("reason", EndedReason::VARIANTS),
            1 => fixed("kind", DeviceKind::VARIANTS),
            1 => fixed("mark", Mark::VARIANTS),
            1 => fixed("bound", BoundFilter::VARIANTS),
        ]
    }

    proptest! {
        #[test]
        fn a_formatted_filter_is_read_as_the_same_filter(
            pairs in proptest::collection::hash_map(0..15_u8, any_pair(), 0..10)
        ) {
            let mut named = std::collections::HashMap::new();
            named.extend(pairs.into_values());
            let pairs = named.iter().map(|(name, value)| (*name, value.as_str()));
            // One that contradicts itself is refused.
            let Ok(filter) = SessionFilter::parse(pairs) else {
                return Ok(());
            };
            let text = format_terms(&filter);
            prop_assert_eq!(parse_terms(&text).map_err(|err| err.detail()), Ok(filter), "{}", text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z:\"\\\\ .<>0-9\\PC]{0,60}") {
            if let Ok(filter) = parse_terms(&text) {
                let again = parse_terms(&format_terms(&filter));
                prop_assert_eq!(again.map_err(|err| err.detail()), Ok(filter));
            }
        }
    }
}
