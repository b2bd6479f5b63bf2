//! `/admin/sessions`: all people's sessions, searched, filtered and sorted.

mod filters;
mod list;
mod query;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

pub(super) use self::filters::Chip;
use self::filters::StateCounts;
use self::list::{ListView, Viewer};
use self::query::{ListQuery, RequestedList};
use super::fields::{FilterForm, Problem, mark};
use super::session_views::{EndView, Names};
use crate::error::{Error, Result};
use crate::http::admin_caller::AuditCaller;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::reader_clock::ReaderClock;
use crate::pages::notices;
use crate::pages::views::Reader;
use crate::sessions::Caller;
use crate::sessions::search::{
    MatchCount, SEARCH_BUDGET, SearchPage, SearchQuery, SessionFilter, StateFilter,
};

/// The sessions on a page.
const PAGE_SIZE: u32 = 50;
/// What is wrong with a query is named up to so many times.
const MAX_PROBLEMS: usize = 20;

#[derive(Template)]
#[template(path = "pages/admin/sessions.html")]
struct SessionsPage {
    layout: Layout,
    notice: Option<String>,
    /// The text of the search box.
    search: String,
    /// Whether the text of the search box could not be understood.
    is_search_wrong: bool,
    /// What could not be understood. Nothing is listed then.
    problems: Vec<Problem>,
    form: FilterForm,
    /// The order that the search box leaves as it is; empty for the usual one.
    sort: String,
    states: Vec<Chip>,
    presets: Vec<Chip>,
    list: Option<ListView>,
}

/// Shows a page of the list. A query with the text of the search box is redirected to the address
/// with the filter that it stands for; one that is not understood is shown again with what is wrong.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
) -> Result<HttpResponse> {
    let query = ListQuery::parse(request.query_string());
    if let Some(location) = query.redirect() {
        return Ok(see_other(location));
    }
    let mut template = SessionsPage::new(&request, &caller, &query)?;
    let status = match &query.requested {
        Ok(requested) => {
            template.load(&app, &request, &caller, requested).await?;
            StatusCode::OK
        }
        Err(problems) => {
            let problems = &problems[..problems.len().min(MAX_PROBLEMS)];
            template.is_search_wrong = query.has_search();
            template.problems = match query.has_search() {
                true => problems.iter().map(Problem::unnamed).collect(),
                false => mark(problems, &mut template.form.fields),
            };
            StatusCode::BAD_REQUEST
        }
    };
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(status, &template)
}

/// Returns the links to lists that are often of use.
pub(super) fn presets(clock: ReaderClock) -> Vec<Chip> {
    filters::presets(None, clock)
}

impl SessionsPage {
    /// Returns the page without a list.
    fn new(request: &HttpRequest, caller: &Caller, query: &ListQuery) -> Result<Self> {
        let requested = query.requested.as_ref().ok();
        Ok(Self {
            layout: Layout::for_caller(request, caller, NavItem::Administration)?,
            notice: None,
            search: query.search_text(),
            is_search_wrong: false,
            problems: Vec::new(),
            form: filters::form(query),
            sort: query.chosen_sort(),
            states: Vec::new(),
            presets: filters::presets(requested, ReaderClock::of_caller(request, caller)?),
            list: None,
        })
    }

    /// Searches, and adds the list and the counts.
    async fn load(
        &mut self,
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
        requested: &RequestedList,
    ) -> Result<()> {
        let search = app.sessions.search(SearchQuery {
            filter: requested.filter.clone(),
            sort: requested.sort,
            cursor: requested.cursor,
            limit: PAGE_SIZE,
            budget: SEARCH_BUDGET,
        });
        let (mut found, counts): (SearchPage, StateCounts) =
            tokio::try_join!(search, count(app, requested))?;
        let viewer = Viewer {
            caller,
            names: &Names::load(app, &found.found).await?,
            reader: &Reader::new(app, request, caller)?,
        };
        let total = match requested.filter.state() {
            // No live session has a reason.
            StateFilter::Live if requested.filter.reason.is_some() => MatchCount::Exactly(0),
            StateFilter::Any if requested.filter.reason.is_some() => counts.ended,
            StateFilter::Live => counts.live,
            StateFilter::Ended => counts.ended,
            StateFilter::Any => sum(counts),
        };
        if total == MatchCount::Exactly(0) && found.found.is_empty() {
            // Counting came to the end before the search did.
            found = SearchPage::default();
        }
        let total = found.total(total);
        self.states = filters::states(requested, counts);
        self.list = Some(ListView::new(&found, requested, total, &viewer));
        Ok(())
    }
}

/// Counts the sessions that match in either state.
async fn count(app: &AppState, requested: &RequestedList) -> Result<StateCounts> {
    let (live, ended) = (
        filters::live(&requested.filter),
        filters::ended(&requested.filter),
    );
    let (live, ended) = tokio::try_join!(count_in_time(app, &live), count_in_time(app, &ended))?;
    Ok(StateCounts { live, ended })
}

/// Counts the sessions that match, unless too many others search: the list does without the number.
async fn count_in_time(app: &AppState, filter: &SessionFilter) -> Result<MatchCount> {
    match app.sessions.count_matching(filter).await {
        Err(Error::Busy { .. }) => Ok(MatchCount::About(0)),
        counted => counted,
    }
}

fn sum(counts: StateCounts) -> MatchCount {
    match (counts.live, counts.ended) {
        (MatchCount::Exactly(live), MatchCount::Exactly(ended)) => {
            MatchCount::Exactly(live + ended)
        }
        (
            MatchCount::Exactly(live) | MatchCount::About(live),
            MatchCount::Exactly(ended) | MatchCount::About(ended),
        ) => MatchCount::About(live + ended),
    }
}
