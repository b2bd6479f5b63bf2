//! The list of what ended recently: what ended together, at once and for the same reason, is one item.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::device_views::{DeviceNames, EndedSessionView};
use super::views::Reader;
use super::words::{self, TimeView};
use crate::db::SessionId;
use crate::devices::group_by_device;
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
    /// The number of devices, if there are so many that their names are folded: "4 devices".
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
    /// The sessions whose own sign-ins wait for an answer, by which no other's device is called.
    pub(super) unconfirmed: HashSet<SessionId>,
}

impl EndReasons {
    /// Returns whether a session was signed out from a device that its person reported.
    fn is_by_reported(&self, session: &Session) -> bool {
        session.ended_reason == Some(EndedReason::SignedOutRemotely)
            && session
                .ended_by
                .is_some_and(|by| self.by_reported.contains(&by))
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
        let mut together = group(sessions, reasons);
        if together.len() > MAX_ITEMS {
            together.truncate(MAX_ITEMS);
            next = together.last().and_then(|last| last.last()).map(Into::into);
        } else if next.is_some() && together.len() > 1 {
            // The rest of the last one may be on the next page: it is whole there.
            together.pop();
            next = together.last().and_then(|last| last.last()).map(Into::into);
        }
        let view = |session: &Session| {
            let view = EndedSessionView::new(session, names, reader.clock);
            match reasons.reported.contains(&session.id) {
                true => view.with_report(session, names),
                false if reasons.is_by_reported(session) => {
                    view.with_reported_actor(session, names)
                }
                false => view.with_stated_reason(session, reasons.stated.get(&session.id)),
            }
        };
        let items = together.into_iter();
        Self {
            items: items
                .filter_map(|item| EndedItem::new(item, &reasons.unconfirmed, view))
                .collect(),
            older: next
                .map(|next: HistoryCursor| format!("/devices?ended={}#ended", next.encode())),
        }
    }
}

impl EndedItem {
    fn new(
        sessions: Vec<Session>,
        unconfirmed: &HashSet<SessionId>,
        view: impl Fn(&Session) -> EndedSessionView,
    ) -> Option<Self> {
        let count = sessions.len();
        let EndedSessionView { cause, at, .. } = view(sessions.first()?);
        let devices = group_by_device(sessions);
        let shown = devices.iter().map(|device| device.shown(unconfirmed));
        let devices: Vec<_> = shown.map(view).collect();
        Some(Self {
            folded: (devices.len() > MAX_NAMED).then(|| words::devices(devices.len())),
            sessions: (devices.len() == 1 && count > 1).then(|| format!("{count} sessions")),
            devices,
            cause,
            at,
        })
    }
}

/// Groups sessions, which come newest end first.
fn group(sessions: Vec<Session>, reasons: &EndReasons) -> Vec<Vec<Session>> {
    let mut groups: Vec<Vec<Session>> = Vec::new();
    for session in sessions {
        let is_together = |group: &&mut Vec<Session>| {
            let first = group.first();
            first.is_some_and(|first| ended_together(first, &session, reasons))
        };
        match groups.last_mut().filter(is_together) {
            Some(group) => group.push(session),
            None => groups.push(vec![session]),
        }
    }
    groups
}

fn ended_together(a: &Session, b: &Session, reasons: &EndReasons) -> bool {
    let within = match (a.ended_at, b.ended_at) {
        (Some(a), Some(b)) => a.since(b) < TOGETHER,
        _ => false,
    };
    within
        && a.ended_reason == b.ended_reason
        && a.ended_by == b.ended_by
        && reasons.stated.get(&a.id) == reasons.stated.get(&b.id)
        && reasons.reported.contains(&a.id) == reasons.reported.contains(&b.id)
}
