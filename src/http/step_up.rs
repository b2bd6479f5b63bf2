//! Step-up: the page that requests the password again. It names what is about to be done, and contains
//! the interrupted request with all its fields, so the request continues once the password is given.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use url::form_urlencoded;

use super::app_state::{AppState, app_state};
use super::browser;
use super::failed_form::{self, ACT, LEAVE};
use super::failed_page::failed_page;
use super::form_origin::own_referrer;
use super::forms;
use super::layout::{Layout, NavItem, page, see_other};
use super::step_up_act::{Act, describe, is_destructive};
use super::target::{is_local, page_above, page_of_form};
use super::unproven;
use crate::error::{Error, Result};
use crate::sessions::Caller;

/// The path of the page.
const PATH: &str = "/confirm";

/// The fields of the page itself, which are not the interrupted request's.
const OWN_FIELDS: [&str; 5] = ["csrf", "password", ACT, "next", LEAVE];

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
    error: Option<String>,
}

/// The request that step-up interrupted.
pub struct Interrupted {
    /// The path that it was posted to, with its query, if it was a POST.
    action: Option<String>,
    /// Its fields.
    fields: Vec<(String, String)>,
    /// The page to continue on where there is no `action`.
    next: String,
    /// The page to go to instead.
    leave: String,
}

impl Interrupted {
    /// Returns the form whose fields `request` has, and which was posted to `action`.
    #[must_use]
    pub fn form(request: &HttpRequest, action: String) -> Self {
        let fields = action_fields(forms::submitted_fields(request));
        Self {
            leave: way_back(request, &action, &fields),
            action: Some(action),
            fields,
            next: String::new(),
        }
    }

    /// Returns a page.
    #[must_use]
    pub fn page(request: &HttpRequest, next: String) -> Self {
        Self {
            leave: way_back(request, &next, &[]),
            action: None,
            fields: Vec::new(),
            next,
        }
    }

    /// Returns the form that was stored when the response to it was a redirect to the page for step-up, if
    /// it is still to be confirmed.
    #[must_use]
    pub fn stored(request: &HttpRequest) -> Option<Self> {
        let form = failed_form::shown(request)?;
        let action = form.value(ACT).filter(|action| is_local(action))?;
        Some(Self {
            leave: form.leave_address(),
            action: Some(action.to_owned()),
            fields: action_fields(form.fields().to_vec()),
            next: String::new(),
        })
    }
}

impl ConfirmPage {
    /// Returns the page for an interrupted request.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn new(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
        interrupted: Interrupted,
    ) -> Result<Self> {
        let Interrupted {
            action,
            fields,
            next,
            leave,
        } = interrupted;
        let target = action.as_deref().unwrap_or(&next);
        let mut layout = Layout::for_caller(request, caller, NavItem::None)?;
        if layout.behind.is_some() && action.is_none() {
            layout.behind = Some(address_for(&next));
        }
        Ok(Self {
            act: describe(app, caller, target, &fields).await?,
            leave,
            action,
            fields,
            next,
            error: layout.refused_words(),
            layout,
        })
    }

    /// Returns the page with the error of the last attempt.
    #[must_use]
    pub fn with_error(self, words: &str) -> Self {
        Self {
            error: Some(words.to_owned()),
            layout: Layout {
                is_failed: true,
                ..self.layout
            },
            ..self
        }
    }

    /// Returns the response to the form of the page, which failed.
    ///
    /// # Errors
    /// [`Error::Internal`] when the page can't be rendered.
    pub fn respond_failed(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let page = (self, &self.layout);
        failed_page(request, StatusCode::FORBIDDEN, page, self.error.as_deref())
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

/// Returns the response to a request that needs step-up: a redirect to the page, or, to a POST that can't be
/// stored, the page itself.
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
    let caller = unproven::identify(request, claim).await?;
    let interrupted = Interrupted::form(request, target.to_owned());
    let mut stored = interrupted.fields.clone();
    stored.push((ACT.to_owned(), target.to_owned()));
    stored.push((LEAVE.to_owned(), interrupted.leave.clone()));
    if let Some(address) = failed_form::store_interrupted(request, stored) {
        return Ok(see_other(address));
    }
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
    let shown = failed_form::shown(request);
    let submitted = shown.map_or_else(
        || forms::submitted_fields(request),
        |form| form.fields().to_vec(),
    );
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

/// Returns the fields that belong to the interrupted request.
fn action_fields(mut fields: Vec<(String, String)>) -> Vec<(String, String)> {
    fields.retain(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    fields
}
