//! A map of the part of the world where devices are, with a dot for each place. Its caption lists the
//! places as text. Dots lead to their devices, and the places in the caption are what devices lead to.

use super::device_views::DeviceView;
use crate::alerts::{Alert, AlertKind};
use crate::geo::{MapForm, MapFrame, MapPosition, Place};
use crate::http::assets;
use crate::http::reader_clock::ReaderClock;

/// The form of the map on *Your devices*.
const WIDE: MapForm = MapForm {
    aspect: 2.0,
    min_width: 24.0,
};
/// The form of the map of an alert.
const SMALL: MapForm = MapForm {
    aspect: 1.25,
    min_width: 48.0,
};
/// The middle part of the map, in percent, where a label is centred.
const MIDDLE: std::ops::Range<f64> = 30.0..70.0;

/// The most devices that the caption names at a place; the others are counted.
const MAX_DEVICES: usize = 5;
/// The most places that the caption lists unfolded.
const MAX_PLACES: usize = 8;
/// The class of a dot where somebody else may be.
const ALARMING: &str = "dot alarming";
/// The most names of places that share a dot.
const MAX_NAMES: usize = 3;

/// Who sees the map of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapReader {
    /// Its person, signed in.
    Person,
    /// The bearer of a link.
    Bearer,
}

/// The map, as a page shows it.
pub struct MapView {
    /// The URL of the outlines of the land.
    pub land: String,
    /// The part of the world that it shows.
    pub view_box: String,
    /// Where worlds begin in it.
    pub worlds: Vec<String>,
    /// The places, in the order of their devices.
    pub dots: Vec<Dot>,
    /// What it is, for those who don't see it.
    pub label: String,
}

/// A place on the map.
pub struct Dot {
    /// The distance from the left edge, in percent.
    pub x: String,
    /// The distance from the upper edge, in percent.
    pub y: String,
    /// The place's name: "Lyon, France".
    pub place: String,
    /// The devices there.
    pub devices: Vec<DotDevice>,
    /// The number of devices there that the caption does not name.
    pub more: usize,
    /// Where the dot leads, if anywhere.
    pub link: Option<String>,
    /// The class of its colour.
    pub class: &'static str,
    /// How a label beside it is placed: the value of `text-anchor`, and the distance downwards.
    pub anchor: &'static str,
    /// See [`Dot::anchor`].
    pub down: &'static str,
}

/// A device at a place.
pub struct DotDevice {
    /// Its name: "Safari on iPhone".
    pub name: String,
    /// The id of the session that represents it on the page.
    pub id: String,
    /// Where it is shown: its row on the page, or its own page.
    pub link: String,
}

impl MapView {
    /// Returns a map of these devices, where the first is the one that the page is read on; `None`
    /// if the position of none is known.
    pub fn new(devices: impl IntoIterator<Item = (Place, DotDevice)>) -> Option<Self> {
        let located: Vec<_> = devices
            .into_iter()
            .enumerate()
            .filter_map(|(index, (place, device))| {
                let name = place.display_name()?;
                Some((place.point?, (index == 0, name, device)))
            })
            .collect();
        let points: Vec<_> = located.iter().map(|(point, _)| *point).collect();
        let frame = MapFrame::around(&points, WIDE)?;
        let mut dots = Vec::new();
        for (number, (position, there)) in (1..).zip(frame.cluster(located)) {
            let is_here = there.iter().any(|(is_first, ..)| *is_first);
            let place = place_names(there.iter().map(|(_, place, _)| place.as_str()));
            let devices: Vec<_> = there.into_iter().map(|(.., device)| device).collect();
            dots.push(Dot {
                place,
                link: match devices.as_slice() {
                    [device] => Some(device.link.clone()),
                    _ => Some(format!("#place-{number}")),
                },
                more: devices.len().saturating_sub(MAX_DEVICES),
                devices,
                class: if is_here { "dot here" } else { "dot" },
                ..Dot::at(position)
            });
        }
        let places = match dots.len() {
            1 => "1 place".to_owned(),
            n => format!("{n} places"),
        };
        Some(Self {
            label: format!("A map with {places}, listed below it"),
            ..Self::of(&frame, dots)
        })
    }

    /// Returns the number of places in words, if the caption has so many that it is folded.
    pub fn folded(&self) -> Option<String> {
        let places = self.dots.len();
        (places > MAX_PLACES).then(|| format!("{places} places"))
    }

    /// Leads to the rows of devices that are on the page, by `is_listed`, instead of to their pages.
    pub fn lead_to_rows(&mut self, is_listed: impl Fn(&str) -> bool) {
        for dot in &mut self.dots {
            for device in dot.devices.iter_mut().filter(|it| is_listed(&it.id)) {
                device.link = format!("#device-{}", device.id);
            }
            if let [device] = dot.devices.as_slice() {
                dot.link = Some(device.link.clone());
            }
        }
    }

    /// Links these devices to their places in the list below the map.
    pub fn link<'a>(&self, devices: impl Iterator<Item = &'a mut DeviceView>) {
        for device in devices {
            let is_here = |dot: &Dot| dot.devices.iter().any(|there| there.id == device.id);
            let number = self.dots.iter().position(is_here);
            device.on_map = number.map(|number| format!("#place-{}", number + 1));
        }
    }

    /// Returns the map of an alert about a sign-in: where that was, and where the person was before. Of a
    /// copied one both uses are alike, since either may be the copy's.
    /// For the person, dots lead to the devices. Of one day, the times are stated as well.
    pub fn of_alert(alert: &Alert, clock: ReaderClock, reader: MapReader) -> Option<Self> {
        let (here, before) = (alert.place(), alert.use_before());
        let there = before.as_ref().map(|before| &before.place);
        let points: Vec<_> = there
            .and_then(|place| place.point)
            .into_iter()
            .chain(here.point)
            .collect();
        let frame = MapFrame::around(&points, SMALL).filter(|_| here.point.is_some())?;
        let link =
            |session| Some(format!("/devices/{session}")).filter(|_| reader == MapReader::Person);
        let is_either = matches!(alert.kind, AlertKind::TokenReuse | AlertKind::TwoPlaces);
        let class = if is_either { ALARMING } else { "dot here" };
        let mut dots = Vec::new();
        let day = |at| clock.zone.local(at).date_naive();
        let is_same_day = |at| day(at) == day(alert.at);
        let label = |place: &str, at| match before.as_ref().is_some_and(|it| is_same_day(it.at)) {
            true => format!("{place} {}", clock.zone.local(at).format("%H:%M")),
            false => place.to_owned(),
        };
        if let Some(before) = &before {
            dots.extend(Dot::labelled(&frame, &before.place, class).map(|dot| Dot {
                link: link(before.session),
                place: label(&dot.place, before.at),
                ..dot
            }));
        }
        dots.extend(Dot::labelled(&frame, &here, ALARMING).map(|dot| Dot {
            link: alert.session_id.and_then(link),
            place: label(&dot.place, alert.at),
            ..dot
        }));
        let label = match dots.as_slice() {
            [before, here] if is_either => format!("A map: {} and {}", before.place, here.place),
            [before, here] => format!("A map: from {} to {}", before.place, here.place),
            [here] => format!("A map: {}", here.place),
            _ => return None,
        };
        let mut map = Self::of(&frame, dots);
        map.label = label;
        map.separate_labels(&frame, &points);
        Some(map)
    }

    fn of(frame: &MapFrame, dots: Vec<Dot>) -> Self {
        Self {
            land: assets::url("world.svg"),
            view_box: frame.view_box(),
            worlds: frame
                .worlds()
                .iter()
                .map(|begin| format!("{begin:.0}"))
                .collect(),
            dots,
            label: String::new(),
        }
    }

    /// Places the label of the upper of two dots above it, and that of the lower one below.
    fn separate_labels(&mut self, frame: &MapFrame, points: &[crate::geo::Point]) {
        if let ([first, second], [a, b]) = (self.dots.as_mut_slice(), points) {
            let is_first_upper = frame.position(*a).y < frame.position(*b).y;
            let (upper, lower) = match is_first_upper {
                true => (first, second),
                false => (second, first),
            };
            upper.down = "-0.9em";
            lower.down = "1.7em";
        }
    }
}

impl Dot {
    /// Returns the devices that the caption names.
    pub fn named(&self) -> &[DotDevice] {
        self.devices.get(..MAX_DEVICES).unwrap_or(&self.devices)
    }

    fn at(position: MapPosition) -> Self {
        Self {
            x: format!("{:.2}%", position.x),
            y: format!("{:.2}%", position.y),
            place: String::new(),
            devices: Vec::new(),
            more: 0,
            link: None,
            class: "dot",
            anchor: match position.x {
                x if MIDDLE.contains(&x) => "middle",
                x if x < MIDDLE.start => "start",
                _ => "end",
            },
            down: "1.7em",
        }
    }

    fn labelled(frame: &MapFrame, place: &Place, class: &'static str) -> Option<Self> {
        Some(Self {
            place: place.short_name()?.to_owned(),
            class,
            ..Self::at(frame.position(place.point?))
        })
    }
}

/// Returns the names of places that share a dot, each once: "Lisbon, Portugal · Porto, Portugal".
fn place_names<'a>(places: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for place in places {
        if !names.contains(&place) {
            names.push(place);
        }
    }
    match names.split_at_checked(MAX_NAMES) {
        Some((first, more)) if !more.is_empty() => {
            format!("{} and {} more", first.join(" · "), more.len())
        }
        _ => names.join(" · "),
    }
}
