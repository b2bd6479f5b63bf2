//! Reported sessions: those that ended since their person reported an alert, and those on a device that
//! was reported.

use std::collections::HashSet;

use super::new_sign_in::{
    is_from_before_elsewhere, is_on_one_device, is_same_device, is_same_network,
};
use super::store::{self, Session};
use super::{EndedReason, Sessions};
use crate::alerts::{self, Alert};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;

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
/// id, it is one that looks alike on the same network. Except what the report left signed in, or would have, since
/// it is from before the reported sign-in and elsewhere, where the id was stated first: the reported one only stated
/// the id of a device of the person's.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn list_on_reported(
    c: &mut AnyConnection,
    owner: UserId,
    sessions: &[Session],
) -> Result<HashSet<SessionId>> {
    let reports = alerts::store::list_reported_of_sessions(c, owner)?;
    let ids: Vec<SessionId> = reports.iter().filter_map(|it| it.session_id).collect();
    let (subjects, unanswered) = match ids.is_empty() {
        true => (Vec::new(), Vec::new()),
        false => (
            store::list_own_by_ids(c, owner, &ids)?,
            alerts::store::list_unanswered_sign_ins(c, owner)?,
        ),
    };
    let is_subject = |session: &Session| ids.contains(&session.id);
    let is_of = |session: &Session, alert: &Alert| {
        let mut its = (subjects.iter()).filter(|it| alert.session_id == Some(it.id));
        was_before(session, alert) && its.any(|subject| is_on_one_device(subject, session))
    };
    let is_elsewhere = |session: &Session| {
        let mut its = reports.iter().filter(|alert| is_of(session, alert));
        its.all(|alert| is_from_before_elsewhere(session, find_sign_in(&reports, alert)))
    };
    let is_sound = |it: &Session| !unanswered.contains(&it.id) && !came_after(it, &reports);
    let mut on_reported = HashSet::new();
    for session in sessions {
        let is_on_one = || reports.iter().any(|alert| is_of(session, alert));
        let is_own = is_elsewhere(session) && is_sound(session);
        if is_subject(session)
            || (is_on_one() && !(is_own && is_where_device_was_first(c, session, is_sound)?))
        {
            on_reported.insert(session.id);
        }
    }
    Ok(on_reported)
}

/// Returns whether a session is in the network in which its device id was stated first: whoever copies or reads an id
/// comes after the person whose it is.
fn is_where_device_was_first(
    c: &mut AnyConnection,
    session: &Session,
    is_sound: impl Fn(&Session) -> bool,
) -> Result<bool> {
    let Some(device) = session.device_id.as_deref() else {
        return Ok(false);
    };
    let first = store::find_first_on_device(c, session.user_id, device)?;
    let is_there = |first: &Session| {
        let is_near = is_same_device(first, session) && is_same_network(first, session);
        first.id == session.id || (is_near && is_sound(first))
    };
    Ok(first.as_ref().is_some_and(is_there))
}

/// Returns the reported alert about the sign-in of the session that a reported alert is about, if there is one, else that
/// alert: what else is reported of a session changes nothing in whose device it is on.
pub(crate) fn find_sign_in<'a>(reports: &'a [Alert], alert: &'a Alert) -> &'a Alert {
    let is_its = |it: &&Alert| it.kind.is_sign_in() && it.session_id == alert.session_id;
    reports.iter().find(is_its).unwrap_or(alert)
}

/// Returns whether a session was opened before the report of an alert, which did not leave it signed in.
fn was_before(session: &Session, alert: &Alert) -> bool {
    let reported_at = alert.reported_at();
    reported_at.is_some_and(|at| session.created_at <= at && !was_left(session, at))
}

/// Returns whether a session was opened after a sign-in that was reported after that: it may be the same intruder's.
fn came_after(session: &Session, reports: &[Alert]) -> bool {
    let mut sign_ins = reports.iter().filter(|alert| alert.kind.is_sign_in());
    sign_ins.any(|it| it.at <= session.created_at && it.reported_at() >= Some(session.created_at))
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
