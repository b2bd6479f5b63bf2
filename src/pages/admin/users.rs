//! `/admin/users`: everybody with an account, found by a text and by filters, newest account first.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;

use super::back::{Back, List};
use super::fields::{self, Field, Problem, mark};
use super::pager::{Neighbours, Pager, Progress};
use super::person::{Badge, devices, role_badge, sessions, sign_in_name, state_badges};
use super::quantity;
use super::users_filter::{self, FilterForm, PresetView};
use crate::applications::Application;
use crate::db::{ApplicationId, UserId};
use crate::error::{Error, Result};
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::reader_clock::ReaderClock;
use crate::pages::notices;
use crate::pages::words::TimeView;
use crate::people::{PeopleCursor, PeopleFilter, PeoplePage, PeopleQuery, Role, User};
use crate::sessions::{Caller, SessionSummary};

/// People on one page.
const MAX_PEOPLE: u32 = 50;
/// Applications to choose from.
const MAX_CHOICES: i64 = 200;

#[derive(Template)]
#[template(path = "pages/admin/users.html")]
struct UsersPage {
    layout: Layout,
    notice: Option<String>,
    /// What could not be understood. Nobody is listed then.
    problems: Vec<Problem>,
    text: Field,
    form: fields::FilterForm,
    presets: Vec<PresetView>,
    /// What is shown, in words.
    summary: &'static str,
    may_change: bool,
    rows: Vec<RowView>,
    pager: Pager,
}

/// A person in the list.
struct RowView {
    /// The address of their page.
    href: String,
    /// The e-mail or, for an application's person, its name and their subject.
    title: String,
    /// Their name or, without one, the e-mail that the application states.
    small: Option<String>,
    is_caller: bool,
    role: Badge,
    states: Vec<Badge>,
    /// The number of devices that they are signed in on.
    devices: String,
    /// The number of sessions, where it is another.
    sessions: Option<String>,
    last_sign_in: Option<TimeView>,
    created: TimeView,
}

/// Shows the page.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
) -> Result<HttpResponse> {
    let form = FilterForm::from_query(request.query_string());
    let applications = choices(&app, &form).await?;
    let mut template = UsersPage::new(&request, &caller, (&form, &applications))?;
    match find(&app, &form).await {
        Ok(found) => {
            let clock = ReaderClock::of_caller(&request, &caller)?;
            template
                .show_people(&app, (&caller, &form), found, clock)
                .await?;
            template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
            page(StatusCode::OK, &template)
        }
        Err(err @ Error::Invalid(_)) => {
            let text = std::iter::once(&mut template.text);
            let fields = text.chain(&mut template.form.fields);
            template.problems = mark(err.field_errors(), fields);
            template.summary = "No people are listed.";
            template.layout.is_failed = true;
            page(err.status_code(), &template)
        }
        Err(err) => Err(err),
    }
}

/// A page of people, with the filter that found it and where it begins.
struct FoundPeople {
    filter: PeopleFilter,
    cursor: Option<PeopleCursor>,
    page: PeoplePage,
}

async fn find(app: &AppState, form: &FilterForm) -> Result<FoundPeople> {
    let Some(filter) = app.applications.resolve(form.filter()?).await? else {
        return Ok(FoundPeople {
            filter: PeopleFilter::default(),
            cursor: None,
            page: PeoplePage::default(),
        });
    };
    let cursor = form.cursor(&filter)?;
    let query = PeopleQuery {
        filter: filter.clone(),
        cursor,
        limit: MAX_PEOPLE,
    };
    let page = app.people.search(query).await?;
    Ok(FoundPeople {
        filter,
        cursor,
        page,
    })
}

/// Lists the applications to choose from: the first by their names, and the chosen one. Others are
/// found by their names in the address.
async fn choices(app: &AppState, form: &FilterForm) -> Result<Vec<Application>> {
    let mut choices = app.applications.list_first(MAX_CHOICES).await?;
    let is_listed = |text: &str| {
        let mut listed = choices.iter();
        listed.any(|found| found.name == text || found.id.to_string() == text)
    };
    if let Some(chosen) = form.application().filter(|text| !is_listed(text)) {
        match app.applications.get(chosen).await {
            Ok(found) => choices.push(found),
            Err(Error::NotFound) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(choices)
}

impl UsersPage {
    fn new(
        request: &HttpRequest,
        caller: &Caller,
        (form, applications): (&FilterForm, &[Application]),
    ) -> Result<Self> {
        let (text, filters) = users_filter::fields(form, applications);
        Ok(Self {
            layout: Layout::for_caller(request, caller, NavItem::Administration)?,
            notice: None,
            problems: Vec::new(),
            text,
            form: filters,
            presets: form.presets(),
            summary: "",
            may_change: caller.user.role() == Role::Admin,
            rows: Vec::new(),
            pager: Pager::default(),
        })
    }

    async fn show_people(
        &mut self,
        app: &AppState,
        (caller, form): (&Caller, &FilterForm),
        found: FoundPeople,
        clock: ReaderClock,
    ) -> Result<()> {
        let names = list_names(app, &found.page.people).await?;
        self.pager = pager(form, &found);
        let FoundPeople { cursor, page, .. } = found;
        let found = page;
        let ids: Vec<UserId> = found.people.iter().map(|user| user.id).collect();
        let summaries = app.sessions.summarize(ids).await?;
        self.summary = summary(&found, cursor.is_some(), form);
        let back = Back::here(&form.here(), List::People);
        self.rows = found
            .people
            .iter()
            .map(|user| {
                let application = user.application_id.and_then(|id| names.get(&id));
                let application = application.map(String::as_str);
                let summary = summaries.get(&user.id).copied().unwrap_or_default();
                RowView::new((user, application), (caller, &back), &summary, clock)
            })
            .collect();
        Ok(())
    }
}

/// Returns the names of the applications of people.
async fn list_names(app: &AppState, people: &[User]) -> Result<HashMap<ApplicationId, String>> {
    let ids = people.iter().filter_map(|user| user.application_id);
    app.applications.list_names(ids.collect()).await
}

fn summary(found: &PeoplePage, is_later: bool, form: &FilterForm) -> &'static str {
    match (found.people.is_empty(), found.is_partial) {
        (true, true) => "The search is taking long. Nobody was found so far.",
        (false, true) => "The search is taking long. This is what was found so far.",
        (true, false) if is_later => "No more people match.",
        (true, false) if form.is_empty() => "There are no people yet.",
        (true, false) => "Nobody matches.",
        (false, false) if form.has_text() => {
            "People whose e-mail, name or subject starts with it come first, then the newest accounts."
        }
        (false, false) => "Newest account first.",
    }
}

impl RowView {
    fn new(
        (user, application): (&User, Option<&str>),
        (caller, back): (&Caller, &Back),
        summary: &SessionSummary,
        clock: ReaderClock,
    ) -> Self {
        let has_several = summary.sessions != summary.devices;
        Self {
            href: back.from(format!("/admin/users/{}", user.id)),
            title: sign_in_name(user, application),
            small: user.full_name.clone().or(user.stated_email.clone()),
            is_caller: user.id == caller.user.id,
            role: role_badge(user.role()),
            states: state_badges(user),
            devices: match summary.sessions {
                0 => "no device".into(),
                _ => devices(summary),
            },
            sessions: has_several.then(|| sessions(summary)),
            last_sign_in: summary.last_sign_in.map(|at| TimeView::ago(at, clock)),
            created: TimeView::day(user.created_at, clock),
        }
    }
}

fn pager(form: &FilterForm, found: &FoundPeople) -> Pager {
    let FoundPeople {
        filter,
        cursor,
        page,
    } = found;
    let href = |cursor: &PeopleCursor| form.href(Some(&filter.encode(cursor)));
    let pages = Neighbours {
        next: page.next.as_ref().map(href),
        previous: page.previous.as_ref().map(href),
        newest_first: true,
    };
    let progress = match (page.is_partial, cursor) {
        (false, _) => Progress::Whole,
        (true, Some(cursor)) if cursor.is_backward() => Progress::StoppedBackward,
        (true, _) => Progress::StoppedForward,
    };
    let has_others = pages.next.is_some() || pages.previous.is_some();
    let words = match page.people.len() as u64 {
        n @ 1.. if has_others => format!("{} on this page", quantity::people(n)),
        _ => String::new(),
    };
    Pager::new(words, pages, progress)
}
