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

    /// Returns its city, else its country.
    #[must_use]
    pub fn short_name(&self) -> Option<&str> {
        self.city.as_deref().or(self.country.as_deref())
    }

    /// Returns the place as that of a device: "near Lyon, France" where a city is known, else "in
    /// France".
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        let name = self.display_name()?;
        Some(match self.city {
            Some(_) => format!("near {name}"),
            None => format!("in {}", with_article(&name)),
        })
    }

    /// Returns its country for a sentence: "Norway", "the United States".
    #[must_use]
    pub fn country_in_sentence(&self) -> Option<String> {
        self.country.as_deref().map(with_article)
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

/// Returns the English name of a country with its article, if it has one.
fn with_article(country: &str) -> String {
    const WITH_ARTICLE: [&str; 7] = [
        "Bahamas",
        "Comoros",
        "Gambia",
        "Maldives",
        "Netherlands",
        "Philippines",
        "Seychelles",
    ];

    let has_article = country.starts_with("United ")
        || country.ends_with(" Republic")
        || country.ends_with(" Islands")
        || WITH_ARTICLE.contains(&country);
    match has_article {
        true => format!("the {country}"),
        false => country.to_owned(),
    }
}
