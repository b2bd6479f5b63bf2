//! The names in an order: a job runs for a while, in which they may come to be another's.

use super::selection::{MAX_LISTED, Selection};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId};
use crate::error::{Error, Result};
use crate::sessions::Sessions;
use crate::sessions::search::{SessionFilter, list_ids_after, with_ids};

/// Ids that one query lists.
const CHUNK: i64 = 1_000;

impl Sessions {
    /// Returns a selection of the same sessions by ids. Of several people with one e-mail, which
    /// their applications state, it is a list of the sessions.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the filter names a person or an application that there is not, or
    /// several people with too many sessions.
    pub(super) async fn with_ids(&self, selection: Selection) -> Result<Selection> {
        let Selection::Matching(filter) = selection else {
            return Ok(selection);
        };
        // What is used just now may not be one of the unused ones.
        self.flush_last_uses().await?;
        let now = self.clock.now();
        self.db
            .read(move |c| match with_ids(c, &filter)? {
                Some(filter) => Ok(Selection::Matching(Box::new(filter))),
                None => Ok(Selection::Listed(list_few(c, &filter, now)?)),
            })
            .await
    }
}

fn list_few(
    c: &mut AnyConnection,
    filter: &SessionFilter,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let batch = list_ids_after(c, filter, after, now, CHUNK)?;
        ids.extend(batch.sessions);
        if ids.len() > MAX_LISTED {
            let message = format!(
                "several people with more than {MAX_LISTED} sessions have that e-mail; give their ids"
            );
            return Err(Error::field("user", message));
        }
        after = batch.position;
        if after.is_none() {
            ids.sort_unstable();
            return Ok(ids);
        }
    }
}
