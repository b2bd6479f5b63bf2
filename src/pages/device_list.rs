//! The list of other devices on *Your devices*, and how it is folded where there are many.

use url::form_urlencoded;

use super::device_views::DeviceView;
use super::narrowing::{
    ListedDevice, MAX_LISTED, Narrowing, Selection, Span, UNUSED_DAYS, is_unused, unused,
};
use crate::http::ending_words::other_name;
use crate::http::reader_clock::ReaderClock;

/// Other devices up to which the list is neither folded nor searched.
const MAX_WHOLE: usize = 12;
/// Devices of a group that are shown once it is unfolded; the others are folded again.
const MAX_IN_GROUP: usize = 12;
/// Devices that the form of a page may name at most, those on the list and those that are selected elsewhere:
/// their ids, 44 characters each in its address, fit into 8 kB.
const MAX_NAMED: usize = 170;

/// A device on the list.
pub(super) struct Row {
    pub(super) device: DeviceView,
    /// Whether it is selected at first.
    pub(super) is_ticked: bool,
}

/// The list.
pub(super) struct DeviceList {
    /// The number of other devices, on the list or not.
    pub(super) all: usize,
    /// All other devices in words: "4 other devices", or the name of the only one.
    pub(super) object: String,
    /// Whether there are so many that there is a search.
    pub(super) is_long: bool,
    /// Whether several can be signed out at once.
    pub(super) is_selectable: bool,
    /// What selects each device on the list: "Select all 71".
    pub(super) select_all: String,
    /// The fields of the list with each selected, or with none where all are.
    pub(super) select_all_list: String,
    /// The selected devices that are not on the list.
    pub(super) unshown: Vec<String>,
    /// How many are selected, with `{n}` in place of that number, if some are not on the list.
    pub(super) selected: Option<String>,
    /// The number of those that are selected at first.
    pub(super) selected_count: usize,
    /// Whether all are selected at first.
    pub(super) is_all_ticked: bool,
    /// The search as typed.
    pub(super) search: String,
    /// The fields that narrow it.
    pub(super) fields: Vec<(&'static str, String)>,
    /// What was found, if it is narrowed.
    pub(super) found: Option<String>,
    /// The label and the fields of what follows it, if it has more than can be shown.
    pub(super) next: Option<(String, String)>,
    /// What leads to the list of all.
    pub(super) show_all: String,
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
    pub(super) rows: Vec<Row>,
    /// Those that are folded again.
    pub(super) more: Vec<Row>,
    /// Whether those are unfolded at first.
    pub(super) is_more_open: bool,
    /// The number of its devices, also of those that are not on the list.
    pub(super) count: usize,
}

impl DeviceList {
    /// Returns the list of `devices`, which come newest use first, on the device that is called `here`.
    pub(super) fn new(
        devices: Vec<ListedDevice>,
        here: &str,
        mut narrowing: Narrowing,
        selection: &Selection,
        clock: ReaderClock,
    ) -> Self {
        let object = object(&devices, here);
        let named = devices.iter().filter(|device| selection.names(device));
        let named: Vec<String> = named.map(|device| device.view.id.clone()).collect();
        let Narrowed {
            all,
            old,
            shown,
            found,
            next,
        } = narrow(devices, &mut narrowing, clock);
        let is_long = all > MAX_WHOLE;
        let is_ticked = |device: &ListedDevice| selection.includes(device, &narrowing);
        let is_all_ticked = shown.iter().take(MAX_LISTED).all(is_ticked);
        let mut fields = narrowing.fields();
        let select_all_list = select_all_list(&fields, is_all_ticked);
        // The field of the search has that.
        fields.retain(|(name, _)| !(is_long && *name == "q"));
        let list = Self {
            all,
            object,
            is_long,
            is_selectable: all > 1,
            select_all: select_all(shown.len()),
            select_all_list,
            unshown: Vec::new(),
            selected: None,
            selected_count: 0,
            is_all_ticked,
            review: (old > 0 && found.is_none()).then(|| unused(old, UNUSED_DAYS)),
            show_all: show_all(all),
            groups: match is_long && found.is_none() {
                true => fold(shown, is_ticked, clock),
                false => vec![Group::whole(shown, is_ticked)],
            },
            found,
            next,
            fields,
            search: narrowing.search,
        };
        list.with_selected(named)
    }

    /// Returns the list with the devices that are selected elsewhere.
    fn with_selected(mut self, named: Vec<String>) -> Self {
        let rows = self
            .groups
            .iter()
            .flat_map(|group| group.rows.iter().chain(&group.more));
        let (listed, ticked) = rows.fold((0, 0), |(listed, ticked), row| {
            (listed + 1, ticked + usize::from(row.is_ticked))
        });
        let mut elsewhere: Vec<String> = named.into_iter().filter(|id| !self.lists(id)).collect();
        let all = elsewhere.len();
        elsewhere.truncate(MAX_NAMED.saturating_sub(listed).min(MAX_LISTED));
        let unshown = elsewhere.len();
        self.unshown = elsewhere;
        self.selected_count = ticked + unshown;
        self.selected = (unshown > 0).then(|| selected(unshown, all - unshown));
        self
    }

    /// Returns how many are selected, in words, if some are not on the list.
    pub(super) fn selected_words(&self) -> Option<String> {
        let words = self.selected.as_ref()?;
        Some(words.replace("{n}", &self.selected_count.to_string()))
    }

    /// Returns whether a device is on the page.
    pub(super) fn lists(&self, id: &str) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| {
            let mut rows = group.rows.iter().chain(&group.more);
            rows.any(|row| row.device.id == id)
        })
    }

    /// Returns whether none was found.
    pub(super) fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.rows.is_empty())
    }
}

/// The devices that a list is narrowed to.
struct Narrowed {
    /// The number of all.
    all: usize,
    /// The number of those that were not used for long.
    old: usize,
    /// Those from the first on that is shown.
    shown: Vec<ListedDevice>,
    found: Option<String>,
    next: Option<(String, String)>,
}

fn narrow(devices: Vec<ListedDevice>, narrowing: &mut Narrowing, clock: ReaderClock) -> Narrowed {
    let all = devices.len();
    let is_old = |device: &&ListedDevice| is_unused(device, UNUSED_DAYS, clock);
    let old = devices.iter().filter(is_old).count();
    let is_included = |device: &ListedDevice| narrowing.includes(device, clock);
    let shown: Vec<_> = devices.into_iter().filter(is_included).collect();
    if narrowing.skipped >= shown.len() {
        narrowing.skipped = 0;
    }
    let found = narrowing.found(shown.len(), all);
    let next = next(narrowing, shown.len()).filter(|_| found.is_some());
    let shown = match found {
        Some(_) => shown.into_iter().skip(narrowing.skipped).collect(),
        None => shown,
    };
    Narrowed {
        all,
        old,
        shown,
        found,
        next,
    }
}

impl Group {
    fn new(id: &'static str, heading: Option<&'static str>) -> Self {
        Self {
            id,
            heading,
            is_open: heading.is_none(),
            rows: Vec::new(),
            more: Vec::new(),
            is_more_open: false,
            count: 0,
        }
    }

    fn whole(devices: Vec<ListedDevice>, is_ticked: impl Fn(&ListedDevice) -> bool) -> Self {
        let mut group = Self::new("all-others", None);
        group.count = devices.len();
        let listed = devices.into_iter().take(MAX_LISTED);
        group.rows = listed.map(|device| Row::new(device, &is_ticked)).collect();
        group
    }

    /// Returns how many of its devices are on the list.
    pub(super) fn listed(&self) -> usize {
        self.rows.len() + self.more.len()
    }

    /// Returns how many of its devices are not on the list of a group.
    pub(super) fn rest(&self) -> usize {
        self.count - self.listed()
    }

    /// Returns the fields of the list of those.
    pub(super) fn rest_list(&self) -> String {
        let mut fields = vec![("used", self.id.to_owned())];
        if self.listed() > 0 {
            fields.push(("after", self.listed().to_string()));
        }
        query_of(&fields)
    }

    /// Unfolds what has selected devices, if others are not.
    fn unfold_selected(&mut self) {
        let has_ticked = |rows: &[Row]| rows.iter().any(|row| row.is_ticked);
        self.is_more_open = has_ticked(&self.more);
        self.is_open |= self.is_more_open || has_ticked(&self.rows);
    }
}

impl Row {
    fn new(device: ListedDevice, is_ticked: impl Fn(&ListedDevice) -> bool) -> Self {
        Self {
            is_ticked: is_ticked(&device),
            device: device.view,
        }
    }
}

/// Folds devices by the time of their last use. The first group is unfolded, and those with selected
/// devices are, unless all are selected.
fn fold(
    devices: Vec<ListedDevice>,
    is_ticked: impl Fn(&ListedDevice) -> bool,
    clock: ReaderClock,
) -> Vec<Group> {
    let is_all_ticked = devices.iter().take(MAX_LISTED).all(&is_ticked);
    let mut groups: Vec<Group> = Vec::new();
    for (index, device) in devices.into_iter().enumerate() {
        let span = Span::of(&device, clock);
        if groups.last().is_none_or(|group| group.id != span.id()) {
            groups.push(Group::new(span.id(), Some(span.heading())));
        }
        let Some(group) = groups.last_mut() else {
            continue;
        };
        group.count += 1;
        match group.rows.len() {
            _ if index >= MAX_LISTED => {}
            ..MAX_IN_GROUP => group.rows.push(Row::new(device, &is_ticked)),
            _ => group.more.push(Row::new(device, &is_ticked)),
        }
    }
    if !is_all_ticked {
        groups.iter_mut().for_each(Group::unfold_selected);
    }
    if let Some(first) = groups.first_mut() {
        first.is_open = true;
    }
    groups
}

fn show_all(others: usize) -> String {
    match others {
        1 => "Show the other device".into(),
        n => format!("Show all {n} other devices"),
    }
}

/// Returns all other devices in words, on the device that is called `here`.
fn object(others: &[ListedDevice], here: &str) -> String {
    match others {
        [other] => other_name(&other.view.name, here),
        others => format!("{} other devices", others.len()),
    }
}

/// Returns the label and the fields of what follows the list of `found` devices.
fn next(narrowing: &Narrowing, found: usize) -> Option<(String, String)> {
    let shown = narrowing.skipped.saturating_add(MAX_LISTED);
    let label = match found.checked_sub(shown)? {
        0 => return None,
        1 => "Show the last one".into(),
        rest => format!("Show the next {}", rest.min(MAX_LISTED)),
    };
    let mut fields = narrowing.fields();
    fields.retain(|(name, _)| *name != "after");
    fields.push(("after", shown.to_string()));
    Some((label, query_of(&fields)))
}

/// Returns how many are selected, with `{n}` in place of that number: some that are not on the list, and not
/// those that were dropped since they are too many.
fn selected(unshown: usize, dropped: usize) -> String {
    const AT_MOST: &str = "Choose at most 100 devices at once.";

    let words = format!("{{n}} selected, {unshown} not shown here.");
    match dropped {
        0 => words,
        1 => format!("{words} 1 more was left out, since there were too many. {AT_MOST}"),
        n => format!("{words} {n} more were left out, since there were too many. {AT_MOST}"),
    }
}

/// Returns what selects each device on a list of `found`.
fn select_all(found: usize) -> String {
    match found {
        ..=MAX_LISTED => format!("Select all {found}"),
        _ => format!("Select the {MAX_LISTED} shown"),
    }
}

/// Returns the fields of the list with each device selected, or with none where all are.
fn select_all_list(fields: &[(&'static str, String)], is_all_ticked: bool) -> String {
    let choice = if is_all_ticked { "none" } else { "all" };
    let choice = [("select", choice.to_owned())];
    query_of(fields.iter().chain(&choice))
}

/// Returns the URL of the list with these fields.
pub(super) fn list_url<'a>(fields: impl IntoIterator<Item = &'a (&'static str, String)>) -> String {
    match query_of(fields).as_str() {
        "" => "/devices#other-devices".into(),
        query => format!("/devices?{query}#other-devices"),
    }
}

/// Returns fields as the value of a button that leads to the list with them.
pub(super) fn query_of<'a>(fields: impl IntoIterator<Item = &'a (&'static str, String)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        query.append_pair(name, value);
    }
    query.finish()
}
