//! `/admin/users/{id}`: one person, with their devices, alerts and events, and what an administrator
//! can do. An auditor sees it without that.
//!
//! Everything it shows is bounded: the newest devices, ended sessions, alerts and events. The rest is
//! in the lists that it links to.

use std::collections::HashSet;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::acts::{ActView, Standing, acts};
use super::back::{Back, List};
use super::event_view::{AlertView, Doers, EventView, ended_session, shown};
use super::person::{
    Badge, PersonHead, devices, find_application_name, role_badge, sessions, state_badges,
};
use super::user_acts::summarize;
use crate::db::UserId;
use crate::devices::{DeviceGroup, group_by_device};
use crate::error::Result;
use crate::events::{self, EventKind};
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::reader_clock::ReaderClock;
use crate::net::IpRetention;
use crate::pages::device_views::{DeviceNames, DeviceView, EndedSessionView};
use crate::pages::notices;
use crate::pages::travel_views::ImpossibleTravels;
use crate::pages::views::Reader;
use crate::pages::words::TimeView;
use crate::people::{Role, User};
use crate::sessions::{Caller, HistoryPage, Session, SessionSummary};

/// Live sessions shown at most.
const MAX_LIVE: u32 = 100;
/// Ended sessions shown at most.
const MAX_ENDED: u32 = 10;
/// Alerts and events shown at most, of each.
const MAX_HAPPENED: u32 = 20;
/// What was refused, besides, so that a flood of it hides nothing that happened.
const MAX_REFUSED: u32 = 5;

#[derive(Template)]
#[template(path = "pages/admin/user.html")]
struct UserPage {
    layout: Layout,
    id: String,
    head: PersonHead,
    /// The list that they were found in.
    back: Back,
    badges: Vec<Badge>,
    notice: Option<String>,
    devices_heading: String,
    devices: Vec<DeviceView>,
    has_more_devices: bool,
    ended: Vec<EndedSessionView>,
    alerts: Vec<AlertView>,
    events: Vec<EventView>,
    facts: Vec<FactView>,
    /// What the reader can do; nothing for an auditor.
    acts: Vec<ActView>,
}

/// A line of what is known of a person: words, or a time.
#[derive(Default)]
struct FactView {
    name: &'static str,
    words: String,
    at: Option<TimeView>,
    /// Where the words lead to.
    href: Option<String>,
    /// What is said of it besides.
    small: Option<&'static str>,
    is_code: bool,
}

/// Shows the page.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let mut template = load_page(&app, &request, &caller, &user).await?;
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(StatusCode::OK, &template)
}

async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    user: &User,
) -> Result<UserPage> {
    let reader = Reader::of_devices_of(app, request, caller, user)?;
    let application = find_application_name(app, user.application_id).await?;
    let summary = summarize(app, user).await?;
    let live = list_live(app, user).await?;
    let HistoryPage {
        sessions: ended, ..
    } = app.sessions.list_ended(user.id, None, MAX_ENDED).await?;
    let names = DeviceNames::new(live.iter().chain(&ended), &HashSet::new());
    let back = Back::of(request, List::People);
    let known = (application.clone(), summary);
    let standing = Standing::load(app, caller, user, known, &back).await?;
    Ok(UserPage {
        layout: Layout::for_caller(request, caller, NavItem::Administration)?,
        id: user.id.to_string(),
        head: PersonHead::new(user, application.as_deref(), caller),
        back,
        badges: badges(user),
        notice: None,
        devices_heading: devices_heading(&summary),
        has_more_devices: live.len() < summary.sessions,
        devices: device_views(app, caller, (user, &reader), live).await?,
        ended: ended
            .iter()
            .map(|session| ended_session(session, &names, &reader))
            .collect(),
        alerts: list_alerts(app, user, &reader).await?,
        events: list_events(app, user, &reader, &names).await?,
        facts: facts(user, application, &summary, reader.clock),
        acts: match caller.user.role() {
            Role::Admin => acts(&standing),
            Role::Auditor | Role::Person => Vec::new(),
        },
    })
}

async fn list_alerts(app: &AppState, user: &User, reader: &Reader) -> Result<Vec<AlertView>> {
    let alerts = app.alerts.list_newest(user.id, MAX_HAPPENED).await?;
    Ok(alerts
        .iter()
        .map(|alert| AlertView::new(alert, user, reader))
        .collect())
}

async fn list_events(
    app: &AppState,
    user: &User,
    reader: &Reader,
    names: &DeviceNames,
) -> Result<Vec<EventView>> {
    let happened =
        events::list_newest_of_person(&app.db, user.id, (MAX_HAPPENED, MAX_REFUSED)).await?;
    let doers = Doers::load(app, user, &happened).await?;
    Ok(happened
        .iter()
        .map(|event| EventView::new(event, (user, reader), (&doers, names)))
        .collect())
}

/// Lists the live sessions, newest use first, without the addresses that may not be shown.
async fn list_live(app: &AppState, user: &User) -> Result<Vec<Session>> {
    let mut live = app.sessions.list_newest_live(user.id, MAX_LIVE).await?;
    live.sort_by_key(|session| std::cmp::Reverse((session.last_used_at, session.id)));
    for session in &mut live {
        session.ip_address = shown(session.ip_address.as_deref(), user);
    }
    Ok(live)
}

/// Returns the impossible travels recorded for these sessions.
async fn travels(app: &AppState, user: &User, live: &[Session]) -> Result<ImpossibleTravels> {
    let marked = live.iter().filter(|session| session.has_impossible_travel);
    let ids: Vec<_> = marked.map(|session| session.id).collect();
    if ids.is_empty() {
        return Ok(ImpossibleTravels::new([]));
    }
    let found = events::list_by_kind(&app.db, user.id, ids, EventKind::ImpossibleTravel).await?;
    let travels = found
        .into_iter()
        .filter_map(|event| Some((event.session_id?, event.detail?)));
    Ok(ImpossibleTravels::new(travels))
}

async fn device_views(
    app: &AppState,
    caller: &Caller,
    (user, reader): (&User, &Reader),
    live: Vec<Session>,
) -> Result<Vec<DeviceView>> {
    let travels = travels(app, user, &live).await?;
    let live = app.accounts.order_for_names(user.id, None, live).await?;
    let view = |device: &DeviceGroup<Session>| {
        DeviceView::for_device(device, device.first(), caller.session.id, reader)
            .with_travel(device, &travels)
    };
    Ok(group_by_device(live).iter().map(view).collect())
}

fn badges(user: &User) -> Vec<Badge> {
    let mut badges = vec![role_badge(user.role())];
    badges.extend(state_badges(user));
    badges
}

fn devices_heading(summary: &SessionSummary) -> String {
    match summary.sessions {
        0 => "Devices".into(),
        _ if summary.devices == summary.sessions => format!("Signed in on {}", devices(summary)),
        _ => format!(
            "Signed in on {}, with {}",
            devices(summary),
            sessions(summary)
        ),
    }
}

fn facts(
    user: &User,
    application: Option<String>,
    summary: &SessionSummary,
    clock: ReaderClock,
) -> Vec<FactView> {
    let mut facts = Vec::new();
    if let Some(name) = &user.full_name {
        facts.push(FactView::text("Name", name));
    }
    facts.extend(email_facts(user));
    if let (Some(id), Some(subject)) = (user.application_id, &user.external_subject) {
        facts.push(FactView {
            href: Some(format!("/admin/sessions?application={id}&state=any")),
            ..FactView::text("Application", application.as_deref().unwrap_or("unknown"))
        });
        facts.push(FactView::text("Subject", subject));
    }
    facts.push(FactView {
        is_code: true,
        ..FactView::text("Id", &user.id.to_string())
    });
    facts.push(FactView::time(
        "Account created",
        TimeView::exact(user.created_at, clock),
    ));
    if let Some(at) = summary.last_sign_in {
        facts.push(FactView::time("Last sign-in", TimeView::exact(at, clock)));
    }
    facts.extend(password_fact(user, clock));
    facts.push(FactView::text(
        "Addresses",
        match user.ip_retention {
            IpRetention::Whole => "stored in full",
            IpRetention::Shortened => "stored shortened",
            IpRetention::None => "not stored, as they chose",
        },
    ));
    facts
}

fn password_fact(user: &User, clock: ReaderClock) -> Option<FactView> {
    match (user.is_external(), user.is_password_void()) {
        (true, _) => None,
        (false, true) => Some(FactView::text(
            "Password",
            "none until they set one with a link",
        )),
        (false, false) => Some(FactView::time(
            "Password set",
            TimeView::exact(user.password_changed_at, clock),
        )),
    }
}

fn email_facts(user: &User) -> Vec<FactView> {
    if user.is_external() {
        let stated = user.stated_email.as_deref();
        let fact = |email| FactView {
            small: Some("provided by the application, never verified"),
            ..FactView::text("E-mail", email)
        };
        return stated.map(fact).into_iter().collect();
    }
    let small = match (user.email_verified_at, user.email_declined_at) {
        (Some(_), _) => "verified",
        (None, Some(_)) => "the person who reads it says that it isn’t theirs",
        (None, None) => "not verified",
    };
    vec![FactView {
        small: Some(small),
        ..FactView::text("E-mail", &user.email)
    }]
}

impl FactView {
    fn text(name: &'static str, words: &str) -> Self {
        Self {
            name,
            words: words.to_owned(),
            ..Self::default()
        }
    }

    fn time(name: &'static str, at: TimeView) -> Self {
        Self {
            name,
            at: Some(at),
            ..Self::default()
        }
    }
}
