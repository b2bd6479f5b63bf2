//! The body of a request: several extractors may await it, and it must arrive in time.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::future::Shared;
use futures_util::{FutureExt, Stream};
use tokio::time::{Sleep, sleep};

use crate::error::{Error, Result};

/// Bytes allowed in a body: an order to end sessions may list 1,000 ids.
pub const LIMIT: usize = 64 * 1024;
/// How long a body may take to arrive, however it is cut up: a client that sends a byte now and
/// then would hold its connection for hours.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The body of a request; clones share it.
pub(super) type SharedBody = Shared<Pin<Box<dyn Future<Output = Result<web::Bytes>>>>>;

/// A payload that the connection and the request share; `None` once it has arrived.
type SharedPayload = Rc<RefCell<Option<Payload>>>;

/// Limits the time in which the body arrives. A connection whose request wasn't read to its end is
/// closed after the response, for which the client is not waited for any longer.
pub async fn limit_time(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse, actix_web::Error> {
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let payload = Rc::new(RefCell::new(Some(payload)));
    let timed = TimedPayload {
        payload: payload.clone(),
        timeout: Box::pin(sleep(TIMEOUT)),
    };
    request.set_payload(Payload::Stream {
        payload: Box::pin(timed),
    });
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(response.map_body(|_, body| BoxBody::new(ClosingBody { body, payload })))
}

/// A payload that fails when it has not arrived in time.
struct TimedPayload {
    payload: SharedPayload,
    timeout: Pin<Box<Sleep>>,
}

impl Stream for TimedPayload {
    type Item = std::result::Result<web::Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let received = match self.payload.borrow_mut().as_mut() {
            Some(payload) => Pin::new(payload).poll_next(context),
            None => Poll::Ready(None),
        };
        match received {
            Poll::Ready(Some(Ok(bytes))) => Poll::Ready(Some(Ok(bytes))),
            Poll::Ready(ended) => {
                *self.payload.borrow_mut() = None;
                Poll::Ready(ended)
            }
            Poll::Pending => self.timeout.as_mut().poll(context).map(|()| {
                let err = io::Error::from(io::ErrorKind::TimedOut);
                Some(Err(PayloadError::Io(err)))
            }),
        }
    }
}

/// The body of a response, with what the request's body has left. `actix-http` closes a connection
/// after the response while somebody has an unread payload; of a payload that was dropped it would
/// read a chunked rest for as long as the client sends one.
struct ClosingBody {
    body: BoxBody,
    #[expect(dead_code, reason = "it is held, not read")]
    payload: SharedPayload,
}

impl MessageBody for ClosingBody {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<web::Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// Returns the body of the request. The first extractor takes the payload, later ones share it.
pub(super) fn shared_body(request: &HttpRequest, payload: &mut Payload) -> SharedBody {
    if let Some(body) = request.extensions().get::<SharedBody>() {
        return body.clone();
    }
    let bytes = web::Bytes::from_request(request, payload);
    let read = async move { bytes.await.map_err(|err| unreadable(&err)) };
    let body: SharedBody = FutureExt::shared(Box::pin(read));
    request.extensions_mut().insert(body.clone());
    body
}

fn unreadable(err: &actix_web::Error) -> Error {
    match err.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Error::TooLarge { limit: LIMIT },
        Some(PayloadError::Io(err)) if err.kind() == io::ErrorKind::TimedOut => {
            Error::TooSlow { limit: TIMEOUT }
        }
        _ => Error::Malformed("The body could not be read.".into()),
    }
}

/// Waits until the body is received, for a request that may change anything. Only after that is its
/// caller resolved: a client could send the headers, and the body long after the session has ended.
/// Whether the body can be read is for the extractor that needs it.
///
/// # Errors
/// [`Error::TooSlow`] when it does not arrive in time.
pub(super) fn received(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<()>> + use<> {
    let body = (!is_safe(request)).then(|| shared_body(request, payload));
    async move {
        match body {
            Some(body) => match body.await {
                Err(err @ Error::TooSlow { .. }) => Err(err),
                _ => Ok(()),
            },
            None => Ok(()),
        }
    }
}

/// Returns whether the method is one that changes nothing (RFC 9110, 9.2.1).
pub(super) fn is_safe(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}
