//! Reported sessions: those that ended since their person reported an alert, and those on a device that
//! was reported.

use std::collections::{HashMap, HashSet};

use super::new_sign_in::{is_on_one_device, is_same_device};
use super::store::{self, Session};
use super::{EndedReason, Sessions};
use crate::alerts;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;

/// What a person reported before a session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarlierReport {
    /// A session in its country, on another device.
    FromCountry,
    /// A session on its device.
    OfDevice,
}

impl Sessions {
    /// Lists those of a person's sessions that a report of theirs ended. The caller bounds their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_reported(
        &self,
        owner: UserId,
        sessions: Vec<Session>,
    ) -> Result<HashSet<SessionId>> {
        match sessions.iter().any(is_ended_remotely) {
            true => {
                self.db
                    .read(move |c| list_reported(c, owner, &sessions))
                    .await
            }
            false => Ok(HashSet::new()),
        }
    }

    /// Lists the sessions on devices which the person reported, of those from which these sessions were signed
    /// out. The caller bounds their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_by_reported(
        &self,
        owner: UserId,
        ended: &[Session],
    ) -> Result<HashSet<SessionId>> {
        let remote = ended.iter().filter(|session| is_ended_remotely(session));
        let by: HashSet<SessionId> = remote.filter_map(|session| session.ended_by).collect();
        if by.is_empty() {
            return Ok(HashSet::new());
        }
        let by: Vec<SessionId> = by.into_iter().collect();
        self.db
            .read(move |c| {
                let sessions = store::list_own_by_ids(c, owner, &by)?;
                list_on_reported(c, owner, &sessions)
            })
            .await
    }

    /// Lists those of these sessions of a person that were on a device which the person reported. The caller
    /// bounds their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_on_reported(
        &self,
        owner: UserId,
        sessions: Vec<Session>,
    ) -> Result<HashSet<SessionId>> {
        match sessions.is_empty() {
            true => Ok(HashSet::new()),
            false => {
                self.db
                    .read(move |c| list_on_reported(c, owner, &sessions))
                    .await
            }
        }
    }
}

/// Lists those of a person's sessions that a report of theirs ended. Whoever takes an account back ends
/// every session with the same act, so one counts only if the report was about its device, or about
/// something before it.
pub(super) fn list_reported(
    c: &mut AnyConnection,
    owner: UserId,
    sessions: &[Session],
) -> Result<HashSet<SessionId>> {
    let remote = sessions.iter().filter(|session| is_ended_remotely(session));
    let ends = || remote.clone().filter_map(|session| session.ended_at);
    let reported = match ends().min().zip(ends().max()) {
        Some(span) => alerts::store::list_reported_between(c, owner, span)?,
        None => Vec::new(),
    };
    let subjects: Vec<SessionId> = reported.iter().filter_map(|it| it.session_id).collect();
    let subjects = match subjects.is_empty() {
        true => Vec::new(),
        false => store::list_own_by_ids(c, owner, &subjects)?,
    };
    let is_reported = |session: &&Session| {
        reported.iter().any(|alert| {
            let is_on_its_device = || {
                subjects
                    .iter()
                    .any(|it| alert.session_id == Some(it.id) && is_same_device(it, session))
            };
            alert.reported_at() == session.ended_at
                && (alert.session_id == Some(session.id)
                    || session.created_at >= alert.at
                    || is_on_its_device())
        })
    };
    Ok(remote
        .filter(is_reported)
        .map(|session| session.id)
        .collect())
}

/// Lists those of a person's sessions that were on a device when they reported it as not theirs: the
/// reported session itself, and whatever else was opened on its device before the report. Without a device
/// id, it is one that looks alike on the same network. What the report left signed in is the person's own: the
/// reported one only stated the id of its device.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn list_on_reported(
    c: &mut AnyConnection,
    owner: UserId,
    sessions: &[Session],
) -> Result<HashSet<SessionId>> {
    let reports = alerts::store::list_reported_sessions(c, owner)?;
    let ids: Vec<SessionId> = reports.iter().map(|(id, _)| *id).collect();
    let subjects = match ids.is_empty() {
        true => Vec::new(),
        false => store::list_own_by_ids(c, owner, &ids)?,
    };
    let is_on_reported = |session: &&Session| {
        ids.contains(&session.id)
            || reports.iter().any(|(id, at)| {
                let mut its = subjects.iter().filter(|subject| subject.id == *id);
                session.created_at <= *at
                    && !was_left(session, *at)
                    && its.any(|subject| is_on_one_device(subject, session))
            })
    };
    let on_reported = sessions.iter().filter(is_on_reported);
    Ok(on_reported.map(|session| session.id).collect())
}

/// Finds what their person had reported before each of these sessions began, of those of which there is
/// something.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn find_earlier_reports(
    c: &mut AnyConnection,
    owner: UserId,
    sessions: &[Session],
) -> Result<HashMap<SessionId, EarlierReport>> {
    let reports = alerts::store::list_reported_sessions(c, owner)?;
    if reports.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<SessionId> = reports.iter().map(|(id, _)| *id).collect();
    let subjects = store::list_own_by_ids(c, owner, &ids)?;
    let find = |session: &Session| {
        let earlier = subjects.iter().filter(|subject| {
            let mut its = reports.iter().filter(|(id, _)| *id == subject.id);
            subject.id != session.id && its.any(|(_, at)| *at <= session.created_at)
        });
        let country = session.location_country.as_ref();
        let is_from_it =
            |it: &Session| country.is_some() && it.location_country.as_ref() == country;
        match earlier.clone().any(|it| is_on_one_device(it, session)) {
            true => Some(EarlierReport::OfDevice),
            false => earlier
                .clone()
                .any(is_from_it)
                .then_some(EarlierReport::FromCountry),
        }
    };
    let found = sessions.iter().filter_map(|it| Some((it.id, find(it)?)));
    Ok(found.collect())
}

/// Returns whether the report at `at` of what was on the device of a session left that signed in.
fn was_left(session: &Session, at: Timestamp) -> bool {
    let is_after = |end: Timestamp| end > at;
    session.device_id.is_some()
        && is_after(session.expires_at)
        && (session.is_active || session.ended_at.is_some_and(is_after))
}

fn is_ended_remotely(session: &Session) -> bool {
    session.ended_reason == Some(EndedReason::SignedOutRemotely)
}
