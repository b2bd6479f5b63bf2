//! Devices and ended sessions as templates show them: plain fields, without logic.

use std::collections::{HashMap, HashSet};

use super::admin::session_words;
use super::ended_words::End;
use super::travel_views::ImpossibleTravels;
use super::used_applications::ApplicationsView;
use super::views::Reader;
use super::waiting_views::{WaitingSession, WaitingView};
use super::words::{self, Named, TimeView};
use crate::account::Attention;
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::devices::DeviceGroup;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::{EndedReason, Session};
use crate::user_agent::DeviceKind;

/// A device that a person is or was signed in on.
pub struct DeviceView {
    /// The id of the session that represents it.
    pub id: String,
    /// The sprite's symbol of its kind.
    pub icon: &'static str,
    /// Its kind, if it is known: "Phone".
    pub kind: Option<&'static str>,
    /// The name that its owner gave it, else its label.
    pub name: String,
    /// Its label, by what it states of itself, where its owner gave it another name.
    pub label: Option<String>,
    /// Where it was last used.
    pub place: Option<String>,
    /// The URL of that place in the list below the map, if it is there.
    pub on_map: Option<String>,
    /// When it was last used.
    pub last_used: TimeView,
    /// When it signed in: the oldest of its live sessions.
    pub signed_in: TimeView,
    /// How it signed in.
    pub opened_via: &'static str,
    /// The browser and its symbol: "Firefox 140".
    pub browser: Option<Named>,
    /// The system and its symbol: "Windows 11".
    pub system: Option<Named>,
    /// The address that it was last used from.
    pub address: Option<String>,
    /// When its last session expires.
    pub ends: TimeView,
    /// Whether each use defers the expiry.
    pub ends_if_unused: bool,
    /// Whether it is exempt from the idle limit, by one of its sessions.
    pub is_idle_exempt: bool,
    /// Since when it is bound to its browser, in words, if it is.
    pub bound: Option<String>,
    /// What it means that it is, or is not.
    pub binding: Option<&'static str>,
    /// When and why the session ended, if it has.
    pub ended: Option<EndView>,
    /// The user agent as it was sent.
    pub user_agent: Option<String>,
    /// Its sessions, if it has several.
    pub sessions: Vec<SignInView>,
    /// An impossible travel of one of its sessions, as a sentence.
    pub travel: Option<String>,
    /// That sessions on it are in doubt.
    pub waiting: Option<WaitingView>,
    /// The applications that its sessions reached.
    pub applications: ApplicationsView,
}

/// When and why a session ended.
pub struct EndView {
    /// That its device is signed out, or the session alone has ended.
    pub state: &'static str,
    /// What the time of it is called.
    pub term: &'static str,
    /// Why it ended.
    pub cause: String,
    /// When it ended.
    pub at: TimeView,
}

/// One of a device's sessions.
pub struct SignInView {
    /// Its id.
    pub id: String,
    /// How it signed in.
    pub opened_via: &'static str,
    /// When it was created.
    pub signed_in: TimeView,
    /// When it was last used.
    pub last_used: TimeView,
    /// Where it was last used.
    pub place: Option<String>,
    /// When it expires.
    pub ends: TimeView,
    /// Whether each use defers that.
    pub ends_if_unused: bool,
    /// Whether the page is read in it.
    pub is_current: bool,
    /// What it states of itself, while it is in doubt.
    pub waiting: Option<WaitingSession>,
}

impl DeviceView {
    /// Returns the device of a single `session`.
    pub fn new(session: &Session, reader: &Reader) -> Self {
        let label = session.label();
        let name = session.display_name();
        let live = || Some(session).filter(|it| it.is_live(reader.clock.now));
        Self {
            id: session.id.to_string(),
            icon: words::device_icon(session),
            kind: Some(session.device_kind)
                .filter(|kind| *kind != DeviceKind::Unknown)
                .map(session_words::kind),
            label: Some(label).filter(|label| *label != name),
            name,
            place: reader.describe_session_location(session),
            on_map: None,
            last_used: TimeView::ago(session.last_used_at, reader.clock),
            signed_in: TimeView::exact(session.created_at, reader.clock),
            opened_via: words::opened_via(session),
            browser: words::browser(session),
            system: words::system(session),
            address: session.ip_address.as_deref().map(|ip| reader.address(ip)),
            ends: TimeView::ahead(session.expires_at, reader.clock),
            ends_if_unused: session.expires_at < session.absolute_expires_at,
            is_idle_exempt: session.is_idle_exempt(),
            bound: live().and_then(|it| reader.bound_since([it])),
            binding: live().and_then(|it| reader.describe_binding([it])),
            ended: EndView::new(session, End::of(session, None), reader.clock),
            user_agent: session.user_agent.clone(),
            sessions: Vec::new(),
            travel: None,
            waiting: None,
            applications: ApplicationsView::default(),
        }
    }

    /// Returns `device`, represented by its session `shown`, for a reader in the session `current`.
    pub fn for_device(
        device: &DeviceGroup<Session>,
        shown: &Session,
        current: SessionId,
        reader: &Reader,
    ) -> Self {
        let sessions: Vec<_> = device
            .iter()
            .map(|session| SignInView::new(session, current, reader))
            .collect();
        let all = || device.iter().chain([shown]);
        let first = all().map(|it| it.created_at).min();
        let exempt = || {
            all()
                .filter(|it| it.is_idle_exempt())
                .map(|it| it.expires_at)
        };
        let is_idle_exempt = device.iter().any(Session::is_idle_exempt);
        let last = match is_idle_exempt {
            true => exempt().max(),
            false => all().map(|it| it.expires_at).max(),
        };
        let last = last.unwrap_or(shown.expires_at);
        Self {
            signed_in: TimeView::exact(first.unwrap_or(shown.created_at), reader.clock),
            ends: TimeView::ahead(last, reader.clock),
            ends_if_unused: all().any(|it| it.absolute_expires_at > last),
            is_idle_exempt,
            bound: reader.bound_since(device.iter()),
            binding: reader.describe_binding(device.iter()),
            sessions: if sessions.len() > 1 {
                sessions
            } else {
                Vec::new()
            },
            ..Self::new(shown, reader)
        }
    }

    /// Returns where it was last used: the place and the address, as far as they say different things.
    pub fn location(&self) -> Vec<&str> {
        let (place, address) = (self.place.as_deref(), self.address.as_deref());
        let says_more = |place: &&str| !address.is_some_and(|address| address.contains(place));
        place.filter(says_more).into_iter().chain(address).collect()
    }

    /// Returns what tells it from others of the same name: its kind, its label and how many sessions it has.
    pub fn identity(&self) -> Vec<String> {
        let sessions = Some(self.sessions.len()).filter(|n| *n > 0);
        self.kind
            .map(str::to_owned)
            .into_iter()
            .chain(self.label.clone())
            .chain(sessions.map(|n| format!("{n} sessions")))
            .collect()
    }

    /// Returns the view with the impossible travel of one of the device's sessions, if there is
    /// one.
    pub(super) fn with_travel(
        self,
        device: &DeviceGroup<Session>,
        travels: &ImpossibleTravels,
    ) -> Self {
        let travel = travels.describe(device, &self.name);
        Self { travel, ..self }
    }

    /// Returns the view with the sessions on the device that are in doubt, for a reader whose alerts are on the page
    /// `path`.
    pub(super) fn with_waiting(
        mut self,
        device: &DeviceGroup<Session>,
        attention: &Attention,
        path: &str,
        reader: &Reader,
    ) -> Self {
        for (view, session) in self.sessions.iter_mut().zip(device.iter()) {
            view.waiting = WaitingSession::new(session, attention);
        }
        let waiting = WaitingView::new(device, attention, path, reader);
        Self { waiting, ..self }
    }

    /// Returns the view with the applications that the device's sessions reached.
    pub fn with_applications(self, applications: ApplicationsView) -> Self {
        Self {
            applications,
            ..self
        }
    }
}

impl EndView {
    /// Returns the end of `session`, if it has ended by now: one past its expiry has, whether or not it
    /// is marked as expired yet.
    pub fn new(session: &Session, end: End<'_>, clock: ReaderClock) -> Option<Self> {
        let (state, term) = match end.is_device_signed_in {
            true => ("This session has ended", "Session ended"),
            false => ("Signed out", "Signed out"),
        };
        session.end_time(clock.now).map(|at| Self {
            state,
            term,
            cause: end.describe(),
            at: TimeView::exact(at, clock),
        })
    }
}

impl SignInView {
    fn new(session: &Session, current: SessionId, reader: &Reader) -> Self {
        Self {
            id: session.id.to_string(),
            opened_via: words::opened_via(session),
            signed_in: TimeView::exact(session.created_at, reader.clock),
            last_used: TimeView::ago(session.last_used_at, reader.clock),
            place: reader.describe_session_location(session),
            ends: TimeView::ahead(session.expires_at, reader.clock),
            ends_if_unused: session.expires_at < session.absolute_expires_at,
            is_current: session.id == current,
            waiting: None,
        }
    }
}

/// A session that has ended.
pub struct EndedSessionView {
    /// Its id.
    pub id: String,
    /// The name of its device.
    pub name: String,
    /// Why it ended.
    pub cause: String,
    /// When it ended.
    pub at: TimeView,
}

impl EndedSessionView {
    /// Returns the view of `session`, which ended for `cause`.
    pub fn new(session: &Session, cause: String, clock: ReaderClock) -> Self {
        Self {
            id: session.id.to_string(),
            name: session.display_name(),
            cause,
            at: TimeView::ago(session.ended_at.unwrap_or(session.expires_at), clock),
        }
    }
}

/// The names of a person's devices, by session.
pub struct DeviceNames {
    names: HashMap<SessionId, String>,
    /// When every session was signed out from one of them.
    everywhere: HashMap<SessionId, Timestamp>,
}

impl DeviceNames {
    /// Returns the names of the devices of `sessions`; those that are in doubt or were reported, which are
    /// `doubtful`, are called by their labels and places, whatever they state.
    pub fn new<'a>(
        sessions: impl IntoIterator<Item = &'a Session>,
        doubtful: &HashSet<SessionId>,
    ) -> Self {
        let name = |session: &Session| match doubtful.contains(&session.id) {
            true => session.label_with_place(),
            false => session.display_name(),
        };
        let mut names = HashMap::new();
        let mut everywhere = HashMap::new();
        for session in sessions {
            names.insert(session.id, name(session));
            let is_itself = session.ended_by == Some(session.id)
                && session.ended_reason == Some(EndedReason::SignedOutRemotely);
            if let Some(at) = session.ended_at.filter(|_| is_itself) {
                everywhere.insert(session.id, at);
            }
        }
        Self { names, everywhere }
    }

    /// Returns whether a session ended when its person signed out everywhere.
    pub fn is_everywhere(&self, session: &Session) -> bool {
        let by = session.ended_by.and_then(|by| self.everywhere.get(&by));
        by.is_some() && by.copied() == session.ended_at
    }

    /// Returns the name of the device of a session, if it is known.
    pub fn find(&self, id: Option<SessionId>) -> Option<&str> {
        self.names.get(&id?).map(String::as_str)
    }
}
