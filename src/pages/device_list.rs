//! The list of other devices on *Your devices*: what it is narrowed to, and how it is folded where
//! there are many.

use std::time::Duration;

use super::device_views::DeviceView;
use super::words;
use crate::clock::Timestamp;
use crate::text;

/// The days without use after which a review of a device is suggested.
pub(super) const UNUSED_DAYS: u64 = 90;
/// Other devices up to which each is shown with its details.
const MAX_WHOLE: usize = 12;
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
    /// The days without use that it is narrowed to.
    pub(super) unused_days: Option<u64>,
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
}

impl Narrowing {
    /// Returns what the fields of a query narrow the list to. A number of days that is none counts as
    /// not given.
    pub(super) fn new(search: Option<&str>, unused_days: Option<&str>) -> Self {
        let search = text::clean(search.unwrap_or_default());
        let days = unused_days.and_then(|days| days.parse::<u64>().ok());
        Self {
            search: search.chars().take(MAX_SEARCH).collect(),
            unused_days: days.map(|days| days.clamp(1, MAX_DAYS)),
        }
    }

    fn is_any(&self) -> bool {
        !self.search.is_empty() || self.unused_days.is_some()
    }

    /// Returns whether it is among the devices: whether its name, label, place, kind, browser and system
    /// together have every word of the search, without regard to case and accents.
    fn includes(&self, device: &ListedDevice, now: Timestamp) -> bool {
        let text = searched(&device.view);
        let has_words = folded(&self.search)
            .split_whitespace()
            .all(|word| text.contains(word));
        let is_unused = |days| is_unused(device, days, now);
        has_words && self.unused_days.is_none_or(is_unused)
    }

    /// Says how many of the `all` devices were found.
    fn found(&self, found: usize, all: usize) -> Option<String> {
        if let Some(days) = self.unused_days {
            return Some(unused(found, days));
        }
        let search = &self.search;
        match found {
            _ if search.is_empty() => None,
            0 => Some(format!(
                "None of your other devices matches “{search}”. Its name, kind, browser and place are searched."
            )),
            n if n == all => Some(format!("All {all} match “{search}”.")),
            n => Some(format!("{n} of {all} match “{search}”.")),
        }
    }
}

impl DeviceList {
    /// Returns the list of `devices`, which come newest use first.
    pub(super) fn new(devices: Vec<ListedDevice>, narrowing: Narrowing, now: Timestamp) -> Self {
        let all = devices.len();
        let is_old = |device: &&ListedDevice| is_unused(device, UNUSED_DAYS, now);
        let unused_count = devices.iter().filter(is_old).count();
        let (is_long, is_narrowed) = (all > MAX_WHOLE, narrowing.is_any());
        let is_included = |device: &ListedDevice| narrowing.includes(device, now);
        let shown: Vec<_> = devices.into_iter().filter(is_included).collect();
        let found = narrowing.found(shown.len(), all);
        Self {
            all,
            object: object(all),
            is_long,
            is_selectable: all > 1,
            found,
            review: (unused_count > 0 && !is_narrowed).then(|| unused(unused_count, UNUSED_DAYS)),
            groups: match is_long && !is_narrowed {
                true => fold(shown, now),
                false => vec![Group::whole(shown, narrowing.unused_days.is_some())],
            },
            search: narrowing.search,
            unused_days: narrowing.unused_days,
        }
    }

    /// Returns whether none was found.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.devices.is_empty())
    }
}

impl Group {
    fn whole(devices: Vec<ListedDevice>, is_ticked: bool) -> Self {
        Self {
            id: "all-others",
            heading: None,
            is_open: true,
            is_ticked,
            devices: devices.into_iter().map(|device| device.view).collect(),
        }
    }
}

/// Folds devices by the time of their last use. The first group is unfolded, unless it is a long one.
fn fold(devices: Vec<ListedDevice>, now: Timestamp) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for device in devices {
        let (id, heading) = span(device.last_used_at, now);
        match groups.last_mut().filter(|group| group.id == id) {
            Some(group) => group.devices.push(device.view),
            None => groups.push(Group {
                heading: Some(heading),
                is_open: false,
                ..Group::of(id, device.view)
            }),
        }
    }
    if let Some(first) = groups.first_mut() {
        first.is_open = first.devices.len() <= MAX_WHOLE;
    }
    groups
}

impl Group {
    fn of(id: &'static str, device: DeviceView) -> Self {
        Self {
            id,
            heading: None,
            is_open: true,
            is_ticked: false,
            devices: vec![device],
        }
    }
}

/// Returns the id and the heading of the group of a time of last use.
fn span(at: Timestamp, now: Timestamp) -> (&'static str, &'static str) {
    let days = now.date_naive().signed_duration_since(at.date_naive());
    match days.num_days() {
        ..=0 => ("used-today", "Used today"),
        1..=7 => ("used-this-week", "Used in the last 7 days"),
        8..=30 => ("used-this-month", "Used in the last 30 days"),
        _ => ("used-longer-ago", "Used longer ago"),
    }
}

fn is_unused(device: &ListedDevice, days: u64, now: Timestamp) -> bool {
    now.since(device.last_used_at) > Duration::from_secs(days * DAY)
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
