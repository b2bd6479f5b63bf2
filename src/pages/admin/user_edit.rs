//! `/admin/users/{id}/edit`: the name of a person, and the e-mail that they sign in with.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use serde::Deserialize;

use super::back::{Back, List};
use super::gone::{find_person, gone};
use super::person::{PersonHead, find_application_name};
use super::user_acts::{outcome, to_person};
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::events::StatedReason;
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::failed_page::failed_page;
use crate::http::layout::{Layout, NavItem, page};
use crate::http::notice::PersonNotice;
use crate::pages::shown_name;
use crate::people::{Email, FullName, User};
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/admin/edit_user.html")]
struct EditPage {
    layout: Layout,
    head: PersonHead,
    /// The address of the person's page, and those of the forms.
    links: EditLinks,
    full_name: String,
    /// The name that the form shows them to have.
    name_shown: String,
    name_error: Option<String>,
    /// Why the e-mail can't be set, for a person of an application.
    stated_by: Option<String>,
    sends_mail: bool,
    email: String,
    email_error: Option<String>,
    reason: String,
    reason_error: Option<String>,
}

struct EditLinks {
    person: String,
    name: String,
    email: String,
}

/// The form of `POST /admin/users/{id}/name`.
#[derive(Deserialize)]
pub struct NameForm {
    #[serde(default)]
    full_name: String,
    /// The name that the form showed.
    shown_name: Option<String>,
}

/// The form of `POST /admin/users/{id}/email`.
#[derive(Deserialize)]
pub struct EmailForm {
    #[serde(default)]
    email: String,
    #[serde(default)]
    reason: String,
}

/// Shows the forms.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person, as for each below.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let template = EditPage::new(&app, &request, &caller, &user).await?;
    page(StatusCode::OK, &template)
}

/// Updates the name. One that was changed since the form showed it is not overwritten.
pub async fn rename(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<NameForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    if let Some(response) = refuse_stale(&app, &request, &caller, (*id, &form)).await? {
        return Ok(response);
    }
    let renamed = match FullName::parse(&form.full_name) {
        Ok(name) => {
            app.accounts
                .admin_set_name(*id, name, caller.origin())
                .await
        }
        Err(err) => Err(err),
    };
    match renamed {
        Ok(_) => Ok(to_person(&request, &caller, *id, PersonNotice::Renamed)),
        Err(err) => {
            let Some(user) = find_person(&app, *id).await? else {
                return Ok(gone(&request, &caller, *id));
            };
            let mut template = EditPage::new(&app, &request, &caller, &user).await?;
            template.full_name = form.full_name;
            template.respond_with_error(&request, err)
        }
    }
}

/// Returns the page again where the name was changed since the form showed it.
async fn refuse_stale(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
    (id, form): (UserId, &NameForm),
) -> Result<Option<HttpResponse>> {
    let is_stated = form.shown_name.is_some();
    let Some(user) = find_person(app, id).await?.filter(|_| is_stated) else {
        return Ok(None);
    };
    let now = user.full_name.as_deref().unwrap_or_default();
    let Some(words) = shown_name::conflict(form.shown_name.as_deref(), now, &form.full_name) else {
        return Ok(None);
    };
    let mut template = EditPage::new(app, request, caller, &user).await?;
    template.full_name.clone_from(&form.full_name);
    template.layout.refusal = Some(words);
    let failed = (&template, &template.layout);
    failed_page(request, StatusCode::CONFLICT, failed, None).map(Some)
}

/// Sets the e-mail.
pub async fn set_email(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<EmailForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    match update_email(&app, &caller, &user, &form).await {
        Ok(notice) => Ok(to_person(&request, &caller, *id, notice)),
        Err(err) => {
            let mut template = EditPage::new(&app, &request, &caller, &user).await?;
            template.email = form.email;
            template.reason = form.reason;
            template.respond_with_error(&request, err)
        }
    }
}

async fn update_email(
    app: &AppState,
    caller: &Caller,
    user: &User,
    form: &EmailForm,
) -> Result<PersonNotice> {
    let (email, reason) = match (
        form.email.parse::<Email>(),
        form.reason.parse::<StatedReason>(),
    ) {
        // Sent twice, or as it was.
        (Ok(email), _) if email.as_str() == user.email && user.email_verified_at.is_some() => {
            return Ok(PersonNotice::EmailUnchanged);
        }
        (Ok(email), Ok(reason)) => (email, reason),
        (email, reason) => return Err(both(email.err(), reason.err())),
    };
    // The same one is not set: its e-mail is verified by that.
    let done = match email.as_str() == user.email {
        true => PersonNotice::EmailVouched,
        false => PersonNotice::EmailSet,
    };
    let origin = caller.origin().with_reason(reason);
    let set = app.accounts.admin_set_email(user.id, email, origin).await?;
    Ok(outcome(set, done, PersonNotice::EmailUnchanged))
}

fn both(email: Option<Error>, reason: Option<Error>) -> Error {
    let errors = [email, reason];
    let fields = errors.iter().flatten();
    Error::Invalid(fields.flat_map(|err| err.field_errors().to_vec()).collect())
}

impl EditLinks {
    fn new(back: &Back, user: &User) -> Self {
        let person = format!("/admin/users/{}", user.id);
        Self {
            name: back.from(format!("{person}/name")),
            email: back.from(format!("{person}/email")),
            person: back.from(&person),
        }
    }
}

impl EditPage {
    async fn new(
        app: &AppState,
        request: &HttpRequest,
        caller: &Caller,
        user: &User,
    ) -> Result<Self> {
        let application = find_application_name(app, user.application_id).await?;
        let stated_by = user.is_external().then(|| {
            let application = application.as_deref().unwrap_or("An application");
            format!(
                "{application} signs them in and provides their e-mail. Nobody signs in with it here, and it can’t be changed here."
            )
        });
        let layout = Layout::for_caller(request, caller, NavItem::Administration)?;
        let typed = |name| layout.typed(name).unwrap_or_default().to_owned();
        let name = layout.typed("full_name").or(user.full_name.as_deref());
        Ok(Self {
            head: PersonHead::new(user, application.as_deref(), caller),
            links: EditLinks::new(&Back::of(request, List::People), user),
            full_name: name.unwrap_or_default().to_owned(),
            name_shown: layout.shown_name(user.full_name.as_deref().unwrap_or_default()),
            name_error: layout.problem_of("full_name"),
            stated_by,
            sends_mail: app.accounts.sends_mail(),
            email: typed("email"),
            email_error: layout.problem_of("email"),
            reason: typed("reason"),
            reason_error: layout.problem_of("reason"),
            layout,
        })
    }

    /// Returns a response with the page and the errors of its forms.
    ///
    /// # Errors
    /// `err` itself when it is about no field.
    fn respond_with_error(mut self, request: &HttpRequest, err: Error) -> Result<HttpResponse> {
        let message = |name: &str| {
            let mut errors = err.field_errors().iter();
            errors
                .find(|error| error.field == name)
                .map(|error| error.message.clone())
        };
        self.name_error = message("full_name");
        self.reason_error = message("reason");
        self.email_error = match err {
            Error::EmailTaken => {
                Some("already belongs to an account, or can still take one back".into())
            }
            _ => message("email"),
        };
        for (field, error) in [
            (("full_name", "Name"), &self.name_error),
            (("email", "New e-mail"), &self.email_error),
            (("reason", "Reason"), &self.reason_error),
        ] {
            self.layout.add_problem(field, error.as_deref());
        }
        match self.layout.has_failed() {
            true => {
                let page = (&self, &self.layout);
                failed_page(request, err.status_code(), page, None)
            }
            false => Err(err),
        }
    }
}
