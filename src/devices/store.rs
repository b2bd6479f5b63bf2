//! Every query of `devices`: the devices that name themselves, which outlive their sessions.

use diesel::prelude::*;

use crate::db::schema::devices;
use crate::db::{AnyConnection, Timestamp, UserId, on_each};
use crate::error::Result;

/// A device of somebody's.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = devices)]
pub struct KnownDevice {
    /// What it calls itself.
    pub device_id: String,
    /// What its owner calls it.
    pub name: Option<String>,
    /// The first sign-in on it.
    pub first_seen_at: Timestamp,
    /// The last sign-in on it.
    pub last_seen_at: Timestamp,
}

/// Notes a sign-in on a device, and answers with it.
pub(crate) fn see(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    now: Timestamp,
) -> Result<KnownDevice> {
    let seen = (
        devices::user_id.eq(user),
        devices::device_id.eq(device_id),
        devices::first_seen_at.eq(now),
        devices::last_seen_at.eq(now),
    );
    let device = on_each!(c, c => diesel::insert_into(devices::table)
        .values(seen)
        .on_conflict((devices::user_id, devices::device_id))
        .do_update()
        .set(devices::last_seen_at.eq(now))
        .returning(KnownDevice::as_returning())
        .get_result(c))?;
    Ok(device)
}

/// A device, if it is known.
pub(crate) fn find(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
) -> Result<Option<KnownDevice>> {
    Ok(devices::table
        .find((user, device_id))
        .select(KnownDevice::as_select())
        .first(c)
        .optional()?)
}

/// Gives a device a name, if it is known.
pub(crate) fn rename(
    c: &mut AnyConnection,
    user: UserId,
    device_id: &str,
    name: &str,
) -> Result<usize> {
    Ok(diesel::update(devices::table.find((user, device_id)))
        .set(devices::name.eq(name))
        .execute(c)?)
}

/// Forgets a device: its next sign-in is its first.
pub(crate) fn forget(c: &mut AnyConnection, user: UserId, device_id: &str) -> Result<usize> {
    let it = devices::table
        .filter(devices::user_id.eq(user))
        .filter(devices::device_id.eq(device_id));
    Ok(diesel::delete(it).execute(c)?)
}

/// Whether a person has any other device than this.
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

/// Every device of a person, the one seen last first.
pub(crate) fn of_person(c: &mut AnyConnection, user: UserId) -> Result<Vec<KnownDevice>> {
    Ok(devices::table
        .filter(devices::user_id.eq(user))
        .order(devices::last_seen_at.desc())
        .select(KnownDevice::as_select())
        .load(c)?)
}

/// Forgets devices not seen since `before`, at most `limit` of them.
pub(crate) fn forget_unseen(c: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize> {
    let unseen: Vec<(UserId, String)> = devices::table
        .filter(devices::last_seen_at.lt(before))
        .order(devices::last_seen_at)
        .limit(limit)
        .select((devices::user_id, devices::device_id))
        .load(c)?;
    let mut forgotten = 0;
    for (user, device_id) in unseen {
        // It may have been seen meanwhile.
        let it = devices::table
            .find((user, device_id))
            .filter(devices::last_seen_at.lt(before));
        forgotten += diesel::delete(it).execute(c)?;
    }
    Ok(forgotten)
}
