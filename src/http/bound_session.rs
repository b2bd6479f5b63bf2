//! What browsers are sent and send of their key for a session (Device Bound Session Credentials, W3C): the
//! offer, the bound cookie, and what a browser is to do about it.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use serde_json::json;

use super::app_state::{AppState, app_state};
use super::cookies::{self, OwnCookie};
use super::received_cookies::ReceivedCookies;
use crate::db::SessionId;
use crate::error::{Error, Failure, ProofRefusal, Result};
use crate::sessions::{BoundGrant, CookieProof, PasswordGiven, SentProof, Session};

/// The path at which a key is registered.
const REGISTER: &str = "/auth/bound/register";
/// The path at which a proof is renewed.
const REFRESH: &str = "/auth/bound/refresh";
/// The beginning of both.
pub(super) const PREFIX: &str = "/auth/bound/";

const REGISTRATION: HeaderName = HeaderName::from_static("secure-session-registration");
const CHALLENGE: HeaderName = HeaderName::from_static("secure-session-challenge");
const PROOF: &str = "secure-session-response";
const ID: &str = "sec-secure-session-id";
const SKIPPED: &str = "secure-session-skipped";

/// The attributes of the bound cookie as a browser is told them, the same as those of the cookie: if one
/// differed, it would make a proof with each request. Its lifetime is not allowed among them.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";
/// The paths that need no proof: they are nobody's, or programs'.
const EXCLUDED: [&str; 6] = [
    "/static",
    "/favicon.ico",
    "/.well-known/jwks.json",
    "/health",
    "/oauth",
    "/auth",
];

/// What the response offers a browser.
struct Offer(HeaderValue);

/// Has the response offer the browser to bind `session`, for which the password was just `given`. Only a
/// response to a password does.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn offer(request: &HttpRequest, session: &Session, given: PasswordGiven) -> Result<()> {
    let Some(challenge) = app_state(request)?.sessions.offer_key(session, given) else {
        return Ok(());
    };
    let text = format!(r#"(ES256);path="{REGISTER}";challenge="{challenge}""#);
    request.extensions_mut().insert(Offer(header(&text)?));
    Ok(())
}

/// Adds the offer to the headers of the response, if there is one.
pub(super) fn write_offer(request: &HttpRequest, headers: &mut HeaderMap) {
    if let Some(Offer(value)) = request.extensions_mut().remove() {
        headers.insert(REGISTRATION, value);
    }
}

/// Returns what the bound cookies of a request prove of a session.
pub(super) fn read_cookie(
    request: &HttpRequest,
    app: &AppState,
    session: SessionId,
) -> CookieProof {
    let received = ReceivedCookies::of(request);
    let values = received.first_values(OwnCookie::Bound);
    let values = values.iter().map(String::as_str);
    app.sessions.read_bound_cookie(session, values)
}

/// Returns whether a request has something that may be a proof.
#[must_use]
pub fn has_proof(request: &HttpRequest) -> bool {
    request.headers().contains_key(PROOF)
}

/// Returns the proof of a request; `None` without one.
///
/// # Errors
/// [`Error::ProofRefused`] when it can't be read.
pub fn sent_proof(request: &HttpRequest) -> Result<Option<SentProof>> {
    let mut values = request.headers().get_all(PROOF);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => SentProof::read(value.as_bytes())
            .map(Some)
            .map_err(Error::ProofRefused),
        (Some(_), Some(_)) => Err(Error::ProofRefused(ProofRefusal::Missing)),
    }
}

/// Returns the id of the session that a browser wants a proof renewed of. It may be in quotes.
pub fn stated_session(request: &HttpRequest) -> Option<SessionId> {
    let value = request.headers().get(ID)?.to_str().ok()?;
    value.trim_matches('"').parse().ok()
}

/// Returns whether a browser states that it could not make a proof for a session just now.
pub(super) fn is_skipped(request: &HttpRequest, session: SessionId) -> bool {
    let mut values = request.headers().get_all(SKIPPED);
    let id = session.to_string();
    values.any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.contains(&id) || !text.contains("session_identifier")
    })
}

/// Returns the response to a proof: the bound cookie, what the browser is to do with it, and the next challenge.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn grant(request: &HttpRequest, grant: BoundGrant) -> Result<HttpResponse> {
    let app = app_state(request)?;
    let name = app.cookies.name(OwnCookie::Bound);
    let seconds = i64::try_from(grant.lifetime.as_secs()).unwrap_or(i64::MAX);
    let cookie = app
        .cookies
        .build(OwnCookie::Bound, grant.cookie)
        .max_age(CookieDuration::seconds(seconds))
        .finish();
    cookies::add(request, cookie);
    let excluded: Vec<_> = EXCLUDED
        .iter()
        .map(|path| json!({"type": "exclude", "path": path}))
        .collect();
    let instructions = json!({
        "session_identifier": grant.session,
        "refresh_url": REFRESH,
        "scope": {"include_site": false, "scope_specification": excluded},
        "credentials": [{"type": "cookie", "name": name, "attributes": ATTRIBUTES}],
    });
    Ok(HttpResponse::Ok()
        .insert_header(challenge_header(grant.session, &grant.challenge)?)
        .json(instructions))
}

/// Returns the response to a browser that is to make a proof of this challenge.
///
/// # Errors
/// [`Error::Internal`] when the header can't be made.
pub fn challenge(session: SessionId, challenge: &str) -> Result<HttpResponse> {
    Ok(HttpResponse::Forbidden()
        .insert_header(challenge_header(session, challenge)?)
        .finish())
}

/// Returns the response to a browser that has nothing to renew: it forgets its key of the session.
#[must_use]
pub fn over(session: Option<SessionId>) -> HttpResponse {
    let mut instructions = json!({"continue": false});
    if let Some(session) = session {
        instructions["session_identifier"] = json!(session);
    }
    HttpResponse::Ok().json(instructions)
}

/// Returns the response where a proof can't be judged now: the browser keeps its key, and tries again.
#[must_use]
pub fn unavailable() -> HttpResponse {
    HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE)
        .insert_header((CONTENT_TYPE, "application/problem+json"))
        .body(r#"{"type":"about:blank","title":"The service is unavailable just now","status":503,"code":"unavailable"}"#)
}

/// Has the response remove the bound cookie, if the request brings one.
pub(super) fn forget(request: &HttpRequest, app: &AppState) {
    if ReceivedCookies::of(request).has(OwnCookie::Bound) {
        cookies::remove(request, &app.cookies, OwnCookie::Bound);
    }
}

fn challenge_header(session: SessionId, challenge: &str) -> Result<(HeaderName, HeaderValue)> {
    Ok((
        CHALLENGE,
        header(&format!(r#""{challenge}";id="{session}""#))?,
    ))
}

fn header(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text)
        .map_err(|err| Error::Internal(Failure::new("a header of a bound session", err)))
}
