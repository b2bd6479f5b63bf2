//! What the lists of administrators have in common: how a request for one is read, how much of it is
//! a page, the cursors of its pages, and how many there are in all.

mod count;
mod cursor;
mod page;
mod parts;
mod time_bound;

pub use self::count::MatchCount;
pub use self::cursor::{CursorContent, ListKey};
pub use self::page::{Limit, ListEnds, Page, Place, Way};
pub use self::parts::{PageParts, QueryPairs, one_of, read_parts, refuse_parts, short, together};
pub use self::time_bound::{TimeBound, parse_time};
