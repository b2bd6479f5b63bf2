//! The gate before everything of administrators: it decides on the caller alone, before a route, a
//! method, a body or a CSRF token is regarded. So every path behind it responds to all others as one
//! that doesn't exist. What a route requires besides, its handler's extractor verifies, once the body
//! is received.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest};

use super::admin_caller::require_role;
use super::api_client::{authenticate, has_api_key};
use super::browser;
use super::caller::presented_claim;
use super::{refusals, unproven, unsent_form};
use crate::applications::Scope;
use crate::error::{Error, Result};
use crate::people::Role;
use crate::sessions::Claim;

/// That a request passed the gate.
pub(super) struct Admitted;

type Guarded<B> = ServiceResponse<EitherBody<B, BoxBody>>;

/// Lets administrators and auditors pass who are signed in in this browser. Others who are signed in
/// get 404, and strangers the redirect to sign-in, whatever the path.
pub async fn guard_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<Guarded<impl MessageBody>, actix_web::Error> {
    let judged = judge_browser(request.request()).await;
    pass(judged, request, next).await
}

/// Lets administrators, auditors and keys with `admin:read` pass. Others who authenticate get 404, and
/// strangers 401, whatever the path.
pub async fn guard_api(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<Guarded<impl MessageBody>, actix_web::Error> {
    let judged = judge_program(request.request()).await;
    pass(judged, request, next).await
}

async fn pass<B: MessageBody>(
    judged: Result<()>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<Guarded<B>, actix_web::Error> {
    match judged {
        Ok(()) => {
            request.extensions_mut().insert(Admitted);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(err) if is_of_stranger(&err) => {
            refusals::observe_admin(request.request());
            unsent_form::receive(&mut request).await;
            Ok(request.error_response(err).map_into_right_body())
        }
        // Not as an error of the middleware: what is outside of it renders the response.
        Err(err) => Ok(request.error_response(err).map_into_right_body()),
    }
}

/// Returns whether an error is that of somebody who is not authenticated.
fn is_of_stranger(err: &Error) -> bool {
    err.is_signed_out() || matches!(err, Error::InvalidToken(_) | Error::InvalidClient)
}

async fn judge_browser(request: &HttpRequest) -> Result<()> {
    let claim = browser::session_claim(request)?.ok_or(Error::Unauthenticated)?;
    judge_person(request, claim).await
}

async fn judge_program(request: &HttpRequest) -> Result<()> {
    let authorization = request.headers().get(header::AUTHORIZATION);
    if !authorization.is_some_and(has_api_key) {
        return judge_person(request, presented_claim(request)?).await;
    }
    match authenticate(request).await?.has(Scope::AdminRead) {
        true => Ok(()),
        false => {
            refusals::observe_admin(request);
            Err(Error::NotFound)
        }
    }
}

/// That is no use of the session: the handler's extractor records one.
async fn judge_person(request: &HttpRequest, claim: Claim) -> Result<()> {
    let caller = unproven::identify(request, claim).await?;
    require_role(request, &caller, Role::Auditor)
}
