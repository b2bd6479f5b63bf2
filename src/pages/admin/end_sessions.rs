//! `/admin/sessions/end`: says what would be ended, asks for a reason, and ends it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::back::Back;
use super::end_fields::{EndFields, hidden_fields};
use super::quantity;
use crate::error::Result;
use crate::events::StatedReason;
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::pages::words::TimeView;
use crate::people::User;
use crate::sessions::bulk::{EndOrder, EndPreview, OwnSessions, Selection};
use crate::sessions::{Caller, Session};

#[derive(Template)]
#[template(path = "pages/admin/end_sessions.html")]
struct EndSessionsPage {
    layout: Layout,
    /// The question: "End 12 sessions of 9 people?"
    question: String,
    /// Some of the sessions.
    named: Vec<NamedSession>,
    /// How many are not named: "and 4 more sessions".
    more: Option<String>,
    own: Option<OwnView>,
    /// The fields that name the sessions.
    fields: Vec<(&'static str, String)>,
    reason_typed: String,
    reason_error: Option<String>,
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

/// Ends the sessions, or has them ended by a job, whose page says what became of it.
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
    let reason: StatedReason = match fields.stated_reason.parse() {
        Ok(reason) => reason,
        Err(_) => {
            let mut template = load_page(&app, &request, &caller, selection, &fields).await?;
            template.reason_error =
                Some(format!("must have 1 to {} characters", StatedReason::LIMIT));
            return page(StatusCode::BAD_REQUEST, &template);
        }
    };
    let order = EndOrder {
        selection: selection.clone(),
        own: match fields.includes_own {
            true => OwnSessions::Included,
            false => OwnSessions::LeftOut,
        },
        origin: caller.origin().with_reason(reason),
    };
    let ordered = app.sessions.order_end(order).await?;
    let job = format!("/admin/jobs/{}", ordered.job.id);
    Ok(see_other(fields.back.from(&job)))
}

async fn load_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    selection: &Selection,
    fields: &EndFields,
) -> Result<EndSessionsPage> {
    let found = app
        .sessions
        .preview_end(selection, Some(caller.user.id))
        .await?;
    let now = app.clock.now();
    let named: Vec<NamedSession> = found
        .named
        .iter()
        .map(|(session, owner)| NamedSession {
            person: person_name(owner),
            device: session.display_name(),
            last_used: TimeView::ago(session.last_used_at, now),
            is_own: is_own(session, caller),
        })
        .collect();
    let unnamed = found.sessions.saturating_sub(named.len() as u64);
    Ok(EndSessionsPage {
        layout: Layout::for_caller(request, caller, NavItem::Administration)?,
        question: question(&found),
        more: (unnamed > 0).then(|| {
            let about = if found.is_exact { "" } else { "about " };
            format!("and {about}{} more", quantity::sessions(unnamed))
        }),
        own: OwnView::new(&found, fields.includes_own),
        fields: hidden_fields(selection, &fields.back),
        reason_typed: fields.stated_reason.clone(),
        reason_error: None,
        button: button(&found),
        back: fields.back.clone(),
        named,
    })
}

/// Returns the response to an order for no sessions.
fn unticked(request: &HttpRequest, caller: &Caller, back: Back) -> Result<HttpResponse> {
    let template = EndSessionsPage {
        layout: Layout::for_caller(request, caller, NavItem::Administration)?,
        question: "No session is ticked".into(),
        named: Vec::new(),
        more: None,
        own: None,
        fields: Vec::new(),
        reason_typed: String::new(),
        reason_error: None,
        button: None,
        back,
    };
    page(StatusCode::BAD_REQUEST, &template)
}

impl OwnView {
    fn new(found: &EndPreview, is_chosen: bool) -> Option<Self> {
        let is_all = found.own == found.sessions;
        let words = match found.own {
            0 => return None,
            1 if is_all => "It is your own. It stays signed in unless you end it as well.".into(),
            _ if is_all => {
                "All of them are your own. They stay signed in unless you end them as well.".into()
            }
            1 => "One more is your own. It stays signed in unless you end it as well.".into(),
            own => format!(
                "{} more are your own. They stay signed in unless you end them as well.",
                quantity::number(own)
            ),
        };
        Some(Self {
            words,
            label: match found.own {
                1 => "End mine as well; you may be signed out here".into(),
                own => format!(
                    "End all {} of mine as well; you may be signed out here",
                    quantity::number(own)
                ),
            },
            is_chosen,
            is_all,
        })
    }
}

fn question(found: &EndPreview) -> String {
    // The caller's own are left out, unless there are no others.
    let others = found.sessions.saturating_sub(found.own);
    let (sessions, people) = match (others, found.own) {
        (0, _) | (_, 0) => (found.sessions, found.people),
        (others, _) => (others, found.people.saturating_sub(1)),
    };
    let people = quantity::people(people);
    match (sessions, found.is_exact) {
        (0, true) => "None of these sessions is live".into(),
        (n, true) => format!("End {} of {people}?", quantity::sessions(n)),
        (n, false) => format!("End about {} of at least {people}?", quantity::sessions(n)),
    }
}

/// Returns the label of the button, which names what is ended without the caller's own.
fn button(found: &EndPreview) -> Option<String> {
    let others = found.sessions.saturating_sub(found.own);
    let about = if found.is_exact { "" } else { "about " };
    match (found.sessions, others) {
        (0, _) => None,
        (n, 0) => Some(format!("End {}", quantity::sessions(n))),
        (_, n) => Some(format!("End {about}{}", quantity::sessions(n))),
    }
}

fn is_own(session: &Session, caller: &Caller) -> bool {
    session.user_id == caller.user.id
}

/// Returns whom a session belongs to: the e-mail, or the subject that an application has for a
/// person without one.
fn person_name(owner: &User) -> String {
    match (&owner.external_subject, &owner.stated_email) {
        (Some(subject), None) => format!("subject {subject}"),
        _ => owner.shown_email().to_owned(),
    }
}
