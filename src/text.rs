//! Text from outside: cleaned of control characters and cut to length before anything keeps it.

/// `text` without control characters and surrounding space. Characters that turn the direction of
/// what follows them (Unicode's bidirectional controls) go too: they could disguise a name.
pub fn clean(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| !c.is_control() && !is_bidi_control(*c))
        .collect();
    kept.trim().to_owned()
}

/// The longest beginning of `text` with at most `limit` characters.
pub fn cut(text: &str, limit: usize) -> &str {
    match text.char_indices().nth(limit) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// The longest beginning of `text` with at most `limit` bytes.
pub fn cut_bytes(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
