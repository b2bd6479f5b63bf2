//! The browser's cookies: the session cookie, which carries a claim to a session, and the device
//! cookie, which identifies the browser.

use std::rc::Rc;

use actix_session::config::PersistentSession;
use actix_session::storage::CookieSessionStore;
use actix_session::{Session as CookieState, SessionExt, SessionMiddleware};
use actix_web::body::MessageBody;
use actix_web::cookie::{Cookie, Key, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest};

use super::app_state::{AppState, app_state};
use super::cookies::{self, CookieConfig, MAX_AGE, OwnCookie};
use super::prefetch::is_prefetch;
use super::received_cookies::ReceivedCookies;
use super::sent_cookies::SentCookies;
use super::session_choice::{Removal, choose};
use super::session_cookies::{CLAIM, StoredClaim};
use super::{bound_session, device_cookie, forward_cookie, logged_caller, onward};
use crate::devices::DeviceId;
use crate::error::{Error, Failure, Result};
use crate::people::User;
use crate::sessions::{Claim, Session};
use crate::throttles::KnownDevice;

/// The prefixes of paths that no session cookie opens, but those of its key.
const WITHOUT_SESSION: [&str; 6] = [
    "/static/",
    "/favicon.ico",
    "/.well-known/jwks.json",
    "/health/",
    "/auth/",
    "/oauth/",
];

/// Why it is unknown which of the request's session cookies counts.
struct UnknownSession(Error);

/// Returns the middleware that encrypts and decrypts the session cookie with `key`, which
/// [`session_cookies`](super::session_cookies) exchanges for the keys of the service.
pub fn session_middleware(
    key: Key,
    cookies: &CookieConfig,
    is_https: bool,
) -> SessionMiddleware<CookieSessionStore> {
    SessionMiddleware::builder(CookieSessionStore::default(), key)
        .cookie_name(cookies.name(OwnCookie::Session).to_owned())
        .cookie_secure(is_https)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .session_lifecycle(PersistentSession::default().session_ttl(MAX_AGE))
        .build()
}

/// Returns the claim in the request's session cookie, if it has a genuine one.
///
/// # Errors
/// [`Error::Unavailable`] when the request has several, and the database did not respond.
pub fn session_claim(request: &HttpRequest) -> Result<Option<Claim>> {
    if let Some(UnknownSession(err)) = request.extensions().get() {
        return Err(err.clone());
    }
    let stored: Option<StoredClaim> = request.get_session().get(CLAIM).ok().flatten();
    let Some(stored) = stored else {
        return Ok(None);
    };
    let proof = bound_session::read_cookie(request, app_state(request)?, stored.session());
    Ok(Some(stored.to_claim(proof)))
}

/// Sets the session cookie for `session` of `user`, and that of forward-auth. Without "Keep me
/// signed in" they expire when the browser closes. Cookies of the same names in other scopes are
/// removed.
///
/// For the responses to forms only: that to a `GET` may arrive after one that set a newer cookie, and
/// so neither sets the session cookie nor removes it, not even that of a session that has ended.
///
/// # Errors
/// [`Error::Internal`] when the cookie's content can't be serialized.
pub fn set_session(request: &HttpRequest, session: &Session, user: &User) -> Result<()> {
    let state: CookieState = request.get_session();
    state.renew();
    state
        .insert(CLAIM, StoredClaim::to(session))
        .map_err(|err| Error::Internal(Failure::new("the session cookie", err)))?;
    logged_caller::record_session(request, session);
    cookies::remove_elsewhere(request, &app_state(request)?.cookies, OwnCookie::Session);
    forward_cookie::set(request, session, user)
}

/// Removes the session cookie and that of forward-auth from the browser; for forms only, as
/// [`set_session`].
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn clear_session(request: &HttpRequest) -> Result<()> {
    request.get_session().purge();
    cookies::remove_elsewhere(request, &app_state(request)?.cookies, OwnCookie::Session);
    onward::clear(request)?;
    bound_session::forget(request, app_state(request)?);
    let received = ReceivedCookies::of(request);
    for form in [OwnCookie::UnsentForm, OwnCookie::FailedForm] {
        if received.has(form) {
            cookies::remove(request, &app_state(request)?.cookies, form);
        }
    }
    forward_cookie::clear(request)
}

/// Exchanges cookies between the browser and the application: of those in the request, only the
/// session cookie that counts goes on, sealed for `actix-session`; the response gets those that
/// were set, sealed for the browser.
pub async fn exchange_cookies(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let app = app_state(request.request())?.clone();
    let received = ReceivedCookies::read(request.headers(), &app.cookies);
    let sent = SentCookies::take(request.headers_mut());
    request.extensions_mut().insert(sent);
    if may_use_session(&request) {
        if received.has_former_session() {
            cookies::remove_former_session(request.request(), &app.cookies);
        }
        choose_session(&mut request, &app, &received).await;
    }
    Rc::new(received).store(request.request());
    let mut response = next.call(request).await?;
    let name = app.cookies.name(OwnCookie::Session);
    app.session_cookies
        .reseal_response(response.headers_mut(), name);
    let request = response.request().clone();
    let set = cookies::take(&request);
    prepend(response.headers_mut(), &app.cookies, &set)?;
    bound_session::write_offer(&request, response.headers_mut());
    Ok(response)
}

/// Returns whether anything may ask for the session of a request: neither static files nor the
/// prefixes of programs that have no use for it, and no page that is prefetched, which is refused.
fn may_use_session(request: &ServiceRequest) -> bool {
    let path = request.path();
    if path.starts_with(bound_session::PREFIX) {
        return true;
    }
    let is_without = WITHOUT_SESSION
        .iter()
        .any(|prefix| path.starts_with(prefix));
    let is_refused = is_prefetch(request.headers()) && !path.starts_with("/api/");
    !is_without && !is_refused
}

/// Puts cookies before those that are set already: clients by RFC 6265 don't tell a cookie of the
/// host alone from one of the host as a domain, so the removal of either must come first. Those of
/// this host alone with another path come last. What `actix-session` says of the session cookie
/// takes precedence.
fn prepend(headers: &mut HeaderMap, config: &CookieConfig, cookies: &[Cookie<'_>]) -> Result<()> {
    let later: Vec<HeaderValue> = headers.remove(header::SET_COOKIE).collect();
    let name = config.name(OwnCookie::Session);
    let is_session_set = later.iter().any(|value| is_of(value, name));
    let (last, first): (Vec<_>, Vec<_>) = cookies
        .iter()
        .filter(|cookie| !(is_session_set && config.is_in_own_scope(cookie, OwnCookie::Session)))
        .partition(|cookie| cookie.domain().is_none() && cookie.path() != Some("/"));
    for cookie in first {
        headers.append(header::SET_COOKIE, header_of(cookie)?);
    }
    for value in later {
        headers.append(header::SET_COOKIE, value);
    }
    for cookie in last {
        headers.append(header::SET_COOKIE, header_of(cookie)?);
    }
    Ok(())
}

fn header_of(cookie: &Cookie<'_>) -> Result<HeaderValue> {
    HeaderValue::from_str(&cookie.encoded().to_string())
        .map_err(|err| Error::Internal(Failure::new("a cookie", err)))
}

fn is_of(value: &HeaderValue, name: &str) -> bool {
    let rest = value.as_bytes().strip_prefix(name.as_bytes());
    rest.is_some_and(|rest| rest.starts_with(b"="))
}

async fn choose_session(request: &mut ServiceRequest, app: &AppState, received: &ReceivedCookies) {
    let choice = match choose(app, received).await {
        Ok(choice) => choice,
        Err(err) => {
            request.extensions_mut().insert(UnknownSession(err));
            return;
        }
    };
    let counts = choice.cookie;
    if let Some(value) = counts.and_then(|cookie| app.session_cookies.for_request(cookie)) {
        request.headers_mut().insert(header::COOKIE, value);
    }
    if choice.removal != Removal::None {
        cookies::remove_elsewhere(request.request(), &app.cookies, OwnCookie::Session);
    }
    if choice.removal == Removal::Everywhere {
        cookies::remove(request.request(), &app.cookies, OwnCookie::Session);
    }
}

/// Ensures that the browser has a device cookie, and renews it with every request to `/sign-in`. Of
/// several, the first valid one counts, and replaces the others there.
pub async fn ensure_device_cookie(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let app = app_state(request.request())?.clone();
    let known = device_cookie::received(&request, &app);
    let is_sign_in = request.path() == "/sign-in";
    let renew = known.is_none() || is_sign_in;
    if known.is_none() {
        request.extensions_mut().insert(WithoutDeviceCookie);
    }
    let device = match known {
        Some(known) => known,
        None => KnownDevice::new(DeviceId::random()?.as_str().to_owned()),
    };
    let are_several = ReceivedCookies::of(request.request()).are_several(OwnCookie::Device);
    if is_sign_in && are_several {
        cookies::remove_elsewhere(request.request(), &app.cookies, OwnCookie::Device);
    }
    if renew {
        device_cookie::set(request.request(), &app, &device);
    }
    request.extensions_mut().insert(device);
    next.call(request).await
}

/// Marks a request without a device cookie.
struct WithoutDeviceCookie;

/// Returns whether the request came without a device cookie: on a first visit, or where a browser
/// sends no cookies.
pub fn is_without_device_cookie(request: &HttpRequest) -> bool {
    request.extensions().get::<WithoutDeviceCookie>().is_some()
}

/// Returns the browser's device id, which [`ensure_device_cookie`] stored in the request.
///
/// # Errors
/// [`Error::Internal`] on a route without that middleware.
pub fn device_id(request: &HttpRequest) -> Result<DeviceId> {
    device_cookie::known_device(request)?.id.parse()
}
