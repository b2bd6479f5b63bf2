//! The response to a request whose handling panicked. The panic itself is logged by the hook that
//! `server::panics` sets.

use std::panic::AssertUnwindSafe;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use futures_util::FutureExt;

use super::error_form::ErrorForm;
use super::error_page::site_of;
use super::headers;
use super::request_log::request_id;
use crate::error::Failure;

/// Responds 500 where the handling of a request panicked, and closes the connection, since the request
/// may not be read to its end. `hsts` is the value of [`headers::hsts`].
///
/// The state that handlers share is behind locks that a panic doesn't leave broken; that of the request
/// is dropped.
///
/// # Errors
/// Those of the application; the response to a panic, since the request is gone, is one as well.
pub async fn answer_panics(
    hsts: Option<&'static str>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let form = ErrorForm::of(request.path());
    let id = request_id(&request);
    let site = site_of(request.app_data());
    let handled = AssertUnwindSafe(async move { next.call(request).await });
    if let Ok(outcome) = handled.catch_unwind().await {
        return outcome;
    }
    let error = crate::Error::Internal(Failure::because("a panic"));
    let mut response = form.respond(&error, id, site);
    headers::add_security_headers(response.headers_mut(), hsts);
    response
        .head_mut()
        .set_connection_type(ConnectionType::Close);
    Err(InternalError::from_response(error, response).into())
}
