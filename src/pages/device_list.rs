//! The list of other devices on *Your devices*: what it is narrowed to, and how it is folded where
//! there are many.

use std::time::Duration;

use super::device_views::DeviceView;
use super::words;
use crate::clock::Timestamp;
use crate::http::reader_clock::ReaderClock;
use crate::text;

/// The days without use after which a review of a device is suggested.
pub(super) const UNUSED_DAYS: u64 = 90;
/// Other devices up to which each is shown with its details.
const MAX_WHOLE: usize = 12;
/// Devices of a group where there are others; the rest is on a page of the group.
const MAX_IN_GROUP: usize = 12;
/// Devices on a list of one group or of a search. All of them can be selected.
pub(super) const MAX_LISTED: usize = 100;
/// Characters of a search that count.
const MAX_SEARCH: usize = 100;
/// The longest time without use that the list can be narrowed to: 100 years.
const MAX_DAYS: u64 = 36_500;
const DAY: u64 = 24 * 60 * 60;

/// What the list is narrowed to.
#[derive(Default)]
pub(super) struct Narrowing {
    /// The words that a device must have, as typed.
    search: String,
    /// The days without use, if there must be so many.
    unused_days: Option<u64>,
    /// The time of the last use.
    span: Option<Span>,
}

/// The time of the last use, by which devices are folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Today,
    Week,
    Month,
    Longer,
}

/// A device on the list.
pub(super) struct ListedDevice {
    pub(super) view: DeviceView,
    pub(super) last_used_at: Timestamp,
}

/// The list.
pub(super) struct DeviceList {
    /// The number of other devices, on the list or not.
    pub(super) all: usize,
    /// All other devices in words: "4 other devices".
    pub(super) object: String,
    /// Whether there are so many that there is a search, and that details are on the page of each.
    pub(super) is_long: bool,
    /// Whether several can be signed out at once.
    pub(super) is_selectable: bool,
    /// The search as typed.
    pub(super) search: String,
    /// The fields that narrow it.
    pub(super) fields: Vec<(&'static str, String)>,
    /// What was found, if it is narrowed.
    pub(super) found: Option<String>,
    /// The devices; in one group unless they are folded.
    pub(super) groups: Vec<Group>,
    /// The suggestion of a review: "2 devices have not been used for 90 days."
    pub(super) review: Option<String>,
}

/// Devices that were last used at about the same time.
pub(super) struct Group {
    pub(super) id: &'static str,
    /// The heading; `None` where they are not folded.
    pub(super) heading: Option<&'static str>,
    pub(super) is_open: bool,
    /// Whether each is selected at first.
    pub(super) is_ticked: bool,
    pub(super) devices: Vec<DeviceView>,
    /// The number of its devices, also of those that are not on the list.
    pub(super) count: usize,
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
        }
    }

    /// Returns the fields of a query that narrow a list to it.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let search = (!self.search.is_empty()).then(|| ("q", self.search.clone()));
        let unused = self.unused_days.map(|days| ("unused", days.to_string()));
        let span = self.span.map(|span| ("used", span.id().to_owned()));
        search.into_iter().chain(unused).chain(span).collect()
    }

    /// Returns whether it is among the devices: whether its name, label, place, kind, browser and system
    /// together have every word of the search, without regard to case and accents.
    fn includes(&self, device: &ListedDevice, clock: ReaderClock) -> bool {
        let text = searched(&device.view);
        let has_words = folded(&self.search)
            .split_whitespace()
            .all(|word| text.contains(word));
        let is_unused = |days| is_unused(device, days, clock);
        has_words
            && self.unused_days.is_none_or(is_unused)
            && self.span.is_none_or(|span| span == Span::of(device, clock))
    }

    /// Says how many of the `all` devices were found, if it narrows anything.
    fn found(&self, found: usize, all: usize) -> Option<String> {
        let search = &self.search;
        let mut sentence = match (self.span, self.unused_days) {
            _ if !search.is_empty() => match found {
                0 => format!(
                    "None of your other devices matches “{search}”. Name, kind, browser and place are searched."
                ),
                found => format!("{found} of {all} match “{search}”."),
            },
            (_, Some(days)) => unused(found, days),
            (Some(span), None) => format!("{}: {}.", span.heading(), words::devices(found)),
            (None, None) => return None,
        };
        if found > MAX_LISTED {
            sentence.push_str(" Those used last are shown.");
        }
        Some(sentence)
    }
}

impl DeviceList {
    /// Returns the list of `devices`, which come newest use first.
    pub(super) fn new(
        devices: Vec<ListedDevice>,
        narrowing: Narrowing,
        clock: ReaderClock,
    ) -> Self {
        let all = devices.len();
        let is_long = all > MAX_WHOLE;
        let is_old = |device: &&ListedDevice| is_unused(device, UNUSED_DAYS, clock);
        let old = devices.iter().filter(is_old).count();
        let is_included = |device: &ListedDevice| narrowing.includes(device, clock);
        let shown: Vec<_> = devices.into_iter().filter(is_included).collect();
        let found = narrowing.found(shown.len(), all);
        Self {
            all,
            object: object(all),
            is_long,
            is_selectable: all > 1,
            review: (old > 0 && found.is_none()).then(|| unused(old, UNUSED_DAYS)),
            groups: match is_long && found.is_none() {
                true => fold(shown, clock),
                false => vec![Group::whole(shown, narrowing.unused_days.is_some())],
            },
            found,
            fields: narrowing.fields(),
            search: narrowing.search,
        }
    }

    /// Returns whether a device is on the page.
    pub(super) fn lists(&self, id: &str) -> bool {
        let mut devices = self.groups.iter().flat_map(|group| &group.devices);
        devices.any(|device| device.id == id)
    }

    /// Returns whether none was found.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.devices.is_empty())
    }
}

impl Group {
    fn whole(devices: Vec<ListedDevice>, is_ticked: bool) -> Self {
        let views = devices.into_iter().map(|device| device.view);
        let devices: Vec<_> = views.take(MAX_LISTED).collect();
        Self {
            id: "all-others",
            heading: None,
            is_open: true,
            is_ticked,
            count: devices.len(),
            devices,
        }
    }

    /// Returns how many of its devices are not on the list.
    pub(super) fn rest(&self) -> usize {
        self.count - self.devices.len()
    }

    fn add(&mut self, device: DeviceView) {
        self.count += 1;
        if self.devices.len() < MAX_IN_GROUP {
            self.devices.push(device);
        }
    }
}

/// Folds devices by the time of their last use. The first group is unfolded.
fn fold(devices: Vec<ListedDevice>, clock: ReaderClock) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for device in devices {
        let span = Span::of(&device, clock);
        if groups.last().is_none_or(|group| group.id != span.id()) {
            groups.push(Group {
                id: span.id(),
                heading: Some(span.heading()),
                is_open: groups.is_empty(),
                is_ticked: false,
                devices: Vec::new(),
                count: 0,
            });
        }
        if let Some(group) = groups.last_mut() {
            group.add(device.view);
        }
    }
    groups
}

impl Span {
    const ALL: [Self; 4] = [Self::Today, Self::Week, Self::Month, Self::Longer];

    fn of(device: &ListedDevice, clock: ReaderClock) -> Self {
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
    fn id(self) -> &'static str {
        match self {
            Self::Today => "used-today",
            Self::Week => "used-this-week",
            Self::Month => "used-this-month",
            Self::Longer => "used-longer-ago",
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Self::Today => "Used today",
            Self::Week => "Used in the last 7 days",
            Self::Month => "Used in the last 30 days",
            Self::Longer => "Used longer ago",
        }
    }
}

fn is_unused(device: &ListedDevice, days: u64, clock: ReaderClock) -> bool {
    clock.now.since(device.last_used_at) > Duration::from_secs(days * DAY)
}

/// Says how many devices have not been used for so many days.
fn unused(devices: usize, days: u64) -> String {
    let days = match days {
        1 => "1 day".into(),
        days => format!("{days} days"),
    };
    match devices {
        0 => format!("No device has been unused for {days}."),
        1 => format!("1 device has not been used for {days}."),
        n => format!("{n} devices have not been used for {days}."),
    }
}

fn object(others: usize) -> String {
    match others {
        1 => "1 other device".into(),
        n => format!("{n} other devices"),
    }
}

fn searched(device: &DeviceView) -> String {
    let named = |named: &Option<words::Named>| named.as_ref().map(|it| it.name.clone());
    let parts = [
        Some(device.name.clone()),
        device.label.clone(),
        device.place.clone(),
        Some(device.kind.to_owned()),
        named(&device.browser),
        named(&device.system),
    ];
    folded(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn folded(text: &str) -> String {
    text::plain(text).to_lowercase()
}
