//! What a report signed out, and what was signed out before it, worked out from whole devices: whoever signs in
//! states the id of their device, so a session may have ended on one that stays signed in.

use super::device_state::DeviceState;
use super::named_devices::listed;
use crate::devices::{DeviceGroup, group_by_device};
use crate::sessions::Session;

/// Returns what a report signed out, in sentences, if anything, where `live` are the person's live sessions. `name`
/// returns what an alert calls the device of a session, if one is about it; others are called by their labels:
/// who is in doubt may have given them any name.
pub(super) fn ended_devices(
    ended: &[Session],
    live: &[Session],
    name: impl Fn(&Session) -> Option<String>,
) -> Option<String> {
    let devices = group_by_device(ended.to_vec());
    let name_of = |device: &DeviceGroup<Session>| {
        let given = device.iter().find_map(&name);
        given.unwrap_or_else(|| device.first().label())
    };
    let is_whole =
        |device: &&DeviceGroup<Session>| DeviceState::still_in(device.first(), live).is_none();
    let whole: Vec<String> = devices.iter().filter(is_whole).map(name_of).collect();
    let parts: Vec<DevicePart> = devices
        .iter()
        .filter_map(|device| DevicePart::of(device, live))
        .collect();
    let whole = match whole.as_slice() {
        [] => None,
        [name] => Some(format!(
            "{name} is signed out, and no longer counts as yours."
        )),
        names => Some(format!(
            "{} are signed out, and no longer count as yours.",
            listed(names)
        )),
    };
    let sentences: Vec<String> = whole.into_iter().chain(ended_parts(&parts)).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Says that these parts of devices have ended, if there are any.
fn ended_parts(parts: &[DevicePart]) -> Option<String> {
    let have = match parts {
        [] => return None,
        [part] if part.count == 1 => "has",
        _ => "have",
    };
    Some(format!("{} {have} ended.", names_of(parts)))
}

/// Returns what was over before an answer: of each of these sessions, with what its alert calls it, that its
/// device was signed out, or that it had ended alone. A device that was `reported` no longer counts as the person's.
pub(super) fn over_before(
    over: &[(String, Option<Session>)],
    live: &[Session],
    reported: bool,
) -> Option<String> {
    let part = |session: &Option<Session>| DevicePart::of_one(session.as_ref()?, live);
    let whole: Vec<String> = over
        .iter()
        .filter(|(_, session)| part(session).is_none())
        .map(|(name, _)| name.clone())
        .collect();
    let parts: Vec<DevicePart> = over.iter().filter_map(|(_, it)| part(it)).collect();
    let whole = match (whole.len(), reported) {
        (0, _) => None,
        (1, true) => Some("was already signed out, and no longer counts as yours."),
        (1, false) => Some("was already signed out."),
        (_, true) => Some("were already signed out, and no longer count as yours."),
        (_, false) => Some("were already signed out."),
    }
    .map(|words| format!("{} {words}", listed(&whole)));
    let parts = (!parts.is_empty()).then(|| format!("{} had ended already.", names_of(&parts)));
    let sentences: Vec<String> = whole.into_iter().chain(parts).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Sessions that ended on a device that others stay on.
struct DevicePart {
    words: String,
    count: usize,
}

impl DevicePart {
    fn of(device: &DeviceGroup<Session>, live: &[Session]) -> Option<Self> {
        Self::of_all(&device.iter().collect::<Vec<_>>(), live)
    }

    fn of_one(session: &Session, live: &[Session]) -> Option<Self> {
        Self::of_all(&[session], live)
    }

    /// Returns these sessions of one device, by its name and where they were used.
    fn of_all(sessions: &[&Session], live: &[Session]) -> Option<Self> {
        let state = DeviceState::still_in(sessions.first()?, live)?;
        let count = sessions.len();
        let mut places: Vec<String> = sessions
            .iter()
            .filter_map(|session| session.place().describe())
            .collect();
        places.dedup();
        let place = match places.as_slice() {
            [place] => format!(" ({place})"),
            _ => String::new(),
        };
        let words = format!("{}{place}", sessions_on(&state.name(), count));
        Some(Self { words, count })
    }
}

/// Names so many sessions on a device, as a part of a sentence.
pub(super) fn sessions_on(device: &str, count: usize) -> String {
    match count {
        1 => format!("one session on {device}"),
        n => format!("{n} sessions on {device}"),
    }
}

/// Returns the parts at the beginning of a sentence.
fn names_of(parts: &[DevicePart]) -> String {
    let words: Vec<String> = parts.iter().map(|part| part.words.clone()).collect();
    let words = listed(&words);
    match words.strip_prefix("one ") {
        Some(rest) => format!("One {rest}"),
        None => words,
    }
}
