//! The places in the caption of a map, each with its devices told apart.

use std::collections::HashMap;
use std::hash::Hash;

use super::device_list::{list_url, query_of};
use super::words::TimeView;
use crate::geo::Point;

/// How far apart points of one city may be, in kilometres: databases of places know some of it by its parts.
const CITY_KM: f64 = 30.0;
/// The most devices that the caption names at a place; the others are counted.
const MAX_DEVICES: usize = 5;

/// A place in the caption of the map.
pub struct PlaceView {
    /// Its number in the caption; `None` if there are so many that it is only counted.
    pub number: Option<usize>,
    /// Its name: "Lyon, France".
    pub name: String,
    /// Where it is, if another place has that name: "39.8° N, 89.6° W".
    pub apart: Option<String>,
    point: Point,
    /// The devices there.
    pub devices: Vec<DotDevice>,
}

/// A device at a place.
pub struct DotDevice {
    /// Its name: "Safari on iPhone".
    pub name: String,
    /// Whether the page is read on it.
    pub is_here: bool,
    /// When it was last used.
    pub last_used: TimeView,
    /// The last use as exactly as it takes to tell it from others of its name there, if there are any.
    pub last_use_apart: Option<TimeView>,
    /// Which it is of those that even this doesn't tell apart: "2 of 3".
    pub number: Option<String>,
    /// The id of the session that represents it on the page.
    pub id: String,
    /// Where it is shown: its row on the page, or its own page.
    pub link: String,
}

impl PlaceView {
    /// Returns the places of these devices, each once.
    pub(super) fn list(devices: Vec<(String, Point, DotDevice)>) -> Vec<Self> {
        let mut places: Vec<Self> = Vec::new();
        for (name, point, device) in devices {
            let is_it =
                |place: &&mut Self| place.name == name && place.point.distance_km(point) < CITY_KM;
            match places.iter_mut().find(is_it) {
                Some(place) => place.devices.push(device),
                None => places.push(Self {
                    number: None,
                    name,
                    apart: None,
                    point,
                    devices: vec![device],
                }),
            }
        }
        places.iter_mut().for_each(Self::tell_apart);
        places
    }

    /// Tells devices of one name apart by their last use, as exactly as it takes.
    fn tell_apart(&mut self) {
        let used = |device: &DotDevice| (device.name.clone(), device.last_used.words.clone());
        let names = counts(self.devices.iter().map(|device| device.name.clone()));
        let uses = counts(self.devices.iter().map(used));
        for device in &mut self.devices {
            let is_twin = names.get(&device.name).is_some_and(|n| *n > 1);
            let mut time = device.last_used.clone();
            if uses.get(&used(device)).is_some_and(|n| *n > 1) {
                time.words.clone_from(&time.exact);
            }
            device.last_use_apart = (is_twin && !device.is_here).then_some(time);
        }
        self.number_twins();
    }

    /// Numbers the devices of one name that were last used in the same minute.
    fn number_twins(&mut self) {
        let words = |device: &DotDevice| {
            let time = device.last_use_apart.as_ref()?;
            Some((device.name.clone(), time.words.clone()))
        };
        let all = counts(self.devices.iter().filter_map(words));
        let mut seen: HashMap<_, usize> = HashMap::new();
        for device in &mut self.devices {
            let Some(twin) = words(device) else { continue };
            let of = all.get(&twin).copied().unwrap_or_default();
            let n = seen.entry(twin).or_default();
            *n += 1;
            device.number = (of > 1).then(|| format!("{n} of {of}"));
        }
    }

    /// Returns its name with what tells it from others of that name.
    pub fn title(&self) -> String {
        match &self.apart {
            Some(apart) => format!("{} ({apart})", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns what stands between the named device with that index and the next one: what no line begins with,
    /// and a word.
    pub fn separator(&self, index: &usize) -> (&'static str, &'static str) {
        match self.named().len().saturating_sub(index + 1) {
            0 => ("", ""),
            1 if self.more() == 0 => ("", " and "),
            _ => (",", " "),
        }
    }

    /// Returns the fields of the list of its devices.
    pub fn search_fields(&self) -> String {
        query_of(&[("q", self.name.clone())])
    }

    /// Returns the devices that the caption names.
    pub fn named(&self) -> &[DotDevice] {
        self.devices.get(..MAX_DEVICES).unwrap_or(&self.devices)
    }

    /// Returns the number of devices that it does not name.
    pub fn more(&self) -> usize {
        self.devices.len().saturating_sub(MAX_DEVICES)
    }

    /// Returns the URL of the list of the other devices there.
    pub fn search(&self) -> String {
        list_url(&[("q", self.name.clone())])
    }

    pub(super) fn describe(&self) -> String {
        let name = |device: &DotDevice| match &device.last_use_apart {
            _ if device.is_here => format!("{} (this device)", device.name),
            Some(at) => match &device.number {
                Some(number) => format!("{} (used {}, {number})", device.name, at.words),
                None => format!("{} (used {})", device.name, at.words),
            },
            None => device.name.clone(),
        };
        let named = self.named().iter().enumerate();
        let names: String = named
            .map(|(index, device)| {
                let (comma, word) = self.separator(&index);
                format!("{}{comma}{word}", name(device))
            })
            .collect();
        let more = match self.more() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        format!("{}: {names}{more}", self.title())
    }
}

/// Has places that share their name state where they are.
pub(super) fn tell_apart(places: Vec<&mut PlaceView>) {
    let names = counts(places.iter().map(|place| place.name.clone()));
    for place in places {
        let is_twin = names.get(&place.name).is_some_and(|n| *n > 1);
        place.apart = is_twin.then(|| coordinates(place.point));
    }
}

/// Returns a point in words: "39.8° N, 89.6° W".
fn coordinates(point: Point) -> String {
    let (north, east) = (point.latitude(), point.longitude());
    let latitude = if north < 0.0 { 'S' } else { 'N' };
    let longitude = if east < 0.0 { 'W' } else { 'E' };
    format!(
        "{:.1}° {latitude}, {:.1}° {longitude}",
        north.abs(),
        east.abs()
    )
}

/// Returns how often each of these is there.
fn counts<T: Eq + Hash>(items: impl Iterator<Item = T>) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}
