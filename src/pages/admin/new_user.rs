//! `/admin/users/new` and `/admin/users/invite`: makes the account of a person, with a password or
//! without one until they set it.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::act_page::{RoleChoice, role_choices};
use super::user_acts::to_person;
use super::user_link::show_invitation;
use crate::clock::Timestamp;
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::events::{self, Event, EventKind};
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::failed_form;
use crate::http::failed_page::failed_page;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::notice::PersonNotice;
use crate::people::{Email, EmailTrust, FullName, Invitee, NewAccount, NewPassword, Role};
use crate::sessions::Caller;

/// How long a form may be sent again and still be taken for a button pressed twice.
const TWICE_WITHIN: Duration = Duration::from_secs(5 * 60);
/// Events among which the making of the account is found.
const MAX_EVENTS: u32 = 20;

/// The way in which an account is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Password,
    Invitation,
}

impl Way {
    /// Returns the heading of the page, what it means, the label of the button, and the path.
    fn texts(self, sends_mail: bool) -> (&'static str, &'static str, &'static str, &'static str) {
        match (self, sends_mail) {
            (Self::Password, _) => (
                "Add a person",
                "They can sign in at once, with the password that you set.",
                "Create the account",
                "/admin/users/new",
            ),
            (Self::Invitation, true) => (
                "Invite a person",
                "They get a link to set their own password, which also verifies the e-mail.",
                "Send the invitation",
                "/admin/users/invite",
            ),
            (Self::Invitation, false) => (
                "Invite a person",
                "You see a link, once, with which they set their own password. Pass it on yourself: this service sends no e-mail. The e-mail counts as verified.",
                "Create the invitation",
                "/admin/users/invite",
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/admin/new_user.html")]
struct NewUserPage {
    layout: Layout,
    title: &'static str,
    lead: &'static str,
    button: &'static str,
    action: &'static str,
    email: String,
    full_name: String,
    is_with_password: bool,
    min_password_chars: usize,
    choices: Vec<RoleChoice>,
    errors: FieldErrors,
    /// The page of the account that has the e-mail.
    holder: Option<String>,
}

/// The error of each field.
#[derive(Default)]
struct FieldErrors {
    email: Option<String>,
    full_name: Option<String>,
    password: Option<String>,
    role: Option<String>,
}

/// The form of `POST /admin/users/new` and `POST /admin/users/invite`.
#[derive(Deserialize, Default)]
pub struct NewUserForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    new_password: String,
    #[serde(default)]
    role: String,
}

/// Shows the form for an account with a password.
pub async fn show_new(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
) -> Result<HttpResponse> {
    show(&app, &request, &caller, Way::Password)
}

/// Shows the form for an invitation.
pub async fn show_invite(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
) -> Result<HttpResponse> {
    show(&app, &request, &caller, Way::Invitation)
}

/// Creates an account with a password.
pub async fn create(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<NewUserForm>,
) -> Result<HttpResponse> {
    let created = match form.account() {
        Ok(account) => create_account(&app, &caller, account).await,
        Err(err) => Err(err),
    };
    match created {
        Ok(id) => Ok(to_person(&request, &caller, id, PersonNotice::Created)),
        Err(err) => respond_with_error(&app, &request, &caller, (Way::Password, &form, err)).await,
    }
}

/// Creates an account without a password, and the link by which its person sets one.
pub async fn invite(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<NewUserForm>,
) -> Result<HttpResponse> {
    let invited = match form.invitee() {
        Ok(invitee) => app.accounts.invite(invitee, caller.origin()).await,
        Err(err) => Err(err),
    };
    match invited {
        Ok(invitation) => {
            let invitation = (invitation, PersonNotice::Invited);
            show_invitation(&app, &request, &caller, invitation).await
        }
        Err(err) => {
            respond_with_error(&app, &request, &caller, (Way::Invitation, &form, err)).await
        }
    }
}

async fn create_account(app: &AppState, caller: &Caller, account: NewAccount) -> Result<UserId> {
    let requester = caller.hash_requester();
    let hash = app.people.hash_first_password(requester, &account).await?;
    let user = app
        .accounts
        .create_account(account, hash, caller.origin())
        .await?;
    Ok(user.id)
}

impl NewUserForm {
    fn account(&self) -> Result<NewAccount> {
        let invitee = self.invitee();
        let password = NewPassword::new("new_password", self.new_password.clone());
        match (invitee, password) {
            (Ok(invitee), Ok(password)) => Ok(NewAccount {
                email: invitee.email,
                trust: EmailTrust::Vouched,
                full_name: invitee.full_name,
                password,
                role: invitee.role,
            }),
            (invitee, password) => Err(all([invitee.err(), password.err(), None])),
        }
    }

    fn invitee(&self) -> Result<Invitee> {
        let email = self.email.parse();
        let full_name = FullName::parse(&self.full_name);
        let role = self
            .role
            .parse::<Role>()
            .map_err(|_| Error::field("role", "must be one of the list"));
        match (email, full_name, role) {
            (Ok(email), Ok(full_name), Ok(role)) => Ok(Invitee {
                email,
                full_name,
                role,
            }),
            (email, full_name, role) => Err(all([email.err(), full_name.err(), role.err()])),
        }
    }
}

fn all(errors: [Option<Error>; 3]) -> Error {
    let fields = errors.iter().flatten();
    Error::Invalid(fields.flat_map(|err| err.field_errors().to_vec()).collect())
}

fn show(app: &AppState, request: &HttpRequest, caller: &Caller, way: Way) -> Result<HttpResponse> {
    let failed = failed_form::shown(request);
    let value = |name| failed.as_ref().and_then(|form| form.value(name));
    let form = NewUserForm {
        email: value("email").unwrap_or_default().to_owned(),
        full_name: value("full_name").unwrap_or_default().to_owned(),
        new_password: String::new(),
        role: value("role").unwrap_or(Role::Person.as_str()).to_owned(),
    };
    let template = NewUserPage::new(app, request, caller, (way, &form))?;
    page(StatusCode::OK, &template)
}

/// Returns the form with its errors or, where the button was pressed twice, the account.
async fn respond_with_error(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    (way, form, err): (Way, &NewUserForm, Error),
) -> Result<HttpResponse> {
    let mut template = NewUserPage::new(app, request, caller, (way, form))?;
    if matches!(err, Error::EmailTaken)
        && let Ok(email) = form.email.parse::<Email>()
        && let Some(holder) = find(app, email).await?
    {
        let made = find_making(app, caller, holder).await?;
        if let Some(event) = made {
            let notice = match (way, event.kind, app.accounts.sends_mail()) {
                (Way::Invitation, EventKind::Invited, true) => PersonNotice::Invited,
                (Way::Invitation, EventKind::Invited, false) => PersonNotice::InvitedBefore,
                // Its password, or that of the account, is not known to be that of the form.
                _ => PersonNotice::CreatedBefore,
            };
            return Ok(to_person(request, caller, holder, notice));
        }
        template.holder = Some(format!("/admin/users/{holder}"));
    }
    template.errors = FieldErrors::from_error(&err);
    let errors = &template.errors;
    for (field, error) in [
        (("email", "E-mail"), &errors.email),
        (("full_name", "Name"), &errors.full_name),
        (("new_password", "Password"), &errors.password),
        (("role", "Role"), &errors.role),
    ] {
        template.layout.add_problem(field, error.as_deref());
    }
    match errors.is_empty() {
        true => Err(err),
        false => {
            let page = (&template, &template.layout);
            failed_page(request, err.status_code(), page, template.holder.as_deref())
        }
    }
}

async fn find(app: &AppState, email: Email) -> Result<Option<UserId>> {
    match app.people.get_by_email(email).await {
        Ok(user) => Ok(Some(user.id)),
        Err(Error::NotFound) => Ok(None),
        Err(err) => Err(err),
    }
}

/// Finds the event of an account that the caller made this moment.
async fn find_making(app: &AppState, caller: &Caller, id: UserId) -> Result<Option<Event>> {
    let since = app.clock.now() - TWICE_WITHIN;
    let happened = events::list_by_person(&app.db, id, None, MAX_EVENTS).await?;
    Ok(happened
        .into_iter()
        .find(|event| is_making(event, caller, since)))
}

fn is_making(event: &Event, caller: &Caller, since: Timestamp) -> bool {
    let is_kind = matches!(event.kind, EventKind::AccountCreated | EventKind::Invited);
    is_kind && event.by_user_id == Some(caller.user.id) && event.at >= since
}

impl NewUserPage {
    fn new(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
        (way, form): (Way, &NewUserForm),
    ) -> Result<Self> {
        let (title, lead, button, action) = way.texts(app.accounts.sends_mail());
        let layout = Layout::for_caller(request, caller, NavItem::Administration)?;
        Ok(Self {
            title,
            lead,
            button,
            action,
            email: form.email.clone(),
            full_name: form.full_name.clone(),
            is_with_password: way == Way::Password,
            min_password_chars: NewPassword::MIN_CHARS,
            choices: role_choices(&form.role, None),
            errors: FieldErrors {
                email: layout.problem_of("email"),
                full_name: layout.problem_of("full_name"),
                password: layout.problem_of("new_password"),
                role: layout.problem_of("role"),
            },
            // The page of the account that has the e-mail.
            holder: layout.refused_words(),
            layout,
        })
    }
}

impl FieldErrors {
    fn from_error(err: &Error) -> Self {
        let message = |name: &str| {
            let mut errors = err.field_errors().iter();
            errors
                .find(|error| error.field == name)
                .map(|error| error.message.clone())
        };
        Self {
            email: match err {
                Error::EmailTaken => {
                    Some("already belongs to an account, or can still take one back".into())
                }
                Error::Busy { .. } => {
                    Some("was sent several links lately; try again in an hour".into())
                }
                _ => message("email"),
            },
            full_name: message("full_name"),
            password: message("new_password"),
            role: message("role"),
        }
    }

    fn is_empty(&self) -> bool {
        [&self.email, &self.full_name, &self.password, &self.role]
            .iter()
            .all(|error| error.is_none())
    }
}
