//! Countries by their ISO 3166-1 alpha-2 codes, with their English names and middle points.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::point::Point;

/// A line per country: code, name, and its middle's degrees north and east, separated by tabs.
const COUNTRIES: &str = include_str!("countries.tsv");

/// A country.
#[derive(Debug, Clone, Copy)]
pub(super) struct Country {
    pub(super) name: &'static str,
    /// The point that stands for the whole country.
    pub(super) middle: Option<Point>,
}

/// Finds the country with that ISO 3166-1 alpha-2 code, in upper or lower case.
pub(super) fn find_country(code: &str) -> Option<Country> {
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

/// Returns the English name of the country with that ISO 3166-1 alpha-2 code, in upper or lower case.
#[must_use]
pub fn country_name(code: &str) -> Option<&'static str> {
    find_country(code).map(|country| country.name)
}

/// Returns the English names of all countries, in alphabetical order.
#[must_use]
pub fn country_names() -> Vec<&'static str> {
    let names = COUNTRIES.lines().filter_map(|line| line.split('\t').nth(1));
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_name_and_a_middle() {
        let countries: Vec<_> = COUNTRIES
            .lines()
            .map(|line| find_country(line.split('\t').next().unwrap()).expect(line))
            .collect();
        assert!(countries.len() > 240, "only {}", countries.len());
        assert!(countries.iter().all(|country| country.middle.is_some()));
        assert_eq!(find_country("fr").unwrap().name, "France");
        assert!(find_country("XX").is_none());
    }
}
