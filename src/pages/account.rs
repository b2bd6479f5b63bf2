//! `/account`: the person's name, e-mail and password, and their settings.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::activity::{self, AccountEvent};
use super::settings_card::{SettingsPage, SettingsView};
use super::time_zone::TimeZoneField;
use super::{confirm, notices};
use crate::account::OwnPassword;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::device_cookie;
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, see_other, throttled_page};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::http::reader_clock::ReaderClock;
use crate::http::requester::requester;
use crate::people::{FullName, NewPassword, PlainPassword};
use crate::sessions::Caller;
use crate::throttles::Purpose;

#[derive(Template)]
#[template(path = "pages/account.html")]
pub(super) struct AccountPage {
    layout: Layout,
    email: String,
    is_email_verified: bool,
    /// The e-mail that the account changes to once it is verified.
    pending_email: Option<String>,
    /// Whether links can be sent; without them only an administrator changes an e-mail.
    sends_mail: bool,
    /// The e-mail as last submitted.
    pub(super) email_typed: String,
    pub(super) email_error: Option<String>,
    full_name: String,
    min_password_chars: usize,
    settings: SettingsView,
    time_zones: TimeZoneField,
    is_admin: bool,
    /// What happened to the account lately, newest first.
    activity: Vec<AccountEvent>,
    notice: Option<String>,
    name_error: Option<String>,
    current_password_error: Option<String>,
    new_password_error: Option<String>,
}

/// The form of `POST /account/name`.
#[derive(Deserialize)]
pub struct RenameForm {
    full_name: String,
}

/// The form of `POST /account/password`.
#[derive(Deserialize)]
pub struct ChangePasswordForm {
    current_password: String,
    new_password: String,
}

/// Shows the page.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let mut template = AccountPage::new(&app, &request, &caller).await?;
    let notice = notices::take(&app, &request, Some(&caller)).await?;
    template.notice = notice.show_on(&mut template.layout);
    page(StatusCode::OK, &template)
}

/// Updates the name to call the person by.
///
/// # Errors
/// [`Error::UnconfirmedDevice`] when the caller's device is in doubt.
pub async fn rename(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<RenameForm>,
) -> Result<HttpResponse> {
    match FullName::parse(&form.full_name) {
        Ok(name) => {
            app.accounts.require_confirmed(&caller).await?;
            app.accounts
                .update_full_name(caller.user.id, name, caller.origin())
                .await?;
            Ok(to_account(&request, &caller, AccountNotice::Renamed))
        }
        Err(err) => {
            let mut template = AccountPage::new(&app, &request, &caller).await?;
            template.full_name = form.full_name;
            template.name_error = message(&err);
            template.report_problems();
            page(err.status_code(), &template)
        }
    }
}

/// Changes the password, and ends every other session of the person.
///
/// # Errors
/// [`Error::UnconfirmedDevice`] when the caller's device is in doubt, and the owner could not get the account back
/// by e-mail.
pub async fn change_password(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<ChangePasswordForm>,
) -> Result<HttpResponse> {
    app.accounts.require_may_change_password(&caller).await?;
    let new = match NewPassword::new("new_password", form.new_password) {
        Ok(new) => new,
        Err(err) => return refuse_new_password(&app, &request, &caller, &err).await,
    };
    let requester = requester(&request, Some(&caller))?;
    let attempt = (Purpose::PasswordChange, &requester);
    let current = PlainPassword::claimed(form.current_password);
    let verified = app
        .accounts
        .verify_own_password(&app.people, &caller, attempt, current)
        .await;
    match verified {
        Ok(OwnPassword::Right) => set_password(&app, &request, &caller, new).await,
        Ok(OwnPassword::Wrong) => {
            let mut template = AccountPage::new(&app, &request, &caller).await?;
            template.current_password_error = Some("is not your password".into());
            template.report_problems();
            page(StatusCode::BAD_REQUEST, &template)
        }
        Ok(OwnPassword::SessionEnded) => confirm::session_ended(&request),
        Err(err) => {
            let again = async || {
                let template = AccountPage::new(&app, &request, &caller).await?;
                page(StatusCode::OK, &template)
            };
            throttled_page(&request, err, again).await
        }
    }
}

/// Sets the new password of a person who entered the current one.
async fn set_password(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    new: NewPassword,
) -> Result<HttpResponse> {
    let people = &app.people;
    let hashed = people.hash_new_password(caller.hash_requester(), &caller.user, new);
    let hash = match hashed.await {
        Err(err @ Error::Invalid(_)) => {
            return refuse_new_password(app, request, caller, &err).await;
        }
        hash => hash?,
    };
    let (session, user) = app.accounts.change_password(caller, hash).await?;
    browser::set_session(request, &session, &user)?;
    device_cookie::remember(request, &user)?;
    Ok(to_account(request, caller, AccountNotice::PasswordChanged))
}

/// Returns the page with what is wrong with the new password.
async fn refuse_new_password(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    err: &Error,
) -> Result<HttpResponse> {
    let mut template = AccountPage::new(app, request, caller).await?;
    template.new_password_error = message(err);
    template.report_problems();
    page(err.status_code(), &template)
}

/// Returns a redirect to the page, which then shows the notice.
pub(super) fn to_account(
    request: &HttpRequest,
    caller: &Caller,
    notice: AccountNotice,
) -> HttpResponse {
    notice::put(request, Notice::Account(caller.user.id, notice));
    see_other("/account")
}

impl AccountPage {
    pub(super) async fn new(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
    ) -> Result<Self> {
        let clock = ReaderClock::of_caller(request, caller)?;
        Ok(Self {
            is_email_verified: caller.user.email_verified_at.is_some(),
            pending_email: app.accounts.find_pending_change(&caller.user).await?,
            sends_mail: app.accounts.sends_mail(),
            layout: Layout::for_caller(request, caller, NavItem::Account)?,
            email: caller.user.shown_email().to_owned(),
            email_typed: String::new(),
            email_error: None,
            full_name: caller.user.full_name.clone().unwrap_or_default(),
            min_password_chars: NewPassword::MIN_CHARS,
            settings: SettingsView::new(app, &caller.user, SettingsPage::Account),
            time_zones: TimeZoneField::new(request, &caller.user)?,
            is_admin: caller.user.is_admin,
            activity: activity::list(app, &caller.user, clock).await?,
            notice: None,
            name_error: None,
            current_password_error: None,
            new_password_error: None,
        })
    }

    /// Has the summary of the page list the errors of its fields.
    pub(super) fn report_problems(&mut self) {
        let fields = [
            (("full_name", "Name"), &self.name_error),
            (("email", "New e-mail"), &self.email_error),
            (
                ("current_password", "Current password"),
                &self.current_password_error,
            ),
            (("new_password", "New password"), &self.new_password_error),
        ];
        for (field, error) in fields {
            self.layout.add_problem(field, error.as_deref());
        }
    }
}

/// Returns what is wrong with the form's field.
pub(super) fn message(err: &Error) -> Option<String> {
    err.field_errors()
        .first()
        .map(|error| error.message.clone())
}
