//! Every query of `api_keys`.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::api_keys;
use crate::db::{AnyConnection, ApiKeyId};
use crate::error::Result;

/// An API key without its secret.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys)]
pub struct ApiKey {
    /// The key's id, which is its `client_id`.
    pub id: ApiKeyId,
    /// The name of the application that has it.
    pub name: String,
    /// The names of its scopes, separated by spaces.
    pub scopes: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// Inserts a key with the hash of its secret.
pub(super) fn insert(c: &mut AnyConnection, key: &ApiKey, secret_hash: &str) -> Result<()> {
    let row = (key, api_keys::secret_hash.eq(secret_hash));
    diesel::insert_into(api_keys::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Finds the key with this hash of its secret, unless it is revoked.
pub(super) fn find_active(c: &mut AnyConnection, secret_hash: &str) -> Result<Option<ApiKey>> {
    let found = api_keys::table
        .filter(api_keys::secret_hash.eq(secret_hash))
        .filter(api_keys::revoked_at.is_null())
        .select(ApiKey::as_select())
        .first(c)
        .optional()?;
    Ok(found)
}

/// Lists every key, newest first.
pub(super) fn list(c: &mut AnyConnection) -> Result<Vec<ApiKey>> {
    Ok(api_keys::table
        .order(api_keys::id.desc())
        .select(ApiKey::as_select())
        .load(c)?)
}

/// Updates a key's last use. Returns how many rows changed.
pub(super) fn update_last_use(
    c: &mut AnyConnection,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<usize> {
    Ok(diesel::update(api_keys::table.find(id))
        .set(api_keys::last_used_at.eq(now))
        .execute(c)?)
}

/// Revokes a key that is in use. Returns how many rows changed.
pub(super) fn revoke(c: &mut AnyConnection, id: ApiKeyId, now: Timestamp) -> Result<usize> {
    let in_use = api_keys::table
        .find(id)
        .filter(api_keys::revoked_at.is_null());
    Ok(diesel::update(in_use)
        .set(api_keys::revoked_at.eq(now))
        .execute(c)?)
}
