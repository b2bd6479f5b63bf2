//! The request log, one line for each request: its id, method and route pattern, the status, and
//! the time taken in microseconds. Paths and queries are left out, since they can carry ids and
//! one-time tokens, and so are headers.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

/// Creates the span of a request's log entries.
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = request.extensions().get::<RequestId>().copied();
        let route = request.match_pattern();
        tracing::info_span!(
            "request",
            id = id.map(tracing::field::display),
            method = %request.method(),
            route = route.as_deref().unwrap_or("(none)"),
        )
    }

    fn on_request_end<B: MessageBody>(_: Span, _: &Result<ServiceResponse<B>, Error>) {}
}

/// Logs the response, and adds the request's id as `X-Request-Id`, so that a client can refer to
/// it.
pub async fn log_response(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the time taken is for the log alone"
    )]
    let start = Instant::now();
    let id = request.extensions().get::<RequestId>().copied();
    let mut response = next.call(request).await?;
    if let Some(value) = id.and_then(|id| HeaderValue::from_str(&id.to_string()).ok()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    let micros = start.elapsed().as_micros();
    tracing::info!(status = response.status().as_u16(), micros, "answered");
    Ok(response)
}
