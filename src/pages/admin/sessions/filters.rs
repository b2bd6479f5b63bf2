//! What the page filters by: the plain form, the states with their counts, and the presets.

use strum::VariantNames;

use super::query::{ListQuery, RequestedList, list_url};
use crate::clock::Timestamp;
use crate::geo::country_names;
use crate::pages::admin::session_words as words;
use crate::sessions::EndedReason;
use crate::sessions::search::{
    Mark, MatchCount, SessionFilter, SessionSort, SortKey, StateFilter, TimeBound,
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
pub(super) struct Chip {
    pub(super) href: String,
    pub(super) words: String,
    pub(super) is_current: bool,
}

/// The plain form.
pub(super) struct FilterForm {
    pub(super) inputs: Vec<Input>,
    pub(super) selects: Vec<Select>,
    pub(super) suggestions: Vec<Suggestions>,
    /// How many of its fields say something.
    pub(super) filled: usize,
}

/// A field to type in.
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: String,
    /// The id of the list of suggestions; empty for none.
    pub(super) list: &'static str,
    pub(super) placeholder: &'static str,
}

/// A field to choose in.
pub(super) struct Select {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    /// The words of no choice.
    pub(super) none: &'static str,
    pub(super) choices: Vec<Choice>,
}

/// A choice of a field.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) words: &'static str,
    pub(super) is_chosen: bool,
}

/// What a field suggests.
pub(super) struct Suggestions {
    pub(super) id: &'static str,
    pub(super) values: Vec<&'static str>,
}

impl FilterForm {
    /// Returns the form with the fields as they were sent.
    pub(super) fn new(query: &ListQuery) -> Self {
        let input = |name, label, list, placeholder| Input {
            name,
            label,
            value: query.field(name),
            list,
            placeholder,
        };
        let inputs = vec![
            input("user", "Person", "", "E-mail or id"),
            input("q", "Text in names", "", ""),
            input("ip", "Address or network", "", "203.0.113.0/24"),
            input("country", "Country", "countries", ""),
            input("browser", "Browser", "browsers", ""),
            input("os", "System", "systems", ""),
            input("application", "Application", "", "Name or id"),
            input(
                "opened_from",
                "Signed in since",
                "spans",
                "2026-11-01 or 7d",
            ),
            input("opened_to", "Signed in before", "spans", "2026-11-08 or 1d"),
            input("used_from", "Used since", "spans", "2026-11-01 or 7d"),
            input("used_to", "Not used since", "spans", "2026-11-01 or 90d"),
        ];
        let selects = selects(query);
        let is_filled = |select: &&Select| select.choices.iter().any(|choice| choice.is_chosen);
        let filled_inputs = inputs
            .iter()
            .filter(|input| !input.value.is_empty())
            .count();
        Self {
            filled: filled_inputs + selects.iter().filter(is_filled).count(),
            inputs,
            selects,
            suggestions: vec![
                Suggestions {
                    id: "countries",
                    values: country_names(),
                },
                Suggestions {
                    id: "browsers",
                    values: BROWSERS.to_vec(),
                },
                Suggestions {
                    id: "systems",
                    values: SYSTEMS.to_vec(),
                },
                Suggestions {
                    id: "spans",
                    values: SPANS.to_vec(),
                },
            ],
        }
    }
}

fn selects(query: &ListQuery) -> Vec<Select> {
    let select = |(name, label, none), choices: Vec<(&'static str, &'static str)>| {
        let chosen = query.field(name);
        let choice = |(value, words)| Choice {
            value,
            words,
            is_chosen: value == chosen,
        };
        Select {
            name,
            label,
            none,
            choices: choices.into_iter().map(choice).collect(),
        }
    };
    vec![
        select(
            ("state", "State", "By default: live"),
            vec![("live", "Live"), ("ended", "Ended"), ("any", "Both")],
        ),
        select(
            ("reason", "Why it ended", "Any"),
            named(EndedReason::VARIANTS, words::reason),
        ),
        select(
            ("kind", "Kind of device", "Any"),
            named(DeviceKind::VARIANTS, words::kind),
        ),
        select(
            ("mark", "Unusual", "Any"),
            named(Mark::VARIANTS, words::mark),
        ),
        select(
            ("sort", "Order", "Newest first"),
            ["-used", "used", "-opened", "opened", "-ended", "ended"]
                .into_iter()
                .filter_map(|value| {
                    let sort = SessionSort::parse(value, StateFilter::Ended).ok()?;
                    Some((value, words::order(sort)))
                })
                .collect(),
        ),
    ]
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
pub(super) fn presets(requested: Option<&RequestedList>, now: Timestamp) -> Vec<Chip> {
    let ago = |days: u64| Some(TimeBound::Ago(std::time::Duration::from_secs(days * DAY)));
    let today = format!("{}", now.format("%Y-%m-%d")).parse().ok();
    let by_sign_in = SessionSort {
        key: SortKey::Opened,
        descending: true,
    };
    let by_rule = |filter: &SessionFilter| SessionSort::default_for(filter.state());
    let filters = [
        (
            "Country changed",
            SessionFilter {
                mark: Some(Mark::CountryChanged),
                ..SessionFilter::default()
            },
        ),
        (
            "Impossible travel",
            SessionFilter {
                mark: Some(Mark::ImpossibleTravel),
                ..SessionFilter::default()
            },
        ),
        (
            "Unused for 90 days",
            SessionFilter {
                used_to: ago(90),
                ..SessionFilter::default()
            },
        ),
        (
            "Token reuse",
            SessionFilter {
                reason: Some(EndedReason::ReuseDetected),
                ..SessionFilter::default()
            },
        ),
    ];
    let chip = |words: &str, filter: &SessionFilter, sort| Chip {
        href: list_url(filter, sort, None),
        words: words.into(),
        is_current: requested.is_some_and(|requested| requested.filter == *filter),
    };
    let new = SessionFilter {
        opened_from: today,
        ..SessionFilter::default()
    };
    let shared = Chip {
        href: "/admin/addresses".into(),
        words: "One address, many people".into(),
        is_current: false,
    };
    let others = filters
        .iter()
        .map(|(words, filter)| chip(words, filter, by_rule(filter)));
    let first = [chip("New today", &new, by_sign_in), shared];
    first.into_iter().chain(others).collect()
}
