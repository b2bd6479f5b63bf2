//! The queries of `user_sessions` that the administrator's figures need: bounded ones for the page, and
//! those that count the whole table, from which the counters are rebuilt.

use diesel::dsl::{count_star, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use crate::counters::{Dimension, HourlyCounts, LiveCounts, Metric};
use crate::db::schema::{user_sessions, users};
use crate::db::{AnyConnection, UserId};
use crate::error::Result;
use crate::net::IpRetention;

/// The hour of a sign-in, and that of an end, counted from the Unix epoch.
const HOURS_ON_POSTGRES: [&str; 2] = [
    "floor(extract(epoch FROM created_at) / 3600)::integer",
    "floor(extract(epoch FROM coalesce(ended_at, updated_at)) / 3600)::integer",
];
const HOURS_ON_SQLITE: [&str; 2] = [
    "coalesce(CAST(strftime('%s', created_at) AS INTEGER), 0) / 3600",
    "coalesce(CAST(strftime('%s', coalesce(ended_at, updated_at)) AS INTEGER), 0) / 3600",
];

/// What live sessions are counted by.
#[derive(Queryable, Selectable)]
#[diesel(table_name = user_sessions)]
struct Labels {
    device_kind: String,
    browser: Option<String>,
    os: Option<String>,
    location_country: Option<String>,
}

/// Lists the owners and the addresses of the sessions not marked as ended that were created last, at
/// most `limit`; the addresses as far as their owners want them stored.
pub(crate) fn list_latest_sign_ins(
    c: &mut AnyConnection,
    limit: i64,
) -> Result<Vec<(UserId, Option<String>)>> {
    type Row = (UserId, Option<String>, Option<IpRetention>);

    let retention = users::table
        .filter(users::id.eq(user_sessions::user_id))
        .select(users::address_keeping)
        .single_value();
    let latest: Vec<Row> = user_sessions::table
        .filter(user_sessions::is_active)
        .order((user_sessions::created_at.desc(), user_sessions::id.desc()))
        .limit(limit)
        .select((user_sessions::user_id, user_sessions::ip_address, retention))
        .load(c)?;
    let known = |(user, ip, retention): Row| {
        let ip = retention.zip(ip);
        (user, ip.and_then(|(retention, ip)| retention.redact(&ip)))
    };
    Ok(latest.into_iter().map(known).collect())
}

/// Lists the owner of each session not marked as ended, in the order of their ids, those after
/// `after`, at most `limit`.
pub(crate) fn list_owners_after(
    c: &mut AnyConnection,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<UserId>> {
    let mut owners = user_sessions::table
        .filter(user_sessions::is_active)
        .order(user_sessions::user_id)
        .limit(limit)
        .select(user_sessions::user_id)
        .into_boxed();
    if let Some(after) = after {
        owners = owners.filter(user_sessions::user_id.gt(after));
    }
    Ok(owners.load(c)?)
}

/// Counts the sessions not marked as ended, in all and by each dimension. Reads the whole table.
pub(crate) fn count_by_dimension(c: &mut AnyConnection) -> Result<LiveCounts> {
    let live = user_sessions::table.filter(user_sessions::is_active);
    let rows: Vec<(Labels, i64)> = live
        .group_by((
            user_sessions::device_kind,
            user_sessions::browser,
            user_sessions::os,
            user_sessions::location_country,
        ))
        .select((Labels::as_select(), count_star()))
        .load(c)?;
    let mut counts = LiveCounts::new();
    for (labels, n) in rows {
        for (dimension, label) in [
            (Dimension::All, String::new()),
            (Dimension::Kind, labels.device_kind),
            (Dimension::Browser, labels.browser.unwrap_or_default()),
            (Dimension::Os, labels.os.unwrap_or_default()),
            (
                Dimension::Country,
                labels.location_country.unwrap_or_default(),
            ),
        ] {
            *counts.entry((dimension, label)).or_default() += n;
        }
    }
    Ok(counts)
}

/// Counts the sign-ins and the ends by hour. Reads the whole table.
pub(crate) fn count_by_hour(c: &mut AnyConnection) -> Result<HourlyCounts> {
    let [opened, ended] = match c {
        AnyConnection::Postgres(_) => HOURS_ON_POSTGRES,
        AnyConnection::Sqlite(_) => HOURS_ON_SQLITE,
    };
    let sign_ins: Vec<(i32, i64)> = user_sessions::table
        .group_by(sql::<Integer>("1"))
        .select((sql::<Integer>(opened), count_star()))
        .load(c)?;
    let ends: Vec<(i32, String, i64)> = user_sessions::table
        .filter(not(user_sessions::is_active))
        .group_by(sql::<Integer>("1, 2"))
        .select((
            sql::<Integer>(ended),
            sql::<Text>("coalesce(ended_reason, '')"),
            count_star(),
        ))
        .load(c)?;
    let sign_ins = sign_ins
        .into_iter()
        .map(|(hour, n)| ((hour, Metric::SignIn, String::new()), n));
    let ends = ends
        .into_iter()
        .map(|(hour, reason, n)| ((hour, Metric::End, reason), n));
    Ok(sign_ins.chain(ends).collect())
}
