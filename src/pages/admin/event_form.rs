//! The form that filters events, and links to ready-made filters.

use strum::{VariantArray, VariantNames};
use url::form_urlencoded;

use super::{event_words, session_words};
use crate::account::EventFilter;
use crate::events::EventKind;
use crate::sessions::EndedReason;

/// The path of the page.
const PATH: &str = "/admin/events";

/// The form, as it was filled in.
pub(super) struct EventForm {
    pub(super) user: String,
    pub(super) by: String,
    pub(super) application: String,
    pub(super) kinds: Vec<KindChoice>,
    pub(super) reasons: Vec<KindChoice>,
    pub(super) session: String,
    pub(super) job: String,
    pub(super) ip: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) q: String,
    /// Whether it has more than a text.
    pub(super) is_open: bool,
}

/// A kind of events to choose.
pub(super) struct KindChoice {
    pub(super) value: &'static str,
    pub(super) words: String,
    pub(super) is_chosen: bool,
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
        let kind = value("kind");
        let kinds = <EventKind as VariantArray>::VARIANTS
            .iter()
            .map(|variant| KindChoice {
                value: variant.as_str(),
                words: event_words::kind(*variant),
                is_chosen: variant.as_str() == kind,
            });
        let reason = value("reason");
        let reasons = EndedReason::VARIANTS.iter().filter_map(|variant| {
            Some(KindChoice {
                value: variant,
                words: session_words::reason(variant.parse().ok()?).to_owned(),
                is_chosen: **variant == *reason,
            })
        });
        Self {
            reasons: reasons.collect(),
            user: value("user"),
            by: value("by"),
            application: value("application"),
            kinds: kinds.collect(),
            session: value("session"),
            job: value("job"),
            ip: value("ip"),
            from: value("from"),
            to: value("to"),
            q: value("q"),
            is_open: pairs.iter().any(|(name, _)| *name != "q"),
        }
    }
}

/// Returns the ready-made filters; `query` is that of the page's address.
pub(super) fn chips(query: &str) -> Vec<Chip> {
    const READY: [(&str, &str); 6] = [
        ("All", ""),
        ("Sign-ins today", "kind=signed_in&from=1day"),
        ("Ended by administrators", "kind=ended&reason=admin"),
        ("Token reuse", "kind=ended&reason=reuse_detected"),
        ("Impossible travel", "kind=impossible_travel"),
        ("Passwords changed", "kind=password_changed"),
    ];

    let chip = |(words, ready): &(&'static str, &str)| Chip {
        href: match ready.is_empty() {
            true => PATH.to_owned(),
            false => format!("{PATH}?{ready}"),
        },
        words,
        is_current: query == *ready,
    };
    READY.iter().map(chip).collect()
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
