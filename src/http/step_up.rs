//! Asking for the password again before a sensitive act. The page carries the act with all its
//! fields, so that it goes on where it was once the password is given.

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use url::form_urlencoded;

use super::forms;
use super::layout::{Layout, page, see_other};
use crate::error::Result;

/// Fields of the page itself, which are not the act's.
const OWN_FIELDS: [&str; 4] = ["csrf", "password", "act", "next"];

/// The page that asks.
#[derive(Template)]
#[template(path = "pages/confirm.html")]
pub struct ConfirmPage {
    /// What surrounds it.
    pub layout: Layout,
    /// The path the act is posted to, if there is one.
    pub action: Option<String>,
    /// The act's fields.
    pub fields: Vec<(String, String)>,
    /// The page to go to where there is no act.
    pub next: String,
    /// What was wrong with the last try.
    pub error: Option<&'static str>,
}

/// The answer to an act that needs the password first: the page in its place, or the way to it.
///
/// # Errors
/// When the page can't be drawn.
pub fn step_up_response(request: &HttpRequest) -> Result<HttpResponse> {
    if request.method() != Method::POST {
        let target = request.uri().path_and_query().map_or("/", |it| it.as_str());
        let mut query = form_urlencoded::Serializer::new(String::new());
        return Ok(see_other(format!(
            "/confirm?{}",
            query.append_pair("next", target).finish()
        )));
    }
    let template = ConfirmPage {
        layout: Layout::anonymous(request)?,
        action: Some(request.path().to_owned()),
        fields: action_fields(request),
        next: String::new(),
        error: None,
    };
    page(StatusCode::FORBIDDEN, &template)
}

/// The fields of the form that was sent which belong to the act.
pub fn action_fields(request: &HttpRequest) -> Vec<(String, String)> {
    let mut fields = forms::submitted_fields(request);
    fields.retain(|(name, _)| !OWN_FIELDS.contains(&name.as_str()));
    fields
}
