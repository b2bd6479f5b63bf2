//! `/devices`: **Your devices**.

use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::alert_views::AlertView;
use super::device_list::DeviceList;
use super::device_views::{DeviceNames, DeviceView, ImpossibleTravels};
use super::devices_query::DevicesQuery;
use super::ended_views::{EndReasons, EndedItem, EndedList, MAX_ENDED};
use super::map::{DotDevice, MapView};
use super::narrowing::{ListedDevice, Narrowing, Selection, UNUSED_DAYS, selected_ids};
use super::notices;
use super::settings_card::{SettingsPage, SettingsView};
use super::steps_view::StepsView;
use super::travels;
use super::used_applications::{FEW, UsedApplications};
use super::views::{AdminActView, Reader};
use super::words;
use crate::account::{AfterReport, AlertDetails, Attention, Withheld};
use crate::db::{SessionId, UserId};
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::geo::Place;
use crate::http::app_state::AppState;
use crate::http::caller::{OpenAlerts, PageCaller};
use crate::http::layout::{Layout, NavItem, describe_attention, page, see_other};
use crate::http::page_query::PageQuery;
use crate::sessions::{Caller, HistoryCursor, HistoryPage, Session};

/// Alerts shown at once, oldest first: later alerts must not displace the first one.
const MAX_ALERTS: usize = 20;

#[derive(Template)]
#[template(path = "pages/devices.html")]
struct DevicesPage {
    layout: Layout,
    summary: String,
    notice: Option<String>,
    /// What leads from the notice to the devices that are still signed in, if it says so.
    others_left: Option<String>,
    /// The steps that are left after an alert was reported.
    steps: Option<StepsView>,
    alerts: Vec<AlertView>,
    /// What administrators did.
    acts: Vec<AdminActView>,
    may_dismiss: bool,
    this: DeviceView,
    others: DeviceList,
    /// The days without use after which a review is suggested.
    unused_days: u64,
    map: Option<MapView>,
    ended: Vec<EndedItem>,
    /// The URL of what ended earlier, if there is more.
    older: Option<String>,
    settings: SettingsView,
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
    PageQuery(query): PageQuery<DevicesQuery>,
) -> Result<HttpResponse> {
    let fields: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let selected = selected_ids(&fields);
    if let Some(list) = query.another_list(&selected) {
        return Ok(see_other(list));
    }
    let template = load_page(&app, &request, &caller, (query, selected)).await?;
    page(StatusCode::OK, &template)
}

/// Shows the page again, with the devices that were selected on it and what is wrong with them.
///
/// # Errors
/// As [`show`].
pub(super) async fn show_again(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    list: (DevicesQuery, Vec<SessionId>),
    problem: &'static str,
) -> Result<HttpResponse> {
    let mut template = load_page(app, request, caller, list).await?;
    template.layout.refusal = Some(problem.to_owned());
    page(StatusCode::BAD_REQUEST, &template)
}

async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    (query, selected): (DevicesQuery, Vec<SessionId>),
) -> Result<DevicesPage> {
    let owner = caller.user.id;
    let live = app.sessions.list_live(owner).await?;
    let (history, reasons) = load_history(app, owner, query.ended.as_deref()).await?;
    let notice = notices::take(app, request, Some(caller)).await?;
    let travels = travels::load(app, &live).await?;
    let applications = UsedApplications::load(app, owner, &live).await?;
    let steps = app.accounts.find_after_report(caller, live.clone()).await?;
    let attention = attention(request);
    let described = describe_alerts(app, owner, &attention, live.clone()).await?;
    let reader = Reader::new(app, request, caller)?;
    let names = DeviceNames::new(live.iter().chain(&history.sessions));
    let devices = group_by_device(live);
    let found = views(&devices, caller, (&travels, &applications), &reader);
    let map = MapView::new(places(&devices, caller, &reader));
    let listing = (query.narrowing(), &query.selection(selected));
    let (this, others, map) = list_with_map(found, map, listing, &reader);
    let ended = EndedList::new(history, &names, &reasons, &reader);
    Ok(DevicesPage {
        layout: layout(request, caller)?,
        settings: SettingsView::new(app, &caller.user, SettingsPage::Devices),
        summary: summary(others.all, &attention, steps.as_ref(), &travels),
        steps: steps.and_then(|it| StepsView::new(&it, caller.user.shown_email(), reader.clock)),
        notice: notice.words,
        others_left: notice.others_left,
        alerts: alert_views(app, caller, &described, &reader).await?,
        acts: act_views(&attention, &reader),
        may_dismiss: attention.may_dismiss,
        this,
        map,
        others,
        unused_days: UNUSED_DAYS,
        older: ended.next.map(older),
        ended: ended.items,
    })
}

fn layout(request: &HttpRequest, caller: &Caller) -> Result<Layout> {
    Ok(Layout {
        // The page shows the alerts themselves.
        attention: None,
        ..Layout::for_caller(request, caller, NavItem::Devices)?
    })
}

/// Returns the URL of what ended earlier.
fn older(next: HistoryCursor) -> String {
    format!("/devices?ended={}#ended", next.encode())
}

/// Loads a page of what ended, and what is known of that.
async fn load_history(
    app: &AppState,
    owner: UserId,
    after: Option<&str>,
) -> Result<(HistoryPage, EndReasons)> {
    // What is no place in the list is its beginning.
    let after = after.and_then(|after| after.parse().ok());
    let history = app.sessions.list_ended(owner, after, MAX_ENDED).await?;
    let past = &history.sessions;
    let reasons = EndReasons {
        stated: app.sessions.list_stated_reasons(owner, past).await?,
        reported: app.sessions.list_reported(owner, past.clone()).await?,
    };
    Ok((history, reasons))
}

/// Returns this device, the list of the others and the map, which lead to each other.
fn list_with_map(
    (mut this, mut others): (DeviceView, Vec<ListedDevice>),
    mut map: Option<MapView>,
    (narrowing, selection): (Narrowing, &Selection),
    reader: &Reader,
) -> (DeviceView, DeviceList, Option<MapView>) {
    if let Some(map) = &map {
        let views = others.iter_mut().map(|other| &mut other.view);
        map.link([&mut this].into_iter().chain(views));
    }
    let others = DeviceList::new(others, narrowing, selection, reader.clock);
    if let Some(map) = &mut map {
        map.lead_to_rows(|id| id == this.id || others.lists(id));
    }
    (this, others, map)
}

/// Returns what administrators did.
fn act_views(attention: &Attention, reader: &Reader) -> Vec<AdminActView> {
    let notices = attention.notices.iter().take(MAX_ALERTS);
    notices
        .map(|notice| AdminActView::new(notice, reader.clock))
        .collect()
}

/// Returns the alerts and notices that [`PageCaller`] stored in the request.
fn attention(request: &HttpRequest) -> Rc<Attention> {
    let extensions = request.extensions();
    let found = extensions.get::<OpenAlerts>();
    found.map_or_else(Rc::default, |OpenAlerts(attention)| attention.clone())
}

/// Returns the alerts, the oldest first, with what became of them.
async fn describe_alerts(
    app: &AppState,
    owner: UserId,
    attention: &Attention,
    live: Vec<Session>,
) -> Result<Vec<AlertDetails>> {
    let oldest = attention.alerts.iter().rev().take(MAX_ALERTS);
    let alerts = oldest.cloned().collect();
    app.accounts
        .describe_alerts_among(owner, alerts, live)
        .await
}

/// Returns the alerts with their evidence, and with what their reports would do.
async fn alert_views(
    app: &AppState,
    caller: &Caller,
    described: &[AlertDetails],
    reader: &Reader,
) -> Result<Vec<AlertView>> {
    let (owner, here) = (caller.user.id, Some(caller.session.id));
    let alerts = described.iter().map(|it| it.alert.clone()).collect();
    let previews = app.accounts.preview_reports(owner, here, alerts).await?;
    let view = |details: &AlertDetails| {
        let preview = previews
            .iter()
            .find(|it| it.alerts.contains(&details.alert.id));
        preview.map(|preview| AlertView::new(details, preview, reader))
    };
    Ok(described.iter().filter_map(view).collect())
}

/// Returns the device that the page is read on, and the others.
fn views(
    devices: &[DeviceGroup<Session>],
    caller: &Caller,
    (travels, applications): (&ImpossibleTravels, &UsedApplications),
    reader: &Reader,
) -> (DeviceView, Vec<ListedDevice>) {
    let current = caller.session.id;
    let used = caller.session.clone().with_use_at(reader.clock.now);
    let mut this = DeviceView::new(&used, reader);
    let mut others = Vec::new();
    for device in devices {
        let view = |shown| {
            DeviceView::for_device(device, shown, current, reader)
                .with_travel(device, travels)
                .with_applications(applications.of(device.iter(), FEW, reader.clock))
        };
        match device.contains(current) {
            true => this = view(&used),
            false => others.push(ListedDevice {
                view: view(device.first()),
                sessions: device.iter().map(|session| session.id).collect(),
                last_used_at: device.first().last_used_at,
            }),
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
) -> Vec<(Place, DotDevice)> {
    let located = |session: &Session, name| {
        let ip = session.ip_address.as_deref();
        let id = session.id.to_string();
        let link = format!("/devices/{id}");
        (
            reader.place(ip, session.place()),
            DotDevice { name, id, link },
        )
    };
    let this = located(&caller.session, "This device".to_owned());
    let others = devices
        .iter()
        .filter(|device| !device.contains(caller.session.id))
        .map(|device| located(device.first(), device.first().display_name()));
    std::iter::once(this).chain(others).collect()
}

/// Says what needs attention, of all that the page shows, if anything does. What an alert asks about is not said
/// twice.
fn describe_state(
    attention: &Attention,
    steps: Option<&AfterReport>,
    travels: &ImpossibleTravels,
) -> Option<String> {
    let steps = steps.filter(|steps| steps.is_open());
    let is_shown = |id: &SessionId| attention.alerts.iter().any(|it| it.session_id == Some(*id));
    let has_more_travels = travels.0.keys().any(|id| !is_shown(id));
    let sentences: Vec<String> =
        describe_attention(attention.count())
            .into_iter()
            .chain(describe_withheld(attention.withheld).map(str::to_owned))
            .chain(steps.map(|_| "Some steps are left to make your account safe.".into()))
            .chain(has_more_travels.then(|| {
                "Two uses were too far apart for the time between them: see below.".into()
            }))
            .collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Says what can be done about alerts that can't be answered here. An intruder is told nothing of them.
fn describe_withheld(withheld: Withheld) -> Option<&'static str> {
    match withheld {
        Withheld::Nowhere | Withheld::FromDoubtful => None,
        Withheld::ForOlderDevice => Some(
            "An alert waits for an answer. You can answer it on a device that you used before that alert.",
        ),
        Withheld::ForLink => Some(
            "An alert waits for an answer, and no device from before that alert is signed in. Answer it with the link in the e-mail about it. If you don’t have that, sign out the devices that you don’t know, and set a new password under Account.",
        ),
        Withheld::ForNobody => Some(
            "An alert waits for an answer, and no device from before that alert is signed in. Sign out the devices that you don’t know, and set a new password under Account.",
        ),
    }
}

/// Says where the person is signed in, and what needs attention. That nothing does is not said where they
/// may not know.
fn summary(
    others: usize,
    attention: &Attention,
    steps: Option<&AfterReport>,
    travels: &ImpossibleTravels,
) -> String {
    let devices = match others {
        0 => "You are signed in only here.".to_owned(),
        n => format!("You are signed in on {}.", words::devices(n + 1)),
    };
    match describe_state(attention, steps, travels) {
        Some(state) => format!("{devices} {state}"),
        None if others > 0 && attention.withheld == Withheld::Nowhere => {
            format!("{devices} Nothing needs your attention.")
        }
        None => devices,
    }
}
