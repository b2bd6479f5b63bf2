//! Reported sessions: those that ended since their person reported an alert, and those on a device that
//! was reported.

use std::collections::HashSet;

use super::new_sign_in::{is_on_one_device, is_same_device};
use super::store::{self, Session};
use super::{EndedReason, Sessions};
use crate::alerts;
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
/// id, it is one that looks alike on the same network.
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
                session.created_at <= *at && its.any(|subject| is_on_one_device(subject, session))
            })
    };
    let on_reported = sessions.iter().filter(is_on_reported);
    Ok(on_reported.map(|session| session.id).collect())
}

fn is_ended_remotely(session: &Session) -> bool {
    session.ended_reason == Some(EndedReason::SignedOutRemotely)
}
