//! Whether a sign-in is one to tell its owner of: from a new device, or from a new country.
//!
//! A device is known by its cookie (or the id its client keeps). One without, or with a new one, is
//! known all the same if a device that looks alike was signed in from the same network and country:
//! somebody has deleted their cookies, or a program keeps none. Networks are `/24` and `/48`, so that
//! IPv6 privacy addresses make no noise.

use super::Session;
use crate::alerts::AlertKind;
use crate::devices::address::network;

/// What to tell of a session that was just opened; `is_known` says whether its device names itself
/// as one known, `seen` are its owner's other sessions, without those that were not theirs. The first
/// sign-in of all is no news.
pub(super) fn of(opened: &Session, is_known: bool, seen: &[Session]) -> Option<AlertKind> {
    if seen.is_empty() {
        None
    } else if is_new_country(opened, seen) {
        Some(AlertKind::NewCountry)
    } else if !is_known && is_new_device(opened, seen) {
        Some(AlertKind::NewDevice)
    } else {
        None
    }
}

fn is_new_country(opened: &Session, seen: &[Session]) -> bool {
    let mut countries = seen
        .iter()
        .filter_map(|session| session.location_country.as_ref())
        .peekable();
    let known_some = countries.peek().is_some();
    let here = opened.location_country.as_ref();
    here.is_some_and(|here| known_some && countries.all(|there| there != here))
}

fn is_new_device(opened: &Session, seen: &[Session]) -> bool {
    let same_place_and_look = |before: &Session| {
        looks_alike(opened, before)
            && is_same_network(opened, before)
            && opened.location_country == before.location_country
    };
    !seen.iter().any(same_place_and_look)
}

fn looks_alike(a: &Session, b: &Session) -> bool {
    (a.device_kind, &a.browser, &a.os, &a.model) == (b.device_kind, &b.browser, &b.os, &b.model)
}

/// Of people who have no address kept, all sign-ins are from the same one.
fn is_same_network(a: &Session, b: &Session) -> bool {
    let network_of = |session: &Session| {
        let ip = session.ip_address.as_deref()?.parse().ok()?;
        Some(network(ip))
    };
    network_of(a) == network_of(b)
}
