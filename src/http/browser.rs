//! The browser's cookies: the session cookie, which carries ids and nothing else, and the device
//! cookie, which identifies the browser.

use actix_session::config::PersistentSession;
use actix_session::storage::CookieSessionStore;
use actix_session::{Session as CookieState, SessionExt, SessionMiddleware};
use actix_web::body::MessageBody;
use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, Key, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest};
use serde::{Deserialize, Serialize};

use super::app_state::{AppState, app_state};
use crate::db::{SessionId, UserId};
use crate::devices::DeviceId;
use crate::error::{Error, Failure, Result};
use crate::sessions::{Claim, Credential, Jti, Session};

const CLAIM: &str = "claim";
/// The longest lifetime of a cookie that browsers allow (RFC 6265bis, 5.5).
const MAX_AGE_DAYS: i64 = 400;

/// The content of the session cookie.
#[derive(Serialize, Deserialize)]
struct StoredClaim {
    user: UserId,
    session: SessionId,
    jti: String,
}

/// Marks a request whose response sets a session cookie that expires when the browser closes.
struct UntilBrowserCloses;

/// The attributes of the session cookie.
#[derive(Debug, Clone)]
pub struct SessionCookie {
    /// Whether it is sent over HTTPS only.
    pub is_https: bool,
    /// The domain whose hosts all receive it; `None` for this host alone.
    pub domain: Option<String>,
}

impl SessionCookie {
    /// Returns the attributes that the settings of the service require.
    pub fn from_state(app: &AppState) -> Self {
        Self {
            is_https: app.is_https,
            domain: app.cookie_domain.clone(),
        }
    }

    /// Returns the cookie's name. Its prefix makes browsers accept the cookie over HTTPS only and,
    /// without a domain, from this host only (RFC 6265bis, 4.1.3).
    fn name(&self) -> &'static str {
        match (self.is_https, &self.domain) {
            (true, None) => "__Host-rollcall_session",
            (true, Some(_)) => "__Secure-rollcall_session",
            (false, _) => "rollcall_session",
        }
    }
}

fn device_cookie_name(is_https: bool) -> &'static str {
    if is_https {
        "__Host-rollcall_device"
    } else {
        "rollcall_device"
    }
}

/// Returns the middleware that encrypts and decrypts the session cookie with `key`, which
/// [`session_cookies`](super::session_cookies) exchanges for the keys of the service.
pub fn session_middleware(
    key: Key,
    cookie: &SessionCookie,
) -> SessionMiddleware<CookieSessionStore> {
    let lifecycle = PersistentSession::default().session_ttl(CookieDuration::days(MAX_AGE_DAYS));
    SessionMiddleware::builder(CookieSessionStore::default(), key)
        .cookie_name(cookie.name().to_owned())
        .cookie_domain(cookie.domain.clone())
        .cookie_secure(cookie.is_https)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_path("/".to_owned())
        .session_lifecycle(lifecycle)
        .build()
}

/// Returns the claim in the request's session cookie, if it has a genuine one.
pub fn session_claim(request: &HttpRequest) -> Option<Claim> {
    let stored: StoredClaim = request.get_session().get(CLAIM).ok().flatten()?;
    Some(Claim {
        user: stored.user,
        session: stored.session,
        credential: Credential::Cookie(Jti::claimed(stored.jti)),
    })
}

/// Sets the session cookie for `session`. Without "Keep me signed in" the cookie expires when the
/// browser closes.
///
/// # Errors
/// [`Error::Internal`] when the cookie's content can't be serialized.
pub fn set_session(request: &HttpRequest, session: &Session) -> Result<()> {
    let stored = StoredClaim {
        user: session.user_id,
        session: session.id,
        jti: session.jti().as_str().to_owned(),
    };
    let state: CookieState = request.get_session();
    state.renew();
    state
        .insert(CLAIM, stored)
        .map_err(|err| Error::Internal(Failure::new("the session cookie", err)))?;
    if !session.is_remembered {
        request.extensions_mut().insert(UntilBrowserCloses);
    }
    Ok(())
}

/// Removes the session cookie from the browser.
pub fn clear_session(request: &HttpRequest) {
    request.get_session().purge();
}

/// Seals the session cookie of the request again for `actix-session`, and that of the response for
/// the browser.
pub async fn reseal_session_cookie(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let app = app_state(request.request())?.clone();
    let name = SessionCookie::from_state(&app).name();
    app.session_cookies
        .reseal_request(request.headers_mut(), name);
    let mut response = next.call(request).await?;
    app.session_cookies
        .reseal_response(response.headers_mut(), name);
    Ok(response)
}

/// Removes `Max-Age` from a session cookie that [`set_session`] marked to expire when the browser
/// closes: `actix-session` has one lifetime for all cookies.
pub async fn drop_max_age(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?;
    if response
        .request()
        .extensions()
        .get::<UntilBrowserCloses>()
        .is_none()
    {
        return Ok(response);
    }
    let name = SessionCookie::from_state(app_state(response.request())?).name();
    let cookies: Vec<HeaderValue> = response.headers_mut().remove(header::SET_COOKIE).collect();
    for value in cookies {
        let value = without_max_age(value, name);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

fn without_max_age(value: HeaderValue, name: &str) -> HeaderValue {
    let parsed = value
        .to_str()
        .ok()
        .and_then(|text| Cookie::parse(text.to_owned()).ok());
    match parsed {
        Some(mut cookie) if cookie.name() == name => {
            cookie.set_max_age(None);
            HeaderValue::from_str(&cookie.to_string()).unwrap_or(value)
        }
        _ => value,
    }
}

/// Ensures that the browser has a device cookie, and renews it with every request to `/sign-in`.
pub async fn ensure_device_cookie(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let is_https = app_state(request.request())?.is_https;
    let known = request
        .cookie(device_cookie_name(is_https))
        .and_then(|cookie| cookie.value().parse::<DeviceId>().ok());
    let renew = known.is_none() || request.path() == "/sign-in";
    if known.is_none() {
        request.extensions_mut().insert(WithoutDeviceCookie);
    }
    let device = known.map_or_else(DeviceId::random, Ok)?;
    request.extensions_mut().insert(device.clone());
    let mut response = next.call(request).await?;
    if renew {
        response
            .response_mut()
            .add_cookie(&new_device_cookie(&device, is_https))?;
    }
    Ok(response)
}

fn new_device_cookie(device: &DeviceId, is_https: bool) -> Cookie<'static> {
    Cookie::build(device_cookie_name(is_https), device.as_str().to_owned())
        .path("/")
        .http_only(true)
        .secure(is_https)
        .same_site(SameSite::Lax)
        .max_age(CookieDuration::days(MAX_AGE_DAYS))
        .finish()
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
    request
        .extensions()
        .get::<DeviceId>()
        .cloned()
        .ok_or_else(|| Error::Internal(Failure::because("this route has no device cookie")))
}
