//! The data of a map of the world: the positions of points on it, with nearby points joined.

use super::point::Point;

/// Points closer to each other than this, in degrees of latitude and of longitude, share a
/// position.
const JOIN_DEGREES: f64 = 1.5;
/// The map's upper edge, in degrees north.
const TOP_LATITUDE: f64 = 84.0;

/// A position on the map, an equirectangular projection whose unit is a degree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapPosition {
    point: Point,
}

impl MapPosition {
    /// Returns the distance from the left edge, in degrees.
    #[must_use]
    pub fn x(self) -> f64 {
        self.point.longitude() + 180.0
    }

    /// Returns the distance from the upper edge, in degrees.
    #[must_use]
    pub fn y(self) -> f64 {
        TOP_LATITUDE - self.point.latitude()
    }

    fn is_near(self, point: Point) -> bool {
        (self.point.latitude() - point.latitude()).abs() < JOIN_DEGREES
            && (self.point.longitude() - point.longitude()).abs() < JOIN_DEGREES
    }
}

/// Groups `items` by their position on the map, in the order of the first item at each.
pub fn cluster<T>(items: impl IntoIterator<Item = (Point, T)>) -> Vec<(MapPosition, Vec<T>)> {
    let mut positions: Vec<(MapPosition, Vec<T>)> = Vec::new();
    for (point, item) in items {
        let near = |(position, _): &&mut (MapPosition, Vec<T>)| position.is_near(point);
        match positions.iter_mut().find(near) {
            Some((_, items)) => items.push(item),
            None => positions.push((MapPosition { point }, vec![item])),
        }
    }
    positions
}
