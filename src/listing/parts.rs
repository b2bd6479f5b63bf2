//! The named parts of a request for a list: those of its filter, and which page of it.

use std::borrow::Cow;
use std::str::FromStr;

use url::form_urlencoded;

use super::cursor::{CursorContent, ListKey};
use super::page::Limit;
use crate::error::{Error, FieldError, Result};
use crate::text;

/// The characters that a text to filter by may have.
const TEXT_LIMIT: usize = 255;
/// The names of the parts that say which page.
const PAGE_NAMES: [&str; 2] = ["limit", "cursor"];

/// Which page of a list is requested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageParts {
    /// The items on it, at most.
    pub limit: Limit,
    /// Its cursor; the first page has none.
    pub cursor: Option<String>,
}

impl PageParts {
    /// Reads `limit` and `cursor`, and what has one of `names` with `set`.
    ///
    /// # Errors
    /// As [`read_parts`].
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        names: &[&str],
        mut set: impl FnMut(&str, String) -> Result<(), String>,
    ) -> Result<Self> {
        let mut page = Self::default();
        let names: Vec<&str> = names.iter().copied().chain(PAGE_NAMES).collect();
        read_parts(pairs, &names, |name, value| {
            match name {
                "limit" => page.limit = value.parse()?,
                "cursor" => page.cursor = Some(value),
                name => set(name, value)?,
            }
            Ok(())
        })?;
        Ok(page)
    }

    /// Returns where the page begins in the list with that key; `None` for the first page.
    ///
    /// # Errors
    /// As [`ListKey::open`].
    pub fn start<T: CursorContent>(&self, key: &ListKey) -> Result<Option<T>> {
        let cursor = self.cursor.as_deref();
        cursor.map(|cursor| key.open(cursor)).transpose()
    }
}

/// The named parts of a query, decoded.
#[derive(Debug, Clone)]
pub struct QueryPairs<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> QueryPairs<'a> {
    /// Decodes a query.
    #[must_use]
    pub fn of(query: &'a str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// Returns the names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// Reads named parts with `set`, each without control characters. Empty values say nothing; one of
/// blanks or control characters alone is refused, since it is for what doesn't exist, not for all.
///
/// # Errors
/// [`Error::Invalid`] with every part that is none of `names`, is given twice, has no text, or is not
/// as `set` requires.
pub fn read_parts<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    names: &[&str],
    mut set: impl FnMut(&str, String) -> Result<(), String>,
) -> Result<()> {
    let mut errors = Vec::new();
    let mut given = Vec::new();
    for (name, sent) in pairs {
        let value = text::clean(sent);
        let read = match () {
            () if !names.contains(&name) => Err(unknown(names)),
            () if sent.is_empty() => Ok(()),
            () if value.is_empty() => Err("has no text".into()),
            () if given.contains(&name) => Err("is given twice".into()),
            () => {
                given.push(name);
                set(name, value)
            }
        };
        if let Err(message) = read {
            errors.push(FieldError::new(name, message));
        }
    }
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Error::Invalid(errors)),
    }
}

fn unknown(names: &[&str]) -> String {
    match names {
        [] => "is unknown".into(),
        names => format!("is not a filter; allowed: {}", names.join(", ")),
    }
}

/// Refuses a query that has any part.
///
/// # Errors
/// [`Error::Invalid`] with every part.
pub fn refuse_parts(query: &str) -> Result<()> {
    read_parts(QueryPairs::of(query).iter(), &[], |_, _| Ok(()))
}

/// Returns two results as one.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong with either; else the error of one of them.
pub fn together<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Error::Invalid(a)), Err(Error::Invalid(b))) => Err(Error::Invalid([a, b].concat())),
        (Err(err), _) | (_, Err(err)) => Err(err),
    }
}

/// Parses a value that is one of `allowed`.
///
/// # Errors
/// A message when it is not.
pub fn one_of<T: FromStr>(value: &str, allowed: &[&str]) -> Result<T, String> {
    let refused = |_| format!("must be one of {}", allowed.join(", "));
    value.parse().map_err(refused)
}

/// Returns a text to filter by.
///
/// # Errors
/// A message when it has more than 255 characters.
pub fn short(value: String) -> Result<String, String> {
    match value.chars().count() {
        ..=TEXT_LIMIT => Ok(value),
        _ => Err(format!("must have at most {TEXT_LIMIT} characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<(PageParts, Vec<String>), Vec<String>> {
        let mut others = Vec::new();
        let set = |name: &str, value: String| {
            others.push(format!("{name}={value}"));
            Ok(())
        };
        match PageParts::read(pairs.iter().copied(), &["q"], set) {
            Ok(page) => Ok((page, others)),
            Err(err) => Err(err.field_errors().iter().map(|e| e.field.clone()).collect()),
        }
    }

    #[test]
    fn a_page_is_bounded() {
        let (page, others) = read(&[("limit", "200"), ("cursor", "x"), ("q", " a\u{7}")]).unwrap();
        assert_eq!((page.limit.get(), page.cursor.as_deref()), (200, Some("x")));
        assert_eq!(others, ["q=a"]);
        assert_eq!(read(&[]).unwrap().0, PageParts::default());
        for wrong in ["0", "201", "-1", "1e2", "ten"] {
            assert_eq!(
                read(&[("limit", wrong)]),
                Err(vec!["limit".into()]),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_unknown_or_given_twice_is_named() {
        let pairs = [
            ("q", "a"),
            ("q", ""),
            ("q", "b"),
            ("limit", "5"),
            ("limit", "6"),
            ("offset", ""),
        ];
        assert_eq!(
            read(&pairs),
            Err(vec!["q".into(), "limit".into(), "offset".into()])
        );
        assert!(refuse_parts("").is_ok() && refuse_parts("a=").is_err());
    }
}
