//! New sign-ins: whether a sign-in comes from a device or a country that is new to its owner.
//!
//! A device is known by its cookie (or the id its client stores), if its kind and operating system
//! are unchanged. The cookie of a browser is sealed; the id that a client of the API states can be read by
//! every session of the person, so once somebody else is known to have been signed in, and until there is another
//! password, it counts in a known network only; so does that of a browser once somebody was reported who had a copy of
//! its cookie.
//! One without an id, or with a new one, is known as well if a device that looks
//! alike was signed in from the same network and country: cookies get deleted, and programs store
//! none. Networks are `/24` and `/48`, so that IPv6 privacy addresses raise no alerts. A network that
//! is not known is like no other: where a person has no address stored, only the id counts.

use ipnet::IpNet;

use super::store::Session;
use super::values::OpenedVia;
use crate::alerts::{Alert, AlertKind};
use crate::net::network;

/// Returns the kind of alert to raise about a session that was just created, if any. `is_known` is
/// what is known of its device id; `recent` are its owner's other sessions, without those
/// they reported.
pub(super) fn classify(created: &Session, id: KnownId, recent: &[Session]) -> Option<AlertKind> {
    if is_new_country(created, recent) {
        Some(AlertKind::NewCountry)
    } else if !is_known_device(created, id, recent) {
        Some(AlertKind::NewDevice)
    } else {
        None
    }
}

/// What is known of the device id of a sign-in.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownId {
    /// Whether it was known before.
    pub(super) is_known: bool,
    /// Whether somebody else may have read it in a session of the person.
    pub(super) may_be_stolen: bool,
    /// Whether it is of a browser, and a sign-in in a browser had it that the person reported: there is a copy of the
    /// cookie.
    pub(super) is_copied: bool,
}

/// Returns whether a session is on the device of one that is known. The device id alone is no proof, since
/// every session of the person can read it: the device must look the same, and be in the same network or the
/// same browser as well.
pub(crate) fn is_on_known_device(session: &Session, known: &Session) -> bool {
    is_same_device(session, known)
        && (is_same_network(session, known) || are_in_browser(session, known))
}

/// Returns whether both sessions were opened in a browser: their device ids are from sealed cookies, which
/// nobody can make who has only read the id.
pub(crate) fn are_in_browser(a: &Session, b: &Session) -> bool {
    [a, b].map(|it| it.opened_via) == [OpenedVia::Browser; 2]
}

/// Returns whether two sessions are on one device, by its id, kind and operating system.
pub(crate) fn is_same_device(a: &Session, b: &Session) -> bool {
    a.device_id.is_some()
        && a.device_id == b.device_id
        && (a.device_kind, &a.os) == (b.device_kind, &b.os)
}

/// Returns whether two sessions are on one device, as far as that is known: by its id, else by how it looks
/// and its network.
pub(crate) fn is_on_one_device(a: &Session, b: &Session) -> bool {
    match (&a.device_id, &b.device_id) {
        (Some(_), Some(_)) => is_same_device(a, b),
        (None, None) => looks_alike(a, b) && is_same_network(a, b),
        _ => false,
    }
}

fn is_new_country(created: &Session, recent: &[Session]) -> bool {
    let mut countries = recent
        .iter()
        .filter_map(|session| session.location_country.as_ref())
        .peekable();
    let known_some = countries.peek().is_some();
    let here = created.location_country.as_ref();
    here.is_some_and(|here| known_some && countries.all(|there| there != here))
}

fn is_known_device(created: &Session, id: KnownId, recent: &[Session]) -> bool {
    let mut same_id = recent
        .iter()
        .filter(|before| created.device_id.is_some() && before.device_id == created.device_id)
        .peekable();
    let is_itself = match same_id.peek() {
        Some(_) if id.is_copied => same_id
            .any(|before| is_same_device(created, before) && is_same_network(created, before)),
        Some(_) if id.may_be_stolen => same_id.any(|before| is_on_known_device(created, before)),
        Some(_) => same_id.any(|before| is_same_device(created, before)),
        // The sessions of a known device may have been purged.
        None => id.is_known && (!id.may_be_stolen || created.opened_via == OpenedVia::Browser),
    };
    let is_alike_and_near = |before: &Session| {
        looks_alike(created, before)
            && is_same_network(created, before)
            && created.location_country == before.location_country
    };
    is_itself || recent.iter().any(is_alike_and_near)
}

fn looks_alike(a: &Session, b: &Session) -> bool {
    (a.device_kind, &a.browser, &a.os, &a.model) == (b.device_kind, &b.browser, &b.os, &b.model)
}

/// Returns whether two sessions are known to be from the same network.
pub(crate) fn is_same_network(a: &Session, b: &Session) -> bool {
    let networks = network_of(a.ip_address.as_deref()).zip(network_of(b.ip_address.as_deref()));
    networks.is_some_and(|(a, b)| a == b)
}

/// Returns whether a session began before the sign-in that an alert is about, and is known to be elsewhere:
/// in another network and not in the same country or, where a network is not known, in another country.
pub(crate) fn is_from_before_elsewhere(session: &Session, alert: &Alert) -> bool {
    if !alert.kind.is_sign_in() || session.created_at >= alert.at {
        return false;
    }
    let countries = (session.location_country.as_ref()).zip(alert.location_country.as_ref());
    let here = network_of(session.ip_address.as_deref());
    match here.zip(network_of(alert.ip_address.as_deref())) {
        Some((here, there)) => here != there && countries.is_none_or(|(here, there)| here != there),
        None => countries.is_some_and(|(here, there)| here != there),
    }
}

fn network_of(ip: Option<&str>) -> Option<IpNet> {
    Some(network(ip?.parse().ok()?))
}
