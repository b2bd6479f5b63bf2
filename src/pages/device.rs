//! `/devices/{id}`: one device with its activity, its name and its sign-out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::device_views::DeviceView;
use super::devices::attention;
use super::ended_words::End;
use super::notices;
use super::session_end::SessionEnd;
use super::sign_out;
use super::travel_views;
use super::used_applications::UsedApplications;
use super::views::Reader;
use super::words::{self, TimeView};
use crate::account::Attention;
use crate::db::{EventId, SessionId};
use crate::devices::{DeviceGroup, DeviceName, group_by_device};
use crate::error::Result;
use crate::events::{Event, EventKind, EventPage, EventReader};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, see_other, signed_out_response};
use crate::http::notice::{self, AccountNotice, EndNotice, Notice};
use crate::http::page_query::PageQuery;
use crate::http::target::HOME;
use crate::sessions::{Caller, EndedReason, Session};

/// Events on one page.
const MAX_ACTIVITY: u32 = 20;

#[derive(Template)]
#[template(path = "pages/device.html")]
struct DevicePage {
    layout: Layout,
    device: DeviceView,
    is_current: bool,
    /// What is said of the device's other sessions where this one has ended.
    still: Option<StillSignedIn>,
    /// What happens when it is signed out.
    consequence: String,
    notice: Option<String>,
    /// The name as last submitted.
    name_typed: String,
    name_error: Option<String>,
    activity: Vec<ActivityView>,
    /// The URL of older activity, if there is more.
    older: Option<String>,
    /// What becomes of it when it is not used, if that can be changed.
    unused: Option<UnusedView>,
}

/// That a device is signed in by other sessions than the page's, which has ended.
struct StillSignedIn {
    words: String,
    /// The page of one of them.
    href: String,
}

/// What becomes of a device that is not used.
struct UnusedView {
    /// How long it may be unused before it signs out.
    limit: String,
    /// Until when it stays signed in if it is exempt from that.
    until: TimeView,
}

struct ActivityView {
    what: String,
    address: Option<String>,
    at: TimeView,
    /// Whether that was the last time of several.
    is_last: bool,
}

/// The query of `GET /devices/{id}`.
#[derive(Default, Deserialize)]
pub struct DeviceQuery {
    before: Option<EventId>,
}

/// The form of `POST /devices/{id}/sign-out`.
#[derive(Deserialize)]
pub struct SignOutForm {
    /// Present if only this session of the device ends.
    only: Option<String>,
}

/// The form of `POST /devices/{id}/rename`.
#[derive(Deserialize)]
pub struct RenameForm {
    device_name: String,
}

/// Shows the page.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the caller has no such session.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<SessionId>,
    PageQuery(query): PageQuery<DeviceQuery>,
) -> Result<HttpResponse> {
    let session = app.sessions.get(caller.user.id, *id).await?;
    let mut template = load_page(&app, &request, &caller, session, query.before).await?;
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(StatusCode::OK, &template)
}

/// Updates the name of the device.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the caller has no such session;
/// [`Error::UnconfirmedDevice`](crate::Error::UnconfirmedDevice) when it is another device than theirs, which
/// is in doubt.
pub async fn rename(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<SessionId>,
    Form(form): Form<RenameForm>,
) -> Result<HttpResponse> {
    let owner = caller.user.id;
    match form.device_name.parse::<DeviceName>() {
        Ok(name) => {
            app.accounts.require_may_rename(&caller, *id).await?;
            app.sessions
                .update_device_name(owner, *id, name, caller.origin())
                .await?;
            notice::put(
                &request,
                Notice::Account(owner, AccountNotice::DeviceRenamed),
            );
            Ok(see_other(format!("/devices/{id}")))
        }
        Err(err) => {
            let session = app.sessions.get(owner, *id).await?;
            let mut template = load_page(&app, &request, &caller, session, None).await?;
            template.name_typed = form.device_name;
            template.name_error = err
                .field_errors()
                .first()
                .map(|error| error.message.clone());
            let error = template.name_error.as_deref();
            template
                .layout
                .add_problem(("device_name", "Device name"), error);
            page(err.status_code(), &template)
        }
    }
}

/// Signs the device out: ends its sessions, or only this one if the form states so or it is the
/// caller's.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the caller has no such session;
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when it is not the caller's own and the
/// password was given too long ago.
pub async fn sign_out(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<SessionId>,
    Form(form): Form<SignOutForm>,
) -> Result<HttpResponse> {
    let (owner, origin) = (caller.user.id, caller.origin());
    if *id == caller.session.id {
        app.sessions
            .end_session(owner, *id, EndedReason::SignedOut, origin)
            .await?;
        browser::clear_session(&request)?;
        let outcome = sign_out::outcome(&app, &caller).await?;
        return Ok(signed_out_response(&request, outcome));
    }
    app.sessions.require_step_up(&caller)?;
    const REASON: EndedReason = EndedReason::SignedOutRemotely;
    let outcome = match form.only {
        Some(_) => {
            app.sessions.end_session(owner, *id, REASON, origin).await?;
            EndNotice::Session(*id)
        }
        None => {
            app.sessions
                .end_device_sessions(owner, *id, REASON, origin)
                .await?;
            EndNotice::Device(*id)
        }
    };
    let outcome = AccountNotice::Ended(outcome);
    notice::put(&request, Notice::Account(owner, outcome));
    Ok(see_other(HOME))
}

async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    session: Session,
    before: Option<EventId>,
) -> Result<DevicePage> {
    let reader = Reader::new(app, request, caller)?;
    let live = app.sessions.list_live(caller.user.id).await?;
    let devices = group_by_device(live);
    let device = devices.iter().find(|device| device.contains(session.id));
    let is_current = session.id == caller.session.id;
    let session = match is_current {
        true => session.with_use_at(reader.clock.now),
        false => session,
    };
    let attention = attention(request);
    let end = SessionEnd::load(app, &session, &attention.in_doubt).await?;
    let (activity, older) = load_activity(app, (&session, &end), before, &reader).await?;
    let view = load_device(app, caller, (&session, &end), device, &reader).await?;
    let view = match device {
        Some(device) => with_waiting(view, device, (&attention, &session), &reader),
        None => view,
    };
    Ok(DevicePage {
        layout: Layout::for_caller(request, caller, NavItem::Devices)?,
        is_current,
        still: match device {
            Some(_) => None,
            None => still_signed_in(&session, &devices),
        },
        consequence: device
            .map_or_else(String::new, |device| consequence(device, caller, &session)),
        unused: UnusedView::new(app, caller, &session, &reader),
        notice: None,
        name_typed: view.name.clone(),
        device: view,
        name_error: None,
        older,
        activity,
    })
}

/// Returns the device of a session, `device` if it is live, with every application that it reached.
async fn load_device(
    app: &AppState,
    caller: &Caller,
    (session, end): (&Session, &SessionEnd),
    device: Option<&DeviceGroup<Session>>,
    reader: &Reader,
) -> Result<DeviceView> {
    let view = match device {
        Some(device) => DeviceView::for_device(device, session, caller.session.id, reader),
        None => DeviceView {
            ended: end.view(session, reader.clock),
            ..DeviceView::new(session, reader)
        },
    };
    let of_device = device.map_or_else(|| vec![session], |device| device.iter().collect());
    let used = UsedApplications::load(app, caller.user.id, of_device.iter().copied()).await?;
    Ok(view.with_applications(used.of(of_device, usize::MAX, reader.clock)))
}

/// Returns the view of a session of a device with what waits there for an answer. While its own sign-in does,
/// the device is called by another session.
fn with_waiting(
    view: DeviceView,
    device: &DeviceGroup<Session>,
    (attention, session): (&Attention, &Session),
    reader: &Reader,
) -> DeviceView {
    let view = view.with_waiting(device, attention, HOME, reader);
    match attention.unconfirmed.contains(&session.id) {
        true => view.named_by(device.shown(&attention.unconfirmed)),
        false => view,
    }
}

/// Loads a page of the activity of a session, and the URL of older activity, if there is more.
async fn load_activity(
    app: &AppState,
    (session, end): (&Session, &SessionEnd),
    before: Option<EventId>,
    reader: &Reader,
) -> Result<(Vec<ActivityView>, Option<String>)> {
    let (owner, id) = (session.user_id, session.id);
    let part = (before, EventReader::Person);
    let EventPage {
        events,
        next_before,
    } = app
        .sessions
        .list_activity(owner, id, part, MAX_ACTIVITY)
        .await?;
    let view = |event: &Event| ActivityView::new(event, session, end, reader);
    let older = next_before.map(|before| format!("/devices/{id}?before={before}#activity"));
    Ok((events.iter().map(view).collect(), older))
}

/// Says that there are live sessions on the device of one that has ended, if there are.
fn still_signed_in(session: &Session, devices: &[DeviceGroup<Session>]) -> Option<StillSignedIn> {
    let device = devices
        .iter()
        .find(|device| device.first().is_on_device_of(session))?;
    Some(StillSignedIn {
        words: match device.iter().count() {
            1 => "This session has ended, but the device is still signed in: 1 session.".into(),
            n => {
                format!("This session has ended, but the device is still signed in: {n} sessions.")
            }
        },
        href: format!("/devices/{}", device.first().id),
    })
}

/// Says what happens when `session` is signed out on its page.
fn consequence(device: &DeviceGroup<Session>, caller: &Caller, session: &Session) -> String {
    let others = device.iter().count() - 1;
    let again = "To use it again, somebody has to sign in with the password.";
    match (session.id == caller.session.id, others) {
        (_, 0) => again.into(),
        (true, 1) => {
            "You are signed out here. Another session on this device stays signed in.".into()
        }
        (true, n) => {
            format!("You are signed out here. {n} other sessions on this device stay signed in.")
        }
        (false, 1) if device.contains(caller.session.id) => {
            "This session ends; you stay signed in here.".into()
        }
        (false, n) if device.contains(caller.session.id) => {
            format!("{n} sessions on this device end; you stay signed in here.")
        }
        (false, n) => format!("{again} All {} sessions on it end.", n + 1),
    }
}

impl UnusedView {
    /// Returns what becomes of the device of `session` when it is not used. A device without an id can't be
    /// exempt from the idle limit, and one that has ended signs out no more.
    fn new(app: &AppState, caller: &Caller, session: &Session, reader: &Reader) -> Option<Self> {
        let is_offered = session.is_live(reader.clock.now) && session.device_id.is_some();
        let limits = app.sessions.idle_limits();
        let limit = limits.limit_of(session, caller.user.idle_limit());
        is_offered.then(|| Self {
            limit: words::span(limit),
            until: TimeView::ahead(session.absolute_expires_at, reader.clock),
        })
    }
}

impl ActivityView {
    /// Returns an event of `session`.
    fn new(event: &Event, session: &Session, end: &SessionEnd, reader: &Reader) -> Self {
        let detail = event.detail.as_deref().unwrap_or_default();
        let report = end.report.as_deref();
        let what = match event.kind {
            EventKind::Ended if report.is_some() => report.unwrap_or_default().to_owned(),
            EventKind::SignedIn => "Signed in".into(),
            EventKind::Refreshed => "Used from a new address".into(),
            EventKind::Renamed => words::renamed(event),
            EventKind::Ended => {
                let ended = End {
                    reason: detail.parse().ok(),
                    is_past_absolute_limit: session.is_past_absolute_limit(),
                    by: end.names.find(event.by_session_id),
                    stated: event.stated_reason.as_deref(),
                };
                ended.describe()
            }
            EventKind::ImpossibleTravel => travel_views::entry(detail),
            _ => words::account_event(event),
        };
        Self {
            what,
            address: event.own_address().map(|ip| reader.address(ip)),
            at: words::event_time(event, reader.clock),
            is_last: event.times > 1,
        }
    }
}
