//! The time zone on `/account`: in which one the person reads times.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::account::to_account;
use crate::clock::TimeZone;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::notice::AccountNotice;
use crate::http::reader_clock::browser_zone;
use crate::people::User;

/// The form of `POST /account/time-zone`.
#[derive(Deserialize)]
pub struct TimeZoneForm {
    /// Empty for the zone of the browser.
    time_zone: String,
}

/// The zones to choose from.
pub(super) struct TimeZoneField {
    /// The zone of the browser, in words.
    pub(super) browser: &'static str,
    /// Whether UTC is chosen.
    pub(super) is_utc: bool,
    /// The others, by region.
    pub(super) regions: Vec<Region>,
}

/// The zones of a region.
pub(super) struct Region {
    pub(super) name: &'static str,
    pub(super) zones: Vec<ZoneChoice>,
}

/// A zone, with the city that names it.
pub(super) struct ZoneChoice {
    pub(super) name: &'static str,
    pub(super) city: String,
    pub(super) is_chosen: bool,
}

/// Updates the zone that the person reads times in.
///
/// # Errors
/// [`Error::Invalid`] when there is no such zone to choose.
pub async fn update(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<TimeZoneForm>,
) -> Result<HttpResponse> {
    let zone = match form.time_zone.as_str() {
        "" => None,
        name => Some(get_offered(name)?),
    };
    app.accounts
        .update_time_zone(caller.user.id, zone, caller.origin())
        .await?;
    Ok(to_account(
        &request,
        &caller,
        AccountNotice::TimeZoneUpdated,
    ))
}

fn get_offered(name: &str) -> Result<TimeZone> {
    TimeZone::offered()
        .map(|(zone, ..)| zone)
        .find(|zone| zone.name() == name)
        .ok_or_else(|| Error::field("time_zone", "must be one of the zones to choose from"))
}

impl TimeZoneField {
    /// Returns the field with what `user` chose, in this browser.
    pub(super) fn new(request: &HttpRequest, user: &User) -> Self {
        let chosen = user.time_zone();
        let mut regions: Vec<Region> = Vec::new();
        for (zone, region, city) in TimeZone::offered().filter(|(_, region, _)| !region.is_empty())
        {
            let choice = ZoneChoice {
                name: zone.name(),
                city: city.replace('_', " "),
                is_chosen: chosen == Some(zone),
            };
            match regions.last_mut().filter(|last| last.name == region) {
                Some(last) => last.zones.push(choice),
                None => regions.push(Region {
                    name: region,
                    zones: vec![choice],
                }),
            }
        }
        Self {
            browser: browser_zone(request).map_or("not known: UTC", TimeZone::name),
            is_utc: chosen == Some(TimeZone::UTC),
            regions,
        }
    }
}
