//! One term of the search box.

/// A term, as it was typed and taken apart.
pub(super) struct Term<'a> {
    pub(super) typed: &'a str,
    /// What is before the first colon, if that is not in quotes.
    pub(super) name: Option<&'a str>,
    /// The rest without its quotes.
    pub(super) value: String,
    pub(super) is_quoted: bool,
    pub(super) is_closed: bool,
}

impl<'a> Term<'a> {
    /// Returns the first term of a text that begins with one, and the text after it.
    pub(super) fn take(text: &'a str) -> (Self, &'a str) {
        let is_end = |c: char| c.is_whitespace() || c == '"';
        let head = &text[..text.find(is_end).unwrap_or(text.len())];
        let name = head.split_once(':').map(|(name, _)| name);
        let name = name.filter(|name| !name.is_empty());
        let start = name.map_or(0, |name| name.len() + 1);
        let (mut value, mut in_quotes, mut is_quoted) = (String::new(), false, false);
        let mut end = text.len();
        let mut chars = text[start..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => (in_quotes, is_quoted) = (!in_quotes, true),
                '\\' if in_quotes => value.extend(chars.next().map(|(_, escaped)| escaped)),
                c if c.is_whitespace() && !in_quotes => {
                    end = start + at;
                    break;
                }
                c => value.push(c),
            }
        }
        let term = Self {
            typed: &text[..end],
            name,
            value,
            is_quoted,
            is_closed: !in_quotes,
        };
        (term, &text[end..])
    }
}
