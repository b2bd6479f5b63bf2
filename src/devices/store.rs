//! Every query of `devices`: the devices that store a device id. Their rows outlive their sessions.

use diesel::prelude::*;

use super::values::WhenUnused;
use crate::clock::Timestamp;
use crate::db::schema::devices;
use crate::db::{AnyConnection, UserId, on_each};
use crate::error::Result;

/// A known device of a person, identified by the id that it stores.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = devices)]
pub struct KnownDevice {
    /// The id that it stores.
    pub device_id: String,
    /// The name that its owner gave it, if any.
    pub name: Option<String>,
    /// The first sign-in on it.
    pub first_seen_at: Timestamp,
    /// The last sign-in on it.
    pub last_seen_at: Timestamp,
    /// Whether its sessions last until their absolute limit, used or not.
    pub is_idle_exempt: bool,
}

/// Records a sign-in on a device, and returns the device.
pub(crate) fn record_sign_in(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    now: Timestamp,
) -> Result<KnownDevice> {
    let row = (
        devices::user_id.eq(user),
        devices::device_id.eq(device_id),
        devices::first_seen_at.eq(now),
        devices::last_seen_at.eq(now),
    );
    let device = on_each!(c, c => diesel::insert_into(devices::table)
        .values(row)
        .on_conflict((devices::user_id, devices::device_id))
        .do_update()
        .set(devices::last_seen_at.eq(now))
        .returning(KnownDevice::as_returning())
        .get_result(c))?;
    Ok(device)
}

/// Finds a known device.
pub(crate) fn find(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
) -> Result<Option<KnownDevice>> {
    Ok(devices::table
        .find((user, device_id))
        .select(KnownDevice::as_select())
        .get_result(c)
        .optional()?)
}

/// Locks a known device until the transaction ends. Returns whether there is one.
pub(crate) fn lock(c: &mut AnyConnection, user: UserId, device_id: &str) -> Result<bool> {
    let device = devices::table
        .find((user, device_id))
        .select(devices::device_id);
    let found: Option<String> = match c {
        AnyConnection::Postgres(c) => device.for_no_key_update().get_result(c).optional()?,
        AnyConnection::Sqlite(c) => device.get_result(c).optional()?,
    };
    Ok(found.is_some())
}

/// Deletes every known device of a person. Returns how many.
pub(crate) fn delete_all(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    let own = devices::table.filter(devices::user_id.eq(user));
    Ok(diesel::delete(own).execute(c)?)
}

/// Updates the name of a known device. Returns how many rows changed.
pub(crate) fn update_name(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    name: &str,
) -> Result<usize> {
    Ok(diesel::update(devices::table.find((user, device_id)))
        .set(devices::name.eq(name))
        .execute(c)?)
}

/// Updates what becomes of a known device that is not used. Returns how many rows changed.
pub(crate) fn update_when_unused(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    when_unused: WhenUnused,
) -> Result<usize> {
    let is_exempt = when_unused == WhenUnused::StaysSignedIn;
    let changed = devices::table
        .find((user, device_id))
        .filter(devices::is_idle_exempt.ne(is_exempt));
    Ok(diesel::update(changed)
        .set(devices::is_idle_exempt.eq(is_exempt))
        .execute(c)?)
}

/// Deletes a known device: the next sign-in on it is one on a new device. Returns how many rows
/// were deleted.
pub(crate) fn delete(c: &mut AnyConnection, user: UserId, device_id: &str) -> Result<usize> {
    let device = devices::table
        .filter(devices::user_id.eq(user))
        .filter(devices::device_id.eq(device_id));
    Ok(diesel::delete(device).execute(c)?)
}

/// Returns whether a person has a known device other than this one.
pub(crate) fn has_others(
    c: &mut AnyConnection,
    user: UserId,
    device_id: Option<&str>,
) -> Result<bool> {
    let others = devices::table
        .filter(devices::user_id.eq(user))
        .filter(devices::device_id.ne(device_id.unwrap_or_default()));
    Ok(diesel::select(diesel::dsl::exists(others)).get_result(c)?)
}

/// Lists the known devices of a person, the one seen last first.
pub(crate) fn list(c: &mut AnyConnection, user: UserId) -> Result<Vec<KnownDevice>> {
    Ok(devices::table
        .filter(devices::user_id.eq(user))
        .order(devices::last_seen_at.desc())
        .select(KnownDevice::as_select())
        .load(c)?)
}

/// Deletes devices not seen since `before`, at most `limit` of them. Returns how many were deleted.
pub(crate) fn purge(c: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize> {
    let unseen: Vec<(UserId, String)> = devices::table
        .filter(devices::last_seen_at.lt(before))
        .order(devices::last_seen_at)
        .limit(limit)
        .select((devices::user_id, devices::device_id))
        .load(c)?;
    let mut purged = 0;
    for (user, device_id) in unseen {
        // A sign-in may have updated it meanwhile.
        let device = devices::table
            .find((user, device_id))
            .filter(devices::last_seen_at.lt(before));
        purged += diesel::delete(device).execute(c)?;
    }
    Ok(purged)
}
