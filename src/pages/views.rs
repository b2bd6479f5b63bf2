//! Devices as the pages show them: plain fields, everything decided.

use std::collections::HashMap;

use super::words::{self, TimeView};
use crate::db::{SessionId, Timestamp};
use crate::sessions::Session;

/// A device somebody is signed in on.
pub struct DeviceView {
    /// The session's id.
    pub id: String,
    /// The symbol of its kind in the sprite.
    pub icon: &'static str,
    /// What its owner calls it, else what it says it is.
    pub name: String,
    /// What it says it is, where its owner gave it another name.
    pub label: Option<String>,
    /// Where it was last used.
    pub place: Option<String>,
    /// When it was last used.
    pub last_used: TimeView,
    /// The sign-in.
    pub first_sign_in: TimeView,
    /// How it signed in.
    pub opened_via: &'static str,
    /// Where from.
    pub address: Option<String>,
    /// When it ends by itself.
    pub ends: TimeView,
    /// Whether using it puts that off.
    pub ends_if_unused: bool,
    /// As it was sent.
    pub user_agent: Option<String>,
}

impl DeviceView {
    /// `session` as it looks at `now`.
    pub fn new(session: &Session, now: Timestamp) -> Self {
        let label = session.label();
        let name = session.display_name();
        Self {
            id: session.id.to_string(),
            icon: session.device_kind.as_str(),
            label: Some(label).filter(|label| *label != name),
            name,
            place: words::place(session),
            last_used: TimeView::ago(session.last_used_at, now),
            first_sign_in: TimeView::exact(session.created_at),
            opened_via: words::opened_via(session),
            address: words::address(session),
            ends: TimeView::day(session.expires_at),
            ends_if_unused: session.expires_at < session.absolute_expires_at,
            user_agent: session.user_agent.clone(),
        }
    }
}

/// A session that has ended.
pub struct EndedView {
    /// Its id.
    pub id: String,
    /// What it was called.
    pub name: String,
    /// Why it ended.
    pub cause: String,
    /// When it ended.
    pub at: TimeView,
}

impl EndedView {
    /// `session` as it looks at `now`; `names` are the names of the sessions it may have been
    /// ended from.
    pub fn new(session: &Session, names: &DeviceNames, now: Timestamp) -> Self {
        Self {
            id: session.id.to_string(),
            name: session.display_name(),
            cause: words::cause(session.ended_reason, names.of(session.ended_by)),
            at: TimeView::ago(session.ended_at.unwrap_or(session.expires_at), now),
        }
    }
}

/// What a person's devices are called.
pub struct DeviceNames(HashMap<SessionId, String>);

impl DeviceNames {
    /// The names of `sessions`.
    pub fn new<'a>(sessions: impl IntoIterator<Item = &'a Session>) -> Self {
        Self(
            sessions
                .into_iter()
                .map(|session| (session.id, session.display_name()))
                .collect(),
        )
    }

    /// The name of one of them.
    pub fn of(&self, id: Option<SessionId>) -> Option<&str> {
        self.0.get(&id?).map(String::as_str)
    }
}
