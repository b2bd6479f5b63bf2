//! What the pages of a link in a message share: the message it was opened from, and the form for a
//! new password after a report.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;

use crate::account::LinkedMessage;
use crate::alerts::{Alert, AlertKind};
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::app_state::AppState;
use crate::http::client::visitor;
use crate::http::failed_page::{failed_page, refused_redirect};
use crate::http::layout::{Layout, page};
use crate::http::requester::requester;
use crate::people::{NewPassword, PasswordHash, UsedLink, User};
use crate::sessions::Client;
use crate::throttles::{Lane, Purpose};

/// What to do where the account is disabled.
pub(super) const DISABLED: &str = "The account is disabled, so nobody can sign in to it. Ask an administrator \
                                   of this service.";
/// What to do while a former address is asked for the new password.
pub(super) const FORMER_FIRST: &str = "An older e-mail of the account can still take it back. Until then, only the link in an e-mail to that one sets a new password.";

/// What a new password does.
const THEN_SIGN_IN: &str =
    "every device is then signed out, and you sign in with the new password.";

#[derive(Template)]
#[template(path = "pages/after_not_me.html")]
struct AfterPage<'a> {
    layout: Layout,
    title: &'static str,
    /// The outcome, in words.
    done: &'a str,
    /// What to do now, where there is no form.
    advice: Option<&'static str>,
    token: &'a str,
    form: Option<PasswordForm>,
}

/// The form for a new password.
pub(super) struct PasswordForm {
    /// Why to set one, and what that does.
    pub(super) lead: String,
    /// The ticket that lets its bearer set the password.
    pub(super) ticket: String,
    pub(super) email: String,
    /// The minimum length of the password, in characters.
    pub(super) min_chars: usize,
    pub(super) error: Option<String>,
}

impl PasswordForm {
    /// Returns the form with a new ticket, if the mailbox of the message is the one to set the
    /// password.
    pub(super) fn new(app: &AppState, message: &LinkedMessage) -> Option<Self> {
        let grant = message.grant.as_ref()?;
        Some(Self {
            lead: reason_to_set(message),
            ticket: app.links.ticket(&grant.binding(), app.clock.now()),
            email: message.user.email.clone(),
            min_chars: NewPassword::MIN_CHARS,
            error: None,
        })
    }

    /// Returns the form with its error, where the page with that `layout` shows it again.
    pub(super) fn failed(self, layout: &Layout) -> Self {
        Self {
            error: layout.problem_of("new_password"),
            ..self
        }
    }
}

/// Returns why to set a new password after what a message told of, and what that does. That the old one no
/// longer works is said where the account was taken back.
fn reason_to_set(message: &LinkedMessage) -> String {
    let (user, alerts) = (&message.user, &message.alerts);
    let reported = alerts.iter().filter_map(Alert::reported_at).max();
    let is_changed = reported.is_some_and(|at| user.password_changed_at > at);
    let is_guessed = |alert: &Alert| alert.kind == AlertKind::WrongPasswords;
    let why = match (user.is_password_void(), is_changed) {
        (true, _) => return "Set a new password, and sign in with it.".into(),
        (false, true) => {
            "The password was changed after this was answered. If that wasn’t you, set a new one"
        }
        _ if !alerts.is_empty() && alerts.iter().all(is_guessed) => {
            "Somebody may have the device, or a copy of its sign-in. Set a new password"
        }
        _ => "Somebody may know your password. Set a new one",
    };
    format!("{why}: {THEN_SIGN_IN}")
}

/// Returns the hash of the password that was typed into the form of a genuine link about `user`.
///
/// # Errors
/// [`Error::Invalid`] when it is too short, too long or easy to guess; [`Error::TooManyTries`];
/// [`Error::Busy`] when too many passwords wait to be hashed.
pub(super) async fn hash_typed(
    app: &AppState,
    request: &HttpRequest,
    user: &User,
    password: String,
) -> Result<PasswordHash> {
    let password = NewPassword::new("new_password", password)?;
    let from = requester(request, None)?;
    app.throttles
        .count(Purpose::NewPassword, &from, Lane::Link(user.id))
        .await?;
    let requester = visitor(request)?;
    app.people
        .hash_new_password(requester, user, password)
        .await
}

/// Returns the message that a link was opened from.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine or has expired.
pub(super) async fn get_linked_message(app: &AppState, token: &str) -> Result<LinkedMessage> {
    let link = app.links.message(token).ok_or(Error::NotFound)?;
    app.accounts.get_linked_message(link).await
}

/// Finds what the genuine link of a message did that can do something once.
pub(super) async fn find_used(app: &AppState, token: &str) -> Result<Option<UsedLink>> {
    match app.links.message(token) {
        Some(link) => app.accounts.find_used_link(link).await,
        None => Ok(None),
    }
}

/// Returns the page that says what was done, with the form, or else with what to do instead.
pub(super) fn after_page(
    request: &HttpRequest,
    token: &str,
    done: &str,
    advice: Option<&'static str>,
    form: Option<PasswordForm>,
) -> Result<HttpResponse> {
    let mut layout = Layout::anonymous(request)?;
    if form.is_none() {
        // The page has no form to send again.
        layout.refusal = None;
    }
    let advice = advice.filter(|_| form.is_none());
    let template = AfterPage {
        form: form.map(|form| form.failed(&layout)),
        title: title(&layout),
        layout,
        done,
        advice,
        token,
    };
    page(StatusCode::OK, &template)
}

/// Returns the heading: what is left to do, where that failed.
fn title(layout: &Layout) -> &'static str {
    match layout.has_failed() {
        true => "Set a new password",
        false => "Thank you",
    }
}

/// Returns the form again with its ticket, and with the error of the password if it has one.
pub(super) fn password_page(
    request: &HttpRequest,
    token: &str,
    (user, ticket): (&User, String),
    err: Option<&Error>,
) -> Result<HttpResponse> {
    let error = err.and_then(|err| err.field_errors().first());
    let mut layout = Layout::anonymous(request)?;
    let message = error.map(|error| error.message.as_str());
    layout.add_problem(("new_password", "New password"), message);
    let template = AfterPage {
        title: title(&layout),
        layout,
        done: "Your answer is recorded. One step is left:",
        advice: None,
        token,
        form: Some(PasswordForm {
            lead: format!("Set a new password: {THEN_SIGN_IN}"),
            ticket,
            email: user.email.clone(),
            min_chars: NewPassword::MIN_CHARS,
            error: error.map(|error| error.message.clone()),
        }),
    };
    let status = err.map_or(StatusCode::OK, Error::status_code);
    failed_page(request, status, (&template, &template.layout), None)
}

/// Returns the page of a form that was refused: the one that its link opens, which changes nothing.
///
/// # Errors
/// [`Error::CsrfMismatch`] when the link is not genuine either.
pub(super) async fn refused_form(
    request: &HttpRequest,
    page: impl Future<Output = Result<HttpResponse>>,
) -> Result<HttpResponse> {
    let mut response = match page.await {
        Err(Error::NotFound) => return Err(Error::CsrfMismatch),
        page => page?,
    };
    if let Some(redirect) = refused_redirect(request) {
        return Ok(redirect);
    }
    *response.status_mut() = StatusCode::FORBIDDEN;
    Ok(response)
}

/// Returns the person as the origin of what they do by a link, without a session.
pub(super) fn origin(user: &User, client: Client) -> Origin {
    Origin {
        user: Some(user.id),
        session: None,
        ip: client.location.redacted(user.ip_retention).ip,
        ..Origin::default()
    }
}
