//! Ending many sessions: an order is a row in the database, and is worked off in batches. Each batch
//! is one transaction, which also records how far the job has come, so a node that stops loses and
//! repeats nothing, and any node goes on.

mod batch;
mod names;
mod orders;
mod preview;
mod selection;
pub(in crate::sessions) mod state;

pub use self::batch::BatchOutcome;
pub use self::orders::{EndOrder, JobPage, Ordered, OwnSessions};
pub use self::preview::EndPreview;
pub use self::selection::{MAX_LISTED, Selection};
pub use self::state::{BulkState, StopCause};
pub use crate::sessions::store::BulkJob;
