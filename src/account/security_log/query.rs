//! What is requested of the security log: a filter, and which page of it.

use super::filter::EventFilter;
use crate::error::{Error, FieldError, Result};

/// The events of a page, where no number is requested.
const DEFAULT_LIMIT: u32 = 50;
/// The most events of a page.
const MAX_LIMIT: u32 = 200;

/// A page of the log that is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLogQuery {
    /// Which events.
    pub filter: EventFilter,
    /// Where the page begins; `None` for the newest event.
    pub cursor: Option<String>,
    /// The most events.
    pub limit: u32,
}

impl EventLogQuery {
    /// Parses named parts: those of a filter, `cursor` and `limit`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every part that is unknown, given twice or not as it must be.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let (mut cursors, mut limits, mut filters) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in pairs {
            match name {
                "cursor" => cursors.push(value),
                "limit" => limits.push(value),
                _ => filters.push((name, value)),
            }
        }
        let filter = EventFilter::parse(filters);
        let mut errors = match &filter {
            Err(Error::Invalid(errors)) => errors.clone(),
            _ => Vec::new(),
        };
        for (name, values) in [("cursor", &cursors), ("limit", &limits)] {
            if values.len() > 1 {
                errors.push(FieldError::new(name, "is given twice"));
            }
        }
        let limit = limits
            .first()
            .map_or(Some(DEFAULT_LIMIT), |text| text.parse().ok());
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        if limit.is_none() {
            errors.push(FieldError::new(
                "limit",
                format!("must be a number from 1 to {MAX_LIMIT}"),
            ));
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        Ok(Self {
            filter: filter?,
            cursor: cursors.first().map(|text| (*text).to_owned()),
            limit: limit.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_bounded() {
        let query = EventLogQuery::parse([("limit", "200"), ("cursor", "x"), ("q", "a")]).unwrap();
        assert_eq!((query.limit, query.cursor.as_deref()), (200, Some("x")));
        assert_eq!(EventLogQuery::parse([]).unwrap().limit, DEFAULT_LIMIT);
        for wrong in [
            [("limit", "0"), ("q", "")],
            [("limit", "201"), ("q", "")],
            [("limit", "-1"), ("q", "")],
            [("limit", "5"), ("limit", "6")],
            [("cursor", "a"), ("cursor", "b")],
            [("offset", "5"), ("q", "")],
        ] {
            assert!(EventLogQuery::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
