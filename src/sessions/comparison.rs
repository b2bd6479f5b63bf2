//! What a sign-in is compared with: the person's recent sessions. It raises an alert if the device or the country is
//! new, and records impossible travel.

use super::impossible_travel::{self, Waypoint};
use super::list_on_reported;
use super::new_sign_in::{self, KnownId, are_in_browser};
use super::store::{self, Session};
use super::waiting_sign_ins::WaitingSignIns;
use crate::alerts::{self, AlertContext, Alerts, UseBefore};
use crate::clock::Timestamp;
use crate::db::AnyConnection;
use crate::devices;
use crate::error::Result;
use crate::geo::Location;
use crate::people::User;

/// The most alerts about sign-ins of a person that wait for an answer. Who signs in after them is in doubt
/// with the first of them, and each costs the pages of the person.
const MAX_UNCONFIRMED: usize = 50;

/// Compares a sign-in with the person's recent sessions, without those they reported: raises an
/// alert if the device or the country is new, except for a person's first sign-in and where
/// [`MAX_UNCONFIRMED`] wait for an answer, and records impossible travel. Returns whether one is new, or the
/// session came after a sign-in that waits for an answer and may be somebody else's.
pub(super) fn compare_with_recent(
    c: &mut AnyConnection,
    alerts: &Alerts,
    user: &User,
    (session, is_known): (&Session, bool),
    now: Timestamp,
) -> Result<bool> {
    let first = alerts::find_first_doubtful(c, user, now)?;
    let mut recent = store::list_compared(c, user.id, Some(session.id), first)?;
    let reported = list_on_reported(c, user.id, &recent)?;
    let is_first =
        recent.is_empty() && !devices::store::has_others(c, user.id, session.device_id.as_deref())?;
    let is_copy = |it: &Session| {
        are_in_browser(it, session) && it.device_id.is_some() && it.device_id == session.device_id
    };
    let is_copied = (recent.iter()).any(|other| is_copy(other) && reported.contains(&other.id));
    recent.retain(|other| !reported.contains(&other.id));
    record_travel(c, session, &recent, now)?;
    let id = KnownId {
        is_known,
        may_be_stolen: first.is_some() && alerts::has_reported_sign_in(c, user)?,
        is_copied,
    };
    let waiting = match first {
        Some(_) => WaitingSignIns::load(c, user.id, now)?,
        None => WaitingSignIns::default(),
    };
    let kind = new_sign_in::classify(session, id, &recent);
    let Some(kind) = kind.filter(|_| !is_first) else {
        return Ok(waiting.doubts(session, &recent));
    };
    if waiting.count() >= MAX_UNCONFIRMED {
        return Ok(true);
    }
    let context = AlertContext {
        before: find_use_before(session, &recent, &waiting, now),
        ..session.alert_context()
    };
    alerts.raise(c, user, (kind, context), now)?;
    Ok(true)
}

/// Finds the person's last use in one of their `recent` sessions, none of which they reported, that is in no doubt
/// for a sign-in that waits for an answer.
fn find_use_before(
    session: &Session,
    recent: &[Session],
    waiting: &WaitingSignIns,
    now: Timestamp,
) -> Option<UseBefore> {
    let trusted = recent
        .iter()
        .filter(|other| !waiting.is_subject(other) && !waiting.doubts(other, recent));
    last_located(trusted)
        .and_then(|last| Waypoint::from_last_use(last).before(&session.place(), now))
}

/// Returns the session that was used last of those whose place is known.
fn last_located<'a>(sessions: impl Iterator<Item = &'a Session>) -> Option<&'a Session> {
    sessions
        .filter(|session| session.location_point.is_some())
        .max_by_key(|session| session.last_used_at)
}

/// Records impossible travel from the place where the person was last.
fn record_travel(
    c: &mut AnyConnection,
    session: &Session,
    recent: &[Session],
    now: Timestamp,
) -> Result<()> {
    let Some(last) = last_located(recent.iter()) else {
        return Ok(());
    };
    let here = Location {
        ip: session.ip_address.clone(),
        place: session.place(),
    };
    match Waypoint::from_last_use(last).travel_to_device(&here, now) {
        Some(travel) => {
            let ip = session.ip_address.as_deref();
            let owned = (session.user_id, session.id);
            impossible_travel::record(c, owned, travel.to_string(), ip, now)
        }
        None => Ok(()),
    }
}
