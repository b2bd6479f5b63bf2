//! A form that was refused because its page was outdated: its session ended, or is an earlier one of the
//! same person. What was typed is stored in a sealed cookie, for a page that shows it again with a new
//! CSRF token once the person is signed in ([`find`]). Nothing of the form is carried out before that.
//!
//! Only what the browser says one of our pages sent is stored: another site could otherwise have a form
//! of its own shown. It is shown only to the person of the session that its token was made for, in the
//! same browser. Passwords are never stored.

use std::time::Duration;

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::app_state::{AppState, app_state};
use super::body::{SharedBody, shared_body};
use super::browser;
use super::cookies::{self, OwnCookie};
use super::form_origin::FormOrigin;
use super::layout::see_other;
use super::received_cookies::ReceivedCookies;
use crate::clock::Timestamp;
use crate::db::UserId;
use crate::error::{Chain, Error, Result};
use crate::sessions::{Caller, Credential};

/// The page that shows the form again.
pub const PATH: &str = "/unsent-form";

/// How long the form can be shown again.
const LIFETIME: Duration = MAX_AGE.unsigned_abs();
const MAX_AGE: CookieDuration = CookieDuration::minutes(30);
/// The most bytes of a stored form: sealed and encoded it must fit into a cookie (RFC 6265, 6.1).
const MAX_BYTES: usize = 2_500;
/// The most ended sessions of a person that a token is compared with, newest first.
const MAX_SESSIONS: u32 = 20;
/// The fields that are not stored, besides passwords.
const LEFT_OUT: [&str; 4] = ["csrf", "act", "next", "username"];
/// The page for step-up, whose form contains another one.
const STEP_UP: &str = "/confirm";

/// A form whose fields somebody types text into.
#[derive(Debug)]
pub struct TypedForm {
    /// The pattern of the path that it is posted to, with `{id}` for a variable segment.
    pub path: &'static str,
    /// What it is for: the heading of its page.
    pub title: &'static str,
    /// The label of its button.
    pub button: &'static str,
    /// The typed fields, with their labels.
    pub fields: &'static [(&'static str, &'static str)],
}

/// The forms that are shown again. All others have nothing typed but passwords.
#[rustfmt::skip]
pub static TYPED_FORMS: &[TypedForm] = &[
    TypedForm { path: "/account/name", title: "Your name", button: "Save", fields: &[("full_name", "Name")] },
    TypedForm { path: "/account/email", title: "Your e-mail", button: "Send the link", fields: &[("email", "New e-mail")] },
    TypedForm { path: "/devices/{id}/rename", title: "Name of the device", button: "Save", fields: &[("device_name", "Device name")] },
    TypedForm { path: "/admin/sessions/end", title: "End sessions", button: "Continue", fields: &[("stated_reason", "Reason")] },
    TypedForm { path: "/admin/jobs/{id}/stop", title: "Stop the job", button: "Stop the job", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/new", title: "New account", button: "Create the account", fields: &[("email", "E-mail"), ("full_name", "Name"), ("new_password", "Password")] },
    TypedForm { path: "/admin/users/invite", title: "Invitation", button: "Invite", fields: &[("email", "E-mail"), ("full_name", "Name")] },
    TypedForm { path: "/admin/users/{id}/name", title: "Name of", button: "Save", fields: &[("full_name", "Name")] },
    TypedForm { path: "/admin/users/{id}/email", title: "E-mail of", button: "Set the e-mail", fields: &[("email", "New e-mail"), ("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/lift-delay", title: "Lift the delay of", button: "Lift the delay", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/verify-email", title: "Mark as verified: the e-mail of", button: "Mark it as verified", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/role", title: "Role of", button: "Change the role", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/reset-link", title: "Link for a new password of", button: "Create the link", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/invite", title: "Another invitation for", button: "Invite again", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/end-sessions", title: "Sign out", button: "Sign out everywhere", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/disable", title: "Disable", button: "Disable the account", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/enable", title: "Enable", button: "Enable the account", fields: &[("reason", "Reason")] },
    TypedForm { path: "/admin/users/{id}/delete", title: "Delete", button: "Delete the account", fields: &[("reason", "Reason"), ("typed", "Their e-mail, typed")] },
    TypedForm { path: "/admin/applications", title: "New application", button: "Add the application", fields: &[("name", "Name of the application"), ("hosts", "Hosts")] },
    TypedForm { path: "/admin/applications/{id}", title: "Application", button: "Save", fields: &[("name", "Name of the application"), ("hosts", "Hosts")] },
    TypedForm { path: "/admin/api-keys", title: "New key", button: "Create the key", fields: &[("name", "Name")] },
];

/// A form that was not carried out, for the person whose it is.
pub struct UnsentForm {
    /// What it is for.
    pub form: &'static TypedForm,
    /// The path that it is posted to.
    pub path: String,
    /// Its fields, in their order, without passwords.
    pub fields: Vec<(String, String)>,
}

/// The content of the cookie.
#[derive(Serialize, Deserialize)]
struct StoredForm {
    path: String,
    fields: Vec<(String, String)>,
    /// The CSRF token, which tells of which session the form was.
    csrf: String,
    /// The browser's device id: in another browser a copy of the cookie is void.
    device: String,
    /// When it was stored, in microseconds since the Unix epoch.
    at: i64,
}

/// Stores the form of a request that was refused, if what was typed may be shown again. Returns the
/// redirect to the page that does, by way of sign-in where nobody is signed in.
pub(super) async fn store(request: &HttpRequest, error: &Error) -> Option<HttpResponse> {
    if !may_store(request) {
        return None;
    }
    let form = submitted(request)?;
    let next = match error {
        Error::Unauthenticated => format!("/sign-in?next={PATH}"),
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
    let content = serde_json::to_string(&form).ok()?;
    if content.len() > MAX_BYTES {
        return None;
    }
    let cookie = app.cookies.build(OwnCookie::UnsentForm, content);
    cookies::add(
        request,
        app.form_seal.seal(cookie.max_age(MAX_AGE).finish()),
    );
    Some(see_other(next))
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
    let app = app_state(request)?;
    let device = browser::device_id(request)?;
    let name = app.cookies.name(OwnCookie::UnsentForm);
    let received = ReceivedCookies::of(request);
    let opened = received
        .first_values(OwnCookie::UnsentForm)
        .iter()
        .filter_map(|value| app.form_seal.open_received(name, value))
        .find_map(|cookie| serde_json::from_str::<StoredForm>(cookie.value()).ok());
    let Some(stored) = opened.filter(|stored| stored.device == device.as_str()) else {
        return Ok(None);
    };
    let is_recent =
        Timestamp::from_micros(stored.at).is_some_and(|at| app.clock.now().since(at) < LIFETIME);
    let form = typed_form(&stored.path).filter(|_| is_recent);
    let Some(form) = form else {
        return Ok(None);
    };
    let is_own = is_of_person(app, caller.user.id, &stored).await?;
    Ok(is_own.then_some(UnsentForm {
        form,
        path: stored.path,
        fields: stored.fields,
    }))
}

/// Returns whether a page of ours sent a form in a browser that is known, as far as the browser states it.
fn may_store(request: &HttpRequest) -> bool {
    *request.method() == Method::POST
        && FormOrigin::from_request(request) == FormOrigin::Own
        && !browser::is_without_device_cookie(request)
        && (typed_form(request.path()).is_some() || request.path() == STEP_UP)
}

/// Returns the form in the body of a request, which was received.
fn submitted(request: &HttpRequest) -> Option<StoredForm> {
    let body = request.extensions().get::<SharedBody>()?.clone();
    let body = body.now_or_never()?.ok()?;
    let mut fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
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
        !value.is_empty() && form.fields.iter().any(|(field, _)| field == name)
    };
    let app = app_state(request).ok()?;
    fields.iter().any(is_typed).then_some(StoredForm {
        path,
        csrf,
        device: browser::device_id(request).ok()?.as_str().to_owned(),
        at: app.clock.now().timestamp_micros(),
        fields,
    })
}

fn typed_form(path: &str) -> Option<&'static TypedForm> {
    let is_of = |form: &&TypedForm| {
        let (mut pattern, mut segments) = (form.path.split('/'), path.split('/'));
        loop {
            match (pattern.next(), segments.next()) {
                (None, None) => return true,
                (Some("{id}"), Some(id)) if !id.is_empty() => {}
                (Some(pattern), Some(segment)) if pattern == segment => {}
                _ => return false,
            }
        }
    };
    TYPED_FORMS.iter().find(is_of)
}

/// Returns whether a form is of an earlier session of the person who is signed in.
async fn is_of_caller(request: &HttpRequest, form: &StoredForm) -> Result<bool> {
    let app = app_state(request)?;
    let Some(claim) = browser::session_claim(request)? else {
        return Ok(false);
    };
    let Credential::Cookie(jti) = &claim.credential else {
        return Ok(false);
    };
    let authentication = app
        .sessions
        .find_authentication(claim.user, claim.session, jti)
        .await?;
    Ok(authentication.is_some() && is_of_person(app, claim.user, form).await?)
}

/// Returns whether the CSRF token of a form is that of a session of the person in this browser, live or
/// ended.
async fn is_of_person(app: &AppState, person: UserId, form: &StoredForm) -> Result<bool> {
    let live = app.sessions.list_live(person).await?;
    let ended = app.sessions.list_ended(person, None, MAX_SESSIONS).await?;
    Ok(live.iter().chain(&ended.sessions).any(|session| {
        session.device_id.as_deref() == Some(form.device.as_str())
            && app
                .csrf_key
                .verify_session_token(session.id, &form.csrf)
                .is_ok()
    }))
}
