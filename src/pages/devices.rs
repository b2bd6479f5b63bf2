//! `/devices`: **Your devices**.

use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::alert_twins;
use super::alert_views::AlertView;
use super::device_views::DeviceNames;
use super::devices_query::DevicesQuery;
use super::ended_views::{EndReasons, EndedList, MAX_ENDED};
use super::narrowing::{UNUSED_DAYS, selected_ids};
use super::own_devices::OwnDevices;
use super::reviewed_alerts;
use super::settings_card::{SettingsPage, SettingsView};
use super::shown_notice;
use super::steps_view::StepsView;
use super::views::{AdminActView, Reader};
use super::{end_sources, words};
use crate::account::{AfterReport, AlertDetails, Attention, Withheld};
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::{OpenAlerts, PageCaller};
use crate::http::layout::{Layout, NavItem, describe_attention, page, see_other};
use crate::http::page_query::PageQuery;
use crate::sessions::{Caller, HistoryPage, Session};

/// Alerts shown at once, oldest first: later alerts must not displace the first one.
const MAX_ALERTS: usize = 20;

#[derive(Template)]
#[template(path = "pages/devices.html")]
struct DevicesPage {
    layout: Layout,
    summary: String,
    notice: Option<String>,
    /// What the script states the notice by.
    notice_token: Option<String>,
    /// What leads from the notice to the devices that are still signed in, if it says so.
    others_left: Option<String>,
    /// The steps that are left after an alert was reported.
    steps: Option<StepsView>,
    alerts: Vec<AlertView>,
    /// What administrators did.
    acts: Vec<AdminActView>,
    may_dismiss: bool,
    own: OwnDevices,
    /// The days without use after which a review is suggested.
    unused_days: u64,
    ended: EndedList,
    settings: SettingsView,
}

/// Shows the page.
///
/// # Errors
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
    let attention = attention(request);
    let live = app.sessions.list_live(owner).await?;
    let live = attention.doubts.all_named(live);
    let found = (owner, &*attention, live.clone());
    let (history, reasons) = load_history(app, found, query.ended.as_deref()).await?;
    let past = live.iter().chain(&history.sessions);
    let doubtful = &attention.doubts.sessions | &reasons.by_reported;
    let names = DeviceNames::new(past, &doubtful);
    let notice = shown_notice::take(app, request, caller).await?;
    let steps = app.accounts.find_after_report(caller, live.clone()).await?;
    let described = describe_alerts(app, owner, &attention, live.clone()).await?;
    let reader = Reader::new(app, request, caller)?;
    let list = (query.narrowing(), &query.selection(selected));
    let own = OwnDevices::load(app, (caller, &attention), live, list, &reader).await?;
    let ended = EndedList::new(history, &names, &reasons, &reader);
    let mut layout = layout(request, caller)?;
    Ok(DevicesPage {
        others_left: notice.others_left.clone(),
        notice_token: notice.token.clone(),
        notice: notice.show_on(&mut layout),
        layout,
        settings: SettingsView::new(app, &caller.user, SettingsPage::Devices),
        summary: summary(&own, &attention, steps.as_ref()),
        steps: steps.and_then(|it| StepsView::new(&it, caller.user.shown_email(), reader.clock)),
        alerts: alert_views(app, request, (caller, &attention), &described, &reader).await?,
        acts: act_views(&attention, &reader),
        may_dismiss: !attention.is_in_doubt,
        unused_days: UNUSED_DAYS,
        own,
        ended,
    })
}

fn layout(request: &HttpRequest, caller: &Caller) -> Result<Layout> {
    Ok(Layout {
        // The page shows the alerts themselves.
        attention: None,
        ..Layout::for_caller(request, caller, NavItem::Devices)?
    })
}

/// Loads a page of what ended, and what is known of that.
async fn load_history(
    app: &AppState,
    (owner, attention, live): (UserId, &Attention, Vec<Session>),
    after: Option<&str>,
) -> Result<(HistoryPage, EndReasons)> {
    // What is no place in the list is its beginning.
    let after = after.and_then(|after| after.parse().ok());
    let mut history = app.sessions.list_ended(owner, after, MAX_ENDED).await?;
    history.sessions = attention.doubts.all_named(history.sessions);
    let live = attention.doubts.ordered(live);
    let past = history.sessions.clone();
    let on_reported = app.sessions.list_on_reported(owner, past).await?;
    let past = &history.sessions;
    let reasons = EndReasons {
        by_reported: app.sessions.list_by_reported(owner, past).await?,
        stated: app.sessions.list_stated_reasons(owner, past).await?,
        sources: end_sources::load(app, owner, past).await?,
        live,
        reported: app.sessions.list_reported(owner, past.clone()).await?,
        in_doubt: attention.doubts.sessions.clone(),
        on_reported,
    };
    let reported = &reasons.reported | &reasons.on_reported;
    let named = app
        .accounts
        .name_reported(owner, history.sessions, &reported);
    history.sessions = named.await?;
    Ok((history, reasons))
}

/// Returns what administrators did.
fn act_views(attention: &Attention, reader: &Reader) -> Vec<AdminActView> {
    let notices = attention.notices.iter().take(MAX_ALERTS);
    notices
        .map(|notice| AdminActView::new(notice, reader.clock))
        .collect()
}

/// Returns the alerts and notices that [`PageCaller`] stored in the request.
pub(super) fn attention(request: &HttpRequest) -> Rc<Attention> {
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

/// Returns the alerts with their evidence, and with what their reports would do, among those that the open page
/// shows and that were answered meanwhile.
async fn alert_views(
    app: &AppState,
    request: &HttpRequest,
    (caller, attention): (&Caller, &Attention),
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
    let mut views: Vec<AlertView> = described.iter().filter_map(view).collect();
    alert_twins::tell_apart(&mut views);
    let before = reviewed_alerts::shown_before(app, request, (caller, attention), reader).await?;
    if !before.is_empty() {
        views.extend(before);
        // Ids sort by the time of the alerts.
        views.sort_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(views)
}

/// Says what needs attention, as many things as every other page says, if anything does.
fn describe_state(attention: &Attention, steps: Option<&AfterReport>) -> Option<String> {
    let steps = steps.filter(|steps| steps.is_open());
    let sentences: Vec<String> = describe_attention(attention.count())
        .into_iter()
        .chain(describe_withheld(attention))
        .chain(steps.map(|_| "Some steps are left to make your account safe.".into()))
        .collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Says what can be done about alerts that can't be answered here. An intruder is told nothing of them.
fn describe_withheld(attention: &Attention) -> Option<String> {
    let an_alert = match attention.alerts.is_empty() {
        true => "An alert",
        false => "Another alert",
    };
    let rest = match attention.withheld {
        Withheld::Nowhere | Withheld::FromDoubtful => return None,
        Withheld::ForOlderDevice => {
            "waits for an answer. You can answer it on a device that you used before that alert."
        }
        Withheld::ForLink => {
            "waits for an answer, and no device from before that alert is signed in. Answer it with the link in the e-mail about it. If you don’t have that, sign out the devices that you don’t know, and set a new password under Account."
        }
        Withheld::ForNobody => {
            "waits for an answer, and no device from before that alert is signed in. Sign out the devices that you don’t know, and set a new password under Account. If that is refused, ask an administrator of this service for a link to set one."
        }
    };
    Some(format!("{an_alert} {rest}"))
}

/// Says where the person is signed in, and what needs attention. That nothing does is not said where they
/// may not know, nor beside the sentence about travel.
fn summary(own: &OwnDevices, attention: &Attention, steps: Option<&AfterReport>) -> String {
    let others = own.others.all;
    let devices = match others {
        0 if is_shared_in_doubt(own) => format!(
            "You are signed in on this device, by {} sessions.",
            own.this.sessions.len()
        ),
        0 => "You are signed in only here.".to_owned(),
        n => format!("You are signed in on {}.", words::devices(n + 1)),
    };
    let is_quiet = attention.withheld == Withheld::Nowhere && own.travels.is_empty();
    match describe_state(attention, steps) {
        Some(state) => format!("{devices} {state}"),
        None if others > 0 && is_quiet => {
            format!("{devices} Nothing needs your attention.")
        }
        None => devices,
    }
}

/// Returns whether another session of the device that the page is read on is in doubt: somebody else may state
/// its id.
fn is_shared_in_doubt(own: &OwnDevices) -> bool {
    let mut others = own.this.sessions.iter().filter(|it| !it.is_current);
    others.any(|other| other.waiting.is_some())
}
