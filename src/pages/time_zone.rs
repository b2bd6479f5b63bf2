//! The setting on `/account` of the zone that the person reads times in.

use actix_web::HttpRequest;

use crate::clock::{OfferedZone, TimeZone, Timestamp};
use crate::error::{Error, Result};
use crate::http::app_state::app_state;
use crate::http::reader_clock::browser_zone;
use crate::people::User;
use crate::text;

/// The zones to choose from.
pub(super) struct TimeZoneField {
    /// The choice of the browser's zone, in words.
    pub(super) browser: String,
    /// The name of the zone that is stored; empty for the browser's.
    pub(super) shown: &'static str,
    /// Whether UTC is chosen.
    pub(super) is_utc: bool,
    /// The others, by region.
    pub(super) regions: Vec<Region>,
    /// Whether messages are sent, which use the zone, too.
    pub(super) sends_mail: bool,
}

/// The zones of a region.
pub(super) struct Region {
    pub(super) name: &'static str,
    pub(super) zones: Vec<ZoneChoice>,
}

/// A zone, in words.
pub(super) struct ZoneChoice {
    pub(super) name: &'static str,
    pub(super) words: String,
    pub(super) is_chosen: bool,
}

/// Returns the zone of that name, if it is one to choose.
///
/// # Errors
/// [`Error::Invalid`] when it is none.
pub(super) fn get_offered(name: &str) -> Result<TimeZone> {
    let offered = TimeZone::offered().map(|offered| offered.zone);
    [TimeZone::UTC]
        .into_iter()
        .chain(offered)
        .find(|zone| zone.name() == name)
        .ok_or_else(|| Error::field("time_zone", "must be a time zone of the list"))
}

impl TimeZoneField {
    /// Returns the field with what `user` chose, in this browser. A zone that is an alias is shown as the
    /// one that it stands for.
    ///
    /// # Errors
    /// [`Error::Internal`] when the server was assembled without its state.
    pub(super) fn new(request: &HttpRequest, user: &User) -> Result<Self> {
        let app = app_state(request)?;
        let now = app.clock.now();
        let chosen = user.time_zone().map(TimeZone::canonical);
        Ok(Self {
            browser: describe_browser(browser_zone(request), now),
            shown: user.time_zone().map_or("", TimeZone::name),
            is_utc: chosen == Some(TimeZone::UTC),
            regions: regions(chosen, now),
            sends_mail: app.accounts.sends_mail(),
        })
    }
}

fn describe_browser(zone: Option<TimeZone>, now: Timestamp) -> String {
    match zone {
        Some(zone) => format!("My browser’s time zone: {}", zone.describe(now)),
        None => "My browser’s time zone, which is not known: UTC".into(),
    }
}

/// Returns the zones that are offered, in the order of their names.
fn regions(chosen: Option<TimeZone>, now: Timestamp) -> Vec<Region> {
    let mut offered: Vec<&OfferedZone> = TimeZone::offered().collect();
    offered.sort_by_cached_key(|zone| (zone.region, text::plain(&zone.place).to_lowercase()));
    let regions = offered.chunk_by(|a, b| a.region == b.region);
    let region = |zones: &[&OfferedZone]| Region {
        name: zones.first().map_or("", |zone| zone.region),
        zones: zones.iter().map(|it| choice(it, chosen, now)).collect(),
    };
    regions.map(region).collect()
}

fn choice(offered: &OfferedZone, chosen: Option<TimeZone>, now: Timestamp) -> ZoneChoice {
    ZoneChoice {
        name: offered.zone.name(),
        words: format!("{} ({})", offered.place, offered.zone.offset(now)),
        is_chosen: chosen == Some(offered.zone),
    }
}
