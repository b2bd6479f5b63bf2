//! The end of a session on the page of its device: by whom, from which device, and with which stated reason.

use std::collections::HashSet;

use super::device_views::{DeviceNames, EndView};
use super::words;
use crate::db::SessionId;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::Session;

/// What is known of the end of a session besides its row.
pub(super) struct SessionEnd {
    /// The names of the device that it was ended from, and of its own.
    pub(super) names: DeviceNames,
    /// The reason that an administrator stated.
    stated: Option<String>,
    /// That it ended since its person reported it, if so.
    pub(super) report: Option<String>,
}

impl SessionEnd {
    /// Loads what is known of the end of `session`; `in_doubt` are the sessions that are.
    pub(super) async fn load(
        app: &AppState,
        session: &Session,
        in_doubt: &HashSet<SessionId>,
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
        let names = DeviceNames::new(ended_by.iter().chain([session]), &(in_doubt | &by_reported));
        let by = names.find(session.ended_by);
        let report = match (reported.is_empty(), by_reported.is_empty()) {
            (false, _) => Some(words::reported_cause(session, by)),
            (true, false) => Some(words::reported_actor_cause(by)),
            (true, true) => None,
        };
        Ok(Self {
            stated: stated.remove(&session.id),
            report,
            names,
        })
    }

    /// Returns the end, if the session has ended by now.
    pub(super) fn view(&self, session: &Session, clock: ReaderClock) -> Option<EndView> {
        let by = self.names.find(session.ended_by);
        let end = EndView::new(session, by, self.stated.as_deref(), clock)?;
        Some(EndView {
            cause: self.report.clone().unwrap_or(end.cause),
            ..end
        })
    }
}
