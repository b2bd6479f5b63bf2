//! What the page filters by: the plain form, the states with their counts, and the presets.

use std::time::Duration;

use strum::VariantNames;

use super::query::{ListQuery, RequestedList, list_url};
use crate::geo::country_names;
use crate::http::reader_clock::ReaderClock;
use crate::pages::admin::fields::{Field, FilterForm, Suggestions};
use crate::pages::admin::session_words as words;
use crate::sessions::EndedReason;
use crate::sessions::search::{
    BoundFilter, Mark, MatchCount, SessionFilter, SessionSort, SortKey, StateFilter, TimeBound,
};
use crate::user_agent::DeviceKind;

/// Browsers and systems that the form suggests; any other can be typed.
const BROWSERS: [&str; 10] = [
    "Brave",
    "Chrome",
    "Edge",
    "Firefox",
    "Opera",
    "Safari",
    "Samsung Internet",
    "Tor Browser",
    "Vivaldi",
    "curl",
];
const SYSTEMS: [&str; 10] = [
    "Android", "ChromeOS", "Debian", "Fedora", "iOS", "iPadOS", "Linux", "macOS", "Ubuntu",
    "Windows",
];
const SPANS: [&str; 6] = ["1d", "7d", "30d", "90d", "180d", "365d"];
const DAY: u64 = 24 * 60 * 60;

/// A link that shows another list.
pub(in crate::pages::admin) struct Chip {
    pub(in crate::pages::admin) href: String,
    pub(in crate::pages::admin) words: String,
    pub(in crate::pages::admin) is_current: bool,
}

/// Returns the plain form with the fields as they were sent.
pub(super) fn form(query: &ListQuery) -> FilterForm {
    FilterForm {
        fields: [text_fields(query), selects(query)]
            .into_iter()
            .flatten()
            .collect(),
        suggestions: vec![
            suggestions("countries", country_names()),
            suggestions("browsers", BROWSERS.to_vec()),
            suggestions("systems", SYSTEMS.to_vec()),
            suggestions("spans", SPANS.to_vec()),
        ],
    }
}

fn suggestions(id: &'static str, values: Vec<&'static str>) -> Suggestions {
    Suggestions { id, values }
}

fn text_fields(query: &ListQuery) -> Vec<Field> {
    /// The name, the label, the list of suggestions, and an example.
    const FIELDS: [(&str, &str, &str, &str); 11] = [
        ("user", "Person", "", "E-mail or id"),
        ("q", "Text in names", "", ""),
        ("ip", "Address or network", "", "203.0.113.0/24"),
        ("country", "Country", "countries", ""),
        ("browser", "Browser", "browsers", ""),
        ("os", "System", "systems", ""),
        ("application", "Application", "", "Name or id"),
        (
            "opened_from",
            "Signed in since",
            "spans",
            "2026-11-01 or 7d",
        ),
        ("opened_to", "Signed in before", "spans", "2026-11-08 or 1d"),
        ("used_from", "Used since", "spans", "2026-11-01 or 7d"),
        ("used_to", "Not used since", "spans", "2026-11-01 or 90d"),
    ];

    let field = |(name, label, list, placeholder)| {
        Field::text(name, label, query.field(name))
            .with_list(list)
            .with_placeholder(placeholder)
    };
    FIELDS.into_iter().map(field).collect()
}

fn selects(query: &ListQuery) -> Vec<Field> {
    const STATES: [(&str, &str); 4] = [
        ("", "By default: live"),
        ("live", "Live"),
        ("ended", "Ended"),
        ("any", "Both"),
    ];

    let any = |choices: Vec<(&'static str, &'static str)>| [("", "Any")].into_iter().chain(choices);
    let select = |name, label, choices: Vec<(&'static str, &'static str)>| {
        Field::select(name, label, query.field(name), any(choices))
    };
    vec![
        Field::select("state", "State", query.field("state"), STATES),
        select(
            "reason",
            "Why it ended",
            named(EndedReason::VARIANTS, words::reason),
        ),
        select(
            "kind",
            "Kind of device",
            named(DeviceKind::VARIANTS, words::kind),
        ),
        select("mark", "Unusual", named(Mark::VARIANTS, words::mark)),
        select(
            "bound",
            "Bound to its browser",
            named(BoundFilter::VARIANTS, words::bound),
        ),
        Field::select("sort", "Order", query.chosen_sort(), orders(query.state())),
    ]
}

/// Returns the orders of a list of that state, the usual one as no choice. Only what has ended has an
/// end to sort by.
fn orders(state: StateFilter) -> Vec<(String, &'static str)> {
    let usual = SessionSort::default_for(state);
    let keys = [SortKey::Used, SortKey::Opened, SortKey::Ended];
    let keys = keys
        .into_iter()
        .filter(|key| *key != SortKey::Ended || state == StateFilter::Ended);
    let sorts =
        keys.flat_map(|key| [true, false].map(|descending| SessionSort { key, descending }));
    let others = sorts.filter(|sort| *sort != usual);
    let named = others.map(|sort| (sort.to_string(), words::order(sort)));
    std::iter::once((String::new(), words::order(usual)))
        .chain(named)
        .collect()
}

/// Returns the values of an enum by their text forms, with their words.
fn named<T: std::str::FromStr>(
    values: &[&'static str],
    words: impl Fn(T) -> &'static str,
) -> Vec<(&'static str, &'static str)> {
    let named = values
        .iter()
        .map(|value| Some((*value, words(value.parse().ok()?))));
    named.flatten().collect()
}

/// The numbers of sessions that match in either state.
#[derive(Clone, Copy)]
pub(super) struct StateCounts {
    pub(super) live: MatchCount,
    pub(super) ended: MatchCount,
}

/// Returns the filter for live sessions that is otherwise the same. None of them has a reason to have
/// ended.
pub(super) fn live(filter: &SessionFilter) -> SessionFilter {
    SessionFilter {
        state: None,
        reason: None,
        ..filter.clone()
    }
}

/// Returns the filter for ended sessions that is otherwise the same.
pub(super) fn ended(filter: &SessionFilter) -> SessionFilter {
    SessionFilter {
        state: filter.reason.is_none().then_some(StateFilter::Ended),
        ..filter.clone()
    }
}

/// Returns the links to the same list in another state.
pub(super) fn states(requested: &RequestedList, counts: StateCounts) -> Vec<Chip> {
    let filter = &requested.filter;
    let any = SessionFilter {
        state: Some(StateFilter::Any),
        reason: None,
        ..filter.clone()
    };
    let chip = |filter: SessionFilter, words: String, state| {
        let default = SessionSort::default_for(filter.state());
        let sort = match requested.sort.key {
            SortKey::Ended => default,
            _ if requested.sort == SessionSort::default_for(requested.filter.state()) => default,
            _ => requested.sort,
        };
        Chip {
            href: list_url(&filter, sort, None),
            words,
            is_current: requested.filter.state() == state,
        }
    };
    let count = |name: &str, count| format!("{name} · {}", words::matches(count));
    vec![
        chip(live(filter), count("Live", counts.live), StateFilter::Live),
        chip(
            ended(filter),
            count("Ended", counts.ended),
            StateFilter::Ended,
        ),
        chip(any, "Both".into(), StateFilter::Any),
    ]
}

/// Returns the links to lists that are often of use. `requested` is the list of the page, if it has
/// one.
pub(super) fn presets(requested: Option<&RequestedList>, clock: ReaderClock) -> Vec<Chip> {
    let chip = |(words, filter): (&str, SessionFilter)| Chip {
        href: list_url(&filter, preset_sort(&filter), None),
        words: words.into(),
        is_current: requested.is_some_and(|requested| requested.filter == filter),
    };
    let shared = Chip {
        href: "/admin/addresses".into(),
        words: "One address, many people".into(),
        is_current: false,
    };
    let mut chips: Vec<Chip> = preset_filters(clock).into_iter().map(chip).collect();
    chips.insert(1, shared);
    chips
}

fn preset_filters(clock: ReaderClock) -> [(&'static str, SessionFilter); 5] {
    let all = SessionFilter::default;
    let marked = |mark| SessionFilter {
        mark: Some(mark),
        ..all()
    };
    let new = SessionFilter {
        state: Some(StateFilter::Any),
        opened_from: Some(TimeBound::At(clock.today())),
        ..all()
    };
    let unused = SessionFilter {
        used_to: Some(TimeBound::Ago(Duration::from_secs(90 * DAY))),
        ..all()
    };
    let reused = SessionFilter {
        reason: Some(EndedReason::ReuseDetected),
        ..all()
    };
    [
        ("New today", new),
        ("Country changed", marked(Mark::CountryChanged)),
        ("Impossible travel", marked(Mark::ImpossibleTravel)),
        ("Unused for 90 days", unused),
        ("Token reuse", reused),
    ]
}

/// Returns the order of a list that is often of use: new ones by their sign-in.
fn preset_sort(filter: &SessionFilter) -> SessionSort {
    match filter.opened_from {
        Some(_) => SessionSort {
            key: SortKey::Opened,
            descending: true,
        },
        None => SessionSort::default_for(filter.state()),
    }
}
