//! Finding sessions among all people's: filters, sorting and pages, for administrators.

mod filter;
mod shared_addresses;
mod terms;
mod time_bound;

pub use self::filter::{Mark, SessionFilter, SessionSort, SortKey, StateFilter};
pub use self::shared_addresses::{SharedAddress, SharedAddresses};
pub use self::terms::{format_terms, parse_terms};
pub use self::time_bound::TimeBound;
