//! A place: a city and a country by their English names, and a point on the globe.

use super::country::find_country;
use super::point::Point;
use crate::text;

/// Characters a name may have.
const NAME_LIMIT: usize = 100;

/// A place, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    /// The city, such as "Lyon".
    pub city: Option<String>,
    /// The country, such as "France".
    pub country: Option<String>,
    /// Its point; the country's middle where no closer one is known.
    pub point: Option<Point>,
}

impl Place {
    /// Returns a place with untrusted names, cleaned and cut to 100 characters.
    pub(super) fn new(city: Option<&str>, country: Option<&str>, point: Option<Point>) -> Self {
        let name = |name: &str| {
            let cleaned = text::clean(name);
            Some(text::truncate_chars(&cleaned, NAME_LIMIT).to_owned())
                .filter(|name| !name.is_empty())
        };
        Self {
            city: city.and_then(name),
            country: country.and_then(name),
            point,
        }
    }

    /// Returns the place of a country by its code, with a city in it if there is one; an empty
    /// place for an unknown code. Its point is the country's middle.
    pub(super) fn from_country_code(code: &str, city: Option<&str>) -> Self {
        find_country(code).map_or_else(Self::default, |country| {
            Self::new(city, Some(country.name), country.middle)
        })
    }

    /// Returns the place for people: "Lyon, France", "France", or `None` where neither is known.
    #[must_use]
    pub fn display_name(&self) -> Option<String> {
        match (&self.city, &self.country) {
            (Some(city), Some(country)) => Some(format!("{city}, {country}")),
            (Some(name), None) | (None, Some(name)) => Some(name.clone()),
            (None, None) => None,
        }
    }
}
