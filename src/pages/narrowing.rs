//! What the list of other devices on *Your devices* is narrowed to, and which of them are selected at
//! first.

use std::time::Duration;

use super::device_views::DeviceView;
use super::words;
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::http::reader_clock::ReaderClock;
use crate::text;

/// The days without use after which a review of a device is suggested.
pub(super) const UNUSED_DAYS: u64 = 90;
/// Devices on the list. All of them can be selected; those beyond are on a page of their group.
pub(super) const MAX_LISTED: usize = 100;
/// A selected device: a session on it; repeated.
pub(super) const DEVICE: &str = "device";
/// Characters of a search that count.
const MAX_SEARCH: usize = 100;
/// The longest time without use that the list can be narrowed to: 100 years.
const MAX_DAYS: u64 = 36_500;
const DAY: u64 = 24 * 60 * 60;

/// A device to be listed.
pub(super) struct ListedDevice {
    pub(super) view: DeviceView,
    /// Its sessions.
    pub(super) sessions: Vec<SessionId>,
    pub(super) last_used_at: Timestamp,
}

/// What the list is narrowed to.
#[derive(Default)]
pub(super) struct Narrowing {
    /// The words that a device must have, as typed.
    pub(super) search: String,
    /// The days without use, if there must be so many.
    unused_days: Option<u64>,
    /// The time of the last use.
    span: Option<Span>,
    /// How many of those that were found come before the list.
    pub(super) skipped: usize,
}

/// The devices on the list that are selected at first.
pub(super) enum Selection {
    /// None, or on the list of a review all.
    Usual,
    /// All of them, and those of these sessions elsewhere.
    All(Vec<SessionId>),
    /// Those of these sessions.
    These(Vec<SessionId>),
}

/// The time of the last use, by which devices are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Today,
    Week,
    Month,
    Longer,
}

impl Narrowing {
    /// Returns what the fields of a query narrow the list to. What has no such meaning counts as not
    /// given.
    pub(super) fn new(search: Option<&str>, unused_days: Option<&str>, span: Option<&str>) -> Self {
        let search = text::clean(search.unwrap_or_default());
        let days = unused_days.and_then(|days| days.parse::<u64>().ok());
        Self {
            search: search.chars().take(MAX_SEARCH).collect(),
            unused_days: days.map(|days| days.clamp(1, MAX_DAYS)),
            span: Span::ALL.into_iter().find(|known| Some(known.id()) == span),
            skipped: 0,
        }
    }

    /// Returns it for a list that continues after so many devices.
    pub(super) fn after(self, skipped: Option<&str>) -> Self {
        let skipped = skipped.and_then(|skipped| skipped.parse().ok());
        Self {
            skipped: skipped.unwrap_or_default(),
            ..self
        }
    }

    /// Returns the fields of a query that narrow a list to it.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let search = (!self.search.is_empty()).then(|| ("q", self.search.clone()));
        let unused = self.unused_days.map(|days| ("unused", days.to_string()));
        let span = self.span.map(|span| ("used", span.id().to_owned()));
        let skipped = (self.skipped > 0).then(|| ("after", self.skipped.to_string()));
        let fields = search.into_iter().chain(unused).chain(span);
        fields.chain(skipped).collect()
    }

    /// Returns whether it is among the devices: whether its name, label, place, kind, browser and system
    /// together have every word of the search, as [`text::searchable`] compares them.
    pub(super) fn includes(&self, device: &ListedDevice, clock: ReaderClock) -> bool {
        let text = searched(&device.view);
        let has_words = text::searchable(&self.search)
            .split_whitespace()
            .all(|word| text.contains(word));
        let is_unused = |days| is_unused(device, days, clock);
        has_words
            && self.unused_days.is_none_or(is_unused)
            && self.span.is_none_or(|span| span == Span::of(device, clock))
    }

    /// Says what narrows it besides the search.
    fn besides(&self, verb: &str) -> String {
        match (self.unused_days, self.span) {
            (Some(days), _) => format!(" and {verb} not been used for {days} days"),
            (None, Some(span)) => format!(" under “{}”", span.heading()),
            (None, None) => String::new(),
        }
    }

    /// Says how many of the `all` devices were found, if it narrows anything.
    pub(super) fn found(&self, found: usize, all: usize) -> Option<String> {
        let search = &self.search;
        let mut sentence = match (self.span, self.unused_days) {
            _ if !search.is_empty() => match found {
                0 => format!(
                    "None of your other devices matches “{search}”{}. Name, kind, browser, system and place are searched.",
                    self.besides("has")
                ),
                1 => format!("1 of {all} matches “{search}”{}.", self.besides("has")),
                found => {
                    format!("{found} of {all} match “{search}”{}.", self.besides("have"))
                }
            },
            (_, Some(days)) => unused(found, days),
            (Some(span), None) => format!("{}: {}.", span.heading(), words::devices(found)),
            (None, None) => return None,
        };
        let last = found.min(self.skipped.saturating_add(MAX_LISTED));
        if last < found || self.skipped > 0 {
            let first = self.skipped.saturating_add(1).min(last);
            sentence.push_str(&format!(" Shown: {first} to {last}, by their last use."));
        }
        Some(sentence)
    }
}

impl Selection {
    /// Returns what the fields of a query select.
    pub(super) fn new(selected: Option<&str>, ids: Vec<SessionId>) -> Self {
        match (selected, ids.is_empty()) {
            (Some("all"), _) => Self::All(ids),
            (Some("none"), _) | (_, false) => Self::These(ids),
            (_, true) => Self::Usual,
        }
    }

    /// Returns whether it has a device of the narrowed list.
    pub(super) fn includes(&self, device: &ListedDevice, narrowing: &Narrowing) -> bool {
        match self {
            Self::Usual => narrowing.unused_days.is_some(),
            Self::All(_) => true,
            Self::These(_) => self.names(device),
        }
    }

    /// Returns whether it has a session of a device, on the list or not.
    pub(super) fn names(&self, device: &ListedDevice) -> bool {
        match self {
            Self::Usual => false,
            Self::All(ids) | Self::These(ids) => device.sessions.iter().any(|id| ids.contains(id)),
        }
    }
}

impl Span {
    const ALL: [Self; 4] = [Self::Today, Self::Week, Self::Month, Self::Longer];

    /// Returns when a device was last used.
    pub(super) fn of(device: &ListedDevice, clock: ReaderClock) -> Self {
        let day = |at| clock.zone.local(at).date_naive();
        let days = day(clock.now).signed_duration_since(day(device.last_used_at));
        match days.num_days() {
            ..=0 => Self::Today,
            1..=7 => Self::Week,
            8..=30 => Self::Month,
            _ => Self::Longer,
        }
    }

    /// Returns the id of its group on the page, and its value in a query.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Today => "used-today",
            Self::Week => "used-this-week",
            Self::Month => "used-this-month",
            Self::Longer => "used-longer-ago",
        }
    }

    /// Returns the heading of its group.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Today => "Used today",
            Self::Week => "Used in the last 7 days",
            Self::Month => "Used in the last 30 days",
            Self::Longer => "Used longer ago",
        }
    }
}

/// Returns whether a device has not been used for so many days, and need not stay signed in all the same.
pub(super) fn is_unused(device: &ListedDevice, days: u64, clock: ReaderClock) -> bool {
    let is_old = clock.now.since(device.last_used_at) > Duration::from_secs(days * DAY);
    is_old && !device.view.is_idle_exempt
}

/// Says how many devices have not been used for so many days.
pub(super) fn unused(devices: usize, days: u64) -> String {
    let days = text::quantity(days, "day");
    match devices {
        0 => format!("No device has been unused for {days}."),
        1 => format!("1 device has not been used for {days}."),
        n => format!("{n} devices have not been used for {days}."),
    }
}

fn searched(device: &DeviceView) -> String {
    let named = |named: &Option<words::Named>| named.as_ref().map(|it| it.name.clone());
    let parts = [
        Some(device.name.clone()),
        device.label.clone(),
        device.place.clone(),
        device.kind.map(str::to_owned),
        named(&device.browser),
        named(&device.system),
    ];
    text::searchable(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// Returns the id of each selected device once. What is no id is no device of theirs, either.
pub(super) fn selected_ids(fields: &[(String, String)]) -> Vec<SessionId> {
    let named = fields.iter().filter(|(name, _)| name == DEVICE);
    let mut ids: Vec<SessionId> = named.filter_map(|(_, id)| id.parse().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
