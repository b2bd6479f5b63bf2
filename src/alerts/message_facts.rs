//! The facts that a message about an alert lists: the device, where, when, and where the person was before.

use super::store::Alert;
use super::{AlertKind, list_open};
use crate::clock::{TimeZone, Timestamp};
use crate::db::AnyConnection;
use crate::error::Result;
use crate::events::{self, EventKind, RecordedTravel};
use crate::net::describe_stored_ip;
use crate::text;

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
    (zone, now): (TimeZone, Timestamp),
    also_used: Option<&str>,
) -> Result<Vec<(&'static str, String)>> {
    let mut facts = facts(alert, Some(&alert.device_name), zone);
    facts.extend(find_twin(c, alert, zone, now).map(|words| ("Which", words)));
    facts.extend(also_used.map(|place| ("And here", place.to_owned())));
    facts.extend(use_before(alert));
    facts.extend(find_later_travel(c, alert)?.map(|travel| ("Since then", travel)));
    Ok(facts)
}

/// Says which one it is, where an earlier one about the same device waits for an answer, too.
fn find_twin(
    c: &mut AnyConnection,
    alert: &Alert,
    zone: TimeZone,
    now: Timestamp,
) -> Option<String> {
    if !alert.kind.is_sign_in() {
        return None;
    }
    let is_alike = |other: &Alert| {
        let is_same = other.kind == alert.kind && other.device_name == alert.device_name;
        is_same && other.id < alert.id
    };
    // An alert that can't be read prevents no message about another one.
    let mut earlier = list_open(c, alert.user_id, now).unwrap_or_default();
    earlier.retain(is_alike);
    // The newest comes first.
    let last = earlier.first()?;
    let nth = text::ordinal(earlier.len() + 1);
    let at = zone.exact(last.at);
    Some(format!(
        "The {nth} such sign-in; the one before was on {at}, and waits for your answer, too"
    ))
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

/// Returns the facts of each alert on one line, with which one it is of several alike.
pub(super) fn items(alerts: &[Alert], zone: TimeZone) -> Vec<String> {
    let all: Vec<String> = alerts.iter().map(|alert| item(alert, zone)).collect();
    let mut items = Vec::with_capacity(all.len());
    for (index, words) in all.iter().enumerate() {
        let is_same = |other: &&String| *other == words;
        let nth = all.iter().take(index + 1).filter(is_same).count();
        items.push(match all.iter().filter(is_same).count() {
            1 => words.clone(),
            _ => format!("{words} · {} sign-in", text::ordinal(nth)),
        });
    }
    items
}

/// Returns the facts of an alert on one line.
fn item(alert: &Alert, zone: TimeZone) -> String {
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
