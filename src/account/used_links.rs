//! What links in messages did that were used: whoever sends the form of one twice, or opens it again, is told.
//! It is known by the genuine link alone, and names nobody.

use super::Accounts;
use crate::db::LinkId;
use crate::error::Result;
use crate::people::{self, UsedLink};

impl Accounts {
    /// Finds what a genuine link did, if it was used.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn find_used_link(&self, link: impl Into<LinkId>) -> Result<Option<UsedLink>> {
        let id = link.into();
        self.db
            .read(move |c| people::store::find_used_link(c, id))
            .await
    }
}
