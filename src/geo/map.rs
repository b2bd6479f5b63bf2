//! The data of a map: the part of the world around some points, and their positions on it, with
//! nearby points joined.

use super::point::Point;

/// The map's upper edge, in degrees north, and its height.
const TOP_LATITUDE: f64 = 84.0;
const WORLD_HEIGHT: f64 = 142.0;
const WORLD_WIDTH: f64 = 360.0;
/// Points closer to each other than this part of the map's width share a position: their dots would
/// overlap, which are 14 pixels on a map that is 400 pixels wide or wider, and 10 on a narrower one.
const JOIN: f64 = 0.035;
/// What is shown around the points: a part of their span, and degrees.
const PADDING: f64 = 0.4;
const PADDING_DEGREES: f64 = 6.0;

/// The form of a map.
#[derive(Debug, Clone, Copy)]
pub struct MapForm {
    /// Its width divided by its height.
    pub aspect: f64,
    /// The least width, in degrees.
    pub min_width: f64,
}

/// The part of the world that a map shows, an equirectangular projection whose unit is a degree. It
/// may extend beyond 180 degrees east: points on both sides of that are close to each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapFrame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// A position on a map, in percent of its width from the left, and of its height from above.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapPosition {
    /// From the left edge.
    pub x: f64,
    /// From the upper edge.
    pub y: f64,
}

impl MapFrame {
    /// Returns the frame around `points`; `None` without any.
    #[must_use]
    pub fn around(points: &[Point], form: MapForm) -> Option<Self> {
        let (west, span) = arc(points)?;
        let ys = || points.iter().map(|point| y(*point));
        let (top, bottom) = (ys().reduce(f64::min)?, ys().reduce(f64::max)?);
        let padded = |span: f64| span * (1.0 + PADDING) + PADDING_DEGREES;
        let width = padded(span)
            .max(padded(bottom - top) * form.aspect)
            .clamp(form.min_width, WORLD_WIDTH);
        let height = width / form.aspect;
        let middle = f64::midpoint(top, bottom);
        let top = match height < WORLD_HEIGHT {
            true => (middle - height / 2.0).clamp(0.0, WORLD_HEIGHT - height),
            false => (WORLD_HEIGHT - height) / 2.0,
        };
        Some(Self {
            left: west + span / 2.0 - width / 2.0,
            top,
            width,
            height,
        })
    }

    /// Returns the position of a point on the map.
    #[must_use]
    pub fn position(&self, point: Point) -> MapPosition {
        let from_left = (x(point) - self.left).rem_euclid(WORLD_WIDTH);
        MapPosition {
            x: 100.0 * from_left / self.width,
            y: 100.0 * (y(point) - self.top) / self.height,
        }
    }

    /// Returns the frame as the `viewBox` of an SVG image.
    #[must_use]
    pub fn view_box(&self) -> String {
        let Self {
            left,
            top,
            width,
            height,
        } = self;
        format!("{left:.2} {top:.2} {width:.2} {height:.2}")
    }

    /// Lists where worlds begin, in degrees from the left, that are side by side in the frame.
    #[must_use]
    pub fn worlds(&self) -> Vec<f64> {
        let right = self.left + self.width;
        [-WORLD_WIDTH, 0.0, WORLD_WIDTH]
            .into_iter()
            .filter(|begin| *begin < right && begin + WORLD_WIDTH > self.left)
            .collect()
    }

    fn is_near(&self, a: Point, b: Point) -> bool {
        let (a, b) = (self.position(a), self.position(b));
        let (dx, dy) = (
            (a.x - b.x) / 100.0,
            (a.y - b.y) / 100.0 * self.height / self.width,
        );
        dx.hypot(dy) < JOIN
    }

    /// Groups `items` by their position on the map, in the order of the first item at each.
    pub fn cluster<T>(
        &self,
        items: impl IntoIterator<Item = (Point, T)>,
    ) -> Vec<(MapPosition, Vec<T>)> {
        let mut places: Vec<(Point, Vec<T>)> = Vec::new();
        for (point, item) in items {
            let near = |(place, _): &&mut (Point, Vec<T>)| self.is_near(*place, point);
            match places.iter_mut().find(near) {
                Some((_, items)) => items.push(item),
                None => places.push((point, vec![item])),
            }
        }
        let position = |(point, items)| (self.position(point), items);
        places.into_iter().map(position).collect()
    }
}

/// Returns the distance from the meridian of 180 degrees, in degrees to the east.
fn x(point: Point) -> f64 {
    point.longitude() + 180.0
}

/// Returns the distance from the upper edge of the world, in degrees. Nobody lives beyond its edges.
fn y(point: Point) -> f64 {
    (TOP_LATITUDE - point.latitude()).clamp(0.0, WORLD_HEIGHT)
}

/// Returns the western end and the length of the shortest arc with all points, in degrees.
fn arc(points: &[Point]) -> Option<(f64, f64)> {
    let mut xs: Vec<f64> = points.iter().map(|point| x(*point)).collect();
    xs.sort_by(f64::total_cmp);
    let (first, last) = (*xs.first()?, *xs.last()?);
    let mut best = (first, last - first);
    for pair in xs.windows(2) {
        let [before, after] = pair else { continue };
        let length = WORLD_WIDTH - (after - before);
        if length < best.1 {
            best = (*after, length);
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: MapForm = MapForm {
        aspect: 2.0,
        min_width: 24.0,
    };

    fn point(north: f64, east: f64) -> Point {
        Point::new(north, east).unwrap()
    }

    fn is_inside(frame: &MapFrame, point: Point) -> bool {
        let MapPosition { x, y } = frame.position(point);
        (3.0..=97.0).contains(&x) && (-0.1..=100.1).contains(&y)
    }

    #[test]
    fn every_point_is_within_the_frame_around_them() {
        let (lisbon, oslo) = (point(38.72, -9.14), point(59.91, 10.75));
        let (tokyo, honolulu) = (point(35.7, 139.7), point(21.3, -157.9));
        let (tromso, ushuaia) = (point(69.6, 18.9), point(-54.8, -68.3));
        for points in [
            vec![lisbon],
            vec![lisbon, oslo],
            vec![tokyo, honolulu],
            vec![tromso, ushuaia],
            vec![point(90.0, 0.0), point(-90.0, 179.0)],
            vec![lisbon, oslo, tokyo, honolulu, tromso, ushuaia],
        ] {
            let frame = MapFrame::around(&points, FORM).unwrap();
            for point in &points {
                assert!(is_inside(&frame, *point), "{point} in {frame:?}");
            }
        }
        assert!(MapFrame::around(&[], FORM).is_none());
    }

    #[test]
    fn the_frame_crosses_the_date_line_where_that_is_shorter() {
        let (suva, apia) = (point(-18.1, 178.4), point(-13.8, -171.8));
        let frame = MapFrame::around(&[suva, apia], FORM).unwrap();
        assert!(frame.width < 40.0, "{frame:?}");
        assert!(frame.position(suva).x < frame.position(apia).x);
        assert_eq!(frame.worlds(), [0.0, 360.0]);
    }

    #[test]
    fn points_are_joined_by_their_distance_on_the_map() {
        let (lisbon, porto, oslo) = (
            point(38.72, -9.14),
            point(41.15, -8.61),
            point(59.91, 10.75),
        );
        let joined = |points: &[Point]| {
            let frame = MapFrame::around(points, FORM).unwrap();
            frame.cluster(points.iter().map(|at| (*at, ()))).len()
        };
        assert_eq!(joined(&[lisbon, porto]), 2, "close, but the map is, too");
        let sydney = point(-33.9, 151.2);
        assert_eq!(joined(&[lisbon, porto, oslo, sydney]), 3);
        // On a map of the whole world these are 15 pixels apart on a desktop.
        let (lyon, anchorage) = (point(45.76, 4.84), point(61.2, -149.9));
        assert_eq!(joined(&[lisbon, lyon, sydney, anchorage]), 4);
    }
}
