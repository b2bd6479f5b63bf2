//! Sessions that are used in two places: one of the uses may be that of a copy of what keeps a browser signed
//! in, and the person is asked. A VPN looks the same, so nothing ends by that, and the same two countries are
//! asked about once for a device: again only where nobody answered while that was possible. A further country
//! is asked about at once, up to three times an hour for a device. Within a country the mobile networks of
//! honest people look so every day: that is recorded, and nobody is asked.

use std::time::Duration;

use super::impossible_travel::{self, Waypoint};
use super::store::{self, Session};
use crate::alerts::{self, Alert, AlertContext, AlertKind, UseBefore};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, Db, SessionId, UserId};
use crate::error::Result;
use crate::geo::{Location, Place};
use crate::people;

const KIND: AlertKind = AlertKind::TwoPlaces;
/// Alerts about one device within [`INTERVAL`] at most: whoever has a copy could go through many countries.
const MAX_IN_INTERVAL: usize = 3;
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Records impossible travel, in words, that a use of a session at `location` reveals, before that use is
/// written, and raises an alert about it.
pub(super) fn record(
    c: &mut AnyConnection,
    (owner, id): (UserId, SessionId),
    travel: String,
    location: &Location,
    now: Timestamp,
) -> Result<()> {
    let Some(session) = store::find(c, owner, id)? else {
        return Ok(());
    };
    let before = find_question(c, &session, &location.place, now)?;
    let ip = location.ip.as_deref();
    let Some(before) = before else {
        return impossible_travel::record(c, (owner, id), travel, ip, now);
    };
    impossible_travel::record_further(c, (owner, id), travel, ip, now)?;
    let user = people::store::get(c, owner)?;
    let context = AlertContext {
        location: location.clone(),
        before: Some(before),
        ..session.end_alert_context()
    };
    alerts::raise_on_pages(c, &user, (KIND, context), now)
}

/// Returns whether impossible travel of `session` to `there` is recorded as far as it is to be, so that more of
/// it costs no write.
pub(super) async fn is_recorded(
    db: &Db,
    session: &Session,
    there: &Place,
    now: Timestamp,
) -> Result<bool> {
    let (session, there) = (session.clone(), there.clone());
    db.read(move |c| {
        let id = (session.user_id, session.id);
        Ok(impossible_travel::was_recorded(c, id, now)?
            && find_question(c, &session, &there, now)?.is_none())
    })
    .await
}

/// Finds the last use of a session, if the person is to be asked about that and one at `there`.
fn find_question(
    c: &mut AnyConnection,
    session: &Session,
    there: &Place,
    now: Timestamp,
) -> Result<Option<UseBefore>> {
    let before = Waypoint::from_last_use(session).before(there, now);
    let Some(before) = before.filter(|it| it.is_impossible && is_abroad(&it.place, there)) else {
        return Ok(None);
    };
    let is_due = is_due(c, session, [&before.place, there], now)?;
    Ok(Some(before).filter(|_| is_due))
}

/// Returns whether two places are in different countries.
fn is_abroad(a: &Place, b: &Place) -> bool {
    a.country.is_some() && b.country.is_some() && a.country != b.country
}

/// Returns whether an alert about the device of a session in these places is due: none in the two countries
/// waits for an answer or has one, and there were not too many lately.
fn is_due(
    c: &mut AnyConnection,
    session: &Session,
    places: [&Place; 2],
    now: Timestamp,
) -> Result<bool> {
    let mut raised = alerts::store::list_of_kind(c, session.user_id, KIND)?;
    raised.retain(|alert| !alert.is_open() || alert.waits_at(now));
    let ids: Vec<SessionId> = raised.iter().filter_map(|it| it.session_id).collect();
    if ids.is_empty() {
        return Ok(true);
    }
    let subjects = store::list_own_by_ids(c, session.user_id, &ids)?;
    raised.retain(|alert| {
        let mut its = subjects.iter().filter(|it| alert.session_id == Some(it.id));
        its.any(|it| it.is_on_device_of(session))
    });
    let lately = raised.iter().filter(|alert| alert.at > now - INTERVAL);
    let is_same = |alert: &Alert| {
        let before = alert.use_before().map(|before| before.place);
        let ends = [before.unwrap_or_default(), alert.place()].map(|it| it.country);
        let [from, to] = places.map(|place| place.country.clone());
        ends == [from.clone(), to.clone()] || ends == [to, from]
    };
    Ok(lately.count() < MAX_IN_INTERVAL && !raised.iter().any(is_same))
}
