//! The response to a form that failed: a redirect to its page, or the page itself ([`failed_form`]).

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::failed_form::{self, Failure};
use super::form_refusal::{record_throttled, refusal};
use super::layout::{Layout, page, see_other};
use crate::error::{Error, Result};

/// Returns the response to a form that failed, whose page is `template`, with its `layout`, and with what
/// the page itself says of the failure.
///
/// # Errors
/// [`Error::Internal`] when the page can't be rendered.
pub fn failed_page(
    request: &HttpRequest,
    status: StatusCode,
    (template, layout): (&impl Template, &Layout),
    words: Option<&str>,
) -> Result<HttpResponse> {
    let failure = Failure {
        problems: layout.problems.clone(),
        refusal: layout.refusal.clone(),
        words: words.map(str::to_owned),
        ..Failure::default()
    };
    match failed_form::store(request, failure) {
        Some(address) => Ok(see_other(address)),
        None => page(status, template),
    }
}

/// Returns the response to a form that a throttle refused, if that is what `err` is: its page again,
/// which says so, with the form as it was submitted.
///
/// # Errors
/// `err`, when it is another error; that of `page`.
pub async fn throttled_page(
    request: &HttpRequest,
    err: Error,
    page: impl AsyncFnOnce() -> Result<HttpResponse>,
) -> Result<HttpResponse> {
    let (Error::TooManyTries { retry_after } | Error::TooManyChanges { retry_after }) = err else {
        return Err(err);
    };
    record_throttled(request, &err);
    let failure = Failure {
        refusal: refusal(request),
        is_throttled: true,
        ..Failure::default()
    };
    if let Some(address) = failed_form::store(request, failure) {
        return Ok(see_other(address));
    }
    let mut response = page().await?;
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let seconds = HeaderValue::from(retry_after.as_secs());
    response.headers_mut().insert(RETRY_AFTER, seconds);
    Ok(response)
}

/// Returns the redirect to the page of a form that was refused as a whole, if there is to be one.
pub fn refused_redirect(request: &HttpRequest) -> Option<HttpResponse> {
    let failure = Failure {
        refusal: refusal(request),
        ..Failure::default()
    };
    failed_form::store(request, failure).map(see_other)
}
