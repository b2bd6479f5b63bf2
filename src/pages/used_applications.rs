//! The applications that a person's devices reached, as templates show them.

use std::collections::HashSet;

use super::words::TimeView;
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::{Session, SessionApplication};

/// Applications of a device where it is one of many.
pub const FEW: usize = 5;

/// The applications that some sessions of a person reached, the latest use first.
pub struct UsedApplications(Vec<SessionApplication>);

/// Those that are shown of a device, and how many there are besides.
#[derive(Default)]
pub struct ApplicationsView {
    /// Those that were used last.
    pub first: Vec<ApplicationView>,
    /// The number of the others.
    pub more: usize,
}

/// An application, or the host of one that isn't registered.
pub struct ApplicationView {
    /// Its name.
    pub name: String,
    /// When it was last used.
    pub last_used: TimeView,
}

impl UsedApplications {
    /// Loads what these sessions of `owner` reached.
    pub async fn load<'a>(
        app: &AppState,
        owner: UserId,
        sessions: impl IntoIterator<Item = &'a Session>,
    ) -> Result<Self> {
        let ids = sessions.into_iter().map(|session| session.id).collect();
        let listed = app.sessions.list_applications(owner, ids).await?;
        Ok(Self(listed))
    }

    /// Returns what these sessions reached, each application once, `limit` of them.
    pub fn of<'a>(
        &self,
        sessions: impl IntoIterator<Item = &'a Session>,
        limit: usize,
        clock: ReaderClock,
    ) -> ApplicationsView {
        let ids: HashSet<SessionId> = sessions.into_iter().map(|session| session.id).collect();
        let mut known = HashSet::new();
        let distinct: Vec<&SessionApplication> = self
            .0
            .iter()
            .filter(|used| ids.contains(&used.session_id))
            .filter(|used| known.insert(used.name.as_deref()))
            .collect();
        ApplicationsView {
            more: distinct.len().saturating_sub(limit),
            first: distinct
                .into_iter()
                .take(limit)
                .map(|used| ApplicationView::new(used, clock))
                .collect(),
        }
    }
}

impl ApplicationView {
    fn new(used: &SessionApplication, clock: ReaderClock) -> Self {
        let deleted = || "An application that was deleted".to_owned();
        Self {
            name: used.name.clone().unwrap_or_else(deleted),
            last_used: TimeView::ago(used.last_used_at, clock),
        }
    }
}
