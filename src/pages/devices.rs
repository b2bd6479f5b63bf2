//! `/devices`: **Your devices**.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::map::MapView;
use super::notices;
use super::settings_card::{SettingsPage, SettingsView};
use super::views::{
    AdminActView, AlertView, DeviceNames, DeviceView, EndedSessionView, ImpossibleTravels, Reader,
};
use super::words;
use crate::account::Attention;
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::events::{self, Event, EventKind};
use crate::geo::Place;
use crate::http::app_state::AppState;
use crate::http::caller::{OpenAlerts, PageCaller};
use crate::http::layout::{Layout, NavItem, describe_attention, page};
use crate::sessions::{Caller, HistoryPage, Session};

/// Alerts shown at once, oldest first: later alerts must not displace the first one.
const MAX_ALERTS: usize = 20;
/// Ended sessions on one page.
const MAX_ENDED: u32 = 10;
/// The time without use after which a review of a device is suggested: 90 days.
const LONG_UNUSED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

#[derive(Template)]
#[template(path = "pages/devices.html")]
struct DevicesPage {
    layout: Layout,
    /// When the page was rendered, in microseconds since the Unix epoch: the script requests
    /// changes since then.
    made_at: i64,
    summary: String,
    notice: Option<String>,
    /// Whether to offer further steps after an alert was reported.
    offers_more: bool,
    alerts: Vec<AlertView>,
    /// What administrators did.
    acts: Vec<AdminActView>,
    may_dismiss: bool,
    this: DeviceView,
    others: Vec<DeviceView>,
    map: Option<MapView>,
    /// The number of other devices: "4 other devices".
    others_label: String,
    /// The suggestion of a review: "2 devices have not been used for 90 days."
    long_unused: Option<LongUnused>,
    ended: Vec<EndedSessionView>,
    /// The URL of earlier ended sessions, if there are more.
    older: Option<String>,
    settings: SettingsView,
}

struct LongUnused {
    words: String,
    /// The id of the first of them on the page.
    first: String,
}

/// The query of `GET /devices`.
#[derive(Deserialize)]
pub struct DevicesQuery {
    /// The cursor at which the list of ended sessions continues.
    ended: Option<String>,
}

/// Shows the page.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the cursor is not valid;
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    web::Query(query): web::Query<DevicesQuery>,
) -> Result<HttpResponse> {
    let owner = caller.user.id;
    let made_at = app.clock.now().timestamp_micros();
    let live = app.sessions.list_live(owner).await?;
    let after = query.ended.as_deref().map(str::parse).transpose()?;
    let HistoryPage {
        sessions: ended,
        next,
    } = app.sessions.list_ended(owner, after, MAX_ENDED).await?;
    let notice = notices::take(&app, &request, Some(&caller)).await?;
    let travels = travels(&app, &live).await?;
    let stated = app.sessions.list_stated_reasons(owner, &ended).await?;

    let reader = Reader::new(&app, &request, &caller)?;
    let names = DeviceNames::new(live.iter().chain(&ended));
    let attention = attention(&request);
    let devices = group_by_device(live);
    let map = MapView::new(places(&devices, &caller, &reader));
    let (this, others) = views(&devices, &caller, &travels, &reader);
    let template = DevicesPage {
        layout: Layout::for_caller(&request, &caller, NavItem::Devices)?,
        made_at,
        settings: SettingsView::new(&app, &caller.user, SettingsPage::Devices),
        summary: summary(others.len(), attention.count()),
        offers_more: notice.offers_more,
        notice: notice.words,
        alerts: attention
            .alerts
            .iter()
            .rev()
            .take(MAX_ALERTS)
            .map(|alert| AlertView::new(alert, &reader))
            .collect(),
        acts: attention
            .notices
            .iter()
            .take(MAX_ALERTS)
            .map(|notice| AdminActView::new(notice, reader.clock))
            .collect(),
        may_dismiss: attention.may_dismiss,
        this,
        map,
        others_label: others_label(others.len()),
        long_unused: long_unused(&app, &devices, &caller),
        others,
        older: next.map(|next| format!("/devices?ended={}#ended", next.encode())),
        ended: ended
            .iter()
            .map(|session| {
                EndedSessionView::new(session, &names, reader.clock)
                    .with_stated_reason(session, stated.get(&session.id))
            })
            .collect(),
    };
    page(StatusCode::OK, &template)
}

/// Returns the alerts and notices that [`PageCaller`] stored in the request.
fn attention(request: &HttpRequest) -> Rc<Attention> {
    let extensions = request.extensions();
    let found = extensions.get::<OpenAlerts>();
    found.map_or_else(Rc::default, |OpenAlerts(attention)| attention.clone())
}

/// Returns the device that the page is read on, and the others.
fn views(
    devices: &[DeviceGroup<Session>],
    caller: &Caller,
    travels: &ImpossibleTravels,
    reader: &Reader,
) -> (DeviceView, Vec<DeviceView>) {
    let current = caller.session.id;
    let used = caller.session.clone().with_use_at(reader.clock.now);
    let mut this = DeviceView::new(&used, reader);
    let mut others = Vec::new();
    for device in devices {
        let view = |shown| {
            DeviceView::for_device(device, shown, current, reader).with_travel(device, travels)
        };
        match device.contains(current) {
            true => this = view(&used),
            false => others.push(view(device.first())),
        }
    }
    (this, others)
}

/// Returns the place and name of each device, in the reader's language. The device that the page is
/// read on comes first.
fn places(
    devices: &[DeviceGroup<Session>],
    caller: &Caller,
    reader: &Reader,
) -> Vec<(Place, String)> {
    let located = |session: &Session, name| {
        let ip = session.ip_address.as_deref();
        (reader.place(ip, session.place()), name)
    };
    let this = located(&caller.session, "This device".to_owned());
    let others = devices
        .iter()
        .filter(|device| !device.contains(caller.session.id))
        .map(|device| located(device.first(), device.first().display_name()));
    std::iter::once(this).chain(others).collect()
}

/// Returns the impossible travels recorded for these sessions.
async fn travels(app: &AppState, live: &[Session]) -> Result<ImpossibleTravels> {
    const KIND: EventKind = EventKind::ImpossibleTravel;

    let travelled = || live.iter().filter(|session| session.has_impossible_travel);
    let Some(first) = travelled().next() else {
        return Ok(ImpossibleTravels(HashMap::new()));
    };
    let ids = travelled().map(|session| session.id).collect();
    let events = events::list_by_kind(&app.db, first.user_id, ids, KIND).await?;
    let travel = |event: Event| Some((event.session_id?, event.detail?));
    Ok(ImpossibleTravels(
        events.into_iter().filter_map(travel).collect(),
    ))
}

fn summary(others: usize, alerts: usize) -> String {
    let attention = describe_attention(alerts);
    match (others, attention) {
        (0, None) => "You are signed in only here.".into(),
        (0, Some(attention)) => format!("You are signed in only here. {attention}"),
        (n, attention) => format!(
            "You are signed in on {}. {}",
            words::devices(n + 1),
            attention.unwrap_or_else(|| "Nothing needs your attention.".into())
        ),
    }
}

fn others_label(others: usize) -> String {
    match others {
        1 => "1 other device".into(),
        n => format!("{n} other devices"),
    }
}

fn long_unused(
    app: &AppState,
    devices: &[DeviceGroup<Session>],
    caller: &Caller,
) -> Option<LongUnused> {
    let before = app.clock.now() - LONG_UNUSED;
    let unused: Vec<_> = devices
        .iter()
        .filter(|device| !device.contains(caller.session.id))
        .map(DeviceGroup::first)
        .filter(|session| session.last_used_at < before)
        .collect();
    let words = match unused.len() {
        1 => "1 device has not been used for 90 days.".into(),
        n => format!("{n} devices have not been used for 90 days."),
    };
    Some(LongUnused {
        words,
        first: unused.first()?.id.to_string(),
    })
}
