//! A small map of the world with a dot for each place where devices are. Its caption lists the
//! places as text.

use crate::geo::{MapPosition, Place, cluster};
use crate::http::assets;

/// The map, as a page shows it.
pub struct MapView {
    /// The URL of the outlines of the land.
    pub land: String,
    /// The places, in the order of their devices.
    pub dots: Vec<Dot>,
}

/// A place on the map.
pub struct Dot {
    /// The distance from the left edge, in degrees: the unit of the map.
    pub x: String,
    /// The distance from the upper edge, in degrees.
    pub y: String,
    /// The place's name: "Lyon, France".
    pub place: String,
    /// The names of the devices: "This device, Safari on iPhone".
    pub devices: String,
    /// Whether the device that the page is read on is there.
    pub is_here: bool,
}

/// A device at a known place.
struct Located {
    place: String,
    device: String,
    is_first: bool,
}

impl MapView {
    /// Returns a map of these devices, where the first is the one that the page is read on; `None`
    /// if the position of none is known.
    pub fn new(devices: impl IntoIterator<Item = (Place, String)>) -> Option<Self> {
        let located = devices
            .into_iter()
            .enumerate()
            .filter_map(|(index, (place, device))| {
                let located = Located {
                    place: place.display_name()?,
                    device,
                    is_first: index == 0,
                };
                Some((place.point?, located))
            });
        let dots: Vec<Dot> = cluster(located)
            .into_iter()
            .filter_map(|(position, devices)| Dot::new(position, &devices))
            .collect();
        (!dots.is_empty()).then(|| Self {
            land: assets::url("world.svg"),
            dots,
        })
    }
}

impl Dot {
    fn new(position: MapPosition, located: &[Located]) -> Option<Self> {
        let devices: Vec<&str> = located.iter().map(|at| at.device.as_str()).collect();
        Some(Self {
            x: format!("{:.1}", position.x()),
            y: format!("{:.1}", position.y()),
            place: located.first()?.place.clone(),
            devices: devices.join(", "),
            is_here: located.iter().any(|at| at.is_first),
        })
    }
}
