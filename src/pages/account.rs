//! `/account`: the person's name, e-mail and password, and their settings.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::activity::{self, AccountEvent};
use super::known_doubts::find_doubts;
use super::settings_card::{SettingsPage, SettingsView};
use super::time_zone::TimeZoneField;
use super::times::TimeView;
use super::{confirm, notices, shown_name};
use crate::account::{OwnPassword, PendingVerification};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::bound_session;
use crate::http::browser;
use crate::http::caller::{AnyPageCaller, PageCaller};
use crate::http::device_cookie;
use crate::http::failed_page::{failed_page, throttled_page};
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::http::reader_clock::ReaderClock;
use crate::http::requester::requester;
use crate::people::{FullName, NewPassword, PlainPassword};
use crate::sessions::{Caller, PasswordGiven};
use crate::throttles::Purpose;

/// How long a changed password is one that was changed a moment ago.
const MOMENT: Duration = Duration::from_secs(5 * 60);

#[derive(Template)]
#[template(path = "pages/account.html")]
pub(super) struct AccountPage {
    layout: Layout,
    email: String,
    is_email_verified: bool,
    /// When the link was sent that verifies the e-mail, if one still works.
    link_sent: Option<TimeView>,
    /// The e-mail that the account changes to once it is verified.
    pending_email: Option<PendingChange>,
    /// Whether the reader of the mailbox said that it isn't theirs.
    is_email_declined: bool,
    /// Whether links can be sent; without them only an administrator changes an e-mail.
    sends_mail: bool,
    /// The e-mail as last submitted.
    pub(super) email_typed: String,
    pub(super) email_error: Option<String>,
    full_name: String,
    /// The name that the form shows them to have.
    name_shown: String,
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

/// A change of the e-mail that waits for its link to be opened.
struct PendingChange {
    email: String,
    until: TimeView,
}

/// The form of `POST /account/name`.
#[derive(Deserialize)]
pub struct RenameForm {
    full_name: String,
    /// The name that the form showed.
    shown_name: Option<String>,
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

/// Updates the name to call the person by. One that was changed since the form showed it is not overwritten.
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
            let now = caller.user.full_name.as_deref().unwrap_or_default();
            if let Some(words) =
                shown_name::conflict(form.shown_name.as_deref(), now, &form.full_name)
            {
                let mut template = AccountPage::new(&app, &request, &caller).await?;
                template.full_name = form.full_name;
                template.layout.refusal = Some(words);
                return template.respond_failed(&request, StatusCode::CONFLICT);
            }
            app.accounts
                .update_full_name(caller.user.id, name, caller.origin())
                .await?;
            Ok(to_account(&request, &caller, AccountNotice::Renamed))
        }
        Err(err) => {
            let mut template = AccountPage::new(&app, &request, &caller).await?;
            template.full_name = form.full_name;
            template.name_shown = form.shown_name.unwrap_or(template.name_shown);
            template.name_error = message(&err);
            template.respond_failed(&request, err.status_code())
        }
    }
}

/// Changes the password, and ends every other session of the person. Sent a second time, with the cookie that
/// the first response replaced, it changes nothing, and says what was done.
///
/// # Errors
/// [`Error::UnconfirmedDevice`] when the caller's device is in doubt, and the owner could not get the account back
/// by e-mail.
pub async fn change_password(
    app: web::Data<AppState>,
    request: HttpRequest,
    AnyPageCaller(caller): AnyPageCaller,
    Form(form): Form<ChangePasswordForm>,
) -> Result<HttpResponse> {
    if has_just_changed(&app, &caller) {
        let notice = AccountNotice::PasswordChangedBefore;
        return Ok(to_account(&request, &caller, notice));
    }
    app.sessions.require_write(&caller)?;
    app.accounts.require_may_change_password(&caller).await?;
    let new = match NewPassword::new("new_password", form.new_password) {
        Ok(new) => new,
        Err(err) => return refuse_new_password(&app, &request, &caller, &err).await,
    };
    let attempt = (
        Purpose::PasswordChange,
        &requester(&request, Some(&caller))?,
    );
    let current = PlainPassword::claimed(form.current_password);
    let verified = app
        .accounts
        .verify_own_password(&app.people, &caller, attempt, current)
        .await;
    let changed = match verified {
        Ok(OwnPassword::Right) => set_password(&app, &request, &caller, new).await,
        Ok(OwnPassword::Wrong) => {
            let mut template = AccountPage::new(&app, &request, &caller).await?;
            template.current_password_error = Some("is not your password".into());
            template.respond_failed(&request, StatusCode::BAD_REQUEST)
        }
        Ok(OwnPassword::SessionEnded) => confirm::session_ended(&request),
        Err(err) => Err(err),
    };
    let again = async || {
        let template = AccountPage::new(&app, &request, &caller).await?;
        page(StatusCode::OK, &template)
    };
    match changed {
        Err(err) => throttled_page(&request, err, again).await,
        response => response,
    }
}

/// Returns whether this session has changed the password a moment ago, by a request with the caller's cookie,
/// which was replaced by that: every other session ended.
fn has_just_changed(app: &AppState, caller: &Caller) -> bool {
    let at = caller.user.password_changed_at;
    let is_recent = app.clock.now().since(at) < MOMENT;
    !caller.may_write() && is_recent && caller.session.created_at <= at
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
    bound_session::offer(request, &session, PasswordGiven::Again)?;
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
    template.respond_failed(request, err.status_code())
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

/// Returns the change of the caller's e-mail that is pending, or when the link was sent that verifies their own.
async fn pending_verification(
    app: &AppState,
    caller: &Caller,
    clock: ReaderClock,
) -> Result<(Option<PendingChange>, Option<TimeView>)> {
    let pending = app.accounts.find_pending_verification(&caller.user).await?;
    Ok(match pending {
        Some(PendingVerification::Change { email, expires_at }) => {
            let until = TimeView::ahead(expires_at, clock);
            (Some(PendingChange { email, until }), None)
        }
        Some(PendingVerification::OwnEmail { sent_at }) => {
            let is_needed = caller.user.email_verified_at.is_none();
            (None, is_needed.then(|| TimeView::ago(sent_at, clock)))
        }
        None => (None, None),
    })
}

impl AccountPage {
    pub(super) async fn new(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
    ) -> Result<Self> {
        let clock = ReaderClock::of_caller(request, caller)?;
        let layout = Layout::for_caller(request, caller, NavItem::Account)?;
        let (pending_email, link_sent) = pending_verification(app, caller, clock).await?;
        let doubts = find_doubts(app, request, caller).await?;
        let in_doubt = &doubts.sessions;
        let name = layout.typed("full_name");
        let name = name.or(caller.user.full_name.as_deref());
        Ok(Self {
            is_email_verified: caller.user.email_verified_at.is_some(),
            is_email_declined: caller.user.email_declined_at.is_some(),
            pending_email,
            link_sent,
            sends_mail: app.accounts.sends_mail(),
            email: caller.user.shown_email().to_owned(),
            email_typed: layout.typed("email").unwrap_or_default().to_owned(),
            email_error: layout.problem_of("email"),
            full_name: name.unwrap_or_default().to_owned(),
            name_shown: layout.shown_name(caller.user.full_name.as_deref().unwrap_or_default()),
            min_password_chars: NewPassword::MIN_CHARS,
            settings: SettingsView::new(app, &caller.user, SettingsPage::Account),
            time_zones: TimeZoneField::new(request, &caller.user)?,
            is_admin: caller.user.is_admin,
            activity: activity::list(app, (&caller.user, in_doubt), clock).await?,
            notice: None,
            name_error: layout.problem_of("full_name"),
            current_password_error: layout.problem_of("current_password"),
            new_password_error: layout.problem_of("new_password"),
            layout,
        })
    }

    /// Returns the response to a form of the page that failed. The summary lists the errors of the fields.
    pub(super) fn respond_failed(
        mut self,
        request: &HttpRequest,
        status: StatusCode,
    ) -> Result<HttpResponse> {
        self.report_problems();
        failed_page(request, status, (&self, &self.layout), None)
    }

    fn report_problems(&mut self) {
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
