//! `/admin/sessions/end`: says what would be ended, asks for a reason, and ends it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::back::Back;
use super::end_fields::{EndFields, hidden_fields};
use super::job_views::filter_words;
use super::quantity;
use crate::db::JobId;
use crate::error::Result;
use crate::events::StatedReason;
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::http::reader_clock::ReaderClock;
use crate::pages::words::TimeView;
use crate::people::User;
use crate::sessions::bulk::{EndOrder, EndPreview, OwnSessions, Repetition, Selection};
use crate::sessions::{Caller, Session};

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
    own_error: Option<&'static str>,
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

/// The caller's own sessions among them.
struct OwnView {
    /// How many, and what happens to them.
    words: String,
    /// The label of the checkbox that ends them as well.
    label: String,
    is_chosen: bool,
    /// Whether there are no others.
    is_all: bool,
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
    let query: Vec<_> = form_urlencoded::parse(request.query_string().as_bytes())
        .into_owned()
        .collect();
    let fields = EndFields::parse(&query, app.clock.now())?;
    let Some(selection) = &fields.selection else {
        return unticked(&request, &caller, fields.back);
    };
    let template = load_page(&app, &request, &caller, selection, &fields).await?;
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
    let Some(ticket) = fields
        .ticket
        .filter(|ticket| ticket.is_current(app.clock.now()))
    else {
        let mut template = load_page(&app, &request, &caller, selection, &fields).await?;
        template.is_stale = true;
        template.layout.is_failed = true;
        return page(StatusCode::CONFLICT, &template);
    };
    let before = app.sessions.find_ordered(caller.session.id, ticket).await?;
    if let Some(job) = before {
        return Ok(ordered_before(&request, &caller, &fields.back, job.id));
    }
    let reason: StatedReason = match fields.stated_reason.parse() {
        Ok(reason) => reason,
        Err(_) => {
            let mut template = load_page(&app, &request, &caller, selection, &fields).await?;
            let message = format!("must have 1 to {} characters", StatedReason::LIMIT);
            template
                .layout
                .add_problem(("stated_reason", "Reason"), Some(&message));
            template.reason_error = Some(message);
            return page(StatusCode::BAD_REQUEST, &template);
        }
    };
    let (own, except) = match fields.includes_own {
        true => (OwnSessions::Included, None),
        false => (OwnSessions::LeftOut, Some(caller.user.id)),
    };
    let due = selection.signed_in_by(ticket.until());
    if !app.sessions.would_end(&due, except).await? {
        // The same form, sent at the same time, may have ended them this moment.
        let meanwhile = app.sessions.find_ordered(caller.session.id, ticket).await?;
        if let Some(job) = meanwhile {
            return Ok(ordered_before(&request, &caller, &fields.back, job.id));
        }
        let mut template = load_page(&app, &request, &caller, selection, &fields).await?;
        const MESSAGE: &str = "must be ticked: there is no other session to end";
        template
            .layout
            .add_problem(("include_own", "Your own sessions"), Some(MESSAGE));
        template.own_error = Some(MESSAGE);
        return page(StatusCode::CONFLICT, &template);
    }
    let order = EndOrder {
        selection: selection.clone(),
        own,
        repetition: Repetition::Same(ticket),
        origin: caller.origin().with_reason(reason),
    };
    let ordered = app.sessions.order_end(order).await?;
    let job = format!("/admin/jobs/{}", ordered.job.id);
    Ok(see_other(fields.back.from(&job)))
}

/// Returns a redirect to the job of an order that was made before, and says so there.
fn ordered_before(request: &HttpRequest, caller: &Caller, back: &Back, job: JobId) -> HttpResponse {
    let outcome = Notice::Account(caller.user.id, AccountNotice::OrderedBefore);
    notice::put(request, outcome);
    see_other(back.from(format!("/admin/jobs/{job}")))
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
    let ticket = match fields.ticket.filter(|ticket| ticket.is_current(clock.now)) {
        Some(ticket) => ticket,
        None => app.sessions.issue_ticket().await?,
    };
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

impl OwnView {
    fn new(words: &EndWords, is_chosen: bool) -> Option<Self> {
        let text = match (words.own, words.is_own_only) {
            (0, _) => return None,
            (1, true) => {
                "This is your own session. It stays signed in unless you tick this.".into()
            }
            (_, true) => {
                "These are your own sessions. They stay signed in unless you tick this.".into()
            }
            (1, false) => {
                "One of your own sessions also matches. It stays signed in unless you tick this."
                    .into()
            }
            (own, false) => format!(
                "{} of your own sessions also match. They stay signed in unless you tick this.",
                quantity::number(own)
            ),
        };
        Some(Self {
            words: text,
            label: match (words.own, words.is_own_only) {
                (1, true) => "End mine; you may be signed out here".into(),
                (1, false) => "End mine as well; you may be signed out here".into(),
                (own, true) => format!(
                    "End all {} of mine; you may be signed out here",
                    quantity::number(own)
                ),
                (own, false) => format!(
                    "End all {} of mine as well; you may be signed out here",
                    quantity::number(own)
                ),
            },
            is_chosen,
            is_all: words.is_own_only,
        })
    }
}

/// The numbers that the page speaks of.
struct EndWords {
    /// The sessions that are named and counted in the question: those of others or, where there are
    /// none, the caller's own.
    shown: u64,
    /// Their owners.
    people: u64,
    /// The caller's own sessions.
    own: u64,
    is_own_only: bool,
    is_exact: bool,
}

impl EndWords {
    fn new(found: &EndPreview) -> Self {
        let others = found.sessions.saturating_sub(found.own);
        let is_own_only = others == 0 && found.own > 0;
        Self {
            shown: if is_own_only { found.own } else { others },
            people: match is_own_only {
                true => 1,
                false => found.people.saturating_sub(u64::from(found.own > 0)),
            },
            own: found.own,
            is_own_only,
            is_exact: found.is_exact,
        }
    }

    fn question(&self) -> String {
        match (self.shown, self.is_own_only) {
            (0, _) if self.is_exact => "All of these sessions have already ended".into(),
            (1, true) => "End your own session?".into(),
            (n, true) => format!("End your own {}?", quantity::sessions(n)),
            (n, false) if self.is_exact => format!(
                "End {} of {}?",
                quantity::sessions(n),
                quantity::people(self.people)
            ),
            (n, false) => format!(
                "End about {} of at least {}?",
                quantity::sessions(quantity::rounded(n)),
                quantity::people(quantity::at_least(self.people))
            ),
        }
    }

    /// Says how many are not among the `named` ones.
    fn more(&self, named: u64) -> Option<String> {
        let rest = self.shown.saturating_sub(named);
        match (rest, self.is_exact) {
            (0, _) => None,
            (n, true) => Some(format!("and {} more", quantity::sessions(n))),
            (n, false) => Some(format!(
                "and about {} more",
                quantity::sessions(quantity::rounded(n))
            )),
        }
    }

    /// Returns the label of the button, with a number where that is what it ends in any case.
    fn button(&self) -> Option<String> {
        match (self.shown, self.own) {
            (0, _) if self.is_exact => None,
            (1, 0) => Some("End 1 session".into()),
            (n, 0) if self.is_exact => Some(format!("End {}", quantity::sessions(n))),
            (n, 0) => Some(format!(
                "End about {}",
                quantity::sessions(quantity::rounded(n))
            )),
            (1, 1) if self.is_own_only => Some("End it".into()),
            _ => Some("End them".into()),
        }
    }
}

fn is_own(session: &Session, caller: &Caller) -> bool {
    session.user_id == caller.user.id
}
