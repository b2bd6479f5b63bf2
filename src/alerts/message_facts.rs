//! The facts that a message about an alert lists: the device, where, when, and where the person was before.

use super::AlertKind;
use super::store::Alert;
use crate::clock::TimeZone;
use crate::db::AnyConnection;
use crate::error::Result;
use crate::events::{self, EventKind, RecordedTravel};
use crate::net::describe_stored_ip;

/// Who took the account back.
const BY_MAILBOX: &str = "Whoever reads a former e-mail of the account";

/// Returns what the alert itself is about.
pub(super) fn facts(
    alert: &Alert,
    device: Option<&str>,
    zone: TimeZone,
) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    match (alert.kind.is_notice(), alert.is_by_mailbox()) {
        (true, _) => {}
        (false, true) => facts.push(("By", BY_MAILBOX.to_owned())),
        (false, false) => facts.extend(device.map(|device| ("Device", device.to_owned()))),
    }
    let place = alert.place().display_name();
    let term = match alert.kind {
        AlertKind::TokenReuse => "Used in",
        _ => "Where",
    };
    facts.extend(place.map(|place| (term, place)));
    facts.extend(address(alert).map(|address| ("Address", address)));
    facts.push(("When", zone.exact(alert.at)));
    facts
}

/// Returns the facts for the account's own address, which may know of the other devices.
pub(super) fn own_facts(
    c: &mut AnyConnection,
    alert: &Alert,
    zone: TimeZone,
    also_used: Option<&str>,
) -> Result<Vec<(&'static str, String)>> {
    let mut facts = facts(alert, Some(&alert.device_name), zone);
    facts.extend(also_used.map(|place| ("And here", place.to_owned())));
    facts.extend(use_before(alert));
    facts.extend(find_later_travel(c, alert)?.map(|travel| ("Since then", travel)));
    Ok(facts)
}

/// Returns where the person was before the sign-in, or where else a copied one was used, if that says
/// something about it.
fn use_before(alert: &Alert) -> Option<(&'static str, String)> {
    let label = match (alert.kind, alert.use_before()?.is_impossible) {
        (AlertKind::TokenReuse, _) => "Before",
        (_, true) => "But",
        (_, false) => "Before",
    };
    Some((label, alert.use_before_words()?.sentence()))
}

/// Finds impossible travel, since the alert, of the session that it is about.
fn find_later_travel(c: &mut AnyConnection, alert: &Alert) -> Result<Option<String>> {
    let Some(session) = alert.session_id else {
        return Ok(None);
    };
    let kind = EventKind::ImpossibleTravel;
    let travels = events::store::list_by_kind(c, alert.user_id, &[session], kind)?;
    let later = travels.into_iter().rfind(|event| event.at > alert.at);
    let travel = later.and_then(|event| event.detail);
    Ok(travel.map(|detail| match RecordedTravel::parse(&detail) {
        Some(travel) => travel.words(),
        None => format!("used too far from where you were before: {detail}"),
    }))
}

/// Returns the facts of an alert on one line.
pub(super) fn item(alert: &Alert, zone: TimeZone) -> String {
    let values: Vec<String> = facts(alert, Some(&alert.device_name), zone)
        .into_iter()
        .chain(use_before(alert))
        .map(|(_, value)| value)
        .collect();
    values.join(" · ")
}

fn address(alert: &Alert) -> Option<String> {
    alert.ip_address.as_deref().map(describe_stored_ip)
}
