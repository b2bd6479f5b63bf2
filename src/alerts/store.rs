//! Every query of `alerts`; those of their letters are in `queue`.

pub(super) mod queue;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::AlertKind;
use crate::db::schema::{alerts, user_sessions};
use crate::db::{AlertId, AnyConnection, SessionId, Timestamp, UserId, on_each, read_from_text};
use crate::devices::DeviceKind;
use crate::error::Result;

read_from_text!(AlertKind);

/// Unanswered alerts of a person that are looked at.
const MOST_OPEN: i64 = 1_000;

/// Something a person should know of.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = alerts)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Whose account it is about.
    pub user_id: UserId,
    /// Which session it is about; that may be gone.
    pub session_id: Option<SessionId>,
    /// What it tells of.
    pub kind: AlertKind,
    /// What the person signed in with then.
    pub email: String,
    /// What the device says it is.
    pub device_name: String,
    /// What kind of device it is.
    pub device_kind: DeviceKind,
    /// Where it was, as much as is kept.
    pub ip_address: Option<String>,
    /// Where that is, if known.
    pub location_city: Option<String>,
    /// Where that is, if known.
    pub location_country: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    pub(super) answer: Option<String>,
    /// When the person answered.
    pub answered_at: Option<Timestamp>,
}

pub(super) fn insert(c: &mut AnyConnection, alert: &Alert) -> Result<()> {
    let row = (
        alerts::id.eq(alert.id),
        alerts::user_id.eq(alert.user_id),
        alerts::session_id.eq(alert.session_id),
        alerts::kind.eq(alert.kind.as_str()),
        alerts::email.eq(&alert.email),
        alerts::device_name.eq(&alert.device_name),
        alerts::device_kind.eq(alert.device_kind.as_str()),
        alerts::ip_address.eq(&alert.ip_address),
        alerts::location_city.eq(&alert.location_city),
        alerts::location_country.eq(&alert.location_country),
        alerts::at.eq(alert.at),
    );
    diesel::insert_into(alerts::table).values(row).execute(c)?;
    Ok(())
}

/// A person's unanswered alerts since then, newest first.
pub(super) fn open_of(c: &mut AnyConnection, user: UserId, since: Timestamp) -> Result<Vec<Alert>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answered_at.is_null())
        .filter(alerts::id.ge(AlertId::first_at(since)))
        .order(alerts::id.desc())
        .limit(MOST_OPEN)
        .select(Alert::as_select())
        .load(c)?)
}

/// The oldest of a person's unanswered alerts of one kind since then.
pub(super) fn first_open_of(
    c: &mut AnyConnection,
    user: UserId,
    kind: AlertKind,
    since: Timestamp,
) -> Result<Option<Alert>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answered_at.is_null())
        .filter(alerts::kind.eq(kind.as_str()))
        .filter(alerts::id.ge(AlertId::first_at(since)))
        .order(alerts::id)
        .select(Alert::as_select())
        .first(c)
        .optional()?)
}

/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is none.
pub(super) fn by_id(c: &mut AnyConnection, id: AlertId) -> Result<Alert> {
    Ok(alerts::table.find(id).select(Alert::as_select()).first(c)?)
}

/// Answers an alert that is open.
pub(super) fn answer(
    c: &mut AnyConnection,
    user: UserId,
    id: AlertId,
    answer: &str,
    now: Timestamp,
) -> Result<Option<Alert>> {
    let open = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::id.eq(id))
        .filter(alerts::answered_at.is_null());
    let changes = (alerts::answer.eq(answer), alerts::answered_at.eq(now));
    let answered = on_each!(c, c => diesel::update(open)
        .set(changes)
        .returning(Alert::as_returning())
        .get_result(c)
        .optional())?;
    Ok(answered)
}

/// The sessions of a person's alerts that were answered so.
pub(super) fn sessions_answered(
    c: &mut AnyConnection,
    user: UserId,
    answer: &str,
) -> Result<Vec<SessionId>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answer.eq(answer))
        .filter(alerts::session_id.is_not_null())
        .select(alerts::session_id.assume_not_null())
        .load(c)?)
}

/// The addresses of a person's alerts.
pub(super) fn addresses_of(c: &mut AnyConnection, user: UserId) -> Result<Vec<(AlertId, String)>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::ip_address.is_not_null())
        .select((alerts::id, alerts::ip_address.assume_not_null()))
        .load(c)?)
}

/// Puts another address, or none, into one of them.
pub(super) fn set_address(c: &mut AnyConnection, id: AlertId, ip: Option<&str>) -> Result<usize> {
    Ok(diesel::update(alerts::table.find(id))
        .set(alerts::ip_address.eq(ip))
        .execute(c)?)
}

/// Every alert of a person, newest first.
pub(super) fn of_person(c: &mut AnyConnection, user: UserId) -> Result<Vec<Alert>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .order(alerts::id.desc())
        .select(Alert::as_select())
        .load(c)?)
}

/// Deletes alerts from before `before`.
pub(super) fn purge(c: &mut AnyConnection, before: Timestamp) -> Result<usize> {
    let its_session = user_sessions::table
        .filter(user_sessions::id.nullable().eq(alerts::session_id))
        .filter(user_sessions::user_id.eq(alerts::user_id));
    let old = alerts::table
        .filter(alerts::id.lt(AlertId::first_at(before)))
        .filter(not(exists(its_session)));
    Ok(diesel::delete(old).execute(c)?)
}
