//! The query of the addresses that sessions are used from.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::{user_sessions, users};
use crate::db::{AnyConnection, UserId};
use crate::error::Result;
use crate::net::IpRetention;

/// The address of a session that is not marked as ended.
#[derive(Queryable)]
pub(in crate::sessions) struct AddressUse {
    ip: Option<String>,
    pub(in crate::sessions) user_id: UserId,
    pub(in crate::sessions) expires_at: Timestamp,
    retention: Option<IpRetention>,
}

/// Lists the addresses of the sessions used last, at most `limit`. Nothing else is filtered, so that
/// no more rows are read than that.
pub(in crate::sessions) fn list_newest_addresses(
    c: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<AddressUse>> {
    // A value for each row, not a join: that would be another plan.
    let retention = users::table
        .filter(users::id.eq(user_sessions::user_id))
        .select(users::address_keeping)
        .single_value();
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
            retention,
        ))
        .load(c)?)
}

impl AddressUse {
    /// Returns the address, as far as its owner wants it stored: a row may have one from before they
    /// chose that.
    pub(in crate::sessions) fn known_ip(&self) -> Option<String> {
        self.retention?.redact(self.ip.as_deref()?)
    }
}
