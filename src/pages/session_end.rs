//! The end of a session on the page of its device: by whom, from which device, and with which stated reason.

use std::collections::HashSet;

use super::device_views::{DeviceNames, EndView};
use super::ended_words::{End, is_end_in_doubt};
use super::{end_sources, words};
use crate::db::SessionId;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::{EndedReason, Session};

/// What is known of the end of a session besides its row.
pub(super) struct SessionEnd {
    /// The names of the device that it was ended from, and of its own.
    names: DeviceNames,
    /// The reason that an administrator stated.
    stated: Option<String>,
    /// What ended it, if it was none of the person's other sessions.
    source: Option<String>,
    /// Whether its person reported it.
    is_reported: bool,
    /// Whether it was ended from a device that its person reported.
    is_by_reported: bool,
    /// Whether its device is signed in by another session.
    is_device_signed_in: bool,
    /// Whether it may have been ended by somebody else than its person.
    is_in_doubt: bool,
}

impl SessionEnd {
    /// Loads what is known of the end of `session`, on a device that may be signed in by another; `in_doubt` are the
    /// sessions that are.
    pub(super) async fn load(
        app: &AppState,
        session: &Session,
        (is_device_signed_in, in_doubt): (bool, &HashSet<SessionId>),
    ) -> Result<Self> {
        let owner = session.user_id;
        let ended_by = match session.ended_by {
            Some(by) => app.sessions.find(owner, by).await?,
            None => None,
        };
        let itself = std::slice::from_ref(session);
        let mut stated = app.sessions.list_stated_reasons(owner, itself).await?;
        let reported = app.sessions.list_reported(owner, itself.to_vec()).await?;
        let by_reported = app.sessions.list_by_reported(owner, itself).await?;
        let on_reported = match session.ended_reason {
            Some(EndedReason::SignedOut) => {
                app.sessions
                    .list_on_reported(owner, itself.to_vec())
                    .await?
            }
            _ => HashSet::new(),
        };
        let names = DeviceNames::new(ended_by.iter().chain([session]), &(in_doubt | &by_reported));
        let mut sources = end_sources::load(app, owner, itself).await?;
        Ok(Self {
            stated: stated.remove(&session.id),
            source: sources.remove(&session.id),
            is_reported: !reported.is_empty(),
            is_by_reported: !by_reported.is_empty(),
            is_device_signed_in,
            is_in_doubt: is_end_in_doubt(session, &(in_doubt | &on_reported)),
            names,
        })
    }

    /// Returns the end, if the session has ended by now.
    pub(super) fn view(&self, session: &Session, clock: ReaderClock) -> Option<EndView> {
        let end = EndView::new(session, self.end(session), clock)?;
        Some(EndView {
            cause: self.describe(session),
            ..end
        })
    }

    /// Returns why the session ended.
    pub(super) fn describe(&self, session: &Session) -> String {
        let (end, by) = (self.end(session), self.names.find(session.ended_by));
        match (self.is_reported, self.is_by_reported) {
            (true, _) => words::reported_cause(session, by),
            (false, true) => words::reported_actor_cause(end.verb(), by),
            (false, false) => end.describe(),
        }
    }

    fn end<'a>(&'a self, session: &Session) -> End<'a> {
        End {
            is_everywhere: self.names.is_everywhere(session),
            source: self.source.as_deref(),
            stated: self.stated.as_deref(),
            is_device_signed_in: self.is_device_signed_in,
            is_in_doubt: self.is_in_doubt,
            ..End::of(session, self.names.find(session.ended_by))
        }
    }
}
