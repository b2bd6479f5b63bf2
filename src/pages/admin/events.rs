//! `/admin/events`: the security log, filtered and page by page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::event_form::{Chip, EventForm, chips, href};
use super::event_rows::EventRow;
use super::fields::{Field, FilterForm, Problem, mark};
use super::overview;
use super::pager::{Neighbours, Pager, Progress};
use super::refusal_views::RefusalsView;
use crate::account::{EventFilter, EventLogPage, EventLogQuery};
use crate::db::EventId;
use crate::error::{Error, Result};
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::event_export::export_events;
use crate::http::export_reader::ExportReader;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::reader_clock::ReaderClock;
use crate::pages::words::TimeView;
use crate::people::Role;
use crate::sessions::Caller;

/// The events of a page.
const LIMIT: u32 = 50;

#[derive(Template)]
#[template(path = "pages/admin/events.html")]
struct EventsPage {
    layout: Layout,
    text: Field,
    form: FilterForm,
    /// Whether the other filters are shown unfolded.
    is_open: bool,
    chips: Vec<Chip>,
    /// What could not be understood. Nothing is listed then.
    problems: Vec<Problem>,
    list: Option<EventListView>,
    /// What was refused, above the newest events of all.
    refusals: Option<RefusalsView>,
}

struct EventListView {
    /// When the event happened that the others are around, if that was requested.
    around: Option<TimeView>,
    events: Vec<EventRow>,
    pager: Pager,
    csv: String,
    jsonl: String,
}

/// Shows a page of the log, or what is around an event. An address with empty parts, as a form makes
/// it, is redirected to the one without them.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
) -> Result<HttpResponse> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let has_empty = pairs.iter().any(|(_, value)| value.trim().is_empty());
    if has_empty {
        let full = pairs.iter().filter(|(_, value)| !value.trim().is_empty());
        return Ok(see_other(href(
            full.map(|(name, value)| (&**name, &**value)),
        )));
    }
    let (status, template) = match load(&app, &request, &caller, &pairs).await {
        Err(Error::Invalid(problems)) => {
            let mut form = EventForm::typed(&pairs);
            let text = std::iter::once(&mut form.text);
            let problems = mark(&problems, text.chain(&mut form.filters.fields));
            let mut template = EventsPage::new(
                &request,
                &caller,
                form,
                (None, ReaderClock::of_caller(&request, &caller)?),
            )?;
            template.problems = problems;
            template.layout.is_failed = true;
            (StatusCode::BAD_REQUEST, template)
        }
        loaded => (StatusCode::OK, loaded?),
    };
    page(status, &template)
}

/// Sends the events that the filter in the address finds as a file.
///
/// # Errors
/// As [`export_events`].
pub async fn export(
    app: web::Data<AppState>,
    AuditCaller(caller): AuditCaller,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let reader = ExportReader::new(&app.sessions, caller.origin(), Role::Auditor);
    export_events(reader, &app.accounts, request.query_string()).await
}

async fn load(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    pairs: &[(String, String)],
) -> Result<EventsPage> {
    let given = pairs.iter().map(|(name, value)| (&**name, &**value));
    let list = match pairs.iter().find(|(name, _)| name == "around") {
        Some((_, id)) => {
            let id = around(pairs, id)?;
            let (filter, found) = app.accounts.search_events_around(id, LIMIT).await?;
            (filter, found, Some(id))
        }
        None => {
            let query = EventLogQuery::parse(given)?;
            let found = app.accounts.search_events(&query).await?;
            (query.filter, found, None)
        }
    };
    let (filter, found, anchor) = list;
    let form = EventForm::of(&filter);
    let clock = ReaderClock::of_caller(request, caller)?;
    let list = EventListView::new(&filter, found, anchor, clock);
    let mut template = EventsPage::new(request, caller, form, (Some(list), clock))?;
    template.is_open &= anchor.is_none();
    if pairs.is_empty() {
        let figures = app.overview.read_refusals(clock.zone).await?;
        template.refusals = Some(overview::refusals(app, caller, &figures, clock).await?);
    }
    Ok(template)
}

/// Parses the id of the event to show the others around of, which is requested alone.
fn around(pairs: &[(String, String)], id: &str) -> Result<EventId> {
    match pairs {
        [_] => id
            .parse()
            .map_err(|_| Error::field("around", "must be the id of an event")),
        _ => Err(Error::field(
            "around",
            "can’t be combined with other filters",
        )),
    }
}

impl EventsPage {
    fn new(
        request: &HttpRequest,
        caller: &Caller,
        form: EventForm,
        (list, clock): (Option<EventListView>, ReaderClock),
    ) -> Result<Self> {
        Ok(Self {
            layout: Layout::for_caller(request, caller, NavItem::Administration)?,
            chips: chips(request.query_string(), clock),
            text: form.text,
            is_open: form.filters.filled() > 0,
            form: form.filters,
            problems: Vec::new(),
            list,
            refusals: None,
        })
    }
}

impl EventListView {
    fn new(
        filter: &EventFilter,
        found: EventLogPage,
        anchor: Option<EventId>,
        clock: ReaderClock,
    ) -> Self {
        let parts = filter.to_pairs();
        let link = |path: &str, extra: Option<(&str, &str)>| {
            let parts = parts.iter().map(|(name, value)| (*name, value.as_str()));
            format!(
                "{path}{}",
                href(parts.chain(extra)).trim_start_matches("/admin/events")
            )
        };
        let at = |cursor: &String| link("/admin/events", Some(("cursor", cursor)));
        let pages = Neighbours {
            next: found.next.as_ref().map(at),
            previous: found.previous.as_ref().map(at),
            newest_first: true,
        };
        let anchored = found
            .events
            .iter()
            .find(|logged| Some(logged.event.id) == anchor);
        Self {
            around: anchored.map(|logged| TimeView::exact(logged.event.at, clock)),
            pager: Pager::new(String::new(), pages, progress(&found)),
            events: found
                .events
                .into_iter()
                .map(|logged| EventRow::new(logged, anchor, clock))
                .collect(),
            csv: link("/admin/events/export", Some(("format", "csv"))),
            jsonl: link("/admin/events/export", Some(("format", "jsonl"))),
        }
    }
}

/// Returns how far the search for a page came.
fn progress(found: &EventLogPage) -> Progress {
    match &found.more {
        None => Progress::Whole,
        more if *more == found.previous => Progress::StoppedBackward,
        _ => Progress::StoppedForward,
    }
}
