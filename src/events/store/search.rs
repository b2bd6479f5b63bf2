//! Queries of the security log: each reads a range of one index.

use diesel::expression::BoxableExpression;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use super::{Event, names};
use crate::clock::Timestamp;
use crate::db::schema::{session_events, users};
use crate::db::{
    AnyConnection, EventId, MultiBackend, UserId, cached, first_rows, folded, in_few_sizes,
    is_in_range, network_key, uncached,
};
use crate::error::Result;
use crate::events::EventKind;
use crate::events::criteria::{EventBounds, EventCriteria, EventOrder};
use crate::net::{IpKeyRange, IpRetention};
use crate::text::like_containing;

/// The most times of events of one kind that are listed.
const MAX_TIMES: u32 = 100;

type Condition =
    Box<dyn BoxableExpression<session_events::table, MultiBackend, SqlType = Nullable<Bool>>>;
type Filtered = session_events::BoxedQuery<'static, <AnyConnection as Connection>::Backend>;

/// Lists the ids of at most `limit` events that meet the criteria. Of several kinds each is read by
/// itself, in the order of its index.
pub(in crate::events) fn list_ids(
    c: &mut AnyConnection,
    criteria: &EventCriteria,
    bounds: EventBounds,
    order: EventOrder,
    limit: i64,
) -> Result<Vec<EventId>> {
    let mut ids = Vec::new();
    for criteria in criteria.by_kind() {
        let events = ordered(within(filtered(&criteria), bounds), order);
        let events = uncached(events.limit(limit).select(session_events::id));
        ids.extend(events.load::<EventId>(c)?);
    }
    Ok(first(ids, |id| *id, order, limit))
}

/// Lists at most `limit` events that meet the criteria, as [`list_ids`] does.
pub(in crate::events) fn list_matching(
    c: &mut AnyConnection,
    criteria: &EventCriteria,
    bounds: EventBounds,
    order: EventOrder,
    limit: i64,
) -> Result<Vec<Event>> {
    let mut found = Vec::new();
    for criteria in criteria.by_kind() {
        let events = ordered(within(filtered(&criteria), bounds), order);
        let events = uncached(events.limit(limit).select(Event::as_select()));
        found.extend(events.load::<Event>(c)?);
    }
    Ok(first(found, |event| event.id, order, limit))
}

/// Returns the first of `found` in this order, at most `limit`.
fn first<T>(
    mut found: Vec<T>,
    id: impl Fn(&T) -> EventId,
    order: EventOrder,
    limit: i64,
) -> Vec<T> {
    match order {
        EventOrder::NewestFirst => found.sort_by_key(|it| std::cmp::Reverse(id(it))),
        EventOrder::OldestFirst => found.sort_by_key(id),
    }
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    found
}

/// Lists those of `ids` that meet the criteria.
pub(in crate::events) fn list_by_ids(
    c: &mut AnyConnection,
    criteria: &EventCriteria,
    ids: Vec<EventId>,
    order: EventOrder,
) -> Result<Vec<Event>> {
    let events = filtered(criteria).filter(session_events::id.eq_any(ids));
    Ok(uncached(ordered(events, order).select(Event::as_select())).load(c)?)
}

/// Lists the ids of at most `limit` events from addresses with these keys, by address.
pub(in crate::events) fn list_ids_in_network(
    c: &mut AnyConnection,
    range: &IpKeyRange,
    limit: i64,
) -> Result<Vec<EventId>> {
    let criteria = EventCriteria {
        ip: Some(range.clone()),
        ..EventCriteria::default()
    };
    Ok(filtered(&criteria)
        .order((session_events::ip_key, session_events::id.desc()))
        .limit(limit)
        .select(session_events::id)
        .load(c)?)
}

fn filtered(criteria: &EventCriteria) -> Filtered {
    let mut events = session_events::table.into_boxed();
    if let Some(session) = criteria.session {
        events = events.filter(session_events::session_id.eq(session));
    }
    if let Some(job) = criteria.job {
        events = events.filter(session_events::job_id.eq(job));
    }
    match criteria.users.as_slice() {
        [] => {}
        [user] => events = events.filter(session_events::user_id.eq(*user)),
        users => events = events.filter(session_events::user_id.eq_any(users.to_vec())),
    }
    match criteria.by.as_slice() {
        [] => {}
        [by] => events = events.filter(session_events::by_user_id.eq(*by)),
        by => events = events.filter(session_events::by_user_id.eq_any(by.to_vec())),
    }
    if let Some(application) = criteria.application {
        events = events.filter(session_events::by_application_id.eq(application));
    }
    match criteria.kinds.as_slice() {
        [] => {}
        [kind] => events = events.filter(session_events::kind.eq(kind.as_str())),
        kinds => events = events.filter(session_events::kind.eq_any(super::names(kinds))),
    }
    if let Some(detail) = criteria.detail {
        events = events.filter(session_events::detail.eq(detail));
    }
    if let Some(text) = &criteria.text {
        let pattern = like_containing(text);
        let is_in_detail = folded(session_events::detail)
            .like(pattern.clone())
            .escape('\\');
        let is_in_reason = folded(session_events::stated_reason)
            .like(pattern)
            .escape('\\');
        events = events.filter(is_in_detail.or(is_in_reason));
    }
    match &criteria.ip {
        Some(range) => in_network(events, range),
        None => events,
    }
}

/// Leaves the events from an address in the range, as far as their person and whoever did them want it
/// stored. A row may have one from before they chose that: of none it is never found, and a whole one
/// of networks only if its network is in the range as well. Of a deleted account the address is the
/// doer's.
fn in_network(events: Filtered, range: &IpKeyRange) -> Filtered {
    use session_events::dsl;

    /// Returns the condition that a person wants the address stored, or the network that it is in.
    macro_rules! is_known_of {
        ($person:expr) => {{
            let wants = |retention: IpRetention| {
                users::table
                    .filter(users::id.nullable().eq($person))
                    .select(users::address_keeping.eq(retention.as_str()))
                    .single_value()
            };
            let network = is_in_range!(network_key!("session_events.ip_key"), range, Condition);
            wants(IpRetention::Whole).or(wants(IpRetention::Shortened).and(network))
        }};
    }

    let of_deletion = dsl::kind.eq(EventKind::AccountDeleted.as_str()).nullable();
    let of_nobody = dsl::user_id.is_null().nullable();
    let of_service = dsl::by_user_id.is_null().nullable();
    events
        .filter(is_in_range!(dsl::ip_key, range, Condition))
        .filter(of_deletion.or(of_nobody).or(is_known_of!(dsl::user_id)))
        .filter(of_service.or(is_known_of!(dsl::by_user_id)))
}

fn within(mut events: Filtered, bounds: EventBounds) -> Filtered {
    if let Some(from) = bounds.from {
        events = events.filter(session_events::id.ge(from));
    }
    if let Some(before) = bounds.before {
        events = events.filter(session_events::id.lt(before));
    }
    events
}

fn ordered(events: Filtered, order: EventOrder) -> Filtered {
    match order {
        EventOrder::NewestFirst => events.order(session_events::id.desc()),
        EventOrder::OldestFirst => events.order(session_events::id),
    }
}

/// Counts the events of these kinds in a person's account after `since`.
pub(crate) fn count_since(
    c: &mut AnyConnection,
    user: UserId,
    kinds: &[EventKind],
    since: Timestamp,
) -> Result<i64> {
    let since = session_events::table
        .filter(session_events::user_id.eq(user))
        .filter(session_events::kind.eq_any(in_few_sizes(&names(kinds))))
        .filter(session_events::at.gt(since))
        .count();
    Ok(cached(since).get_result(c)?)
}

/// Lists when events of one kind happened to a person's account, the latest first, at most [`MAX_TIMES`].
pub(crate) fn list_times(
    c: &mut AnyConnection,
    user: UserId,
    kind: EventKind,
) -> Result<Vec<Timestamp>> {
    let of_kind = session_events::table
        .filter(session_events::user_id.eq(user))
        .filter(session_events::session_id.is_null())
        .filter(session_events::kind.eq(kind.as_str()))
        .order(session_events::id.desc())
        .select(session_events::at);
    Ok(cached(first_rows(of_kind, MAX_TIMES)).load(c)?)
}
