//! What ended sessions that their person signed out from none of their other sessions: an application with its
//! key, or a link in a message that took the account back. Rows name only sessions; the events tell the rest.

use std::collections::HashMap;

use super::store::Session;
use super::{EndedReason, Sessions};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApplicationId, SessionId, UserId};
use crate::error::Result;
use crate::events::{self, Event, EventKind};

/// What ended a session, if it was none of its person's other sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndSource {
    /// An application, with its key; which one, if that is known.
    Application(Option<ApplicationId>),
    /// The account was taken back.
    TakeBack,
}

impl Sessions {
    /// Finds what ended those of a person's sessions that none of their other sessions ended. The caller bounds
    /// their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_end_sources(
        &self,
        owner: UserId,
        ended: &[Session],
    ) -> Result<HashMap<SessionId, EndSource>> {
        let unknown = ended.iter().filter(|session| may_have_source(session));
        let ends: Vec<(SessionId, Option<Timestamp>)> = unknown
            .map(|session| (session.id, session.ended_at))
            .collect();
        match ends.is_empty() {
            true => Ok(HashMap::new()),
            false => self.db.read(move |c| list(c, owner, &ends)).await,
        }
    }
}

/// Returns whether a session was signed out, and from no other session.
fn may_have_source(session: &Session) -> bool {
    match session.ended_reason {
        Some(EndedReason::SignedOut) => session.ended_by.is_none(),
        Some(EndedReason::SignedOutRemotely) => session.ended_by.is_none_or(|by| by == session.id),
        _ => false,
    }
}

fn list(
    c: &mut AnyConnection,
    owner: UserId,
    ends: &[(SessionId, Option<Timestamp>)],
) -> Result<HashMap<SessionId, EndSource>> {
    let ids: Vec<SessionId> = ends.iter().map(|(id, _)| *id).collect();
    let events = events::store::list_by_kind(c, owner, &ids, EventKind::Ended)?;
    let taken_back = events::store::list_times(c, owner, EventKind::TakenBack)?;
    let find = |(id, at): &(SessionId, Option<Timestamp>)| {
        let is_taken_back = at.is_some_and(|at| taken_back.contains(&at));
        let by_event = || events.iter().find(|it| it.session_id == Some(*id));
        match is_taken_back {
            true => Some(EndSource::TakeBack),
            false => by_event().and_then(by_application),
        }
    };
    let found = ends.iter().filter_map(|end| Some((end.0, find(end)?)));
    Ok(found.collect())
}

/// Returns the application that caused the end of a session. Nobody else signs one out on its own device without
/// being recorded.
fn by_application(event: &Event) -> Option<EndSource> {
    let is_sign_out = event.detail.as_deref() == Some(EndedReason::SignedOut.as_str());
    let is_of_nobody = event.by_user_id.is_none() && event.by_session_id.is_none();
    match event.by_application_id {
        Some(id) => Some(EndSource::Application(Some(id))),
        None => (is_sign_out && is_of_nobody).then_some(EndSource::Application(None)),
    }
}
