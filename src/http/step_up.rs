//! Step-up: the page that requests the password again. It names what is about to be done, and contains
//! the interrupted request with all its fields, so the request continues once the password is given.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use url::form_urlencoded;

use super::app_state::{AppState, app_state};
use super::browser;
use super::client::location;
use super::form_origin::own_referrer;
use super::forms;
use super::layout::{Layout, NavItem, page, see_other};
use super::step_up_act::{Act, describe, is_destructive};
use super::target::{is_local, page_above, page_of_form};
use crate::error::{Error, Result};
use crate::sessions::Caller;

/// The path of the page.
const PATH: &str = "/confirm";

/// The fields of the page itself, which are not the interrupted request's.
const OWN_FIELDS: [&str; 5] = ["csrf", "password", "act", "next", LEAVE];

/// The field with the page to go to instead.
const LEAVE: &str = "leave";

/// The field with the list that a form of the administrator's pages leads back to.
const BACK: &str = "back";

/// The page that requests the password.
#[derive(Template)]
#[template(path = "pages/confirm.html")]
pub struct ConfirmPage {
    layout: Layout,
    /// What is about to be done, if it has a name.
    act: Option<Act>,
    /// The path that the interrupted request is posted to, if it was a POST.
    action: Option<String>,
    /// The fields of the interrupted request.
    fields: Vec<(String, String)>,
    /// The page to continue on where there is no `action`.
    next: String,
    /// The page to go to instead.
    leave: String,
    /// The error of the last attempt.
    error: Option<&'static str>,
}

/// The request that step-up interrupted.
pub enum Interrupted {
    /// A form that was posted to this path, with its query.
    Form(String),
    /// A page.
    Page(String),
}

impl ConfirmPage {
    /// Returns the page for an interrupted request. The fields of a form are those of `request`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn new(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
        interrupted: Interrupted,
    ) -> Result<Self> {
        let (action, next, fields) = match interrupted {
            Interrupted::Form(path) => (Some(path), String::new(), action_fields(request)),
            Interrupted::Page(path) => (None, path, Vec::new()),
        };
        let target = action.as_deref().unwrap_or(&next);
        let mut layout = Layout::for_caller(request, caller, NavItem::None)?;
        if layout.behind.is_some() && action.is_none() {
            layout.behind = Some(address_for(&next));
        }
        Ok(Self {
            layout,
            act: describe(app, caller, target, &fields).await?,
            leave: way_back(request, target, &fields),
            action,
            fields,
            next,
            error: None,
        })
    }

    /// Returns the page with the error of the last attempt.
    #[must_use]
    pub fn with_error(self, words: &'static str) -> Self {
        Self {
            error: Some(words),
            layout: Layout {
                is_failed: true,
                ..self.layout
            },
            ..self
        }
    }

    /// Returns whether the password lets something end or be deleted, without another page before it.
    fn is_destructive(&self) -> bool {
        self.action
            .as_deref()
            .is_some_and(|action| is_destructive(action, &self.fields))
    }

    /// Returns whether the password leads to a page, which then says what it does.
    fn leads_to_page(&self) -> bool {
        self.action.is_none() && !self.next.starts_with("/account/export")
    }
}

/// Returns the response to a request that needs step-up: the page to a POST, else a redirect to it.
///
/// # Errors
/// [`Error::Internal`] when the page can't be rendered; [`Error::Unavailable`] when the database doesn't
/// respond.
pub async fn step_up_response(request: &HttpRequest) -> Result<HttpResponse> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    if request.method() != Method::POST {
        return Ok(see_other(address_for(target)));
    }
    let app = app_state(request)?;
    let claim = browser::session_claim(request)?.ok_or(Error::Unauthenticated)?;
    let caller = app.sessions.identify(claim, location(request, app)).await?;
    let interrupted = Interrupted::Form(target.to_owned());
    let template = ConfirmPage::new(app, request, &caller, interrupted).await?;
    page(StatusCode::FORBIDDEN, &template)
}

/// Returns the address of the page for a page that needs the password.
fn address_for(next: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{PATH}?{}", query.append_pair("next", next).finish())
}

/// Returns where somebody goes who doesn't go on: to the page that they came from, as far as the browser
/// states it; else to the list that the interrupted request leads back to, or to the page of its form, but to none
/// that needs the password as well.
fn way_back(request: &HttpRequest, target: &str, fields: &[(String, String)]) -> String {
    let submitted = forms::submitted_fields(request);
    let stated = submitted
        .into_iter()
        .find(|(name, address)| name == LEAVE && is_local(address));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let mut given = query.into_iter().chain(fields.iter().cloned());
    let list = given.find(|(name, address)| name == BACK && is_local(address));
    let list = list.map(|(_, address)| address);
    let page = stated
        .map(|(_, address)| address)
        .or_else(|| own_referrer(request).filter(|page| is_page(page)))
        .or_else(|| list.clone())
        .unwrap_or_else(|| page_of_form(path));
    let (path, _) = page.split_once('?').unwrap_or((&page, ""));
    match page_above(path) {
        Some(above) => list.unwrap_or(above),
        None => page,
    }
}

fn is_page(address: &str) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    is_local(address) && path != PATH
}

/// Returns the fields of the submitted form that belong to the interrupted request.
fn action_fields(request: &HttpRequest) -> Vec<(String, String)> {
    let mut fields = forms::submitted_fields(request);
    fields.retain(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    fields
}
