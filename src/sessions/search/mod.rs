//! Finding sessions among all people's: filters, sorting and pages, for administrators.

mod count;
pub(in crate::sessions) mod criteria;
mod cursor;
mod filter;
mod find;
mod ids;
mod plan;
mod query;
mod resolve;
mod walk;

pub use self::count::{MatchCount, MatchPreview};
pub use self::cursor::SearchCursor;
pub use self::filter::{Mark, SessionFilter, SessionSort, SortKey, StateFilter, TimeBound};
pub use self::find::{FoundSession, SEARCH_BUDGET, SearchPage, SearchQuery};
pub use self::ids::IdBatch;
pub(crate) use self::ids::list_ids_after;
pub use self::query::MAX_SEARCH_LIMIT;
