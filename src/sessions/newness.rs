//! Whether a sign-in is one to tell its owner of: from a new device, or from a new country.
//!
//! A device is known by its cookie (or the id its client keeps), if it is still of the same kind and
//! system. One without, or with a new one, is known all the same if a device that looks alike was signed in from the same network and country:
//! somebody has deleted their cookies, or a program keeps none. Networks are `/24` and `/48`, so that
//! IPv6 privacy addresses make no noise.

use super::Session;
use crate::alerts::AlertKind;
use crate::db::Timestamp;
use crate::devices::address::network;

/// What to tell of a session that was just opened; `is_known` says whether its device names itself
/// as one known, `seen` are its owner's other sessions, without those that were not theirs.
pub(super) fn of(opened: &Session, is_known: bool, seen: &[Session]) -> Option<AlertKind> {
    if is_new_country(opened, seen) {
        Some(AlertKind::NewCountry)
    } else if !is_known_device(opened, is_known, seen) {
        Some(AlertKind::NewDevice)
    } else {
        None
    }
}

/// Whether a session comes from a device that was known before `since`, and not by the id alone that it
/// gives itself: those are shown to their owner, and so to whoever has signed in as them. It must look
/// like it, and come from where it came from.
pub(super) fn is_trusted(session: &Session, since: Timestamp, known: &[Session]) -> bool {
    let was_there = |before: &Session| {
        before.created_at < since
            && is_same_device(session, before)
            && session.ip_address.is_some()
            && is_same_network(session, before)
    };
    session.created_at < since || known.iter().any(was_there)
}

/// Whether two sessions are on one device: by its id, and by what it says it is.
pub(super) fn is_same_device(a: &Session, b: &Session) -> bool {
    a.device_id.is_some()
        && a.device_id == b.device_id
        && (a.device_kind, &a.os) == (b.device_kind, &b.os)
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

fn is_known_device(opened: &Session, is_known: bool, seen: &[Session]) -> bool {
    let mut of_its_id = seen
        .iter()
        .filter(|before| opened.device_id.is_some() && before.device_id == opened.device_id)
        .peekable();
    let is_itself = match of_its_id.peek() {
        Some(_) => of_its_id.any(|before| is_same_device(opened, before)),
        // Its sessions may be purged by now.
        None => is_known,
    };
    let same_place_and_look = |before: &Session| {
        looks_alike(opened, before)
            && is_same_network(opened, before)
            && opened.location_country == before.location_country
    };
    is_itself || seen.iter().any(same_place_and_look)
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
