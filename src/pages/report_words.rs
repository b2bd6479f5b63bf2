//! What pages say before an alert is reported: what the report would do, worked out from what it would end.

use super::named_devices::listed_up_to;
use super::report_outcome::sessions_on;
use super::views::Reader;
use super::words::TimeView;
use crate::account::ReportPreview;
use crate::alerts::{Alert, AlertKind};
use crate::devices::{DeviceGroup, group_by_device};
use crate::http::reader_clock::ReaderClock;
use crate::net::describe_stored_ip;
use crate::sessions::Session;

/// Sessions that are named before they end, at most; the others are counted.
const MAX_LISTED: usize = 20;

/// Returns what the answers to an alert do, where that is more than their labels say.
pub fn hints(
    alert: &Alert,
    (yes, no): (&str, &str),
    preview: &ReportPreview,
    reader: &Reader,
) -> Vec<String> {
    let confirmed = (alert.kind == AlertKind::TokenReuse).then(|| {
        format!(
            "“{yes}”: the copy is from a backup, or a second app has the same sign-in. Nothing is changed."
        )
    });
    let reported = describe_report(alert, preview, reader).map(|what| format!("“{no}”: {what}"));
    confirmed.into_iter().chain(reported).collect()
}

/// Says what the report of an alert does on the pages of its person; `None` where its label says it all.
fn describe_report(alert: &Alert, preview: &ReportPreview, reader: &Reader) -> Option<String> {
    if let Some(email) = &preview.restored_email {
        return Some(format!(
            "the account gets {email} back as its e-mail, every device is signed out, this one too, and the password no longer works."
        ));
    }
    let is_live = !preview.subjects.is_empty();
    let besides = besides(
        &names_apart((&preview.besides, preview), alert, reader),
        "this",
    );
    if alert.kind.is_use() && is_live {
        let before = before(&names_apart((&preview.before, preview), alert, reader));
        let all: Vec<String> = besides.into_iter().chain(before).collect();
        return (!all.is_empty()).then(|| format!("{} as well.", all.join(" as well; ")));
    }
    let as_well = match is_live {
        true => " as well",
        false => "",
    };
    let besides = besides.map(|besides| format!("{besides}{as_well}"));
    let parts: Vec<String> = subject(alert, preview)
        .map(str::to_owned)
        .into_iter()
        .chain(besides)
        .collect();
    let done = match parts.is_empty() {
        true => "no device is signed out".to_owned(),
        false => parts.join("; "),
    };
    Some(match unrestored(alert, preview) {
        Some(words) => format!("{done}. {words}"),
        None => format!("{done}."),
    })
}

/// Says what the report of the alerts of a message does, after what is asked for.
pub fn request(alerts: &[Alert], preview: &ReportPreview, clock: ReaderClock) -> String {
    const SAY_SO: &str = "If it was not you, say so";

    if preview.restored_email.is_some() {
        return format!(
            "{SAY_SO}. The account gets its former e-mail back, every device is signed out, and the password no longer works."
        );
    }
    let is_live = !preview.subjects.is_empty();
    let is_sign_in = alerts.iter().all(|alert| alert.kind.is_sign_in());
    let subject = alerts.first().and_then(|alert| subject(alert, preview));
    let first = match (is_sign_in && is_live, alerts.len(), subject) {
        (true, 1, _) => "If it was not you, sign it out.".to_owned(),
        (true, ..) => "If it was not you, sign them out.".to_owned(),
        (false, 1, Some(what)) => format!("{SAY_SO}: {what}."),
        (false, 2.., Some(_)) => format!("{SAY_SO}: the devices no longer count as yours."),
        (false, ..) => format!("{SAY_SO}: then you are shown how to make your account safe."),
    };
    let too = match is_live {
        true => ", too",
        false => "",
    };
    let ends = |what: String| format!("Then {what}{too}.");
    let also = besides(&names_with_places(&preview.besides, preview, clock), "it").map(ends);
    let before = before(&names_with_places(&preview.before, preview, clock)).map(ends);
    let mut unrestored = alerts.iter().filter_map(|it| unrestored(it, preview));
    let unrestored = unrestored.next().map(str::to_owned);
    let sentences = [Some(first), also, before, unrestored]
        .into_iter()
        .flatten();
    sentences.collect::<Vec<_>>().join(" ")
}

/// Returns the other devices that nobody has confirmed, which the report of the alerts of a message signs
/// out if that is wanted, and what that does besides.
pub fn unconfirmed(preview: &ReportPreview, clock: ReaderClock) -> Option<String> {
    let ends = |session: &Session| preview.unconfirmed.iter().any(|it| it.id == session.id);
    let mut with_these = preview.clone();
    with_these.staying.retain(|session| !ends(session));
    let names = names_with_places(&preview.unconfirmed, &with_these, clock);
    if names.is_empty() || preview.restored_email.is_some() {
        return None;
    }
    let names = listed_up_to(&names, MAX_LISTED);
    Some(match preview.restores_with_unconfirmed {
        true => format!(
            "{names}. The account then gets its former e-mail back, every device is signed out, and the password no longer works"
        ),
        false => names,
    })
}

/// Returns the labels of the devices of these sessions: who is in doubt may have given them any name. Those that
/// another device has as well, be it the one of the alert or the reader's, come with where and when it was last
/// used; so does what ends on a device that stays signed in.
fn names_apart(
    (sessions, preview): (&[Session], &ReportPreview),
    alert: &Alert,
    reader: &Reader,
) -> Vec<String> {
    let devices = group_by_device(sessions.to_vec());
    let names: Vec<String> = devices.iter().map(|it| it.first().label()).collect();
    let apart = |(device, name): (&DeviceGroup<Session>, &String)| {
        let part = part_name(device.first(), device.count(), preview);
        let is_here = part.is_none() && reader.is_here_labelled(name);
        let same = names.iter().filter(|other| *other == name).count();
        let is_like_subject = alert.label() == Some(name.as_str()) || *name == alert.device_name;
        if part.is_none() && same < 2 && !is_here && !is_like_subject {
            return name.clone();
        }
        let session = device.first();
        let address = || session.ip_address.as_deref().map(|ip| reader.address(ip));
        let place = reader.describe_session_location(session).or_else(address);
        let used = TimeView::ago(session.last_used_at, reader.clock);
        let parts: Vec<String> = is_here
            .then(|| "not this device".to_owned())
            .into_iter()
            .chain(place)
            .chain([format!("last used {}", used.in_sentence())])
            .collect();
        let name = part.unwrap_or_else(|| name.clone());
        format!("{name} ({})", parts.join(", "))
    };
    devices.iter().zip(&names).map(apart).collect()
}

/// Returns the labels of the devices of these sessions, each with where and when it was last used, for the
/// reader of the account's mailbox, who sees no list of them.
fn names_with_places(
    sessions: &[Session],
    preview: &ReportPreview,
    clock: ReaderClock,
) -> Vec<String> {
    let name = |session: &Session| {
        let ip = session.ip_address.as_deref();
        let place = session.place().describe().or(ip.map(describe_stored_ip));
        let used = TimeView::ago(session.last_used_at, clock);
        let parts = place.into_iter();
        let parts: Vec<String> = parts
            .chain([format!("last used {}", used.in_sentence())])
            .collect();
        let part = part_name(session, 1, preview);
        let name = part.unwrap_or_else(|| session.label());
        format!("{name} ({})", parts.join(", "))
    };
    sessions.iter().map(name).collect()
}

/// Names so many sessions that end on the device of `session`, if that stays signed in.
fn part_name(session: &Session, count: usize, preview: &ReportPreview) -> Option<String> {
    let mut staying = preview.staying.iter();
    let by = staying.find(|it| it.is_on_device_of(session))?;
    Some(sessions_on(&by.display_name(), count))
}

/// Returns what a report does to the device that the alert is about, if it is about one; to its session alone where
/// the device stays signed in.
fn subject(alert: &Alert, preview: &ReportPreview) -> Option<&'static str> {
    alert.session_id?;
    let is_partial =
        (preview.subjects.first()).is_some_and(|subject| part_name(subject, 1, preview).is_some());
    Some(match (preview.subjects.is_empty(), alert.kind) {
        (true, _) => "the device no longer counts as yours",
        (false, kind) if is_partial && kind.is_use() => "the session is ended",
        (false, kind) if is_partial && kind.is_end() => "the other sessions of it are ended",
        (false, _) if is_partial => "the session that it was done in is ended",
        (false, kind) if kind.is_use() => "the device is signed out",
        (false, kind) if kind.is_end() => "the device is signed out, and no longer counts as yours",
        (false, _) => "the device that it was done on is signed out",
    })
}

/// Returns which devices a report signs out besides: those that signed in after what the alert reports,
/// unless they were confirmed since by somebody who can't be the intruder.
fn besides(names: &[String], what: &str) -> Option<String> {
    let are = match names.len() {
        0 => return None,
        1 => "is",
        _ => "are",
    };
    let names = listed_up_to(names, MAX_LISTED);
    Some(format!(
        "{names}, which signed in after {what} happened, {are} signed out"
    ))
}

/// Returns which sessions a report signs out besides that were on the device of a sign-in before it: it can't
/// be told whether they are of whoever signed in.
fn before(names: &[String]) -> Option<String> {
    let are = match names.len() {
        0 => return None,
        1 => "is",
        _ => "are",
    };
    let names = listed_up_to(names, MAX_LISTED);
    Some(format!(
        "{names}, which had signed in on the same device before, {are} signed out"
    ))
}

/// Says that the report of a change of the e-mail does not undo it, where nobody has undone it since.
fn unrestored(alert: &Alert, preview: &ReportPreview) -> Option<&'static str> {
    let is_change = alert.kind.is_email_change() && !preview.is_email_changed_since;
    is_change.then_some("The e-mail of the account is not changed back.")
}
