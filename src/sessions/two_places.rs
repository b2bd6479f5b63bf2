//! Sessions that are used in two places: one of the uses may be that of a copy of what keeps a browser signed
//! in, and the person is asked. A VPN looks the same, so nothing ends by that, and the same two places are
//! asked about once for a device: again only where nobody answered while that was possible. Within a country
//! the mobile networks of honest people look so every day: that is recorded, and nobody is asked.

use super::impossible_travel::{self, Waypoint};
use super::store::{self, Session};
use crate::alerts::{self, Alert, AlertContext, AlertKind};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::geo::{Location, Place};
use crate::people;

const KIND: AlertKind = AlertKind::TwoPlaces;

/// Records impossible travel, in words, that a use of a session at `location` reveals, before that use is
/// written, and raises an alert about it.
pub(super) fn record(
    c: &mut AnyConnection,
    (owner, id): (UserId, SessionId),
    travel: String,
    location: &Location,
    now: Timestamp,
) -> Result<()> {
    let ip = location.ip.as_deref();
    let is_new = impossible_travel::record(c, (owner, id), travel, ip, now)?;
    let Some(session) = store::find(c, owner, id)?.filter(|_| is_new) else {
        return Ok(());
    };
    let there = &location.place;
    let before = Waypoint::from_last_use(&session).before(there, now);
    let Some(before) = before.filter(|it| it.is_impossible && is_abroad(&it.place, there)) else {
        return Ok(());
    };
    if was_raised(c, &session, [&before.place, there], now)? {
        return Ok(());
    }
    let user = people::store::get(c, owner)?;
    let context = AlertContext {
        location: location.clone(),
        before: Some(before),
        ..session.end_alert_context()
    };
    alerts::raise_on_pages(c, &user, (KIND, context), now)
}

/// Returns whether two places are in different countries.
fn is_abroad(a: &Place, b: &Place) -> bool {
    a.country.is_some() && b.country.is_some() && a.country != b.country
}

/// Returns whether the person is being asked about the device of a session, or has answered about it in these
/// places.
fn was_raised(
    c: &mut AnyConnection,
    session: &Session,
    places: [&Place; 2],
    now: Timestamp,
) -> Result<bool> {
    let mut raised = alerts::store::list_of_kind(c, session.user_id, KIND)?;
    raised.retain(|alert| !alert.is_open() || alert.waits_at(now));
    let ids: Vec<SessionId> = raised.iter().filter_map(|it| it.session_id).collect();
    if ids.is_empty() {
        return Ok(false);
    }
    let subjects = store::list_own_by_ids(c, session.user_id, &ids)?;
    let is_about_it = |alert: &&Alert| {
        let mut its = subjects.iter().filter(|it| alert.session_id == Some(it.id));
        its.any(|it| it.is_on_device_of(session))
    };
    let is_same = |alert: &Alert| {
        let before = alert.use_before().map(|before| before.place);
        let ends = [before.unwrap_or_default(), alert.place()].map(|it| name(&it));
        let [from, to] = places.map(name);
        alert.is_open() || ends == [from.clone(), to.clone()] || ends == [to, from]
    };
    Ok(raised.iter().filter(is_about_it).any(is_same))
}

/// Returns what a place is told from others by.
fn name(place: &Place) -> (Option<String>, Option<String>) {
    (place.city.clone(), place.country.clone())
}
