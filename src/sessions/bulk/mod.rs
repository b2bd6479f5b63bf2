//! Ending many sessions: an order is a row in the database, and is worked off in batches. Each batch
//! is one transaction, which also records how far the job has come, so a node that stops loses and
//! repeats nothing, and any node goes on.

mod batch;
mod names;
mod orders;
mod preview;
mod record;
mod selection;
pub(in crate::sessions) mod state;
mod stopping;
mod ticket;

pub use self::batch::BatchOutcome;
pub use self::orders::{EndOrder, JobPage, Ordered, Repetition};
pub use self::preview::EndPreview;
pub use self::record::{EndRecord, JobRecord};
pub use self::selection::{MAX_LISTED, OwnSessions, Selection};
pub(crate) use self::state::Stop;
pub use self::state::{BulkState, StopCause};
pub(crate) use self::stopping::{stop_jobs_of, stop_jobs_of_key};
pub use self::ticket::OrderTicket;
pub use crate::sessions::store::BulkJob;
