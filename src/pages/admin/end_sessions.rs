//! `/admin/sessions/end`: says what would be ended, asks for a reason, and ends it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use url::form_urlencoded;

use super::end_fields::{EndFields, hidden_fields};
use super::quantity;
use crate::error::Result;
use crate::events::StatedReason;
use crate::http::admin_caller::AdminForm;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::pages::words::TimeView;
use crate::sessions::bulk::{EndOrder, EndPreview, OwnSessions, Selection};
use crate::sessions::{Caller, Session};

/// The list that the page leads back to.
const LIST: &str = "/admin/sessions";

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
    back: String,
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

/// Shows what would be ended.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when the form is not for sessions that can be ended.
pub async fn preview(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, fields): AdminForm<Vec<(String, String)>>,
) -> Result<HttpResponse> {
    let fields = EndFields::parse(&fields, app.clock.now())?;
    let Some(selection) = &fields.selection else {
        return page(StatusCode::BAD_REQUEST, &unticked_page(&request, &caller)?);
    };
    let template = load_page(&app, &request, &caller, selection, &fields).await?;
    page(StatusCode::OK, &template)
}

/// Ends the sessions, or has them ended by a job, whose page says what became of it.
///
/// # Errors
/// As [`preview`].
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, fields): AdminForm<Vec<(String, String)>>,
) -> Result<HttpResponse> {
    let fields = EndFields::parse(&fields, app.clock.now())?;
    let Some(selection) = &fields.selection else {
        return page(StatusCode::BAD_REQUEST, &unticked_page(&request, &caller)?);
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
    Ok(see_other(format!("/admin/jobs/{}", ordered.job.id)))
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
            person: owner.known_by(),
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
        fields: hidden_fields(selection),
        reason_typed: fields.stated_reason.clone(),
        reason_error: None,
        button: button(&found),
        back: back(selection),
        named,
    })
}

fn unticked_page(request: &HttpRequest, caller: &Caller) -> Result<EndSessionsPage> {
    Ok(EndSessionsPage {
        layout: Layout::for_caller(request, caller, NavItem::Administration)?,
        question: "No session is ticked".into(),
        named: Vec::new(),
        more: None,
        own: None,
        fields: Vec::new(),
        reason_typed: String::new(),
        reason_error: None,
        button: None,
        back: LIST.into(),
    })
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

/// Returns the list with the same filter.
fn back(selection: &Selection) -> String {
    match selection {
        Selection::Listed(_) => LIST.into(),
        Selection::Matching(filter) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(filter.to_pairs());
            format!("{LIST}?{}", query.finish())
        }
    }
}

fn is_own(session: &Session, caller: &Caller) -> bool {
    session.user_id == caller.user.id
}
