//! The list of what ended recently: what ended together, at once and for the same reason, is one item.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::device_state::DeviceState;
use super::device_views::{DeviceNames, EndedSessionView};
use super::ended_words::{End, is_end_in_doubt};
use super::views::Reader;
use super::words::{self, TimeView};
use crate::db::SessionId;
use crate::devices::{DeviceGroup, group_by_device};
use crate::sessions::{EndedReason, HistoryCursor, HistoryPage, Session};

/// Items on one page.
const MAX_ITEMS: usize = 10;
/// Ended sessions that are read for a page.
pub(super) const MAX_ENDED: u32 = 127;
/// Devices that an item names without being unfolded.
const MAX_NAMED: usize = 3;
/// What ends for the same reason within this time, ended together.
const TOGETHER: Duration = Duration::from_secs(60);

/// What ended together.
pub(super) struct EndedItem {
    /// The devices.
    pub(super) devices: Vec<EndedSessionView>,
    /// The number of devices, if there are so many that their names are folded: "4 devices"; of devices that are
    /// signed in by other sessions: "Sessions on 4 devices".
    pub(super) folded: Option<String>,
    /// The number of sessions on a single device, if there are several: "2 sessions".
    pub(super) sessions: Option<String>,
    /// Why it ended.
    pub(super) cause: String,
    /// When it ended.
    pub(super) at: TimeView,
}

/// What is known of the ends of sessions besides their rows.
pub(super) struct EndReasons {
    /// The reasons that administrators stated.
    pub(super) stated: HashMap<SessionId, String>,
    /// The sessions that their person reported.
    pub(super) reported: HashSet<SessionId>,
    /// The sessions on devices that the person reported, from which others were ended.
    pub(super) by_reported: HashSet<SessionId>,
    /// The sessions that are in doubt, by which no other's device is called.
    pub(super) in_doubt: HashSet<SessionId>,
    /// The sessions on devices that the person reported.
    pub(super) on_reported: HashSet<SessionId>,
    /// What ended sessions that none of the person's other sessions ended.
    pub(super) sources: HashMap<SessionId, String>,
    /// The person's live sessions, the one first by which a device is called.
    pub(super) live: Vec<Session>,
}

/// A session that has ended, and how.
struct Ended {
    session: Session,
    cause: String,
    /// Whether its device is signed in by another session.
    is_device_signed_in: bool,
}

impl EndReasons {
    /// Returns whether a session was signed out from a device that its person reported.
    fn is_by_reported(&self, session: &Session) -> bool {
        session.ended_reason == Some(EndedReason::SignedOutRemotely)
            && session
                .ended_by
                .is_some_and(|by| self.by_reported.contains(&by))
    }

    /// Returns a session with how it ended; `names` are those of the sessions that it may have been ended from.
    fn describe(&self, session: Session, names: &DeviceNames) -> Ended {
        let by = names.find(session.ended_by);
        let state = DeviceState::after(&session, &self.live);
        let is_device_signed_in = state.is_some_and(|state| state.is_signed_in());
        let end = End {
            is_everywhere: names.is_everywhere(&session),
            source: self.sources.get(&session.id).map(String::as_str),
            stated: self.stated.get(&session.id).map(String::as_str),
            is_device_signed_in,
            is_in_doubt: is_end_in_doubt(&session, &(&self.in_doubt | &self.on_reported)),
            ..End::of(&session, by)
        };
        let cause = match self.reported.contains(&session.id) {
            true => words::reported_cause(&session, by),
            false if self.is_by_reported(&session) => words::reported_actor_cause(end.verb(), by),
            false => end.describe(),
        };
        Ended {
            session,
            cause,
            is_device_signed_in,
        }
    }
}

/// A page of the list.
pub(super) struct EndedList {
    pub(super) items: Vec<EndedItem>,
    /// The URL of what ended earlier, if there is more.
    pub(super) older: Option<String>,
}

impl EndedList {
    /// Returns the list of a page of ended sessions; `names` are those of the sessions that they may have
    /// been ended from.
    pub(super) fn new(
        page: HistoryPage,
        names: &DeviceNames,
        reasons: &EndReasons,
        reader: &Reader,
    ) -> Self {
        let HistoryPage { sessions, mut next } = page;
        let ended = sessions.into_iter();
        let mut together = group(
            ended
                .map(|session| reasons.describe(session, names))
                .collect(),
        );
        let end_of = |group: Option<&Vec<Ended>>| {
            let last = group.and_then(|group| group.last());
            last.map(|last| HistoryCursor::from(&last.session))
        };
        if together.len() > MAX_ITEMS {
            together.truncate(MAX_ITEMS);
            next = end_of(together.last());
        } else if next.is_some() && together.len() > 1 {
            // The rest of the last one may be on the next page: it is whole there.
            together.pop();
            next = end_of(together.last());
        }
        let items = together.into_iter();
        Self {
            items: items
                .filter_map(|item| EndedItem::new(item, reasons, reader))
                .collect(),
            older: next
                .map(|next: HistoryCursor| format!("/devices?ended={}#ended", next.encode())),
        }
    }
}

impl EndedItem {
    fn new(ended: Vec<Ended>, reasons: &EndReasons, reader: &Reader) -> Option<Self> {
        let count = ended.len();
        let first = ended.first()?;
        let (cause, is_partial) = (first.cause.clone(), first.is_device_signed_in);
        let view = |session: &Session| EndedSessionView::new(session, cause.clone(), reader.clock);
        let at = view(&first.session).at;
        let devices = group_by_device(ended.into_iter().map(|it| it.session).collect());
        let named = |device: &DeviceGroup<Session>| {
            let shown = device.shown(&reasons.in_doubt);
            let state = DeviceState::after(shown, &reasons.live).filter(DeviceState::is_signed_in);
            let name = state.map(|state| state.name_sessions(device.iter().count()));
            EndedSessionView {
                name: name.unwrap_or_else(|| shown.display_name()),
                ..view(shown)
            }
        };
        let is_folded = devices.len() > MAX_NAMED;
        let number = words::devices(devices.len());
        Some(Self {
            folded: is_folded.then(|| match is_partial {
                true => format!("Sessions on {number}"),
                false => number,
            }),
            sessions: (devices.len() == 1 && count > 1 && !is_partial)
                .then(|| format!("{count} sessions")),
            devices: devices.iter().map(named).collect(),
            cause,
            at,
        })
    }
}

/// Groups sessions, which come newest end first.
fn group(ended: Vec<Ended>) -> Vec<Vec<Ended>> {
    let mut groups: Vec<Vec<Ended>> = Vec::new();
    for session in ended {
        let is_together = |group: &&mut Vec<Ended>| {
            let first = group.first();
            first.is_some_and(|first| first.is_together_with(&session))
        };
        match groups.last_mut().filter(is_together) {
            Some(group) => group.push(session),
            None => groups.push(vec![session]),
        }
    }
    groups
}

impl Ended {
    /// Returns whether both ended at once, and the same is said of both.
    fn is_together_with(&self, other: &Self) -> bool {
        let within = match (self.session.ended_at, other.session.ended_at) {
            (Some(at), Some(other)) => at.since(other) < TOGETHER,
            _ => false,
        };
        within
            && self.cause == other.cause
            && self.session.ended_by == other.session.ended_by
            && self.is_device_signed_in == other.is_device_signed_in
    }
}
