//! A map of the part of the world where devices are. Near places share a dot; the caption lists each place
//! as text. Dots lead to their devices, and the places in the caption are what devices lead to.

use super::device_views::DeviceView;
use super::map_places::{DotDevice, PlaceView, tell_apart};
use crate::alerts::{Alert, AlertKind};
use crate::geo::{MapForm, MapFrame, MapPosition, Place};
use crate::http::assets;
use crate::http::reader_clock::ReaderClock;
use crate::text::quantity;

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

/// The most places that the caption lists unfolded.
const MAX_PLACES: usize = 8;
/// The most places that it lists at all; the others are counted.
const MAX_LISTED: usize = 50;
/// The most places that the words of a dot name; the others are counted.
const MAX_DESCRIBED: usize = 5;
/// The class of a dot where somebody else may be.
const ALARMING: &str = "dot alarming";

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
    /// The dots, in the order of their devices.
    pub dots: Vec<Dot>,
    /// What it is, for those who don't see it.
    pub label: String,
    /// Whether devices can be selected on its page: then they go along to the list of a place.
    pub is_selectable: bool,
}

/// A dot on the map.
pub struct Dot {
    /// The distance from the left edge, in percent.
    pub x: String,
    /// The distance from the upper edge, in percent.
    pub y: String,
    /// What it stands for, in words.
    pub words: String,
    /// The places there that the caption lists.
    pub places: Vec<PlaceView>,
    /// Where the dot leads, if anywhere.
    pub link: Option<String>,
    /// The class of its colour.
    pub class: &'static str,
    /// How a label beside it is placed: the value of `text-anchor`, and the distance downwards.
    pub anchor: &'static str,
    /// See [`Dot::anchor`].
    pub down: &'static str,
}

impl MapView {
    /// Returns a map of these devices; `None` if the position of none is known.
    pub fn new(devices: impl IntoIterator<Item = (Place, DotDevice)>) -> Option<Self> {
        let located: Vec<_> = devices
            .into_iter()
            .filter_map(|(place, device)| {
                let name = place.display_name()?;
                let point = place.point?;
                Some((point, (name, point, device)))
            })
            .collect();
        let points: Vec<_> = located.iter().map(|(point, _)| *point).collect();
        let frame = MapFrame::around(&points, WIDE)?;
        let mut dots = Vec::new();
        let mut numbers = 1..=MAX_LISTED;
        for (position, there) in frame.cluster(located) {
            let mut places = PlaceView::list(there);
            for place in &mut places {
                place.number = numbers.next();
            }
            let is_here = places
                .iter()
                .any(|place| place.devices.iter().any(|it| it.is_here));
            dots.push(Dot {
                class: if is_here { "dot here" } else { "dot" },
                places,
                ..Dot::at(position)
            });
        }
        tell_apart(dots.iter_mut().flat_map(|dot| &mut dot.places).collect());
        let mut map = Self::of(&frame, dots);
        map.label = format!("A map with {}, listed below it", map.count_places());
        map.lead_to_rows(|_| false);
        Some(map)
    }

    /// Returns the number of places in words.
    fn count_places(&self) -> String {
        let places: usize = self.dots.iter().map(|dot| dot.places.len()).sum();
        quantity(places as u64, "place")
    }

    /// Returns the number of places in words, if the caption has so many that it is folded.
    pub fn folded(&self) -> Option<String> {
        let places: usize = self.dots.iter().map(|dot| dot.places.len()).sum();
        (places > MAX_PLACES).then(|| self.count_places())
    }

    /// Returns the number of places in words that are not listed, if there are any.
    pub fn unlisted(&self) -> Option<String> {
        let places = self.dots.iter().flat_map(|dot| &dot.places);
        match places.filter(|place| place.number.is_none()).count() {
            0 => None,
            1 => Some("and 1 more place".into()),
            n => Some(format!("and {n} more places")),
        }
    }

    /// Leads to the rows of devices that are on the page, by `is_listed`, instead of to their pages.
    pub fn lead_to_rows(&mut self, is_listed: impl Fn(&str) -> bool) {
        for (number, dot) in (1..).zip(&mut self.dots) {
            let places = dot.places.iter_mut();
            let devices = places.flat_map(|place| &mut place.devices);
            for device in devices.filter(|it| is_listed(&it.id)) {
                device.link = format!("#device-{}", device.id);
            }
            dot.link = dot.find_link(number);
        }
    }

    /// Links these devices to their places in the list below the map.
    pub fn link<'a>(&self, devices: impl Iterator<Item = &'a mut DeviceView>) {
        for device in devices {
            let is_here = |place: &&PlaceView| place.devices.iter().any(|it| it.id == device.id);
            let mut places = self.dots.iter().flat_map(|dot| &dot.places);
            let number = places.find(is_here).and_then(|place| place.number);
            device.on_map = number.map(|number| format!("#place-{number}"));
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
                words: label(&dot.words, before.at),
                ..dot
            }));
        }
        dots.extend(Dot::labelled(&frame, &here, ALARMING).map(|dot| Dot {
            link: alert.session_id.and_then(link),
            words: label(&dot.words, alert.at),
            ..dot
        }));
        let label = match dots.as_slice() {
            [before, here] if is_either => format!("A map: {} and {}", before.words, here.words),
            [before, here] => format!("A map: from {} to {}", before.words, here.words),
            [here] => format!("A map: {}", here.words),
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
            is_selectable: false,
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
    fn at(position: MapPosition) -> Self {
        Self {
            x: format!("{:.2}%", position.x),
            y: format!("{:.2}%", position.y),
            words: String::new(),
            places: Vec::new(),
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
            words: place.short_name()?.to_owned(),
            class,
            ..Self::at(frame.position(place.point?))
        })
    }

    /// Returns where the dot with that number leads: to its only device, else to its only place in the
    /// caption, else to all of these.
    fn find_link(&self, number: usize) -> Option<String> {
        let first = self.places.first()?;
        Some(match (self.places.as_slice(), first.devices.as_slice()) {
            ([_], [device]) => device.link.clone(),
            _ if first.number.is_none() => first.search(),
            ([_], _) => first
                .number
                .map_or_else(String::new, |n| format!("#place-{n}")),
            _ => format!("#dot-{number}"),
        })
    }

    /// Returns whether the caption lists any of its places.
    pub fn is_listed(&self) -> bool {
        self.places.iter().any(|place| place.number.is_some())
    }

    /// Returns what it stands for: "Lyon, France: Safari on iPhone; Geneva, Switzerland: Old tablet". Of many
    /// places it names the first ones.
    pub fn describe(&self) -> String {
        let named = self.places.iter().take(MAX_DESCRIBED);
        let mut parts: Vec<String> = named.map(PlaceView::describe).collect();
        match self.places.len().saturating_sub(MAX_DESCRIBED) {
            0 => {}
            1 => parts.push("and 1 more place".into()),
            n => parts.push(format!("and {n} more places")),
        }
        parts.join("; ")
    }
}
