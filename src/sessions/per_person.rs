//! How many live sessions people have.

use std::collections::HashMap;

use super::Sessions;
use super::store::per_person as store;
use crate::db::UserId;
use crate::error::Result;

impl Sessions {
    /// Counts the live sessions of each of these people; those who have none are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn count_live_by_person(&self, ids: Vec<UserId>) -> Result<HashMap<UserId, usize>> {
        let now = self.clock.now();
        let counts = self
            .db
            .read(move |c| store::count_live_by_person(c, &ids, now))
            .await?;
        let count = |(id, n): (UserId, i64)| (id, usize::try_from(n).unwrap_or_default());
        Ok(counts.into_iter().map(count).collect())
    }
}
