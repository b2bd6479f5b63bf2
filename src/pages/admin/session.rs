//! `/admin/sessions/{id}`: one session of anybody, with what happened in it and its owner's others.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::back::{self, Back, List};
use super::event_words;
use super::session_views::{ActorView, EndView, Names, OwnerView, address, place};
use super::session_words as words;
use crate::clock::Timestamp;
use crate::db::{EventId, SessionId};
use crate::error::{Error, Result};
use crate::events::{self, Event, EventPage, EventReader};
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::page_query::PageQuery;
use crate::http::reader_clock::ReaderClock;
use crate::pages::notices;
use crate::pages::used_applications::{ApplicationsView, UsedApplications};
use crate::pages::views::Reader;
use crate::pages::words::{Named, TimeView, browser, device_icon, system};
use crate::people::{Role, User};
use crate::sessions::search::FoundSession;
use crate::sessions::{Caller, Session};

/// Events on one page.
const MAX_EVENTS: u32 = 20;
/// Other sessions of the owner, live and ended each.
const MAX_OTHERS: u32 = 20;

#[derive(Template)]
#[template(path = "pages/admin/session.html")]
struct SessionPage {
    layout: Layout,
    notice: Option<String>,
    session: SessionView,
    /// The list that it was found in.
    back: Back,
    /// What the form that ends it has besides.
    fields: Vec<(&'static str, String)>,
    /// Whether it can be ended by the reader.
    may_end: bool,
    events: Vec<EventView>,
    /// The address of older events, if there are more.
    older: Option<String>,
    /// The owner's other sessions: on the same device, and on others.
    others: [Others; 2],
    /// The address of the list of all the owner's sessions.
    all: String,
}

/// The facts about the session.
struct SessionView {
    id: String,
    icon: &'static str,
    name: String,
    label: Option<String>,
    is_live: bool,
    is_current: bool,
    owner: OwnerView,
    kind: &'static str,
    marks: Vec<&'static str>,
    browser: Option<Named>,
    system: Option<Named>,
    opened_via: String,
    place: Option<String>,
    address: Option<String>,
    signed_in: TimeView,
    last_used: TimeView,
    is_remembered: bool,
    is_idle_exempt: bool,
    /// Since when it is bound to its browser, in words, if it is.
    bound: Option<String>,
    end: EndView,
    ended: Option<EndFacts>,
    user_agent: Option<String>,
    applications: ApplicationsView,
}

/// What is known of its end.
struct EndFacts {
    by: Option<ActorView>,
    reason: Option<String>,
    job: Option<String>,
}

/// Something that happened.
struct EventView {
    what: String,
    at: TimeView,
    /// Who did it; `None` for the owner.
    by: Option<ActorView>,
    address: Option<String>,
    reason: Option<String>,
    /// The address of the bulk job that it belongs to.
    job: Option<String>,
}

/// Other sessions of the owner.
struct Others {
    id: &'static str,
    heading: &'static str,
    sessions: Vec<OtherView>,
}

/// Another session of the owner.
struct OtherView {
    href: String,
    name: String,
    is_current: bool,
    place: Option<String>,
    last_used: TimeView,
    end: EndView,
}

/// The query of `GET /admin/sessions/{id}`.
#[derive(Default, Deserialize)]
struct SessionQuery {
    before: Option<EventId>,
}

/// Shows the page.
///
/// # Errors
/// [`Error::NotFound`] when there is no such session.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
    id: web::Path<SessionId>,
) -> Result<HttpResponse> {
    let query = PageQuery::<SessionQuery>::of(&request);
    let found = app.sessions.find_any(*id).await?.ok_or(Error::NotFound)?;
    let context = Context {
        caller: &caller,
        reader: Reader::new(&app, &request, &caller)?,
        back: Back::of(&request, List::Sessions),
    };
    let mut template = load_page(&app, &request, &context, &found, query.before).await?;
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(StatusCode::OK, &template)
}

/// Who reads the page, and where they came from.
struct Context<'a> {
    caller: &'a Caller,
    reader: Reader,
    back: Back,
}

async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    context: &Context<'_>,
    found: &FoundSession,
    before: Option<EventId>,
) -> Result<SessionPage> {
    let FoundSession { session, owner } = found;
    let (events, recent, ends, used) = tokio::try_join!(
        app.sessions.list_activity(
            owner.id,
            session.id,
            (before, EventReader::Watcher),
            MAX_EVENTS
        ),
        app.sessions.list_recent(owner.id, session.id, MAX_OTHERS),
        events::list_ends(&app.db, vec![session.id]),
        UsedApplications::load(app, owner.id, [session]),
    )?;
    let EventPage {
        events,
        next_before,
    } = events;
    let mentioned: Vec<Event> = events.iter().chain(&ends).cloned().collect();
    let applications = owner.application_id.into_iter().collect();
    let names = Names::load_for_events(app, &mentioned, applications).await?;
    let Context { caller, back, .. } = context;
    let view = SessionView {
        applications: used.of([session], usize::MAX, context.reader.clock),
        ..SessionView::new(found, ends.last(), &names, context)
    };
    let path = format!("/admin/sessions/{}", session.id);
    Ok(SessionPage {
        layout: Layout::for_caller(request, caller, NavItem::Administration)?,
        notice: None,
        may_end: view.is_live && caller.user.role() == Role::Admin,
        fields: end_fields(session.id, back),
        session: view,
        back: back.clone(),
        events: events
            .iter()
            .map(|event| EventView::new(event, (owner, &names), context.reader.clock))
            .collect(),
        older: next_before.map(|before| back.from(format!("{path}?before={before}")) + "#timeline"),
        others: others(found, &recent, context),
        all: format!("/admin/sessions?user={}&state=any", owner.id),
    })
}

/// Returns the fields of the form that ends a session.
fn end_fields(id: SessionId, back: &Back) -> Vec<(&'static str, String)> {
    let way_back = back.is_given.then(|| (back::NAME, back.href.clone()));
    std::iter::once(("session", id.to_string()))
        .chain(way_back)
        .collect()
}

/// Returns the owner's other sessions: those on the same device, and the others.
fn others(found: &FoundSession, recent: &[Session], context: &Context<'_>) -> [Others; 2] {
    let FoundSession { session, owner } = found;
    let is_on_same_device =
        |other: &Session| other.device_id.is_some() && other.device_id == session.device_id;
    let (same_device, elsewhere): (Vec<&Session>, Vec<&Session>) =
        recent.iter().partition(|other| is_on_same_device(other));
    let group = |id, heading, others: Vec<&Session>| Others {
        id,
        heading,
        sessions: others
            .into_iter()
            .map(|other| OtherView::new(other, owner, context))
            .collect(),
    };
    [
        group("device", "On the same device", same_device),
        group("others", "On their other devices", elsewhere),
    ]
}

impl SessionView {
    fn new(
        FoundSession { session, owner }: &FoundSession,
        end: Option<&Event>,
        names: &Names,
        Context {
            caller,
            reader,
            back,
        }: &Context<'_>,
    ) -> Self {
        let (label, name) = (session.label(), session.display_name());
        Self {
            id: session.id.to_string(),
            icon: device_icon(session),
            label: (label != name).then_some(label),
            name,
            is_live: session.is_live(reader.clock.now),
            is_current: session.id == caller.session.id,
            owner: OwnerView::new(owner, names, back),
            kind: words::kind(session.device_kind),
            marks: words::marks(session),
            browser: browser(session),
            system: system(session),
            opened_via: words::opened_via(
                session.opened_via,
                names.application(session.application_id),
            ),
            place: place(session, owner, reader),
            address: address(session.ip_address.as_deref(), owner),
            signed_in: TimeView::exact(session.created_at, reader.clock),
            last_used: exactly_and_ago(session.last_used_at, reader.clock),
            is_remembered: session.is_remembered,
            is_idle_exempt: session.is_idle_exempt(),
            bound: (reader.anothers_bound_since(session))
                .filter(|_| session.is_live(reader.clock.now)),
            end: EndView::new(session, None, reader.clock).with_event(end),
            ended: end.map(|event| EndFacts {
                by: names.actor(event),
                reason: event.stated_reason.clone(),
                job: event.job_id.map(|job| format!("/admin/jobs/{job}")),
            }),
            user_agent: session.user_agent.clone(),
            applications: ApplicationsView::default(),
        }
    }
}

/// Returns a time with both the exact moment and how long ago it is.
fn exactly_and_ago(at: Timestamp, clock: ReaderClock) -> TimeView {
    let view = TimeView::ago(at, clock);
    TimeView {
        words: format!("{} ({})", view.exact, view.words),
        ..view
    }
}

impl EventView {
    fn new(event: &Event, (owner, names): (&User, &Names), clock: ReaderClock) -> Self {
        let is_own = event.by_user_id == Some(owner.id) && event.by_application_id.is_none();
        Self {
            what: match event.kind.is_refusal() {
                true => event_words::sentence(event),
                false => words::event(event),
            },
            at: TimeView::exact(event.at, clock),
            by: names.actor(event).filter(|_| !is_own),
            address: names.event_address(event, owner),
            reason: event.stated_reason.clone(),
            job: event.job_id.map(|job| format!("/admin/jobs/{job}")),
        }
    }
}

impl OtherView {
    fn new(
        session: &Session,
        owner: &User,
        Context {
            caller,
            reader,
            back,
        }: &Context<'_>,
    ) -> Self {
        Self {
            href: back.from(format!("/admin/sessions/{}", session.id)),
            name: session.display_name(),
            is_current: session.id == caller.session.id,
            place: place(session, owner, reader),
            last_used: TimeView::ago(session.last_used_at, reader.clock),
            end: EndView::new(session, None, reader.clock),
        }
    }
}
