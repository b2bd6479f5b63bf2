//! A point on the globe, its text form, and the distance between points.

use std::fmt;
use std::str::FromStr;

const EARTH_RADIUS_KM: f64 = 6_371.0;

/// A point on the globe. Its text form is that of ISO 6709, to two decimals: `+45.75+004.85/`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Degrees north.
    latitude: f64,
    /// Degrees east.
    longitude: f64,
}

impl Point {
    /// Returns the point at `latitude`, -90 to 90, and `longitude`, -180 to 180; `None` outside of
    /// these.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_on_globe = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        is_on_globe.then_some(Self {
            latitude,
            longitude,
        })
    }

    /// Returns the degrees north, -90 to 90.
    #[must_use]
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Returns the degrees east, -180 to 180.
    #[must_use]
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// Returns the great-circle distance in kilometres (haversine formula).
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
        let across = half(self.longitude.to_radians(), other.longitude.to_radians());
        let chord = half(from, to) + from.cos() * to.cos() * across;
        2.0 * EARTH_RADIUS_KM * chord.sqrt().min(1.0).asin()
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+06.2}{:+07.2}/", self.latitude, self.longitude)
    }
}

impl FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let inside = text.strip_suffix('/')?;
            let second = inside.rfind(['+', '-']).filter(|at| *at > 0)?;
            let (latitude, longitude) = inside.split_at(second);
            Self::new(latitude.parse().ok()?, longitude.parse().ok()?)
        };
        parse().ok_or_else(|| format!("{text:?} is no point on the globe"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_the_same_after_it_was_text() {
        for (north, east, text) in [
            (45.75, 4.85, "+45.75+004.85/"),
            (-33.87, 151.21, "-33.87+151.21/"),
            (0.0, -0.13, "+00.00-000.13/"),
            (-89.99, -179.99, "-89.99-179.99/"),
        ] {
            let point = Point::new(north, east).unwrap();
            assert_eq!(point.to_string(), text);
            assert_eq!(text.parse(), Ok(point));
        }
        for text in ["", "/", "+45.75/", "+91.00+000.00/", "45.75 4.85", "+a+b/"] {
            assert!(text.parse::<Point>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn distances_are_as_they_are_flown() {
        let (lyon, sydney) = (Point::new(45.75, 4.85), Point::new(-33.87, 151.21));
        let km = lyon.unwrap().distance_km(sydney.unwrap());
        assert!((16_500.0..17_000.0).contains(&km), "{km}");
        assert!(lyon.unwrap().distance_km(lyon.unwrap()) < 0.001);
    }
}
