//! Who makes a try, by what the request proves.

use actix_web::HttpRequest;

use super::app_state::app_state;
use super::client::{source, source_network};
use super::device_cookie;
use crate::error::Result;
use crate::sessions::Caller;
use crate::throttles::{LiveSession, Requester};

/// Returns who makes the try of this request: the network, the device by its cookie, and the live
/// session of `caller`, if it has one. What a request only states, such as a device id in JSON, is no
/// part of it.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when the server was assembled without its state.
pub fn requester(request: &HttpRequest, caller: Option<&Caller>) -> Result<Requester> {
    Ok(Requester {
        network: source_network(request, app_state(request)?),
        source: source(request, app_state(request)?),
        device: device_cookie::known_device(request).ok(),
        session: caller.map(|caller| LiveSession {
            user: caller.user.id,
            id: caller.session.id,
        }),
    })
}
