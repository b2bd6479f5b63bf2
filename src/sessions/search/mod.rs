//! Finding sessions among all people's: filters, sorting and pages, for administrators.

mod checks;
mod count;
pub(in crate::sessions) mod criteria;
mod cursor;
mod deadline;
mod filter;
mod find;
mod ids;
mod plan;
mod query;
mod record;
mod resolve;
mod shared_addresses;
mod terms;
mod walk;

pub use self::cursor::SearchCursor;
pub use self::filter::{BoundFilter, Mark, SessionFilter, SessionSort, SortKey, StateFilter};
pub use self::find::{FoundSession, SEARCH_BUDGET, SearchPage, SearchQuery};
pub use self::ids::IdBatch;
pub(crate) use self::ids::list_ids_after;
pub(in crate::sessions) use self::ids::list_matching;
pub use self::record::{OwnerRecord, SessionRecord};
pub(in crate::sessions) use self::resolve::{names_exist, with_ids};
pub use self::shared_addresses::{SharedAddress, SharedAddresses};
pub use self::terms::{format_terms, parse_terms};
pub use crate::listing::{MatchCount, TimeBound};
