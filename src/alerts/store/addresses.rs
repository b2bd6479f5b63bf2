//! The addresses of alerts, and which of them are to be redacted.

use diesel::prelude::*;

use super::Alert;
use crate::clock::Timestamp;
use crate::db::schema::alerts;
use crate::db::{AlertId, AnyConnection, UserId};
use crate::error::Result;

/// Lists the addresses of a person's alerts, each with whether the alert waits for an answer: those since
/// `open_since` do until they are reviewed.
pub(in crate::alerts) fn list_addresses(
    c: &mut AnyConnection,
    user: UserId,
    open_since: Timestamp,
) -> Result<Vec<(AlertId, String, bool)>> {
    let rows: Vec<(AlertId, String, Option<Timestamp>)> = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::ip_address.is_not_null())
        .select((
            alerts::id,
            alerts::ip_address.assume_not_null(),
            alerts::answered_at,
        ))
        .load(c)?;
    let first = AlertId::first_at(open_since);
    let address = |(id, ip, answered_at): (AlertId, String, Option<Timestamp>)| {
        (id, ip, answered_at.is_none() && id >= first)
    };
    Ok(rows.into_iter().map(address).collect())
}

/// Updates the address of an alert, which is no longer to be redacted.
pub(in crate::alerts) fn update_address(
    c: &mut AnyConnection,
    id: AlertId,
    ip: Option<&str>,
) -> Result<usize> {
    Ok(diesel::update(alerts::table.find(id))
        .set((alerts::ip_address.eq(ip), alerts::redaction_due.eq(false)))
        .execute(c)?)
}

/// Records that the address of an open alert is to be redacted once the alert no longer waits for an answer.
/// Returns how many that were: none, if it was answered.
pub(in crate::alerts) fn mark_redaction_due(c: &mut AnyConnection, id: AlertId) -> Result<usize> {
    let open = alerts::table.find(id).filter(alerts::answered_at.is_null());
    Ok(diesel::update(open)
        .set(alerts::redaction_due.eq(true))
        .execute(c)?)
}

/// Lists alerts from before `open_since` whose address is to be redacted, at most `limit`.
pub(in crate::alerts) fn list_redaction_due(
    c: &mut AnyConnection,
    open_since: Timestamp,
    limit: i64,
) -> Result<Vec<Alert>> {
    Ok(alerts::table
        .filter(alerts::redaction_due)
        .filter(alerts::id.lt(AlertId::first_at(open_since)))
        .order(alerts::id)
        .limit(limit)
        .select(Alert::as_select())
        .load(c)?)
}
