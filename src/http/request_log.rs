//! The request log, one line for each request: its id, method and route pattern, who it was
//! authenticated as, as much of the client's address as the log may have, the status, and the time taken
//! in microseconds. Paths and queries are left out, since they can carry ids and one-time tokens, and so
//! are headers.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::logged_caller::{CallerRecord, LoggedClient};
use crate::text;

/// Characters of a method. Those in use are shorter.
const MAX_METHOD: usize = 20;

/// Creates the span of a request's log entries. Its level is that of errors, so that a filter which
/// lets only those through leaves them the request's id.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let route = request.match_pattern();
        tracing::error_span!(
            "request",
            id = request_id(request).map(tracing::field::display),
            method = %text::truncate_chars(request.method().as_str(), MAX_METHOD),
            route = route.as_deref().unwrap_or("(none)"),
        )
    }

    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Returns the id of a request.
pub(super) fn request_id(request: &impl HttpMessage) -> Option<RequestId> {
    request.extensions().get::<RequestId>().copied()
}

/// Logs the response once its head is there, and adds the request's id as `X-Request-Id`, so that a
/// client can refer to it. A request whose client leaves before is logged as well.
///
/// # Errors
/// Those of the application, with the id in their response.
pub async fn log_response(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = request_id(&request);
    let mut line = RequestLine::of(&request);
    let mut outcome = next.call(request).await;
    let status = match &mut outcome {
        Ok(response) => {
            add_id(response.headers_mut(), id);
            response.status()
        }
        Err(err) => {
            let mut response = err.as_response_error().error_response();
            add_id(response.headers_mut(), id);
            let status = response.status();
            *err = InternalError::from_response("an error outside of the pages", response).into();
            status
        }
    };
    line.status = Some(status);
    outcome
}

fn add_id(headers: &mut HeaderMap, id: Option<RequestId>) {
    if let Some(value) = id.and_then(|id| HeaderValue::from_str(&id.to_string()).ok()) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

/// The line of a request, which is written when it is dropped.
struct RequestLine {
    start: Instant,
    span: Span,
    caller: CallerRecord,
    client: LoggedClient,
    /// `None` until there is a response.
    status: Option<StatusCode>,
}

impl RequestLine {
    fn of(request: &ServiceRequest) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the time taken is for the log alone"
        )]
        let start = Instant::now();
        let caller = CallerRecord::default();
        request.extensions_mut().insert(caller.clone());
        Self {
            start,
            span: Span::current(),
            caller,
            client: LoggedClient::of(request.request()),
            status: None,
        }
    }
}

impl Drop for RequestLine {
    fn drop(&mut self) {
        let _in_span = self.span.enter();
        let caller = self.caller.get();
        let micros = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let user = caller.user.map(tracing::field::display);
        let session = caller.session.map(tracing::field::display);
        let application = caller.application.map(tracing::field::display);
        let key = caller.key.map(tracing::field::display);
        let client = caller.address(&self.client).map(tracing::field::display);
        match self.status.map(|status| status.as_u16()) {
            Some(status) => tracing::info!(
                status,
                micros,
                user,
                session,
                application,
                key,
                client,
                "answered"
            ),
            None => tracing::info!(micros, user, session, application, key, client, "abandoned"),
        }
    }
}
