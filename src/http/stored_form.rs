//! Forms that are stored in a sealed cookie of the browser that sent them, until one of our pages shows what
//! was typed: [`failed_form`](super::failed_form) and [`unsent_form`](super::unsent_form).

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest};
use futures_util::FutureExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::app_state::app_state;
use super::body::SharedBody;
use super::browser;
use super::cookies::{self, OwnCookie};
use super::form_origin::FormOrigin;
use super::received_cookies::ReceivedCookies;
use crate::clock::Timestamp;
use crate::error::{Error, Failure, Result};

/// A cookie with a form.
pub(super) struct FormCookie {
    pub(super) cookie: OwnCookie,
    /// How long the form is shown.
    pub(super) max_age: CookieDuration,
    /// The most bytes of a stored form.
    pub(super) max_bytes: usize,
}

/// The content of the cookie.
#[derive(Serialize, Deserialize)]
struct Content<T> {
    form: T,
    /// The browser's device id: in another browser a copy of the cookie is void.
    device: String,
    /// When it was stored, in microseconds since the Unix epoch.
    at: i64,
}

impl FormCookie {
    /// Stores a form. Returns `false` when it is too long for the cookie.
    ///
    /// # Errors
    /// [`Error::Internal`] on a route without a device cookie.
    pub(super) fn store(&self, request: &HttpRequest, form: &impl Serialize) -> Result<bool> {
        let app = app_state(request)?;
        let content = Content {
            form,
            device: browser::device_id(request)?.as_str().to_owned(),
            at: app.clock.now().timestamp_micros(),
        };
        let content = serde_json::to_string(&content)
            .map_err(|err| Error::Internal(Failure::new("a stored form", err)))?;
        if content.len() > self.max_bytes {
            return Ok(false);
        }
        let cookie = app.cookies.build(self.cookie, content);
        let sealed = app.form_seal.seal(cookie.max_age(self.max_age).finish());
        cookies::add(request, sealed);
        Ok(true)
    }

    /// Returns the form that was stored in this browser lately.
    ///
    /// # Errors
    /// [`Error::Internal`] on a route without a device cookie.
    pub(super) fn find<T: DeserializeOwned>(&self, request: &HttpRequest) -> Result<Option<T>> {
        let app = app_state(request)?;
        let device = browser::device_id(request)?;
        let name = app.cookies.name(self.cookie);
        let received = ReceivedCookies::of(request);
        let opened = received
            .first_values(self.cookie)
            .iter()
            .filter_map(|value| app.form_seal.open_received(name, value))
            .find_map(|cookie| serde_json::from_str::<Content<T>>(cookie.value()).ok());
        let shown = opened.filter(|stored| {
            let at = Timestamp::from_micros(stored.at);
            let lifetime = self.max_age.unsigned_abs();
            let is_recent = at.is_some_and(|at| app.clock.now().since(at) < lifetime);
            is_recent && stored.device == device.as_str()
        });
        Ok(shown.map(|stored| stored.form))
    }

    /// Removes the stored form.
    ///
    /// # Errors
    /// [`Error::Internal`] when the server was assembled without its state.
    pub(super) fn remove(&self, request: &HttpRequest) -> Result<()> {
        let app = app_state(request)?;
        cookies::remove(request, &app.cookies, self.cookie);
        Ok(())
    }
}

/// Returns whether a page of ours sent a form in a browser that is known, as far as the browser states it.
pub(super) fn is_own_form(request: &HttpRequest) -> bool {
    *request.method() == Method::POST
        && FormOrigin::from_request(request) == FormOrigin::Own
        && !browser::is_without_device_cookie(request)
}

/// Returns the fields of the form in the body of a request, if that was received.
pub(super) fn received_fields(request: &HttpRequest) -> Option<Vec<(String, String)>> {
    let body = request.extensions().get::<SharedBody>()?.clone();
    let body = body.now_or_never()?.ok()?;
    Some(form_urlencoded::parse(&body).into_owned().collect())
}
