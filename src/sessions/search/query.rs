//! The parts of a search by their names, as in the query of an address.

use super::cursor::SearchCursor;
use super::filter::{SessionFilter, SessionSort};
use super::find::{SEARCH_BUDGET, SearchQuery};
use crate::error::Result;
use crate::listing::{PageParts, together};

/// The name of the order.
const SORT: &str = "sort";

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

    /// Returns the names of the parts that say which sessions, and in which order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SessionFilter::NAMES.into_iter().chain([SORT])
    }

    /// Parses the names of a filter, and `sort`, `limit` and `cursor`. Empty values say nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every part that is unknown, given twice or not as
    /// it must be. A cursor is one of the filter, so it says nothing where that is wrong.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let names: Vec<&str> = Self::names().collect();
        let (mut filter, mut sort) = (SessionFilter::default(), String::new());
        let page = PageParts::read(pairs, &names, |name, value| {
            match name {
                SORT => sort = value,
                name => filter.set(name, value)?,
            }
            Ok(())
        });
        let sort = SessionSort::parse(&sort, filter.state());
        let (page, (sort, ())) = together(page, together(sort, filter.verify()))?;
        let cursor = page.cursor.unwrap_or_default();
        Ok(Self {
            cursor: SearchCursor::parse(&cursor, &filter, sort)?,
            ..Self::first(filter, sort, page.limit.get())
        })
    }
}
