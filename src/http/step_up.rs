//! Step-up: the page that requests the password again. It contains the interrupted request with all
//! its fields, so the request continues once the password is given.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use url::form_urlencoded;

use super::forms;
use super::layout::{Layout, page, see_other};
use super::target::{is_local, page_of_form};
use crate::error::Result;

/// The fields of the page itself, which are not the interrupted request's.
const OWN_FIELDS: [&str; 4] = ["csrf", "password", "act", "next"];

/// The field with the list that a form of the administrator's pages leads back to.
const BACK: &str = "back";

/// The page that requests the password.
#[derive(Template)]
#[template(path = "pages/confirm.html")]
pub struct ConfirmPage {
    /// The layout around it.
    pub layout: Layout,
    /// The path that the interrupted request is posted to, if it was a POST.
    pub action: Option<String>,
    /// The fields of the interrupted request.
    pub fields: Vec<(String, String)>,
    /// The page to continue on where there is no `action`.
    pub next: String,
    /// The page to go to instead.
    pub leave: String,
    /// The error of the last attempt.
    pub error: Option<&'static str>,
}

/// Returns the response to a request that needs step-up: the page to a POST, else a redirect to it.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when the page can't be rendered.
pub fn step_up_response(request: &HttpRequest) -> Result<HttpResponse> {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |target| target.as_str());
    if request.method() != Method::POST {
        let mut query = form_urlencoded::Serializer::new(String::new());
        return Ok(see_other(format!(
            "/confirm?{}",
            query.append_pair("next", target).finish()
        )));
    }
    let fields = action_fields(request);
    let template = ConfirmPage {
        layout: Layout::for_session(request)?,
        leave: way_back(target, &fields),
        action: Some(target.to_owned()),
        fields,
        next: String::new(),
        error: None,
    };
    page(StatusCode::FORBIDDEN, &template)
}

/// Returns where somebody goes who doesn't go on: to the list that the interrupted request leads back
/// to, else to the page of its form.
pub fn way_back(target: &str, fields: &[(String, String)]) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let mut given = query.into_iter().chain(fields.iter().cloned());
    let list = given.find(|(name, address)| name == BACK && is_local(address));
    list.map_or_else(|| page_of_form(path), |(_, address)| address)
}

/// Returns the fields of the submitted form that belong to the interrupted request.
pub fn action_fields(request: &HttpRequest) -> Vec<(String, String)> {
    let mut fields = forms::submitted_fields(request);
    fields.retain(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    fields
}
