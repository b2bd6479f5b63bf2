//! The conditions of a search, as one value that a query selects.

use diesel::dsl::not;
use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use crate::clock::Timestamp;
use crate::db::schema::{user_sessions, users};
use crate::db::{MultiBackend, folded, is_in_range, network_key};
use crate::net::{IpKeyRange, IpRetention};
use crate::sessions::search::criteria::{Criteria, Spellings, TimeRange};
use crate::sessions::search::{BoundFilter, Mark, StateFilter};
use crate::text::like_containing;

pub(super) type Condition =
    Box<dyn BoxableExpression<user_sessions::table, MultiBackend, SqlType = Nullable<Bool>>>;

/// Returns whether a row satisfies the whole filter. It may be null, which is no.
pub(super) fn satisfies(criteria: &Criteria) -> Condition {
    let parts = [by_state(criteria)]
        .into_iter()
        .chain(by_owner(criteria))
        .chain(by_device(criteria))
        .chain(by_end_and_marks(criteria))
        .chain(criteria.ip.as_ref().map(by_ip))
        .chain(by_opened(criteria.opened))
        .chain(by_used(criteria.used))
        .chain(criteria.text.as_deref().map(by_text));
    let all = |before: Condition, next: Condition| -> Condition { Box::new(before.and(next)) };
    let always: Condition = Box::new(true.into_sql::<Bool>().nullable());
    parts.fold(always, all)
}

fn by_state(criteria: &Criteria) -> Condition {
    use user_sessions::dsl;

    let in_time = dsl::expires_at.gt(criteria.now);
    match criteria.state {
        StateFilter::Live => Box::new(dsl::is_active.and(in_time).nullable()),
        StateFilter::Ended => Box::new(not(dsl::is_active).nullable()),
        // Also those that have expired and are not marked yet.
        StateFilter::Any => Box::new(true.into_sql::<Bool>().nullable()),
    }
}

fn by_owner(criteria: &Criteria) -> Vec<Condition> {
    use user_sessions::dsl;

    let mut parts: Vec<Condition> = Vec::new();
    if let Some(users) = &criteria.users {
        parts.push(Box::new(dsl::user_id.eq_any(users.clone()).nullable()));
    }
    if let Some(id) = criteria.application {
        parts.push(Box::new(dsl::application_id.eq(id)));
    }
    parts
}

fn by_device(criteria: &Criteria) -> Vec<Condition> {
    use user_sessions::dsl;

    /// Returns the condition that a column has one of the spellings.
    macro_rules! spelled {
        ($column:expr, $spellings:expr) => {
            $spellings.clone().map(|spellings| match spellings {
                Spellings::Known(names) => Box::new($column.eq_any(names)) as Condition,
                Spellings::Unknown(name) => Box::new(folded($column).eq(name)),
            })
        };
    }

    let kind = criteria
        .kind
        .map(|kind| Box::new(dsl::device_kind.eq(kind.as_str()).nullable()) as Condition);
    let parts = [
        kind,
        spelled!(dsl::browser, criteria.browser),
        spelled!(dsl::os, criteria.os),
        spelled!(dsl::location_country, criteria.country),
    ];
    parts.into_iter().flatten().collect()
}

fn by_end_and_marks(criteria: &Criteria) -> Vec<Condition> {
    use user_sessions::dsl;

    let mut parts: Vec<Condition> = Vec::new();
    if let Some(reason) = criteria.reason {
        parts.push(Box::new(dsl::ended_reason.eq(reason.as_str())));
    }
    match criteria.mark {
        Some(Mark::CountryChanged) => parts.push(Box::new(dsl::has_changed_country.nullable())),
        Some(Mark::ImpossibleTravel) => parts.push(Box::new(dsl::has_impossible_travel.nullable())),
        None => {}
    }
    match criteria.bound {
        Some(BoundFilter::Yes) => parts.push(Box::new(dsl::bound_at.is_not_null().nullable())),
        Some(BoundFilter::No) => parts.push(Box::new(dsl::bound_at.is_null().nullable())),
        None => {}
    }
    parts
}

/// Returns the condition that the address is in the range as far as its owner wants it stored. A row
/// may have one from before they chose that: of none it is never found, and a whole one of networks
/// only if its network is in the range as well.
fn by_ip(range: &IpKeyRange) -> Condition {
    let wants = |retention: IpRetention| {
        users::table
            .filter(users::id.eq(user_sessions::user_id))
            .select(users::address_keeping.eq(retention.as_str()))
            .single_value()
    };
    let own = is_in_range!(user_sessions::ip_key, range, Condition);
    let network = is_in_range!(network_key!("user_sessions.ip_key"), range, Condition);
    let is_known = wants(IpRetention::Whole).or(wants(IpRetention::Shortened).and(network));
    Box::new(own.and(is_known))
}

fn by_opened(range: TimeRange) -> Vec<Condition> {
    use user_sessions::dsl;

    let from = |at: Timestamp| Box::new(dsl::created_at.ge(at).nullable()) as Condition;
    let to = |at: Timestamp| Box::new(dsl::created_at.lt(at).nullable()) as Condition;
    let parts = [range.from.map(from), range.to.map(to)];
    parts.into_iter().flatten().collect()
}

fn by_used(range: TimeRange) -> Vec<Condition> {
    use user_sessions::dsl;

    let from = |at: Timestamp| Box::new(dsl::last_used_at.ge(at).nullable()) as Condition;
    let to = |at: Timestamp| Box::new(dsl::last_used_at.lt(at).nullable()) as Condition;
    let parts = [range.from.map(from), range.to.map(to)];
    parts.into_iter().flatten().collect()
}

/// Returns the condition that the text is in the device's name, or in what its owner is known by.
/// The e-mail of an application's person is made up and shown nowhere; the stated one counts.
fn by_text(text: &str) -> Condition {
    let pattern = like_containing(text);
    let known_by = folded(users::stated_email)
        .like(pattern.clone())
        .escape('\\')
        .or(folded(users::full_name).like(pattern.clone()).escape('\\'))
        .or(folded(users::external_subject)
            .like(pattern.clone())
            .escape('\\'))
        .or(users::external_subject.is_null().and(
            folded(users::email.nullable())
                .like(pattern.clone())
                .escape('\\'),
        ));
    let owner = users::table
        .filter(users::id.eq(user_sessions::user_id))
        .select(known_by);
    let named = folded(user_sessions::device_name)
        .like(pattern)
        .escape('\\');
    // A value of one row, which is looked up by its id: PostgreSQL would read all people for an
    // `EXISTS`, to have them for every row.
    Box::new(named.or(owner.single_value()))
}
