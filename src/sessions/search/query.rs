//! The parts of a search by their names, as in the query of an address.

use super::cursor::SearchCursor;
use super::filter::{SessionFilter, SessionSort};
use super::find::{SEARCH_BUDGET, SearchQuery};
use crate::error::{Error, FieldError, Result};

/// The sessions of a page where none are named.
const DEFAULT_LIMIT: u32 = 50;
/// The most sessions of a page.
pub const MAX_SEARCH_LIMIT: u32 = 200;
/// The names of what isn't a part of the filter.
const OWN: [&str; 3] = ["sort", "limit", "cursor"];

impl SearchQuery {
    /// Returns the first page of a search.
    #[must_use]
    pub fn first(filter: SessionFilter, sort: SessionSort, limit: u32) -> Self {
        Self {
            filter,
            sort,
            cursor: None,
            limit,
            budget: SEARCH_BUDGET,
        }
    }

    /// Parses the names of a filter, and `sort`, `limit` and `cursor`. Empty values say nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every part that is unknown, given twice or not as it must be.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let (own, filter): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(name, _)| OWN.contains(name));
        let mut errors = Vec::new();
        let mut valid = |result: Result<()>| {
            if let Err(Error::Invalid(invalid)) = result {
                errors.extend(invalid);
            }
        };
        let mut filtered = SessionFilter::default();
        valid(SessionFilter::parse(filter).map(|filter| filtered = filter));
        let sort = SessionSort::default_for(filtered.state());
        let mut query = Self::first(filtered, sort, DEFAULT_LIMIT);
        for name in OWN {
            let given: Vec<&str> = own
                .iter()
                .filter(|(given, value)| *given == name && !value.trim().is_empty())
                .map(|(_, value)| value.trim())
                .collect();
            let set = match given[..] {
                [] => query.set(name, ""),
                [value] => query.set(name, value),
                _ => Err(Error::field(name, "is given twice")),
            };
            valid(set);
        }
        match errors.is_empty() {
            true => Ok(query),
            // A cursor is one of the filter, so it says nothing where that is wrong.
            false if errors.len() > 1 => {
                errors.retain(|err: &FieldError| err.field != "cursor");
                Err(Error::Invalid(errors))
            }
            false => Err(Error::Invalid(errors)),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "sort" => self.sort = SessionSort::parse(value, self.filter.state())?,
            "limit" if !value.is_empty() => self.limit = parse_limit(value)?,
            "cursor" => self.cursor = SearchCursor::parse(value, &self.filter, self.sort)?,
            _ => {}
        }
        Ok(())
    }
}

fn parse_limit(text: &str) -> Result<u32> {
    let number = text.parse().ok();
    let allowed = number.filter(|number| (1..=MAX_SEARCH_LIMIT).contains(number));
    allowed.ok_or_else(|| Error::field("limit", format!("must be from 1 to {MAX_SEARCH_LIMIT}")))
}
