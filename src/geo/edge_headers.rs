//! The headers in which a proxy at the network's edge states the place of a client.

use super::place::Place;

/// The names of the headers. They are used only on requests from a trusted proxy.
#[derive(Debug, Clone, Default)]
pub struct EdgeHeaders {
    /// The header with the country's ISO 3166-1 alpha-2 code.
    pub country: Option<String>,
    /// The header with the city's name.
    pub city: Option<String>,
}

impl EdgeHeaders {
    /// Returns the place that the headers state; empty without a known country code. `header`
    /// returns the value of a header by its name.
    #[must_use]
    pub fn place(&self, header: impl Fn(&str) -> Option<String>) -> Place {
        let value = |name: &Option<String>| name.as_deref().and_then(&header);
        value(&self.country)
            .map(|code| Place::from_country_code(&code, value(&self.city).as_deref()))
            .unwrap_or_default()
    }
}
