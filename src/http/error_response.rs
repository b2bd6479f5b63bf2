//! Error responses: `application/problem+json` (RFC 9457) for programs, a page for people. A page
//! that needs a signed-in caller redirects to sign-in.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::QueryPayloadError;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use tracing_actix_web::RequestId;
use url::form_urlencoded;

use super::body::is_safe;
use super::error_form::ErrorForm;
use super::error_page::{WayOn, error_page, error_redirect, site_of};
use super::failed_form;
use super::layout::see_other;
use super::notice;
use super::proof_page;
use super::refusals;
use super::request_log::request_id;
use super::site::SiteLook;
use super::step_up::step_up_response;
use super::target::{HOME, page_of_form};
use super::unsent_form;
use super::way_back::page_of_request;
use crate::error::{Chain, Error, Failure, FieldError, MissingProof};
use crate::tokens::PASSWORD_ACR;

/// A problem details object (RFC 9457, section 3), extended by `code`, which identifies the error,
/// and `errors`, which lists invalid fields.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

/// Replaces the bare response to an error by a rendered one.
pub async fn render_errors(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, actix_web::Error> {
    let response = next.call(request).await?;
    let Some(error) = find_error(&response) else {
        refusals::observe_page(response.request(), response.status());
        if !failed_form::has_failed(response.request()) {
            unsent_form::forget_sent(response.request(), response.status());
            failed_form::forget_sent(response.request(), response.status());
        }
        return Ok(response.map_into_left_body());
    };
    let (request, bare) = response.into_parts();
    log(&error);
    refusals::observe_error(&request, &error).await;
    refusals::observe_page(&request, error.status_code());
    let mut rendered = match unsent_form::store(&request, &error).await {
        Some(redirect) => redirect,
        None => error_response(&request, &error).await,
    };
    copy_headers(bare.headers(), rendered.headers_mut());
    Ok(ServiceResponse::new(request, rendered).map_into_right_body())
}

fn find_error<B>(response: &ServiceResponse<B>) -> Option<Error> {
    if let Some(err) = response.response().error() {
        return Some(match err.as_error::<Error>() {
            Some(error) => error.clone(),
            None => from_actix(err),
        });
    }
    // For a method that a path does not have, `actix-web` responds without an error.
    (response.status() == StatusCode::METHOD_NOT_ALLOWED).then_some(Error::MethodNotAllowed)
}

/// Translates an error of `actix-web` itself.
fn from_actix(err: &actix_web::Error) -> Error {
    match err.as_response_error().status_code() {
        StatusCode::NOT_FOUND => Error::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Error::MethodNotAllowed,
        status if status.is_client_error() => {
            Error::Malformed("The request could not be read.".into())
        }
        status => Error::Internal(Failure::from(format!(
            "actix-web responded {status}: {err}"
        ))),
    }
}

fn log(error: &Error) {
    let chain = Chain(error);
    match error {
        Error::Unavailable(_) | Error::Disconnected(_) | Error::Busy { .. } => {
            tracing::warn!(error = %chain, "unavailable");
        }
        // Nothing failed here.
        Error::ProofRequired(_) => {}
        // The cause may quote the token, which anybody may have written.
        Error::InvalidToken(_) => {
            tracing::debug!(error = ?chain.to_string(), "a token was refused");
        }
        error if error.status_code().is_server_error() => {
            tracing::error!(error = %chain, "failed");
        }
        _ => {}
    }
}

impl ErrorForm {
    /// Returns the response to an error of which nothing depends on the request but its id.
    pub(super) fn respond(
        self,
        error: &Error,
        id: Option<RequestId>,
        site: Option<Arc<SiteLook>>,
    ) -> HttpResponse {
        match self {
            Self::OAuth => oauth_response(error),
            Self::Problem => problem_response(error),
            Self::Page => error_page(error, WayOn::to_devices(), id, site),
        }
    }
}

async fn error_response(request: &HttpRequest, error: &Error) -> HttpResponse {
    if let Error::ProofRequired(missing) = error
        && let Some(response) = proof_page::respond(request, *missing, site_of(request.app_data()))
    {
        return response;
    }
    let mut response = match ErrorForm::of(request.path()) {
        ErrorForm::Page => page_response(request, error).await,
        form => form.respond(error, request_id(request), None),
    };
    if let Some(span) = error.retry_after()
        && !response.status().is_redirection()
    {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(span.as_secs()));
    }
    response
}

fn problem_response(error: &Error) -> HttpResponse {
    let status = error.status_code();
    let problem = Problem {
        r#type: "about:blank",
        title: error.title(),
        status: status.as_u16(),
        detail: error.detail(),
        code: error.code(),
        errors: error.field_errors(),
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    match error {
        // RFC 6750, section 3.
        error if error.is_signed_out() => {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"))
        }
        // RFC 9470, section 3.
        Error::StepUpRequired { window } => {
            response.insert_header((header::WWW_AUTHENTICATE, step_up_challenge(*window)))
        }
        Error::InvalidToken(_) => {
            response.insert_header((header::WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#))
        }
        _ => &mut response,
    };
    response.body(serde_json::to_string(&problem).unwrap_or_default())
}

/// Returns the challenge of a request that needs a password given more recently, or given at all by
/// the bearer of this token (RFC 9470, section 3).
fn step_up_challenge(window: Duration) -> String {
    format!(
        r#"Bearer error="insufficient_user_authentication", error_description="The password must have been given within the last {seconds} seconds", acr_values="{PASSWORD_ACR}", max_age="{seconds}""#,
        seconds = window.as_secs()
    )
}

/// Returns the error response of RFC 6749, section 5.2, as RFC 7662 (2.3) and RFC 7009 (2.2.1)
/// require it.
fn oauth_response(error: &Error) -> HttpResponse {
    let name = match error {
        Error::InvalidClient => "invalid_client",
        Error::InsufficientScope { .. } => "unauthorized_client",
        Error::Malformed(_)
        | Error::Invalid(_)
        | Error::TooLarge { .. }
        | Error::TooSlow { .. } => "invalid_request",
        other => other.code(),
    };
    let mut response = HttpResponse::build(error.status_code());
    if matches!(error, Error::InvalidClient) {
        response.insert_header((header::WWW_AUTHENTICATE, r#"Basic realm="rollcall""#));
    }
    response.json(serde_json::json!({"error": name, "error_description": error.detail()}))
}

async fn page_response(request: &HttpRequest, error: &Error) -> HttpResponse {
    let site = site_of(request.app_data());
    if matches!(error, Error::ProofRequired(MissingProof::Absent)) {
        return see_other(sign_in_url(request));
    }
    if matches!(error, Error::Unauthenticated) {
        notice::put_refused(request).await;
        return see_other(sign_in_url(request));
    }
    if matches!(error, Error::MethodNotAllowed) && is_safe(request) {
        // The address of a form that was shown again: reloaded, or gone back to.
        return see_other(page_of_form(request.path()));
    }
    if matches!(error, Error::StepUpRequired { .. }) {
        return match step_up_response(request).await {
            Ok(response) => response,
            // It has ended meanwhile.
            Err(err) if err.is_signed_out() => see_other(sign_in_url(request)),
            Err(err) => error_page(&err, WayOn::to_devices(), request_id(request), site),
        };
    }
    let way_on = WayOn::of(request, error);
    match error_redirect(request, error, &way_on) {
        Some(redirect) => redirect,
        None => error_page(error, way_on, request_id(request), site),
    }
}

/// Returns the URL of the sign-in page. It leads back to the requested page, or to that of the form
/// that was sent.
fn sign_in_url(request: &HttpRequest) -> String {
    let target = match *request.method() {
        Method::POST => page_for_stranger(request),
        _ if is_safe(request) && request.path() != "/" => request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        _ => HOME.into(),
    };
    if target == HOME && !is_safe(request) {
        return "/sign-in".into();
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", &target)
        .finish();
    format!("/sign-in?{query}")
}

/// Returns the page with the form of a request, for somebody who isn't signed in. Of the administrators'
/// pages it is the section, whatever of it exists.
fn page_for_stranger(request: &HttpRequest) -> String {
    let path = request.path();
    match path.split('/').nth(2) {
        Some(section) if path.starts_with("/admin/") => format!("/admin/{section}"),
        _ => page_of_request(request),
    }
}

/// Copies the cookies that were set, and the methods that the path allows.
fn copy_headers(from: &HeaderMap, to: &mut HeaderMap) {
    for name in [header::SET_COOKIE, header::ALLOW] {
        for value in from.get_all(&name) {
            to.append(name.clone(), value.clone());
        }
    }
}

/// Returns the error for a query that can't be read, with the reason if it can't be deserialized.
pub fn bad_query(err: &QueryPayloadError) -> Error {
    match err {
        QueryPayloadError::Deserialize(err) => Error::field("query", err.to_string()),
        _ => Error::Malformed("The query could not be read.".into()),
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Invalid(_) | Self::InvalidTarget | Self::ProofRefused(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            // RFC 9470, section 3: a request that needs step-up gets a 401.
            Self::InvalidCredentials
            | Self::WrongPassword
            | Self::Unauthenticated
            | Self::ProofRequired(MissingProof::Absent)
            | Self::InvalidToken(_)
            | Self::InvalidClient
            | Self::StepUpRequired { .. } => StatusCode::UNAUTHORIZED,
            Self::CsrfMismatch
            | Self::InsufficientScope { .. }
            | Self::NotInGroup
            | Self::UnconfirmedDevice(_) => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoAuthority => StatusCode::NOT_FOUND,
            Self::TooManyTries { .. } | Self::TooManyChanges { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::EmailTaken
            | Self::EmailChangedLately { .. }
            | Self::LastAdmin
            | Self::ApplicationExists => StatusCode::CONFLICT,
            // The others have responses of their own.
            Self::Busy { .. }
            | Self::Unavailable(_)
            | Self::Disconnected(_)
            | Self::ProofRequired(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Conflict(_)
            | Self::Reference(_)
            | Self::Internal(_)
            | Self::Configuration(_)
            | Self::Secrets(_)
            | Self::Migration(_)
            | Self::Startup(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns a bare response, which [`render_errors`] replaces.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
