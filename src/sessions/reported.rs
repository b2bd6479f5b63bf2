//! Reported sessions: those that ended since their person reported an alert, and those on a device that
//! was reported.

use std::collections::HashSet;

use super::new_sign_in::{is_from_before_elsewhere, is_on_one_device, is_same_device};
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
/// it is from before the reported sign-in and elsewhere: that only stated the id of a device of the person's.
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
    let subjects = match ids.is_empty() {
        true => Vec::new(),
        false => store::list_own_by_ids(c, owner, &ids)?,
    };
    let is_on_reported = |session: &&Session| {
        let is_of = |alert: &Alert| {
            let mut its = (subjects.iter()).filter(|it| alert.session_id == Some(it.id));
            was_before(session, alert) && its.any(|subject| is_on_one_device(subject, session))
        };
        ids.contains(&session.id) || reports.iter().any(is_of)
    };
    let on_reported = sessions.iter().filter(is_on_reported);
    Ok(on_reported.map(|session| session.id).collect())
}

/// Returns whether a session on the device of a reported alert was opened before the report, and was neither left
/// signed in by it nor is the person's own, whose device a reported sign-in stated to be.
fn was_before(session: &Session, alert: &Alert) -> bool {
    let is_own = session.device_id.is_some() && is_from_before_elsewhere(session, alert);
    alert
        .reported_at()
        .is_some_and(|at| session.created_at <= at && !was_left(session, at) && !is_own)
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
