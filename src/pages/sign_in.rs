//! `/sign-in`: sign-in with e-mail and password.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::ended_words::{self, EndedView};
use super::{go_on, notices};
use crate::error::{Error, MissingProof, Result};
use crate::http::app_state::{AppState, SamplePerson};
use crate::http::bound_session;
use crate::http::browser;
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::compression::compress_page;
use crate::http::device_cookie;
use crate::http::failed_form::{self, FailedForm};
use crate::http::failed_page::failed_page;
use crate::http::failed_page::throttled_page;
use crate::http::forms::PublicForm;
use crate::http::layout::{Layout, page};
use crate::http::onward;
use crate::http::page_query::PageQuery;
use crate::http::reader_clock::browser_zone;
use crate::http::requester::requester;
use crate::http::unproven;
use crate::http::unsent_form;
use crate::people::{PlainPassword, User};
use crate::sessions::{Client, NewSession, OpenedVia, PasswordGiven, Session, SessionPersistence};

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
struct SignInPage<'a> {
    layout: Layout,
    next: &'a str,
    email: &'a str,
    remember: bool,
    can_sign_up: bool,
    notice: Option<String>,
    /// Why this device was signed out, if nothing else is to be said.
    ended: Option<EndedView>,
    /// Why this browser doesn't count as signed in, though its session is live.
    unproven: Option<&'static str>,
    /// Whether a form that was typed is stored, and shown again after sign-in.
    has_unsent: bool,
    /// Whether it offers to clear what the browser stored, after a sign-out.
    offers_clearing: bool,
    error: Option<String>,
    /// The demo's people; none elsewhere.
    sample_people: &'a [SamplePerson],
}

/// The query of `GET /sign-in`.
#[derive(Default, Deserialize)]
pub struct SignInQuery {
    next: Option<String>,
}

/// The form of `POST /sign-in`.
#[derive(Default, Deserialize)]
pub struct SignInForm {
    email: String,
    password: String,
    remember: Option<String>,
    next: Option<String>,
}

impl SignInForm {
    /// Returns the form that failed.
    fn of(failed: &FailedForm) -> Self {
        let value = |name| failed.value(name).map(str::to_owned);
        Self {
            email: value("email").unwrap_or_default(),
            password: String::new(),
            remember: value("remember"),
            next: value("next"),
        }
    }

    fn persistence(&self) -> SessionPersistence {
        match self.remember {
            Some(_) => SessionPersistence::Remembered,
            None => SessionPersistence::Standard,
        }
    }
}

impl<'a> SignInPage<'a> {
    /// Returns the page with the form as it was submitted, except the password.
    fn new(
        app: &'a AppState,
        request: &HttpRequest,
        form: &'a SignInForm,
        next: &'a str,
    ) -> Result<Self> {
        Ok(Self {
            layout: Layout::anonymous(request)?,
            next,
            email: &form.email,
            remember: form.remember.is_some(),
            can_sign_up: app.sign_up,
            notice: None,
            ended: None,
            unproven: None,
            has_unsent: next == unsent_form::PATH && unsent_form::is_stored(request)?,
            offers_clearing: false,
            error: None,
            sample_people: &app.sample_people,
        })
    }
}

impl SignInPage<'_> {
    /// Returns whether something is said before the form, which has the focus.
    fn says_something(&self) -> bool {
        self.notice.is_some()
            || self.ended.is_some()
            || self.unproven.is_some()
            || self.error.is_some()
            || self.layout.refusal.is_some()
    }
}

/// Shows the form. A person who is signed in goes on to the page that they came for; the cookies of
/// a session that has ended stay, and the form replaces them.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    MaybeCaller(caller): MaybeCaller,
    PageQuery(query): PageQuery<SignInQuery>,
) -> Result<HttpResponse> {
    let next = app.allowed_hosts.destination(query.next.as_deref());
    let failed = failed_form::shown(&request);
    if let Some(caller) = caller.filter(|_| failed.is_none()) {
        return go_on::after_page(&request, &caller, &next);
    }
    if let Some(failed) = failed {
        let form = SignInForm::of(&failed);
        let next = app.allowed_hosts.destination(form.next.as_deref());
        let mut template = SignInPage::new(&app, &request, &form, next.as_str())?;
        template.error = template.layout.refused_words();
        return page(StatusCode::OK, &template);
    }
    let empty = SignInForm::default();
    let notice = notices::take(&app, &request, None).await?;
    let mut template = SignInPage::new(&app, &request, &empty, next.as_str())?;
    // What became of the account before is not said in place of why nobody is signed in.
    if notice.words.is_none() || notice.is_of_account {
        template.ended = ended_words::find(&app, &request).await?;
    }
    template.notice = notice.words.filter(|_| template.ended.is_none());
    template.unproven = unproven::missing_proof(&request).map(unproven_words);
    template.offers_clearing = notice.is_sign_out;
    Ok(compress_page(&request, page(StatusCode::OK, &template)?))
}

/// Creates a session in this browser.
///
/// # Errors
/// [`Error::Busy`] when too many passwords wait to be hashed.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    form: PublicForm<SignInForm>,
) -> Result<HttpResponse> {
    let form = match form {
        PublicForm::Accepted(form) => form,
        PublicForm::Refused(form) => {
            return show_again(&app, &request, &form, StatusCode::FORBIDDEN);
        }
    };
    let requester = requester(&request, before.as_ref())?;
    let password = PlainPassword::claimed(form.password.clone());
    let attempt = (&requester, before.as_ref());
    let accounts = &app.accounts;
    let tried = accounts.sign_in(&app.people, attempt, &form.email, password);
    match tried.await {
        Ok(user) => {
            let persistence = form.persistence();
            let before = before.map(|caller| caller.session);
            start_session(&app, &request, &user, client, persistence, before).await?;
            let next = app.allowed_hosts.destination(form.next.as_deref());
            Ok(go_on::after_form(&next))
        }
        Err(Error::InvalidCredentials) => show_wrong(&app, &request, &form),
        Err(err) => {
            let again = async || show_again(&app, &request, &form, StatusCode::OK);
            throttled_page(&request, err, again).await
        }
    }
}

/// Shows the form as it was submitted.
fn show_again(
    app: &AppState,
    request: &HttpRequest,
    form: &SignInForm,
    status: StatusCode,
) -> Result<HttpResponse> {
    let next = app.allowed_hosts.destination(form.next.as_deref());
    let template = SignInPage::new(app, request, form, next.as_str())?;
    failed_page(request, status, (&template, &template.layout), None)
}

/// Shows the form as it was submitted, with a wrong e-mail or password.
fn show_wrong(app: &AppState, request: &HttpRequest, form: &SignInForm) -> Result<HttpResponse> {
    let next = app.allowed_hosts.destination(form.next.as_deref());
    let mut template = SignInPage::new(app, request, form, next.as_str())?;
    template.error = Some(refusal(app).to_owned());
    template.layout.is_failed = true;
    let words = template.error.as_deref();
    let page = (&template, &template.layout);
    failed_page(request, StatusCode::UNAUTHORIZED, page, words)
}

/// Returns the page with why nobody was signed in, without what was typed.
///
/// # Errors
/// [`Error::Internal`] when the template can't be rendered.
pub(super) fn refuse(
    app: &AppState,
    request: &HttpRequest,
    next: &str,
    why: String,
) -> Result<HttpResponse> {
    let empty = SignInForm::default();
    let mut template = SignInPage::new(app, request, &empty, next)?;
    template.error = Some(why);
    template.layout.is_failed = true;
    page(StatusCode::CONFLICT, &template)
}

/// Creates a session for `user` and sets its cookie in the browser, in place of the session
/// `before`.
///
/// # Errors
/// [`Error::InvalidCredentials`] when the account was disabled or its password changed since `user`
/// was read.
pub(super) async fn start_session(
    app: &AppState,
    request: &HttpRequest,
    user: &User,
    client: Client,
    persistence: SessionPersistence,
    before: Option<Session>,
) -> Result<()> {
    let new = NewSession {
        client,
        device_id: Some(browser::device_id(request)?),
        device_name: None,
        via: OpenedVia::Browser,
        persistence,
        application: None,
        replaces: before,
    };
    // A browser that the person has not used before may be an intruder's: messages about it name times
    // in the zone of the person.
    let is_known = device_cookie::known_device(request)?.knows(user.as_known());
    let is_trusted = is_known || user.browser_time_zone().is_none();
    let session = app.sessions.create_session(user, new).await?;
    if let Some(zone) = browser_zone(request).filter(|_| is_trusted) {
        app.accounts
            .update_browser_time_zone(user, session.id, zone)
            .await?;
    }
    browser::set_session(request, &session, user)?;
    bound_session::offer(request, &session, PasswordGiven::ToSignIn)?;
    device_cookie::remember(request, user)?;
    onward::mark_signed_in(request, &session)
}

/// Returns why a browser doesn't count as signed in that lacks the proof of its session.
fn unproven_words(missing: MissingProof) -> &'static str {
    match missing {
        MissingProof::NotNow => {
            "We can’t check this device just now. Try again in a moment, or sign in again."
        }
        _ => "Sign in again: this browser could not show the key of this device.",
    }
}

/// Returns why a sign-in was refused, the same for every reason.
fn refusal(app: &AppState) -> &'static str {
    match app.people.requires_verified_email() {
        true => {
            "The e-mail or the password is wrong, or the e-mail is not verified yet. Check both, or open the link in the e-mail you got when you signed up. “Forgotten your password?” sends another one."
        }
        false => "The e-mail or the password is wrong. Check both and try again.",
    }
}
