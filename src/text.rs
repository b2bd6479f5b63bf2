//! Text: removes control characters from untrusted text, truncates it before it is stored, and
//! generates random identifiers.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use crate::error::{Error, Failure, Result};

/// Returns `text` without control characters and surrounding white space. Unicode's bidirectional
/// controls are removed as well: they can disguise a name by turning the text after them.
#[must_use]
pub fn clean(text: &str) -> String {
    let cleaned: String = text
        .chars()
        .filter(|c| !c.is_control() && !is_bidi_control(*c))
        .collect();
    cleaned.trim().to_owned()
}

/// Returns a text in which the wildcards of `LIKE` stand for themselves, where a backslash is its
/// escape.
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Returns the pattern of `LIKE` for texts in lower case that contain `text`, ignoring case.
#[must_use]
pub fn like_containing(text: &str) -> String {
    format!("%{}%", escape_like(&text.to_lowercase()))
}

/// Returns `text` in Unicode's normalization form C, in which characters are composed.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// Returns `text` without what makes it look different and say the same: compatibility forms (full-width
/// letters) and accents.
#[must_use]
pub fn plain(text: &str) -> String {
    const ACCENTS: RangeInclusive<char> = '\u{300}'..='\u{36f}';

    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let is_accent = |c: &char| ACCENTS.contains(c);
    decomposed.chars().filter(|c| !is_accent(c)).collect()
}

/// Returns `text` as it is compared in a search: what people type for each other is one. Case, accents and
/// width don't count, nor which apostrophe, dash or quotation mark it is.
#[must_use]
pub fn searchable(text: &str) -> String {
    let typed: String = text
        .chars()
        .filter(|c| !is_default_ignorable(*c))
        .map(as_typed)
        .collect();
    plain(&typed)
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Returns the character of a keyboard for one that programs put in its place.
fn as_typed(c: char) -> char {
    match c {
        '\u{60}'
        | '\u{B4}'
        | '\u{2B9}'
        | '\u{2BB}'..='\u{2BD}'
        | '\u{2C8}'
        | '\u{2018}'..='\u{201B}'
        | '\u{2032}'
        | '\u{2035}'
        | '\u{A78C}'
        | '\u{FF07}' => '\'',
        '\u{AB}' | '\u{BB}' | '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{FF02}' => '"',
        '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF0D}' => '-',
        c => c,
    }
}

/// Returns `bytes` as text: as UTF-8 where they are, else as Latin-1, in which every byte is a
/// character.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Returns `text` percent-decoded (RFC 3986, 2.1); `None` unless every `%` has its two hexadecimal
/// digits and the result is UTF-8. A plus sign is a plus sign.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| is_hex(digits))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Returns a number with its thousands separated: "2,738".
#[must_use]
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut separated = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            separated.push(',');
        }
        separated.push(digit);
    }
    separated
}

/// Returns a number of units in words: "1 day", "12 hours".
#[must_use]
pub fn quantity(n: u64, unit: &str) -> String {
    match n {
        1 => format!("1 {unit}"),
        n => format!("{n} {unit}s"),
    }
}

/// Returns a place in an order in words: "second", and beyond ten in figures: "11th".
#[must_use]
pub fn ordinal(n: usize) -> String {
    const WORDS: [&str; 10] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth",
    ];
    let word = n.checked_sub(1).and_then(|index| WORDS.get(index));
    word.map_or_else(
        || match (n % 10, n % 100) {
            (_, 11..=13) => format!("{n}th"),
            (1, _) => format!("{n}st"),
            (2, _) => format!("{n}nd"),
            (3, _) => format!("{n}rd"),
            _ => format!("{n}th"),
        },
        |word| (*word).to_owned(),
    )
}

/// Returns the longest prefix of `text` with at most `limit` characters.
#[must_use]
pub fn truncate_chars(text: &str, limit: usize) -> &str {
    match text.char_indices().nth(limit) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// Returns the longest prefix of `text` with at most `limit` bytes.
#[must_use]
pub fn truncate_bytes(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Returns `N` random bytes as URL-safe Base64 without padding.
///
/// # Errors
/// [`Error::Internal`] when the system provides no randomness.
pub fn random<const N: usize>() -> Result<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|err| Error::Internal(Failure::new("no randomness", err)))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Returns whether `text` has nothing that can be seen: white space, control characters, and
/// characters that have no form of their own.
#[must_use]
pub fn is_invisible(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || c.is_control() || is_default_ignorable(c))
}

/// Returns whether a character is one that is not shown (Unicode Standard, 5.21), or is shown as a
/// blank.
fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(like_containing(r"50%_OFF\Ä"), r"%50\%\_off\\ä%");
    }

    #[test]
    fn bytes_are_utf_8_or_latin_1() {
        assert_eq!(decode("Zürich".as_bytes()), "Zürich");
        assert_eq!(decode(b"Z\xfcrich"), "Zürich");
        assert_eq!(decode(b""), "");
    }

    #[test]
    fn what_cannot_be_seen_is_no_text() {
        for text in [
            "",
            " ",
            "\u{200b}",
            "\u{2060}\u{feff} ",
            "\u{202e}\n",
            "\u{3164}\u{2800}",
        ] {
            assert!(is_invisible(text), "{text:?}");
        }
        for text in ["a", "\u{200b}a", "👩\u{200d}🚀", "é", "."] {
            assert!(!is_invisible(text), "{text:?}");
        }
    }

    #[test]
    fn thousands_are_separated() {
        for (n, text) in [(0, "0"), (738, "738"), (2_738, "2,738"), (16_747, "16,747")] {
            assert_eq!(thousands(n), text);
        }
        assert_eq!(thousands(61_000_000), "61,000,000");
    }

    #[test]
    fn what_is_typed_finds_what_programs_write() {
        for (typed, written) in [
            ("ana's phone", "Ana’s Phone"),
            ("ana's", "Anaʼs"),
            ("o'neil", "O‘NEIL"),
            ("sitting-room", "Sitting‑Room"),
            ("a-b", "A–B"),
            ("\"den\"", "„Den“"),
            ("ipad", "ｉＰａｄ"),
            ("elodie", "Élodie"),
            ("strasse", "Straße"),
            ("σας", "ΣΑΣ"),
            ("tablet", "Tab\u{ad}let"),
        ] {
            assert_eq!(searchable(typed), searchable(written), "{typed}");
        }
        assert_ne!(searchable("ana's"), searchable("anas"));
    }

    #[test]
    fn only_what_decodes_cleanly_is_percent_decoded() {
        for (text, expected) in [
            ("Z%C3%BCrich", Some("Zürich")),
            ("S%c3%a3o%20Paulo", Some("São Paulo")),
            ("Zürich", Some("Zürich")),
            ("a+b", Some("a+b")),
            ("100%", None),
            ("%+1", None),
            ("%4", None),
            ("Z%FCrich", None),
            ("%é1", None),
            ("", Some("")),
        ] {
            assert_eq!(percent_decoded(text).as_deref(), expected);
        }
    }
}
