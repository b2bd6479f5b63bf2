//! Impossible travel in words: where a device was used, and where it or another one was before.

use std::collections::HashMap;

use crate::account::SessionTravel;
use crate::db::SessionId;
use crate::devices::DeviceGroup;
use crate::events::RecordedTravel;
use crate::sessions::Session;

/// Impossible travels as they are recorded, by session.
pub(super) struct ImpossibleTravels(HashMap<SessionId, String>);

impl ImpossibleTravels {
    /// Returns the travels of a list, in which a later one of a session counts.
    pub(super) fn new(travels: impl IntoIterator<Item = (SessionId, String)>) -> Self {
        Self(travels.into_iter().collect())
    }

    /// Returns the travels that are news.
    pub(super) fn of_news(travels: Vec<SessionTravel>) -> Self {
        let pair = |travel: SessionTravel| (travel.session, travel.detail);
        Self::new(travels.into_iter().map(pair))
    }

    /// Returns the travel of one of a device's sessions as a sentence about the device, if there is one.
    pub(super) fn describe(&self, device: &DeviceGroup<Session>, name: &str) -> Option<String> {
        let mut travels = device.iter().filter_map(|session| self.0.get(&session.id));
        travels.next().map(|detail| sentence(name, detail))
    }
}

/// Returns impossible travel of a device with that name as a sentence: "Edge on Windows was used in Oslo,
/// Norway, 29 minutes after Chrome on macOS was used in Lisbon, Portugal, 2,738 km away."
fn sentence(name: &str, detail: &str) -> String {
    match RecordedTravel::parse(detail) {
        Some(travel) => format!("{name} was {}.", travel.words()),
        None => format!("{name} was used too far from where you were before: {detail}."),
    }
}

/// Returns impossible travel as an entry of a list, for the person.
pub(super) fn entry(detail: &str) -> String {
    capitalized(detail, "you were")
}

/// Returns impossible travel as an entry of a list, for an administrator.
pub(super) fn entry_of_person(detail: &str) -> String {
    capitalized(detail, "the person was")
}

fn capitalized(detail: &str, who: &str) -> String {
    match RecordedTravel::parse(detail) {
        Some(travel) => format!("U{}", travel.words().trim_start_matches('u')),
        None => format!("Used too far from where {who} before: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_is_said_of_the_device_that_was_there() {
        let between = "from Lisbon, Portugal (Chrome on macOS) to Oslo, Norway, 2,738 km in 29 min";
        assert_eq!(
            sentence("Edge on Windows", between),
            "Edge on Windows was used in Oslo, Norway, 29 minutes after Chrome on macOS was used in \
             Lisbon, Portugal, 2,738 km away."
        );
        assert_eq!(
            entry("from Lisbon, Portugal to Oslo, Norway, 2,738 km in 1 h 1 min"),
            "Used in Lisbon, Portugal, and 1 hour 1 minute later in Oslo, Norway, 2,738 km away"
        );
        assert_eq!(
            entry("far away"),
            "Used too far from where you were before: far away"
        );
        assert_eq!(
            entry_of_person("far away"),
            "Used too far from where the person was before: far away"
        );
    }
}
