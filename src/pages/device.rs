//! `/devices/{id}`: one device with its activity, its name and its sign-out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::device_views::DeviceView;
use super::devices::attention;
use super::known_doubts::{find_doubts, named_if_reported};
use super::session_end::SessionEnd;
use super::shown_notice;
use super::sign_out;
use super::travel_views;
use super::used_applications::UsedApplications;
use super::views::Reader;
use super::words::{self, TimeView};
use crate::account::Doubts;
use crate::db::{EventId, SessionId};
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::events::{Event, EventKind, EventPage, EventReader};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::failed_page::failed_page;
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, see_other, signed_out_response};
use crate::http::notice::{self, AccountNotice, EndNotice, Notice};
use crate::http::page_query::PageQuery;
use crate::http::target::HOME;
use crate::sessions::{Caller, EndedReason, OpenedVia, Session};

/// Events on one page.
const MAX_ACTIVITY: u32 = 20;

#[derive(Template)]
#[template(path = "pages/device.html")]
pub(super) struct DevicePage {
    layout: Layout,
    device: DeviceView,
    is_current: bool,
    /// What is said of the device's other sessions where this one has ended.
    still: Option<StillSignedIn>,
    /// What happens when it is signed out.
    consequence: String,
    /// What is done to the other sessions of the device that the page is read on, if the session is one:
    /// "End 2 sessions".
    ending: Option<String>,
    notice: Option<String>,
    /// What the script states the notice by.
    notice_token: Option<String>,
    /// The name as last submitted.
    name_typed: String,
    /// The name that the form shows it to have.
    name_shown: String,
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
    /// Whether it is, but not a session on it that is in doubt.
    is_partial: bool,
    /// Whether it will be once its sign-in is confirmed.
    is_pending: bool,
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
    let notice = shown_notice::take(&app, &request, &caller).await?;
    template.notice_token = notice.token.clone();
    template.notice = notice.show_on(&mut template.layout);
    if let Some(name) = template.layout.typed("device_name") {
        template.name_typed = name.to_owned();
        template.name_error = template.layout.problem_of("device_name");
    }
    page(StatusCode::OK, &template)
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

impl DevicePage {
    /// Returns what the device is called.
    pub(super) fn name(&self) -> &str {
        &self.device.name
    }

    /// Returns the response to a form with another name, which was refused, or has an error.
    pub(super) fn respond_unnamed(
        mut self,
        request: &HttpRequest,
        (status, typed, shown): (StatusCode, String, Option<String>),
        (refusal, error): (Option<String>, Option<String>),
    ) -> Result<HttpResponse> {
        self.name_typed = typed;
        self.name_shown = shown.unwrap_or(self.name_shown);
        let field = ("device_name", "Device name");
        self.layout.add_problem(field, error.as_deref());
        self.layout.refusal = refusal.or(self.layout.refusal);
        self.name_error = error;
        failed_page(request, status, (&self, &self.layout), None)
    }
}

/// Loads the page of the device of a session.
pub(super) async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    session: Session,
    before: Option<EventId>,
) -> Result<DevicePage> {
    let reader = Reader::new(app, request, caller)?;
    let attention = attention(request);
    let live = app.sessions.list_live(caller.user.id).await?;
    let doubts = find_doubts(app, request, caller).await?;
    let devices = group_by_device(doubts.all_named(live));
    let session = named_if_reported(app, doubts.named(session), reader.clock.now).await?;
    let device = devices.iter().find(|device| device.contains(session.id));
    let is_current = session.id == caller.session.id;
    let session = match is_current {
        true => session.with_use_at(reader.clock.now),
        false => session,
    };
    let still = match device {
        Some(_) => None,
        None => still_signed_in(&session, &devices),
    };
    let known = (still.is_some(), &doubts.sessions);
    let end = SessionEnd::load(app, &session, known).await?;
    let (activity, older) = load_activity(app, (&session, &end), before, &reader).await?;
    let view = load_device(app, caller, (&session, &end), device, &reader).await?;
    let view = match device {
        Some(device) => view.with_waiting(device, &attention, HOME, &reader),
        None => view,
    };
    let layout = Layout::for_caller(request, caller, NavItem::Devices)?;
    Ok(DevicePage {
        is_current,
        still,
        ending: device.and_then(|device| ending(device, caller, &session)),
        consequence: device
            .map_or_else(String::new, |device| consequence(device, caller, &session)),
        unused: match device {
            Some(device) => UnusedView::load(app, caller, (device, &doubts), &reader).await?,
            None => None,
        },
        notice: None,
        notice_token: None,
        name_typed: view.name.clone(),
        name_shown: layout.shown_name(&view.name),
        layout,
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
            1 => "The device is still signed in, with 1 other session.".into(),
            n => format!("The device is still signed in, with {n} other sessions."),
        },
        href: format!("/devices/{}", device.first().id),
    })
}

/// Says what happens when `session` is signed out on its page.
fn consequence(device: &DeviceGroup<Session>, caller: &Caller, session: &Session) -> String {
    let others = device.iter().count() - 1;
    let is_of_application = |it: &Session| it.opened_via == OpenedVia::Application;
    let again = match device.iter().all(is_of_application) {
        true => "To use it again, somebody has to sign in with the application.",
        false => "To use it again, somebody has to sign in with the password.",
    };
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

/// Returns what ends where `session` is another one of the device that the page is read on.
fn ending(device: &DeviceGroup<Session>, caller: &Caller, session: &Session) -> Option<String> {
    let is_other = session.id != caller.session.id && device.contains(caller.session.id);
    is_other.then(|| match device.iter().count() - 1 {
        1 => "End this session".into(),
        n => format!("End {n} sessions"),
    })
}

impl UnusedView {
    /// Loads what becomes of a device when it is not used. One without an id can't be exempt from the idle
    /// limit. It is signed out with the last of its sessions.
    async fn load(
        app: &AppState,
        caller: &Caller,
        (device, doubts): (&DeviceGroup<Session>, &Doubts),
        reader: &Reader,
    ) -> Result<Option<Self>> {
        let Some(id) = device.first().device_id.as_deref() else {
            return Ok(None);
        };
        let is_pending = match device.iter().all(|it| doubts.contains(it)) {
            true => {
                let known = app.devices.list(caller.user.id).await?;
                let mut known = known.into_iter();
                known.any(|known| known.device_id == id && known.is_idle_exempt)
            }
            false => false,
        };
        let (exempt, others): (Vec<&Session>, Vec<&Session>) =
            device.iter().partition(|it| it.is_idle_exempt());
        let limits = app.sessions.idle_limits();
        let limit = |it| limits.limit_of(it, caller.user.idle_limit());
        let limit = device.iter().map(limit).max();
        let covered = if exempt.is_empty() { &others } else { &exempt };
        let until = covered.iter().map(|it| it.absolute_expires_at).max();
        let view = |(limit, until)| Self {
            limit: words::span(limit),
            until: TimeView::ahead(until, reader.clock),
            is_partial: !exempt.is_empty() && !others.is_empty(),
            is_pending: is_pending && exempt.is_empty(),
        };
        Ok(limit.zip(until).map(view))
    }
}

impl ActivityView {
    /// Returns an event of `session`.
    fn new(event: &Event, session: &Session, end: &SessionEnd, reader: &Reader) -> Self {
        let detail = event.detail.as_deref().unwrap_or_default();
        let what = match event.kind {
            EventKind::SignedIn => "Signed in".into(),
            EventKind::Refreshed => "Used from a new address".into(),
            EventKind::Renamed => words::renamed(event),
            EventKind::Ended => end.describe(session),
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
