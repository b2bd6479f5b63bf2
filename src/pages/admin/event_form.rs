//! The form that filters events, and links to ready-made filters.

use strum::{VariantArray, VariantNames};
use url::form_urlencoded;

use super::fields::{Field, FilterForm};
use super::{event_words, session_words};
use crate::account::EventFilter;
use crate::events::{EventGroup, EventKind};
use crate::http::reader_clock::ReaderClock;
use crate::listing::TimeBound;
use crate::sessions::EndedReason;

/// The path of the page.
const PATH: &str = "/admin/events";

/// The form, as it was filled in.
pub(super) struct EventForm {
    /// The text that is searched for.
    pub(super) text: Field,
    /// The other filters.
    pub(super) filters: FilterForm,
}

/// A link to a ready-made filter.
pub(super) struct Chip {
    pub(super) href: String,
    pub(super) words: &'static str,
    pub(super) is_current: bool,
}

impl EventForm {
    /// Returns the form of a filter.
    pub(super) fn of(filter: &EventFilter) -> Self {
        let pairs = filter.to_pairs();
        Self::new(pairs.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// Returns the form with what was typed, understood or not.
    pub(super) fn typed(pairs: &[(String, String)]) -> Self {
        Self::new(pairs.iter().map(|(name, value)| (&**name, &**value)))
    }

    fn new<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs: Vec<(&str, &str)> = pairs.collect();
        let value = |name: &str| {
            let found = pairs.iter().find(|(given, _)| *given == name);
            found
                .map(|(_, value)| (*value).to_owned())
                .unwrap_or_default()
        };
        let text = |name, label, placeholder| {
            Field::text(name, label, value(name)).with_placeholder(placeholder)
        };
        let fields = vec![
            text("user", "Person affected", "E-mail or id"),
            text("by", "Done by", "E-mail or id"),
            text("application", "By which application", "Name or id"),
            Field::select("kind", "What happened", value("kind"), kinds()),
            Field::select("reason", "Why a session ended", value("reason"), reasons()),
            text("ip", "Address or network", "203.0.113.0/24"),
            text("from", "Since", "2026-11-01 or 7d"),
            text("to", "Before", "2026-11-08 or 1d"),
            text("session", "On session", "Id"),
            text("job", "By bulk job", "Id"),
        ];
        Self {
            text: text("q", "Text in details or reasons", ""),
            filters: FilterForm {
                fields,
                suggestions: Vec::new(),
            },
        }
    }
}

fn kinds() -> Vec<(&'static str, String)> {
    let groups = <EventGroup as VariantArray>::VARIANTS.iter();
    let groups = groups.map(|group| (group.as_str(), event_words::group(*group).to_owned()));
    let kinds = <EventKind as VariantArray>::VARIANTS.iter();
    let kinds = kinds.map(|kind| (kind.as_str(), event_words::kind(*kind)));
    std::iter::once(("", "Anything".to_owned()))
        .chain(groups)
        .chain(kinds)
        .collect()
}

fn reasons() -> Vec<(&'static str, &'static str)> {
    let named = EndedReason::VARIANTS
        .iter()
        .filter_map(|reason| Some((*reason, session_words::reason(reason.parse().ok()?))));
    std::iter::once(("", "Any reason, or none"))
        .chain(named)
        .collect()
}

/// Returns the ready-made filters; `query` is that of the page's address, on whatever page of the list.
pub(super) fn chips(query: &str, clock: ReaderClock) -> Vec<Chip> {
    let today = TimeBound::At(clock.today());
    let today = format!("kind=signed_in&from={today}");
    let ready = [
        ("All", ""),
        ("Sign-ins today", today.as_str()),
        ("Ended by administrators", "kind=ended&reason=admin"),
        ("Token reuse", "kind=ended&reason=reuse_detected"),
        ("Impossible travel", "kind=impossible_travel"),
        ("Passwords changed", "kind=password_changed"),
        ("Failed sign-ins", "kind=sign_in_failed"),
        ("Throttled", "kind=throttled"),
        ("Refused tokens", "kind=token_refused"),
        ("Refused forms", "kind=form_refused"),
        ("Administration refused", "kind=admin_refused"),
        ("Keys", "kind=keys"),
    ];
    let parts = parts(query);
    let chip = |(words, ready): (&'static str, &str)| Chip {
        href: match ready.is_empty() {
            true => PATH.to_owned(),
            false => format!("{PATH}?{ready}"),
        },
        words,
        is_current: parts == self::parts(ready),
    };
    ready.into_iter().map(chip).collect()
}

/// Returns the parts of a filter in an address, in one order.
fn parts(query: &str) -> Vec<(String, String)> {
    let mut parts: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .filter(|(name, _)| name != "cursor")
        .collect();
    parts.sort();
    parts
}

/// Returns the address of the page with these parts.
pub(super) fn href<'a>(parts: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parts);
    match query.finish() {
        query if query.is_empty() => PATH.to_owned(),
        query => format!("{PATH}?{query}"),
    }
}
