//! Every query of `alerts`.

mod addresses;
mod evidence;
mod review;

use diesel::dsl::{count_star, exists, not, sql};
use std::cmp::Reverse;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

pub(super) use self::addresses::{
    list_addresses, list_redaction_due, mark_redaction_due, update_address,
};
pub use self::evidence::UseBeforeColumns;
pub use self::evidence::{ReportSteps, StepRecord};
pub(crate) use self::evidence::{list_of_sessions, record_step};
pub(crate) use self::review::{
    Confirmation, Confirmer, EmailChange, Settlement, list_confirmations, list_email_changes,
    list_of_kind,
};
pub(super) use self::review::{replace_open, review};
use super::{AlertKind, AlertReview};
use crate::clock::Timestamp;
use crate::counters::{HourlyCounts, Metric};
use crate::db::schema::{alerts, user_sessions};
use crate::db::{
    AlertId, AnyConnection, MailId, SessionId, UserId, cached, first_rows, read_from_text,
};
use crate::error::Result;
use crate::events::EventKind;
use crate::geo::Point;
use crate::user_agent::DeviceKind;

read_from_text!(AlertKind);
read_from_text!(AlertReview);

/// The kinds of alerts about sign-ins.
const SIGN_INS: [&str; 2] = ["new_device", "new_country"];
/// Open alerts of a person that are read at most.
const MAX_OPEN: u32 = 1_000;

/// An alert.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = alerts)]
pub struct Alert {
    /// The alert's id.
    pub id: AlertId,
    /// The person whose account it is about.
    pub user_id: UserId,
    /// The session it is about, if any; it may have been purged.
    pub session_id: Option<SessionId>,
    /// What it reports.
    pub kind: AlertKind,
    /// The e-mail that the person signed in with before what it reports.
    pub email: String,
    /// The name of the device: the one that its owner knows, if the alert is about its end, else its
    /// label.
    pub device_name: String,
    /// The kind of the device.
    pub device_kind: DeviceKind,
    /// The device's address, redacted by the person's IP retention: by a stricter one that they chose since
    /// only once the alert no longer waits for an answer.
    pub ip_address: Option<String>,
    /// The city of that address, if known.
    pub location_city: Option<String>,
    /// The country of that address, if known.
    pub location_country: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    pub(super) answer: Option<AlertReview>,
    /// When the person confirmed, reported or dismissed it, if they did, or another alert took its place.
    pub answered_at: Option<Timestamp>,
    /// What an administrator did, if it is a notice of that.
    pub act: Option<EventKind>,
    /// The reason that the administrator stated.
    pub stated_reason: Option<String>,
    /// The point of that place, if known.
    pub location_point: Option<Point>,
    #[diesel(embed)]
    pub(super) before: UseBeforeColumns,
    /// The alert whose review settled it: itself, or one that was reviewed with it; without an answer, the one
    /// that took its place. `None` while it is open, and where something else settled it.
    pub settled_by: Option<AlertId>,
    /// What the person did about the steps after a report.
    #[diesel(embed)]
    pub steps: ReportSteps,
    /// The label of the device, by what it states of itself. `None` for alerts from before it was stored.
    pub device_label: Option<String>,
    /// Whether its address is redacted once it no longer waits for an answer.
    pub redaction_due: bool,
}

/// Inserts an alert.
pub(super) fn insert(c: &mut AnyConnection, alert: &Alert) -> Result<()> {
    let before = &alert.before;
    let row = (
        alerts::id.eq(alert.id),
        alerts::user_id.eq(alert.user_id),
        alerts::session_id.eq(alert.session_id),
        alerts::kind.eq(alert.kind.as_str()),
        alerts::email.eq(&alert.email),
        alerts::device_name.eq(&alert.device_name),
        alerts::device_label.eq(&alert.device_label),
        alerts::device_kind.eq(alert.device_kind.as_str()),
        alerts::ip_address.eq(&alert.ip_address),
        alerts::location_city.eq(&alert.location_city),
        alerts::location_country.eq(&alert.location_country),
        alerts::location_point.eq(alert.location_point.map(|point| point.to_string())),
        alerts::at.eq(alert.at),
        alerts::act.eq(alert.act.map(EventKind::as_str)),
        alerts::stated_reason.eq(&alert.stated_reason),
        alerts::before_session_id.eq(before.before_session_id),
        alerts::before_device.eq(&before.before_device),
        alerts::before_is_named.eq(before.before_is_named),
        alerts::before_city.eq(&before.before_city),
        alerts::before_country.eq(&before.before_country),
        alerts::before_point.eq(before.before_point.map(|point| point.to_string())),
        alerts::before_at.eq(before.before_at),
        alerts::before_km.eq(before.before_km),
        alerts::before_is_impossible.eq(before.before_is_impossible),
    );
    diesel::insert_into(alerts::table).values(row).execute(c)?;
    Ok(())
}

/// Lists a person's open alerts since `since`, newest first, at most [`MAX_OPEN`]: those about sign-ins before all
/// others, so that nobody pushes them out by what raises many alerts.
pub(super) fn list_open(
    c: &mut AnyConnection,
    user: UserId,
    since: Timestamp,
) -> Result<Vec<Alert>> {
    let open = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answered_at.is_null())
        .filter(alerts::id.ge(AlertId::first_at(since)))
        .order((alerts::kind.eq_any(SIGN_INS).desc(), alerts::id.desc()))
        .select(Alert::as_select());
    let mut open: Vec<Alert> = cached(first_rows(open, MAX_OPEN)).load(c)?;
    open.sort_by_key(|alert| Reverse(alert.id));
    Ok(open)
}

/// Records the message that tells of an alert together with others.
pub(super) fn update_summary(c: &mut AnyConnection, id: AlertId, summary: MailId) -> Result<()> {
    diesel::update(alerts::table.find(id))
        .set(alerts::summary_id.eq(summary))
        .execute(c)?;
    Ok(())
}

/// Counts the open alerts that a message tells of together.
pub(super) fn count_summarized(c: &mut AnyConnection, summary: MailId) -> Result<i64> {
    Ok(alerts::table
        .filter(alerts::summary_id.eq(summary))
        .filter(alerts::answered_at.is_null())
        .count()
        .get_result(c)?)
}

/// Lists the alerts that a message tells of together, newest first, at most [`MAX_OPEN`].
pub(crate) fn list_summarized(c: &mut AnyConnection, summary: MailId) -> Result<Vec<Alert>> {
    Ok(alerts::table
        .filter(alerts::summary_id.eq(summary))
        .order(alerts::id.desc())
        .limit(i64::from(MAX_OPEN))
        .select(Alert::as_select())
        .load(c)?)
}

/// Returns the alert with that id.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is none.
pub(crate) fn get(c: &mut AnyConnection, id: AlertId) -> Result<Alert> {
    Ok(alerts::table
        .find(id)
        .select(Alert::as_select())
        .get_result(c)?)
}

/// Lists those of a person's alerts that have these ids.
pub(crate) fn list_by_ids(
    c: &mut AnyConnection,
    user: UserId,
    ids: &[AlertId],
) -> Result<Vec<Alert>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::id.eq_any(ids))
        .select(Alert::as_select())
        .load(c)?)
}

/// Lists the alerts that a person reported from `first` to `last`, the latest alerts first, at most
/// [`MAX_OPEN`].
pub(crate) fn list_reported_between(
    c: &mut AnyConnection,
    user: UserId,
    (first, last): (Timestamp, Timestamp),
) -> Result<Vec<Alert>> {
    let reported = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answer.eq(AlertReview::Reported.as_str()))
        .filter(alerts::answered_at.ge(first))
        .filter(alerts::answered_at.le(last))
        .order(alerts::id.desc())
        .select(Alert::as_select());
    Ok(cached(first_rows(reported, MAX_OPEN)).load(c)?)
}

/// Lists the alerts that a person reported since `since`, other than by reporting another, at most
/// `limit`: the one that was reported last first.
pub(crate) fn list_last_reported(
    c: &mut AnyConnection,
    user: UserId,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Alert>> {
    let reported = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answer.eq(AlertReview::Reported.as_str()))
        .filter(alerts::answered_at.ge(since))
        .filter(alerts::settled_by.eq(alerts::id.nullable()))
        .order((alerts::answered_at.desc(), alerts::id.desc()))
        .select(Alert::as_select());
    Ok(first_rows(reported, limit).load(c)?)
}

/// Lists the sessions of a person's open alerts about sign-ins since `since`, newest first, at most
/// [`MAX_OPEN`].
pub(super) fn list_unconfirmed_sessions(
    c: &mut AnyConnection,
    user: UserId,
    since: Timestamp,
) -> Result<Vec<SessionId>> {
    let open = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answered_at.is_null())
        .filter(alerts::id.ge(AlertId::first_at(since)))
        .filter(alerts::kind.eq_any(SIGN_INS))
        .filter(alerts::session_id.is_not_null())
        .order(alerts::id.desc())
        .select(alerts::session_id.assume_not_null());
    Ok(cached(first_rows(open, MAX_OPEN)).load(c)?)
}

/// Returns whether an alert about a sign-in of a person was reported after `since`.
pub(super) fn has_reported_sign_in(
    c: &mut AnyConnection,
    user: UserId,
    since: Timestamp,
) -> Result<bool> {
    let reported = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::kind.eq_any(SIGN_INS))
        .filter(alerts::answer.eq(AlertReview::Reported.as_str()))
        .filter(alerts::answered_at.gt(since))
        .select(alerts::id);
    Ok(!cached(first_rows(reported, 1))
        .load::<AlertId>(c)?
        .is_empty())
}

/// Finds the time of the first of a person's alerts about sign-ins that are open since `open_since`, or were
/// reported since `reported_since`.
pub(super) fn find_first_doubtful(
    c: &mut AnyConnection,
    user: UserId,
    (open_since, reported_since): (Timestamp, Timestamp),
) -> Result<Option<Timestamp>> {
    let is_open = alerts::answered_at
        .is_null()
        .and(alerts::id.ge(AlertId::first_at(open_since)));
    let is_reported = alerts::answer
        .eq(AlertReview::Reported.as_str())
        .and(alerts::answered_at.gt(reported_since));
    let doubtful = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::kind.eq_any(SIGN_INS))
        .filter(is_open.nullable().or(is_reported))
        .order(alerts::id)
        .select(alerts::at);
    Ok(cached(first_rows(doubtful, 1)).load(c)?.pop())
}

/// Lists a person's reported alerts about sessions, the latest alerts first, at most 1,000.
pub(crate) fn list_reported_of_sessions(c: &mut AnyConnection, user: UserId) -> Result<Vec<Alert>> {
    let reported = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::answer.eq(AlertReview::Reported.as_str()))
        .filter(alerts::session_id.is_not_null())
        .filter(alerts::answered_at.is_not_null())
        .order(alerts::id.desc())
        .select(Alert::as_select());
    Ok(cached(first_rows(reported, 1_000)).load(c)?)
}

/// Lists the sessions of a person's alerts about sign-ins that nobody answered, however old, the latest alerts first,
/// at most 1,000.
pub(crate) fn list_unanswered_sign_ins(
    c: &mut AnyConnection,
    user: UserId,
) -> Result<Vec<SessionId>> {
    let unanswered = alerts::table
        .filter(alerts::user_id.eq(user))
        .filter(alerts::kind.eq_any(SIGN_INS))
        .filter(alerts::answered_at.is_null())
        .filter(alerts::session_id.is_not_null())
        .order(alerts::id.desc())
        .select(alerts::session_id.assume_not_null());
    Ok(first_rows(unanswered, 1_000).load(c)?)
}

/// Lists every alert of a person, newest first.
pub(super) fn list_by_person(c: &mut AnyConnection, user: UserId) -> Result<Vec<Alert>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .order(alerts::id.desc())
        .select(Alert::as_select())
        .load(c)?)
}

/// Lists a person's alerts, newest first: those before the one with the id `before`, at most `limit`.
pub(super) fn list_before(
    c: &mut AnyConnection,
    user: UserId,
    before: Option<AlertId>,
    limit: i64,
) -> Result<Vec<Alert>> {
    let mut found = alerts::table
        .filter(alerts::user_id.eq(user))
        .order(alerts::id.desc())
        .limit(limit)
        .select(Alert::as_select())
        .into_boxed();
    if let Some(before) = before {
        found = found.filter(alerts::id.lt(before));
    }
    Ok(found.load(c)?)
}

/// Lists a person's newest alerts, at most `limit`.
pub(super) fn list_newest(c: &mut AnyConnection, user: UserId, limit: i64) -> Result<Vec<Alert>> {
    Ok(alerts::table
        .filter(alerts::user_id.eq(user))
        .order(alerts::id.desc())
        .limit(limit)
        .select(Alert::as_select())
        .load(c)?)
}

/// Deletes alerts from before `before`, except those whose session still exists, at most `limit` of
/// them. Returns how many were deleted.
pub(super) fn purge(c: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize> {
    let session = user_sessions::table
        .filter(user_sessions::id.nullable().eq(alerts::session_id))
        .filter(user_sessions::user_id.eq(alerts::user_id));
    let old: Vec<AlertId> = alerts::table
        .filter(alerts::id.lt(AlertId::first_at(before)))
        .filter(not(exists(session)))
        .order(alerts::id)
        .limit(limit)
        .select(alerts::id)
        .load(c)?;
    Ok(diesel::delete(alerts::table.filter(alerts::id.eq_any(old))).execute(c)?)
}

/// Counts the alerts by hour and kind. Reads the whole table.
pub(crate) fn count_by_hour(c: &mut AnyConnection) -> Result<HourlyCounts> {
    let hour = match c {
        AnyConnection::Postgres(_) => "floor(extract(epoch FROM at) / 3600)::integer",
        AnyConnection::Sqlite(_) => "coalesce(CAST(strftime('%s', at) AS INTEGER), 0) / 3600",
    };
    let counted: Vec<(i32, String, i64)> = alerts::table
        .group_by(sql::<Integer>("1, 2"))
        .select((sql::<Integer>(hour), sql::<Text>("kind"), count_star()))
        .load(c)?;
    Ok(counted
        .into_iter()
        .map(|(hour, kind, n)| ((hour, Metric::Alert, kind), n))
        .collect())
}
