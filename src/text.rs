//! Text: removes control characters from untrusted text, truncates it before it is stored, and
//! generates random identifiers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
