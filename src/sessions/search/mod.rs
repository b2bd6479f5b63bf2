//! Finding sessions among all people's: filters, sorting and pages, for administrators.

mod filter;

pub use self::filter::{Mark, SessionFilter, SessionSort, SortKey, StateFilter, TimeBound};
