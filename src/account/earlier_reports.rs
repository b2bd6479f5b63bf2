//! What their person had reported before a session began, as far as it concerns that: an alert about it says so.

use std::collections::HashMap;

use super::about::About;
use crate::alerts::{self, Alert};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::sessions::{self, Session, find_sign_in, is_on_one_device, list_on_reported};

/// What a person reported before a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlierReport {
    /// A session in its country, on another device.
    FromCountry,
    /// A session on its device.
    OfDevice,
}

/// Finds what their person had reported before each of these sessions began, of those of which there is
/// something. A device whose id a reported sign-in only stated was not reported.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) fn find_earlier_reports(
    c: &mut AnyConnection,
    owner: UserId,
    sessions: &[Session],
) -> Result<HashMap<SessionId, EarlierReport>> {
    let reports = alerts::store::list_reported_of_sessions(c, owner)?;
    let Some(first) = reports.iter().map(|alert| alert.at).min() else {
        return Ok(HashMap::new());
    };
    let all = load_all(c, owner, (&reports, sessions), first)?;
    let reported = list_on_reported(c, owner, &all)?;
    let find = |session: &Session| {
        let earlier = reports.iter().filter(|alert| {
            alert.session_id != Some(session.id) && alert.reported_at() <= Some(session.created_at)
        });
        let subject = |alert: &Alert| all.iter().find(|it| alert.session_id == Some(it.id));
        let is_of_device = |alert: &Alert| {
            let is_sound = |it: &Session| !reported.contains(&it.id);
            let is_alike = subject(alert).is_some_and(|it| is_on_one_device(it, session));
            let sign_in = find_sign_in(&reports, alert);
            let is_other =
                session.device_id.is_some() && !About::new(sign_in, &all, is_sound).covers(session);
            is_alike && !is_other
        };
        let country = session.location_country.as_ref();
        let is_from_it = |alert: &Alert| {
            let there = subject(alert).and_then(|it| it.location_country.as_ref());
            country.is_some() && there == country
        };
        match earlier.clone().any(is_of_device) {
            true => Some(EarlierReport::OfDevice),
            false => (earlier.clone().any(is_from_it)).then_some(EarlierReport::FromCountry),
        }
    };
    let found = sessions.iter().filter_map(|it| Some((it.id, find(it)?)));
    Ok(found.collect())
}

/// Loads the person's recent sessions, those from before `first`, the subjects of these alerts, and `sessions`.
fn load_all(
    c: &mut AnyConnection,
    owner: UserId,
    (reports, sessions): (&[Alert], &[Session]),
    first: Timestamp,
) -> Result<Vec<Session>> {
    let mut all = sessions::store::list_compared(c, owner, None, Some(first))?;
    let is_missing = |id: &SessionId| all.iter().all(|it| it.id != *id);
    let subjects = reports.iter().filter_map(|alert| alert.session_id);
    let missing: Vec<SessionId> = subjects.filter(is_missing).collect();
    if !missing.is_empty() {
        all.extend(sessions::store::list_own_by_ids(c, owner, &missing)?);
    }
    for session in sessions {
        if all.iter().all(|it| it.id != session.id) {
            all.push(session.clone());
        }
    }
    Ok(all)
}
