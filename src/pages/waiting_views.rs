//! What is said of a device when one of its sessions is in doubt: its sign-in waits for an answer, or it came
//! after one that does.

use super::views::Reader;
use crate::account::Attention;
use crate::alerts::Alert;
use crate::devices::DeviceGroup;
use crate::sessions::Session;

/// Sign-ins that are named at most; the others are counted.
const MAX_NAMED: usize = 3;

/// That sign-ins on a device wait for an answer, or that it is in doubt with one that does.
pub struct WaitingView {
    /// Says it, and which.
    pub words: String,
    /// The alert about the first one, if the reader may answer it.
    pub href: Option<String>,
}

/// What tells a session that is in doubt from its device.
pub struct WaitingSession {
    /// Why it is: "Waits for your answer".
    pub why: &'static str,
    /// Its label.
    pub label: String,
    /// The user agent as it was sent.
    pub user_agent: Option<String>,
}

/// Why a session is in doubt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Its own sign-in waits for an answer of the reader.
    Own,
    /// Its own sign-in waits for an answer that the reader can't give.
    OwnElsewhere,
    /// It came after one that waits for an answer.
    After,
    /// It is on the device of one that waits for an answer.
    OnDevice,
}

impl Why {
    fn of(session: &Session, attention: &Attention) -> Option<Self> {
        let sign_ins = || attention.alerts.iter().filter(|it| it.kind.is_sign_in());
        if sign_ins().any(|it| it.session_id == Some(session.id)) {
            return Some(Self::Own);
        }
        let first = sign_ins().map(|it| it.at).min();
        let is_before = first.is_some_and(|first| session.created_at < first);
        if !attention.doubts.contains(session) {
            return None;
        }
        Some(match attention.unconfirmed.contains(&session.id) {
            true => Self::OwnElsewhere,
            false if is_before => Self::OnDevice,
            false => Self::After,
        })
    }

    /// Returns whether the session's own sign-in waits for an answer.
    fn is_of_sign_in(self) -> bool {
        matches!(self, Self::Own | Self::OwnElsewhere)
    }

    /// Returns it as a mark.
    fn mark(self) -> &'static str {
        match self {
            Self::Own => "Waits for your answer",
            Self::OwnElsewhere => "Waits for an answer",
            Self::After => "Came after a sign-in that waits for an answer",
            Self::OnDevice => "On the device of a sign-in that waits for an answer",
        }
    }

    /// Says it of `n` sessions, which are all that there are on the device, or not.
    fn sentence(self, n: usize, is_all: bool) -> String {
        let sign_ins = match n {
            1 if is_all => "The sign-in on this device waits".to_owned(),
            1 => "One sign-in on this device waits".to_owned(),
            n => format!("{n} sign-ins on this device wait"),
        };
        let sessions = match n {
            1 if is_all => "This device".to_owned(),
            1 => "One session on this device".to_owned(),
            n => format!("{n} sessions on this device"),
        };
        match self {
            Self::Own => format!("{sign_ins} for your answer"),
            Self::OwnElsewhere => format!("{sign_ins} for an answer"),
            Self::After => format!("{sessions} came after a sign-in that waits for an answer"),
            Self::OnDevice => {
                format!("{sessions} can’t be told apart from a sign-in that waits for an answer")
            }
        }
    }
}

impl WaitingView {
    /// Returns what is said of a device to a reader who may answer these alerts, which are on the page `path`.
    pub(super) fn new(
        device: &DeviceGroup<Session>,
        attention: &Attention,
        path: &str,
        reader: &Reader,
    ) -> Option<Self> {
        let is_single = device.count() == 1;
        let sentence = |why: Why| {
            let its = |it: &&Session| Why::of(it, attention) == Some(why);
            let mut those: Vec<&Session> = device.iter().filter(its).collect();
            those.sort_by_key(|it| (it.created_at, it.id));
            let words = why.sentence(those.len(), is_single);
            match those.as_slice() {
                [] => None,
                // The device's own line says what it is, and where.
                [_] if is_single && why.is_of_sign_in() => Some(format!("{words}.")),
                those => Some(format!("{words}: {}.", named(those, reader))),
            }
        };
        let all = [Why::Own, Why::OwnElsewhere, Why::After, Why::OnDevice];
        let sentences: Vec<String> = all.into_iter().filter_map(sentence).collect();
        (!sentences.is_empty()).then(|| Self {
            words: sentences.join(" "),
            href: find_alert(device, attention).map(|alert| format!("{path}#alert-{}", alert.id)),
        })
    }
}

/// Returns the oldest alert about a sign-in on a device, else the oldest about any sign-in, that the reader may
/// answer.
fn find_alert<'a>(device: &DeviceGroup<Session>, attention: &'a Attention) -> Option<&'a Alert> {
    let oldest_first = attention.alerts.iter().rev();
    let mut sign_ins = oldest_first.filter(|alert| alert.kind.is_sign_in());
    let is_its = |alert: &&Alert| alert.session_id.is_some_and(|id| device.contains(id));
    sign_ins.clone().find(is_its).or_else(|| sign_ins.next())
}

impl WaitingSession {
    /// Returns a session that is in doubt, as far as the reader may know.
    pub(super) fn new(session: &Session, attention: &Attention) -> Option<Self> {
        Some(Self {
            why: Why::of(session, attention)?.mark(),
            label: session.label(),
            user_agent: session.user_agent.clone(),
        })
    }
}

/// Returns the labels of sessions, whatever names they state, and where they were last used.
fn named(sessions: &[&Session], reader: &Reader) -> String {
    let first = sessions.iter().take(MAX_NAMED);
    let mut names: Vec<String> = first.map(|it| describe(it, reader)).collect();
    if sessions.len() > names.len() {
        names.push(format!("{} more", sessions.len() - names.len()));
    }
    names.join("; ")
}

/// Returns the label of a session, and where it was last used.
fn describe(session: &Session, reader: &Reader) -> String {
    let address = || session.ip_address.as_deref().map(|ip| reader.address(ip));
    let place = reader.describe_session_location(session).or_else(address);
    let parts: Vec<String> = std::iter::once(session.label()).chain(place).collect();
    parts.join(", ")
}
