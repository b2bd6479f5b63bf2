//! The extractors of the caller: a browser by its session cookie, a program by its access token.
//! Both are resolved once the body is received.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use super::app_state::app_state;
use super::body::{self, is_safe};
use super::browser;
use super::forms::{self, UnreadForm};
use super::prefetch::UNATTENDED;
use super::unproven;
use crate::account::Attention;
use crate::clock::Timestamp;
use crate::error::{Error, MissingProof, Result, TokenRefusal};
use crate::sessions::{Caller, Claim};

pub(super) type Extraction<T> = Pin<Box<dyn Future<Output = Result<T>>>>;

/// Extracts the caller of a page: the person signed in in this browser. For a request that only
/// reads, stores their [`OpenAlerts`] in the request. A cookie that a step-up has just replaced may
/// read; what changes anything gets the page for step-up, with the form in it, and so is not lost.
pub struct PageCaller(pub Caller);

/// Extracts the caller of a page, also by a replaced cookie within the grace period, for what is
/// safe with it: to sign out, and to give the password.
pub struct AnyPageCaller(pub Caller);

/// The open alerts that the caller may review and the notices to them, for the page that the response
/// contains.
#[derive(Clone)]
pub struct OpenAlerts(pub Rc<Attention>);

/// A request of somebody who is signed in, for the page that it is for.
#[derive(Clone, Copy)]
pub(super) struct Requested {
    /// When it was received, before its caller was resolved.
    pub(super) at: Timestamp,
    /// How many changes to them shortly before that can be read, if it only reads.
    pub(super) seen: Option<usize>,
}

/// Extracts the caller of a page that only listens: it is no use of the session, whose expiry stays
/// as it is.
pub struct ListeningCaller(pub Caller);

/// Extracts the caller of the API: by a Bearer token or, for scripts of the service's own pages, by
/// the session cookie. With the cookie, every method except GET and HEAD requires the CSRF token in
/// `X-CSRF-Token`, and a cookie that was not replaced.
pub struct ApiCaller(pub Caller);

/// Extracts the caller of the API as [`ApiCaller`], also by a replaced cookie within the grace
/// period, for what is safe with it: to sign out, and to give the password.
pub struct AnyApiCaller(pub Caller);

/// Extracts the caller of the API as [`AnyApiCaller`], if there is one: what else a request comes with
/// is no error.
pub struct MaybeApiCaller(pub Option<Caller>);

/// Extracts the person signed in in this browser, if there is one.
pub struct MaybeCaller(pub Option<Caller>);

impl FromRequest for PageCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = page_caller(request, payload);
        if is_safe(request) {
            return Box::pin(async move { caller.await.map(Self) });
        }
        let form = UnreadForm::new(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let caller = caller.await?;
            if !caller.may_write() {
                // The page for step-up sends the form again.
                form.read().await?;
            }
            app_state(&request)?.sessions.require_write(&caller)?;
            Ok(Self(caller))
        })
    }
}

impl FromRequest for AnyPageCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = page_caller(request, payload);
        Box::pin(async move { caller.await.map(Self) })
    }
}

impl FromRequest for ListeningCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let claim = browser::session_claim(&request)?.ok_or(Error::Unauthenticated)?;
            unproven::identify(&request, claim).await.map(Self)
        })
    }
}

/// Resolves the caller of a page once the body is received.
pub(super) fn page_caller(request: &HttpRequest, payload: &mut Payload) -> Extraction<Caller> {
    let received = body::received(request, payload);
    let request = request.clone();
    Box::pin(async move {
        received.await?;
        let app = app_state(&request)?;
        let at = app.clock.now();
        let claim = browser::session_claim(&request)?.ok_or(Error::Unauthenticated)?;
        let mut requested = Requested { at, seen: None };
        if is_safe(&request) {
            // Before anything is read for the page: what is committed after that is a further change.
            requested.seen = Some(app.changes.count_seen(claim.user, at).await?);
        }
        request.extensions_mut().insert(requested);
        let caller = match is_unattended(&request) {
            true => unproven::resolve_unattended(&request, claim).await?,
            false => unproven::resolve(&request, claim).await?,
        };
        if is_safe(&request) {
            let attention = app.accounts.list_attention(&caller).await?;
            request
                .extensions_mut()
                .insert(OpenAlerts(Rc::new(attention)));
        }
        Ok(caller)
    })
}

impl FromRequest for MaybeCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = body::received(request, payload);
        let request = request.clone();
        Box::pin(async move {
            received.await?;
            let Some(claim) = browser::session_claim(&request)? else {
                return Ok(Self(None));
            };
            match unproven::resolve(&request, claim).await {
                Ok(caller) => Ok(Self(Some(caller))),
                // Whoever can't prove it now may sign in.
                Err(Error::ProofRequired(MissingProof::NotNow)) => Ok(Self(None)),
                Err(err) if err.is_signed_out() => Ok(Self(None)),
                Err(err) => Err(err),
            }
        })
    }
}

impl FromRequest for ApiCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = AnyApiCaller::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let AnyApiCaller(caller) = caller.await?;
            if !is_safe(&request) {
                app_state(&request)?.sessions.require_write(&caller)?;
            }
            Ok(Self(caller))
        })
    }
}

impl FromRequest for AnyApiCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let received = body::received(request, payload);
        let request = request.clone();
        Box::pin(async move {
            received.await?;
            let claim = api_claim(&request)?;
            unproven::resolve(&request, claim).await.map(Self)
        })
    }
}

impl FromRequest for MaybeApiCaller {
    type Error = Error;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = AnyApiCaller::from_request(request, payload);
        Box::pin(async move {
            match caller.await {
                Ok(AnyApiCaller(caller)) => Ok(Self(Some(caller))),
                Err(Error::InvalidToken(_) | Error::CsrfMismatch) => Ok(Self(None)),
                Err(err) if err.is_signed_out() => Ok(Self(None)),
                Err(err) => Err(err),
            }
        })
    }
}

/// Returns whether the script of an open page requests it again by itself.
fn is_unattended(request: &HttpRequest) -> bool {
    is_safe(request) && request.headers().contains_key(UNATTENDED)
}

/// Returns the claim of a program's request. With a cookie, what is not safe needs the CSRF token.
fn api_claim(request: &HttpRequest) -> Result<Claim> {
    let claim = presented_claim(request)?;
    if request.headers().contains_key(header::AUTHORIZATION) || is_safe(request) {
        return Ok(claim);
    }
    let token = request
        .headers()
        .get("x-csrf-token")
        .and_then(|value| value.to_str().ok());
    forms::verify_session_csrf_token(request, token.unwrap_or_default())?;
    Ok(claim)
}

/// Returns the claim of the access token of a program's request or, without one, of its cookie.
/// Whether the CSRF token of a cookie is there is not verified.
///
/// # Errors
/// [`Error::Unauthenticated`] when there is neither; [`Error::InvalidToken`] when the token is not
/// valid; [`Error::Unavailable`] as [`browser::session_claim`].
pub(super) fn presented_claim(request: &HttpRequest) -> Result<Claim> {
    match request.headers().get(header::AUTHORIZATION) {
        Some(value) => {
            let token = value
                .to_str()
                .ok()
                .and_then(bearer)
                .ok_or(Error::InvalidToken(TokenRefusal::Malformed))?;
            let app = app_state(request)?;
            app.tokens.verify_access(token, app.clock.now())
        }
        None => browser::session_claim(request)?.ok_or(Error::Unauthenticated),
    }
}

/// Finds the caller by an access token of this service, for forward-auth. Any other `Authorization`,
/// or several, may be meant for the application that is asked about, and is no error.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn token_caller(request: &HttpRequest) -> Result<Option<Caller>> {
    let mut lines = request.headers().get_all(header::AUTHORIZATION);
    let line = lines.next().filter(|_| lines.next().is_none());
    let Some(token) = line.and_then(|value| bearer(value.to_str().ok()?)) else {
        return Ok(None);
    };
    let app = app_state(request)?;
    let resolved = match app.tokens.verify_access(token, app.clock.now()) {
        Ok(claim) => unproven::resolve(request, claim).await,
        Err(err) => Err(err),
    };
    match resolved {
        Ok(caller) => Ok(Some(caller)),
        Err(Error::Unauthenticated | Error::InvalidToken(_)) => Ok(None),
        Err(err) => Err(err),
    }
}

/// Returns the token of a Bearer header (RFC 6750, 2.1). The scheme's name is case-insensitive
/// (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
