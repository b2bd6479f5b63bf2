//! The browser's side of a session: a cookie that carries ids and nothing else, and a cookie that
//! tells one browser from another.

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
use crate::sessions::{Claim, Jti, Session};

const CLAIM: &str = "claim";
/// The longest that browsers keep a cookie (RFC 6265bis, 5.5).
const MAX_AGE_DAYS: i64 = 400;

/// What the session cookie carries.
#[derive(Serialize, Deserialize)]
struct StoredClaim {
    user: UserId,
    session: SessionId,
    jti: String,
}

/// Laid into the request when its answer writes a claim that must not outlive the browser.
struct UntilBrowserCloses;

/// What the session cookie is like.
#[derive(Debug, Clone)]
pub struct SessionCookie {
    /// Whether it goes over HTTPS only.
    pub is_https: bool,
    /// The domain whose hosts all get it, if not this host alone.
    pub domain: Option<String>,
}

impl SessionCookie {
    /// As the service is set up.
    pub fn from_state(app: &AppState) -> Self {
        Self {
            is_https: app.is_https,
            domain: app.cookie_domain.clone(),
        }
    }

    /// The prefix makes browsers refuse it from anywhere but HTTPS, and from any other host where
    /// it is for this host alone (RFC 6265bis, 4.1.3).
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

/// The middleware that seals and opens the session cookie.
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

/// What the request's cookie claims, if it has one that is ours.
pub fn session_claim(request: &HttpRequest) -> Option<Claim> {
    let stored: StoredClaim = request.get_session().get(CLAIM).ok().flatten()?;
    Some(Claim {
        user: stored.user,
        session: stored.session,
        jti: Some(Jti::claimed(stored.jti)),
    })
}

/// Gives the browser `session`. Without "Keep me signed in" the cookie goes when the browser does.
///
/// # Errors
/// [`Error::Internal`] when it can't be written.
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

/// Takes the session away from the browser.
pub fn clear_session(request: &HttpRequest) {
    request.get_session().purge();
}

/// Takes `Max-Age` from the session cookie where [`set_session`] said that it must go with the browser:
/// `actix-session` has one lifetime for all of them.
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

/// Sees to it that the browser has a device cookie, and that it is renewed at every sign-in.
pub async fn ensure_device_cookie(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let is_https = app_state(request.request())?.is_https;
    let known = request
        .cookie(device_cookie_name(is_https))
        .and_then(|cookie| cookie.value().parse::<DeviceId>().ok());
    let renew = known.is_none() || request.path() == "/sign-in";
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

/// The browser's device id, which [`ensure_device_cookie`] has seen to.
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
