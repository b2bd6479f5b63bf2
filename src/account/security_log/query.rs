//! What is requested of the security log: a filter, and which page of it.

use super::filter::EventFilter;
use crate::error::Result;
use crate::listing::{PageParts, together};

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
    /// [`Error::Invalid`](crate::Error::Invalid) with every part that is unknown, given twice or not as it must be.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut filter = EventFilter::default();
        let set = |name: &str, value| filter.set(name, value);
        let page = PageParts::read(pairs, &EventFilter::NAMES, set);
        let (page, ()) = together(page, filter.check())?;
        Ok(Self {
            filter,
            cursor: page.cursor,
            limit: page.limit.get(),
        })
    }
}
