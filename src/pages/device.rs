//! `/devices/{id}`: one device with its activity, its name and its sign-out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::notices;
use super::views::{DeviceNames, DeviceView, Reader};
use super::words::{self, TimeView};
use crate::db::{EventId, SessionId};
use crate::devices::{DeviceName, group_by_device};
use crate::error::Result;
use crate::events::{Event, EventKind, EventPage, EventReader};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, see_other, signed_out_response};
use crate::http::notice::{self, AccountNotice, Notice, SignedOutNotice};
use crate::http::reader_clock::ReaderClock;
use crate::http::target::HOME;
use crate::sessions::{Caller, EndOutcome, EndedReason, Session};

/// Events on one page.
const MAX_ACTIVITY: u32 = 20;

#[derive(Template)]
#[template(path = "pages/device.html")]
struct DevicePage {
    layout: Layout,
    /// When the page was rendered, in microseconds since the Unix epoch: the script requests
    /// changes since then.
    made_at: i64,
    device: DeviceView,
    is_current: bool,
    /// The cause and time of its end, if it has ended.
    ended: Option<Ended>,
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

struct Ended {
    cause: String,
    at: TimeView,
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
#[derive(Deserialize)]
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
    web::Query(query): web::Query<DeviceQuery>,
) -> Result<HttpResponse> {
    let session = app.sessions.get(caller.user.id, *id).await?;
    let mut template = load_page(&app, &request, &caller, session, query.before).await?;
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(StatusCode::OK, &template)
}

/// Updates the name of the device.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the caller has no such session.
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
        return Ok(signed_out_response(&request, SignedOutNotice::SignedOut));
    }
    app.sessions.require_step_up(&caller)?;
    const REASON: EndedReason = EndedReason::SignedOutRemotely;
    let ending = match form.only {
        Some(_) => app.sessions.end_session(owner, *id, REASON, origin).await?,
        None => {
            app.sessions
                .end_device_sessions(owner, *id, REASON, origin)
                .await?
        }
    };
    let outcome = match ending {
        EndOutcome::Ended(_) => AccountNotice::DeviceSignedOut(*id),
        EndOutcome::AlreadyEnded(_) => AccountNotice::DeviceAlreadySignedOut(*id),
    };
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
    let current = caller.session.id;
    let session = match session.id == current {
        true => session.with_use_at(reader.clock.now),
        false => session,
    };
    let view = match device {
        Some(device) => DeviceView::for_device(device, &session, current, &reader),
        None => DeviceView::new(&session, &reader),
    };
    let EventPage {
        events,
        next_before,
    } = app
        .sessions
        .list_activity(
            caller.user.id,
            session.id,
            (before, EventReader::Person),
            MAX_ACTIVITY,
        )
        .await?;
    let ended_by = match session.ended_by {
        Some(by) => app.sessions.find(caller.user.id, by).await?,
        None => None,
    };
    let names = DeviceNames::new(ended_by.iter().chain([&session]));
    let stated = app
        .sessions
        .list_stated_reasons(caller.user.id, std::slice::from_ref(&session))
        .await?;
    Ok(DevicePage {
        made_at: reader.clock.now.timestamp_micros(),
        layout: Layout::for_caller(request, caller, NavItem::Devices)?,
        is_current: session.id == caller.session.id,
        unused: UnusedView::new(app, caller, &session, &reader),
        ended: ended(&session, &names, stated.get(&session.id), reader.clock),
        notice: None,
        name_typed: session.display_name(),
        name_error: None,
        older: next_before
            .map(|before| format!("/devices/{}?before={before}#activity", session.id)),
        activity: events
            .iter()
            .map(|event| ActivityView::new(event, &names, &reader))
            .collect(),
        device: view,
    })
}

/// Returns the cause and time of the session's end, if it has ended. One past its expiry has,
/// whether or not it is marked as expired yet.
fn ended(
    session: &Session,
    names: &DeviceNames,
    stated: Option<&String>,
    clock: ReaderClock,
) -> Option<Ended> {
    let (reason, at) = match (session.is_active, session.ended_at) {
        (false, at) => (session.ended_reason, at.unwrap_or(session.expires_at)),
        (true, _) if session.expires_at <= clock.now => {
            (Some(EndedReason::Expired), session.expires_at)
        }
        (true, _) => return None,
    };
    Some(Ended {
        cause: words::cause_with_reason(
            reason,
            names.find(session.ended_by),
            stated.map(String::as_str),
        ),
        at: TimeView::exact(at, clock),
    })
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
    fn new(event: &Event, names: &DeviceNames, reader: &Reader) -> Self {
        let detail = event.detail.as_deref().unwrap_or_default();
        let what = match event.kind {
            EventKind::SignedIn => "Signed in".into(),
            EventKind::Refreshed => "Used from a new address".into(),
            EventKind::Renamed => format!("Named “{detail}”"),
            EventKind::Ended => words::cause_with_reason(
                detail.parse().ok(),
                names.find(event.by_session_id),
                event.stated_reason.as_deref(),
            ),
            EventKind::ImpossibleTravel => {
                format!("Used in two places faster than anybody travels: {detail}")
            }
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
