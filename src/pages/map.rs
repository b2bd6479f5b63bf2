//! A small map of the world with a dot for each place that devices are at. What it shows stands in
//! words beside it.

use crate::devices::{Place, Point};
use crate::http::assets;

/// Places nearer than this, in degrees, are one dot.
const NEAR: f64 = 1.5;
/// The map's upper edge, in degrees north.
const TOP: f64 = 84.0;

/// The map as the page shows it.
pub struct MapView {
    /// The outlines of the land.
    pub land: String,
    /// The places, in the order of their devices.
    pub dots: Vec<Dot>,
}

/// A place on the map.
pub struct Dot {
    /// From the left, in units of the map: degrees.
    pub x: String,
    /// From the top.
    pub y: String,
    /// "Lyon, France".
    pub place: String,
    /// "This device, Safari on iPhone".
    pub devices: String,
    /// Whether the device that looks is there.
    pub is_here: bool,
    point: Point,
}

impl MapView {
    /// A map of these devices, the one that looks first; none where no place is known.
    pub fn new(devices: impl IntoIterator<Item = (Place, String)>) -> Option<Self> {
        let mut dots: Vec<Dot> = Vec::new();
        for (at, (place, name)) in devices.into_iter().enumerate() {
            let (Some(point), Some(words)) = (place.point, place.in_words()) else {
                continue;
            };
            match dots.iter_mut().find(|dot| dot.is_near(point)) {
                Some(dot) => dot.devices = format!("{}, {name}", dot.devices),
                None => dots.push(Dot::new(point, words, name, at == 0)),
            }
        }
        (!dots.is_empty()).then(|| Self {
            land: assets::url("world.svg"),
            dots,
        })
    }
}

impl Dot {
    fn new(point: Point, place: String, devices: String, is_here: bool) -> Self {
        Self {
            x: format!("{:.1}", point.longitude() + 180.0),
            y: format!("{:.1}", TOP - point.latitude()),
            place,
            devices,
            is_here,
            point,
        }
    }

    fn is_near(&self, point: Point) -> bool {
        (self.point.latitude() - point.latitude()).abs() < NEAR
            && (self.point.longitude() - point.longitude()).abs() < NEAR
    }
}
