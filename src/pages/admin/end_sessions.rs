//! `/admin/sessions/end`: says what would be ended, asks for a reason, and ends it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::back::Back;
use super::end_fields::{EndFields, hidden_fields, is_typed};
use super::end_words::{EndWords, OwnView};
use super::job_views::filter_words;
use super::quantity;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::events::StatedReason;
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::failed_form;
use crate::http::failed_page::failed_page;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::http::reader_clock::ReaderClock;
use crate::pages::words::TimeView;
use crate::people::User;
use crate::sessions::bulk::{
    EndOrder, EndPreview, OrderTicket, OwnSessions, Repetition, Selection,
};
use crate::sessions::{Caller, Session};

/// Marks a form that is too old, whose page says it in its own words.
const STALE: &str = "stale";

#[derive(Template)]
#[template(path = "pages/admin/end_sessions.html")]
struct EndSessionsPage {
    layout: Layout,
    /// The question: "End 12 sessions of 9 people?"
    question: String,
    /// The parts of the filter that finds them: "country: Norway".
    which: Vec<String>,
    /// How many of the ticked ones are over: "1 of the selected sessions has already ended."
    missing: Option<String>,
    /// Whether it is one session.
    is_one: bool,
    /// Some of the sessions.
    named: Vec<NamedSession>,
    /// How many are not named: "and 4 more sessions".
    more: Option<String>,
    own: Option<OwnView>,
    /// The fields that name the sessions.
    fields: Vec<(&'static str, String)>,
    reason_typed: String,
    reason_error: Option<String>,
    /// What is wrong with the checkbox for the caller's own sessions.
    own_error: Option<String>,
    /// Whether the form that was sent is too old, or none that the page has.
    is_stale: bool,
    /// The button: "End 12 sessions"; `None` where there is nothing to end.
    button: Option<String>,
    back: Back,
}

struct NamedSession {
    person: String,
    device: String,
    last_used: TimeView,
    is_own: bool,
}

/// The form as it was sent.
struct SentForm<'a> {
    app: &'a AppState,
    request: &'a HttpRequest,
    caller: &'a Caller,
    selection: &'a Selection,
    fields: &'a EndFields,
}

/// Shows what would be ended. Its address names the sessions, so that it can be gone back to.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the query is not for sessions that can be ended.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
) -> Result<HttpResponse> {
    let mut query: Vec<_> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .filter(|(part, _)| !failed_form::is_name_of_form(part))
        .collect();
    let failed = failed_form::shown(&request);
    if let Some(failed) = &failed {
        // The address names the sessions; the rest is the form's.
        let is_typed = |(name, _): &&(String, String)| is_typed(name);
        query.extend(failed.fields().iter().filter(is_typed).cloned());
    }
    let fields = EndFields::parse(&query, app.clock.now())?;
    let Some(selection) = &fields.selection else {
        return unticked(&request, &caller, fields.back);
    };
    let mut template = load_page(&app, &request, &caller, selection, &fields).await?;
    template.reason_error = template.layout.problem_of("stated_reason");
    template.own_error = template.layout.problem_of("include_own");
    template.is_stale = template.layout.is_failed;
    page(StatusCode::OK, &template)
}

/// Ends the sessions, or has them ended by a job, whose page says what became of it. The same form
/// again leads to the same job.
///
/// # Errors
/// As [`show`].
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, fields): AdminForm<Vec<(String, String)>>,
) -> Result<HttpResponse> {
    let fields = EndFields::parse(&fields, app.clock.now())?;
    let Some(selection) = &fields.selection else {
        return unticked(&request, &caller, fields.back);
    };
    let form = SentForm {
        app: &app,
        request: &request,
        caller: &caller,
        selection,
        fields: &fields,
    };
    let is_current = |ticket: &OrderTicket| ticket.is_current(app.clock.now());
    let Some(ticket) = fields.ticket.filter(is_current) else {
        return form.show_stale().await;
    };
    if let Some(response) = form.ordered_before(ticket).await? {
        return Ok(response);
    }
    let Ok(reason) = fields.stated_reason.parse::<StatedReason>() else {
        return form.show_without_reason().await;
    };
    form.order(ticket, reason).await
}

impl SentForm<'_> {
    /// Orders the end of the sessions, and leads to its job.
    async fn order(&self, ticket: OrderTicket, reason: StatedReason) -> Result<HttpResponse> {
        let sessions = &self.app.sessions;
        let (own, except) = match self.fields.includes_own {
            true => (OwnSessions::Included, None),
            false => (OwnSessions::LeftOut, Some(self.caller.user.id)),
        };
        let due = self.selection.signed_in_by(ticket.until());
        if !sessions.would_end(&due, except).await? {
            // The same form, sent at the same time, may have ended them this moment.
            return match self.ordered_before(ticket).await? {
                Some(response) => Ok(response),
                None => self.show_without_others().await,
            };
        }
        let order = EndOrder {
            selection: self.selection.clone(),
            own,
            repetition: Repetition::Same(ticket),
            origin: self.caller.origin().with_reason(reason),
        };
        let ordered = sessions.order_end(order).await?;
        let job = format!("/admin/jobs/{}", ordered.job.id);
        Ok(see_other(self.fields.back.from(&job)))
    }

    /// Returns a redirect to the job of an order with this ticket that was made before, and says so there.
    async fn ordered_before(&self, ticket: OrderTicket) -> Result<Option<HttpResponse>> {
        let by = self.caller.session.id;
        let job = self.app.sessions.find_ordered(by, ticket).await?;
        Ok(job.map(|job| {
            let outcome = Notice::Account(self.caller.user.id, AccountNotice::OrderedBefore);
            notice::put(self.request, outcome);
            see_other(self.fields.back.from(format!("/admin/jobs/{}", job.id)))
        }))
    }

    /// Shows the page again, since it was opened too long ago.
    async fn show_stale(&self) -> Result<HttpResponse> {
        let mut template = self.load_page().await?;
        template.is_stale = true;
        template.layout.is_failed = true;
        self.respond_failed(StatusCode::CONFLICT, &template, Some(STALE))
    }

    /// Returns the response to the form. Only the address that its page had names the sessions.
    fn respond_failed(
        &self,
        status: StatusCode,
        template: &EndSessionsPage,
        words: Option<&str>,
    ) -> Result<HttpResponse> {
        match failed_form::is_from_page(self.request) {
            true => failed_page(self.request, status, (template, &template.layout), words),
            false => page(status, template),
        }
    }

    /// Shows the page again, since it has no valid reason.
    async fn show_without_reason(&self) -> Result<HttpResponse> {
        let mut template = self.load_page().await?;
        let message = format!("must have 1 to {} characters", StatedReason::LIMIT);
        template
            .layout
            .add_problem(("stated_reason", "Reason"), Some(&message));
        template.reason_error = Some(message);
        self.respond_failed(StatusCode::BAD_REQUEST, &template, None)
    }

    /// Shows the page again, since nobody's but the caller's own sessions are left.
    async fn show_without_others(&self) -> Result<HttpResponse> {
        const MESSAGE: &str = "must be ticked: there is no other session to end";

        let mut template = self.load_page().await?;
        template
            .layout
            .add_problem(("include_own", "Your own sessions"), Some(MESSAGE));
        template.own_error = Some(MESSAGE.to_owned());
        self.respond_failed(StatusCode::CONFLICT, &template, None)
    }

    async fn load_page(&self) -> Result<EndSessionsPage> {
        load_page(
            self.app,
            self.request,
            self.caller,
            self.selection,
            self.fields,
        )
        .await
    }
}

async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    selection: &Selection,
    fields: &EndFields,
) -> Result<EndSessionsPage> {
    let clock = ReaderClock::of_caller(request, caller)?;
    // Before they are counted: what signs in later is not ended.
    let ticket = current_ticket(app, fields, clock.now).await?;
    let due = selection.signed_in_by(ticket.until());
    let found = app.sessions.preview_end(&due, Some(caller.user.id)).await?;
    let words = EndWords::new(&found);
    Ok(EndSessionsPage {
        layout: Layout::for_caller(request, caller, NavItem::Administration)?,
        question: words.question(),
        which: which(selection, clock),
        missing: missing(selection, &found),
        more: words.more(shown(&found, caller).count() as u64),
        is_one: words.shown == 1,
        named: shown(&found, caller)
            .map(|(session, owner)| NamedSession {
                person: owner.known_by(),
                device: session.display_name(),
                last_used: TimeView::ago(session.last_used_at, clock),
                is_own: is_own(session, caller),
            })
            .collect(),
        own: OwnView::new(&words, fields.includes_own),
        fields: hidden_fields(selection, &fields.back, ticket),
        reason_typed: fields.stated_reason.clone(),
        reason_error: None,
        own_error: None,
        is_stale: false,
        button: words.button(),
        back: fields.back.clone(),
    })
}

/// Returns the ticket of the form, or a new one if it has none that is current.
async fn current_ticket(app: &AppState, fields: &EndFields, now: Timestamp) -> Result<OrderTicket> {
    match fields.ticket.filter(|ticket| ticket.is_current(now)) {
        Some(ticket) => Ok(ticket),
        None => app.sessions.issue_ticket().await,
    }
}

/// Returns the sessions that are named: those of others or, where there are none, the caller's own.
fn shown<'a>(
    found: &'a EndPreview,
    caller: &'a Caller,
) -> impl Iterator<Item = &'a (Session, User)> {
    let is_own_only = found.own >= found.sessions;
    let named = found.named.iter();
    named.filter(move |(session, _)| is_own_only || !is_own(session, caller))
}

/// Returns the parts of the filter in words, none for ticked sessions.
fn which(selection: &Selection, clock: ReaderClock) -> Vec<String> {
    match selection {
        Selection::Listed(_) => Vec::new(),
        Selection::Matching(filter) => match filter_words(filter, clock) {
            words if words.is_empty() => vec!["every live session".into()],
            words => words,
        },
    }
}

/// Says how many of the ticked sessions are over meanwhile.
fn missing(selection: &Selection, found: &EndPreview) -> Option<String> {
    let Selection::Listed(ids) = selection else {
        return None;
    };
    match (ids.len() as u64).saturating_sub(found.sessions) {
        0 => None,
        _ if found.sessions == 0 => None,
        1 => Some("1 of the selected sessions has already ended.".into()),
        n => Some(format!(
            "{} of the selected sessions have already ended.",
            quantity::number(n)
        )),
    }
}

/// Returns the response to an order for no sessions.
fn unticked(request: &HttpRequest, caller: &Caller, back: Back) -> Result<HttpResponse> {
    let template = EndSessionsPage {
        layout: Layout::for_caller(request, caller, NavItem::Administration)?,
        question: "No session is selected".into(),
        which: Vec::new(),
        missing: None,
        is_one: false,
        named: Vec::new(),
        more: None,
        own: None,
        fields: Vec::new(),
        reason_typed: String::new(),
        reason_error: None,
        own_error: None,
        is_stale: false,
        button: None,
        back,
    };
    page(StatusCode::BAD_REQUEST, &template)
}

fn is_own(session: &Session, caller: &Caller) -> bool {
    session.user_id == caller.user.id
}
