//! The body of a request, which several extractors may await.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::FutureExt;
use futures_util::future::Shared;

use crate::error::{Error, Result};

/// Bytes allowed in a body.
pub const LIMIT: usize = 16 * 1024;

/// The body of a request; clones share it.
pub(super) type SharedBody = Shared<Pin<Box<dyn Future<Output = Result<web::Bytes>>>>>;

/// Returns the body of the request. The first extractor takes the payload, later ones share it.
pub(super) fn shared_body(request: &HttpRequest, payload: &mut Payload) -> SharedBody {
    if let Some(body) = request.extensions().get::<SharedBody>() {
        return body.clone();
    }
    let bytes = web::Bytes::from_request(request, payload);
    let read = async move { bytes.await.map_err(|_| Error::TooLarge { limit: LIMIT }) };
    let body: SharedBody = FutureExt::shared(Box::pin(read));
    request.extensions_mut().insert(body.clone());
    body
}

/// Waits until the body is received, for a request that may change anything. Only after that is its
/// caller resolved: a client could send the headers, and the body long after the session has ended.
/// Whether the body can be read is for the extractor that needs it.
pub(super) fn received(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = ()> + use<> {
    let body = (!is_safe(request)).then(|| shared_body(request, payload));
    async move {
        if let Some(body) = body {
            drop(body.await);
        }
    }
}

/// Returns whether the method is one that changes nothing (RFC 9110, 9.2.1).
pub(super) fn is_safe(request: &HttpRequest) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}
