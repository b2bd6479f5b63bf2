//! Where an address is: a city and a country by their English names, and a point on the globe.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use super::address::AddressKeeping;

/// Characters a name may have.
const NAME_LIMIT: usize = 100;
const EARTH_RADIUS_KM: f64 = 6_371.0;

/// ISO 3166-1 codes with names and the middles of the countries.
const COUNTRIES: &str = include_str!("countries.tsv");

/// A place, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// "Lyon".
    pub city: Option<String>,
    /// "France".
    pub country: Option<String>,
    /// Where it is; the country's middle where no city is known.
    pub point: Option<Point>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Location {
    /// The address in canonical text.
    pub ip: Option<String>,
    /// Where that is.
    pub place: Place,
}

/// A point on the globe. As text it is what ISO 6709 has: `+45.75+004.85/`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Degrees north.
    latitude: f64,
    /// Degrees east.
    longitude: f64,
}

/// A country by its code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Country {
    pub(super) name: &'static str,
    pub(super) middle: Option<Point>,
}

impl Place {
    /// A place made of names from outside.
    pub(super) fn new(city: Option<&str>, country: Option<&str>, point: Option<Point>) -> Self {
        let name = |text: &str| {
            let cleaned = crate::text::clean(text);
            Some(crate::text::cut(&cleaned, NAME_LIMIT).to_owned()).filter(|name| !name.is_empty())
        };
        Self {
            city: city.and_then(name),
            country: country.and_then(name),
            point,
        }
    }

    /// A country of which the code is told, and perhaps a city of it.
    pub(super) fn of_code(code: &str, city: Option<&str>) -> Self {
        country(code).map_or_else(Self::default, |country| {
            Self::new(city, Some(country.name), country.middle)
        })
    }

    /// "Lyon, France", "France", nothing.
    pub fn in_words(&self) -> Option<String> {
        match (&self.city, &self.country) {
            (Some(city), Some(country)) => Some(format!("{city}, {country}")),
            (Some(name), None) | (None, Some(name)) => Some(name.clone()),
            (None, None) => None,
        }
    }
}

impl Location {
    /// Of the address as much as its owner wants kept.
    pub fn kept(self, keeping: AddressKeeping) -> Self {
        Self {
            ip: self.ip.and_then(|ip| keeping.keep(&ip)),
            ..self
        }
    }
}

impl Point {
    /// A point on the globe; none outside of it.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let is_on_globe = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        is_on_globe.then_some(Self {
            latitude,
            longitude,
        })
    }

    /// Degrees north, -90 to 90.
    pub fn latitude(self) -> f64 {
        self.latitude
    }

    /// Degrees east, -180 to 180.
    pub fn longitude(self) -> f64 {
        self.longitude
    }

    /// The way over ground in kilometres (haversine formula).
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

/// The country with that ISO 3166-1 code.
pub(super) fn country(code: &str) -> Option<Country> {
    static BY_CODE: LazyLock<HashMap<&str, Country>> = LazyLock::new(|| {
        let country = |line: &'static str| {
            let mut fields = line.split('\t');
            let (code, name) = (fields.next()?, fields.next()?);
            let mut degrees = || fields.next().and_then(|field| field.parse().ok());
            let middle = degrees().zip(degrees());
            let middle = middle.and_then(|(north, east)| Point::new(north, east));
            Some((code, Country { name, middle }))
        };
        COUNTRIES.lines().filter_map(country).collect()
    });
    BY_CODE
        .get(code.trim().to_ascii_uppercase().as_str())
        .copied()
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

    #[test]
    fn every_country_has_a_name_and_a_middle() {
        let countries: Vec<_> = COUNTRIES
            .lines()
            .map(|line| country(line.split('\t').next().unwrap()).expect(line))
            .collect();
        assert!(countries.len() > 240, "only {}", countries.len());
        assert!(countries.iter().all(|country| country.middle.is_some()));
        assert_eq!(country("fr").unwrap().name, "France");
        assert!(country("XX").is_none());
    }
}
