//! The databases and the headers that places are found in.

use std::sync::Arc;

use crate::error::Chain;
use crate::geo::{EdgeHeaders, Places};
use crate::settings::PlaceSettings;

/// Opens the databases of places. A file that can't be used is logged, and doesn't prevent the
/// start.
pub(super) fn open(settings: &PlaceSettings) -> Arc<Places> {
    let places = Places::new(settings.files.clone());
    let (read, errors) = places.reload();
    if read > 0 {
        tracing::info!(files = read, "databases of places read");
    }
    for err in errors {
        tracing::error!(error = %Chain(&err), "places.files: a file can't be used; places stay unknown");
    }
    Arc::new(places)
}

/// Returns the headers in which a trusted proxy states a place.
pub(super) fn edge_headers(settings: &PlaceSettings) -> EdgeHeaders {
    EdgeHeaders {
        country: header_name(&settings.country_header),
        city: header_name(&settings.city_header),
    }
}

fn header_name(setting: &str) -> Option<String> {
    Some(setting.to_ascii_lowercase()).filter(|name| !name.is_empty())
}
