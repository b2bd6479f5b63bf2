//! The query of the addresses that sessions are used from.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::user_sessions;
use crate::db::{AnyConnection, UserId};
use crate::error::Result;

/// The address of a session that is not marked as ended.
#[derive(Queryable)]
pub(in crate::sessions) struct AddressUse {
    pub(in crate::sessions) ip: Option<String>,
    pub(in crate::sessions) user_id: UserId,
    pub(in crate::sessions) expires_at: Timestamp,
}

/// Lists the addresses of the sessions used last, at most `limit`. Nothing else is filtered, so that
/// no more rows are read than that.
pub(in crate::sessions) fn list_newest_addresses(
    c: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<AddressUse>> {
    Ok(user_sessions::table
        .filter(user_sessions::is_active)
        .order((
            user_sessions::last_used_bucket.desc(),
            user_sessions::id.desc(),
        ))
        .limit(limit)
        .select((
            user_sessions::ip_address,
            user_sessions::user_id,
            user_sessions::expires_at,
        ))
        .load(c)?)
}
