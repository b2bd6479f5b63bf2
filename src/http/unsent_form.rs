//! A form that was refused because its page was outdated: its session ended, or is an earlier one of the
//! same person. What was typed is stored in a sealed cookie, for a page that shows it again with a new
//! CSRF token once the person is signed in ([`find`]). Nothing of the form is carried out before that.
//!
//! Only what the browser says one of our pages sent is stored: another site could otherwise have a form
//! of its own shown. It is shown only to the person of the session that its token was made for, in the
//! same browser. Passwords are never stored.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::app_state::{AppState, app_state};
use super::body::shared_body;
use super::browser;
use super::cookies::OwnCookie;
use super::layout::see_other;
use super::stored_form::{FormCookie, is_own_form, received_fields};
use super::typed_forms::{UnsentForm, typed_form};
use super::unsent_page::{UnsentState, respond_unstored};
use crate::db::UserId;
use crate::error::{Chain, Error, MissingProof, Result};
use crate::sessions::{Caller, Credential};

/// The page that shows the form again.
pub const PATH: &str = "/unsent-form";

/// The cookie: sealed and encoded the form must fit into one (RFC 6265, 6.1).
const COOKIE: FormCookie = FormCookie {
    cookie: OwnCookie::UnsentForm,
    max_age: CookieDuration::minutes(30),
    max_bytes: 2_500,
};
/// The most ended sessions of a person that a token is compared with, newest first.
const MAX_SESSIONS: u32 = 20;
/// The fields that are not stored, besides passwords.
const LEFT_OUT: [&str; 4] = ["csrf", "act", "next", "username"];
/// The page for step-up, whose form contains another one.
const STEP_UP: &str = "/confirm";

/// The content of the cookie.
#[derive(Serialize, Deserialize)]
struct StoredForm {
    path: String,
    fields: Vec<(String, String)>,
    /// The CSRF token, which tells of which session the form was.
    csrf: String,
}

/// Stores the form of a request that was refused, if what was typed may be shown again. Returns the
/// redirect to the page that does, by way of sign-in where nobody is signed in.
pub(super) async fn store(request: &HttpRequest, error: &Error) -> Option<HttpResponse> {
    if !may_store(request) {
        return None;
    }
    let form = submitted(request)?;
    if matches!(error, Error::ProofRequired(MissingProof::NotNow)) {
        // Its page leads to the form.
        COOKIE.store(request, &form).ok()?;
        return None;
    }
    let next = match error {
        err if err.is_signed_out() => format!("/sign-in?next={PATH}"),
        Error::CsrfMismatch => match is_of_caller(request, &form).await {
            Ok(true) => PATH.to_owned(),
            Ok(false) => return None,
            Err(err) => {
                tracing::error!(error = %Chain(&err), "a form is lost");
                return None;
            }
        },
        _ => return None,
    };
    let app = app_state(request).ok()?;
    match COOKIE.store(request, &form).ok()? {
        true => Some(see_other(next)),
        false => respond_too_long(request, app, form, error).ok(),
    }
}

/// Returns the page with a form that is too long for a cookie: no other page will have it.
fn respond_too_long(
    request: &HttpRequest,
    app: &AppState,
    form: StoredForm,
    error: &Error,
) -> Result<HttpResponse> {
    let typed = typed_form(&form.path).ok_or(Error::NotFound)?;
    let (csrf, state) = match (error, browser::session_claim(request)?) {
        (Error::CsrfMismatch, Some(claim)) => {
            let csrf = app.csrf_key.session_token(claim.session);
            (csrf, UnsentState::Ready)
        }
        _ => (form.csrf, UnsentState::SignedOut),
    };
    let unsent = UnsentForm {
        form: typed,
        path: form.path,
        fields: form.fields,
    };
    respond_unstored(request, unsent, csrf, state)
}

/// Returns whether the form of a request is one that is stored when it is refused.
pub(super) fn is_storable(request: &HttpRequest) -> bool {
    may_store(request) && submitted(request).is_some()
}

/// Removes the stored form once it was sent: a redirect follows what was carried out.
pub(super) fn forget_sent(request: &HttpRequest, status: StatusCode) {
    if *request.method() != Method::POST || !status.is_redirection() {
        return;
    }
    if let Ok(Some(stored)) = stored(request)
        && stored.path == request.path()
    {
        // The response is not worse without it.
        let _ = forget(request);
    }
}

/// Removes the stored form.
///
/// # Errors
/// [`Error::Internal`] when the server was assembled without its state.
pub fn forget(request: &HttpRequest) -> Result<()> {
    COOKIE.remove(request)
}

/// Returns whether a form is stored in this browser, which may be shown once its person is signed in.
///
/// # Errors
/// [`Error::Internal`] on a route without a device cookie.
pub fn is_stored(request: &HttpRequest) -> Result<bool> {
    Ok(stored(request)?.is_some())
}

/// Receives the body of a request that is refused before its handler would, if its form may be shown
/// again.
pub(super) async fn receive(request: &mut ServiceRequest) {
    if may_store(request.request()) {
        let (request, payload) = request.parts_mut();
        let body = shared_body(request, payload);
        // What can't be read is not stored.
        let _ = body.await;
    }
}

/// Returns the form that is to be shown again to the caller, if there is one.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond; [`Error::Internal`] on a route without a
/// device cookie.
pub async fn find(request: &HttpRequest, caller: &Caller) -> Result<Option<UnsentForm>> {
    let Some(stored) = stored(request)? else {
        return Ok(None);
    };
    let Some(form) = typed_form(&stored.path) else {
        return Ok(None);
    };
    let is_own = is_of_person(request, caller.user.id, &stored).await?;
    Ok(is_own.then_some(UnsentForm {
        form,
        path: stored.path,
        fields: stored.fields,
    }))
}

/// Returns the form that was stored in this browser lately.
fn stored(request: &HttpRequest) -> Result<Option<StoredForm>> {
    COOKIE.find(request)
}

/// Returns whether the form of a request may be shown again.
fn may_store(request: &HttpRequest) -> bool {
    is_own_form(request) && (typed_form(request.path()).is_some() || request.path() == STEP_UP)
}

/// Returns the form in the body of a request, which was received.
fn submitted(request: &HttpRequest) -> Option<StoredForm> {
    let mut fields = received_fields(request)?;
    let value = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.clone())
    };
    let csrf = value("csrf")?;
    let path = match request.path() {
        STEP_UP => value("act")?.split('?').next()?.to_owned(),
        path => path.to_owned(),
    };
    let form = typed_form(&path)?;
    fields.retain(|(name, _)| !LEFT_OUT.contains(&name.as_str()) && !name.contains("password"));
    let is_typed = |(name, value): &(String, String)| {
        !value.is_empty() && form.fields.iter().any(|field| field.name == name)
    };
    fields
        .iter()
        .any(is_typed)
        .then_some(StoredForm { path, csrf, fields })
}

/// Returns whether a form is of an earlier session of the person who is signed in.
async fn is_of_caller(request: &HttpRequest, form: &StoredForm) -> Result<bool> {
    let app = app_state(request)?;
    let Some(claim) = browser::session_claim(request)? else {
        return Ok(false);
    };
    let Credential::Cookie { jti, .. } = &claim.credential else {
        return Ok(false);
    };
    let authentication = app
        .sessions
        .find_authentication(claim.user, claim.session, jti)
        .await?;
    Ok(authentication.is_some() && is_of_person(request, claim.user, form).await?)
}

/// Returns whether the CSRF token of a form is that of a session of the person in this browser, live or
/// ended.
async fn is_of_person(request: &HttpRequest, person: UserId, form: &StoredForm) -> Result<bool> {
    let app = app_state(request)?;
    let device = browser::device_id(request)?;
    let live = app.sessions.list_live(person).await?;
    let ended = app.sessions.list_ended(person, None, MAX_SESSIONS).await?;
    Ok(live.iter().chain(&ended.sessions).any(|session| {
        session.device_id.as_deref() == Some(device.as_str())
            && app
                .csrf_key
                .verify_session_token(session.id, &form.csrf)
                .is_ok()
    }))
}
