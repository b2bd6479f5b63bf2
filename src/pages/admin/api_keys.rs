//! `/admin/api-keys`: the forms that create and revoke the keys of applications. They are on the page of
//! applications.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use secrecy::ExposeSecret;

use super::applications_page::{ApplicationsPage, CreatedKey, PATH};
use super::key_form::NewKeyForm;
use super::person::find_application_name;
use crate::applications::NewKey;
use crate::db::ApiKeyId;
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminCaller, AdminForm, AuditCaller};
use crate::http::app_state::AppState;
use crate::http::forms::EmptyForm;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::http::reader_clock::ReaderClock;
use crate::pages::words::TimeView;
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/admin/revoke_key.html")]
struct RevokePage {
    layout: Layout,
    id: String,
    name: String,
    application: String,
    last_used: Option<TimeView>,
    is_revoked: bool,
}

/// Redirects to the page of applications.
pub async fn redirect(AuditCaller(_): AuditCaller) -> HttpResponse {
    see_other(PATH)
}

/// Creates a key and shows its secret. The same form again creates none.
pub async fn create(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<NewKeyForm>,
) -> Result<HttpResponse> {
    let now = app.clock.now();
    let id = form.id(now);
    if has_key(&app, id).await? {
        return Ok(back(&request, &caller, AccountNotice::ApiKeyCreatedBefore));
    }
    let created = match form.parse(now) {
        Err(words) => Err(words),
        Ok(new) => match try_create(&app, &caller, new).await {
            // The button was pressed twice.
            Err(Error::Conflict(_)) if has_key(&app, id).await? => {
                return Ok(back(&request, &caller, AccountNotice::ApiKeyCreatedBefore));
            }
            created => created?,
        },
    };
    match created {
        Ok(created) => {
            let empty = NewKeyForm::default();
            let mut template =
                ApplicationsPage::load(&app, &request, &caller, None, &empty).await?;
            template.created = Some(created);
            page(StatusCode::OK, &template)
        }
        Err(words) => {
            let template = ApplicationsPage::load(&app, &request, &caller, None, &form).await?;
            template.refused(&request, words.to_owned())
        }
    }
}

/// Revokes a key.
///
/// # Errors
/// [`Error::NotFound`] when there is no such key.
pub async fn revoke(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, _): AdminForm<EmptyForm>,
    id: web::Path<ApiKeyId>,
) -> Result<HttpResponse> {
    match app.accounts.revoke_key(*id, caller.origin()).await {
        Err(Error::NotFound) => require_revoked(&app, *id).await?,
        revoked => revoked?,
    }
    Ok(back(&request, &caller, AccountNotice::ApiKeyRevoked))
}

/// Shows what it means to revoke a key.
///
/// # Errors
/// [`Error::NotFound`] when there is no such key.
pub async fn show_revoke(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<ApiKeyId>,
) -> Result<HttpResponse> {
    let (application, key) = app.applications.get_key(*id).await?;
    let clock = ReaderClock::of_caller(&request, &caller)?;
    let template = RevokePage {
        layout: Layout::for_caller(&request, &caller, NavItem::Administration)?,
        id: key.id.to_string(),
        name: key.name,
        application: application.name,
        last_used: key.last_used_at.map(|at| TimeView::ago(at, clock)),
        is_revoked: key.revoked_at.is_some(),
    };
    page(StatusCode::OK, &template)
}

/// Returns a redirect to the page of applications, which then shows the notice.
fn back(request: &HttpRequest, caller: &Caller, outcome: AccountNotice) -> HttpResponse {
    notice::put(request, Notice::Account(caller.user.id, outcome));
    see_other(PATH)
}

async fn has_key(app: &AppState, id: ApiKeyId) -> Result<bool> {
    match app.applications.get_key(id).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(err) => Err(err),
    }
}

/// Creates a key. Returns it, or what has to be filled in otherwise. One that administers is logged
/// with who made it, since no person's events have a place for it.
async fn try_create(
    app: &AppState,
    caller: &Caller,
    new: NewKey,
) -> Result<Result<CreatedKey, &'static str>> {
    let administers = new.administers();
    let (key, secret) = match app.accounts.create_key(new, caller.origin()).await {
        Err(Error::ApplicationExists) => {
            return Ok(Err(
                "There is an application with that name already. Choose it in the list to create another key for it.",
            ));
        }
        // It was deleted while the form was open.
        Err(Error::NotFound) => return Ok(Err("Choose an application from the list.")),
        created => created?,
    };
    if administers {
        tracing::warn!(
            key = %key.id, application = %key.application_id, by = %caller.user.id,
            scopes = key.scopes, "a key that administers was created"
        );
    }
    let application = find_application_name(app, Some(key.application_id)).await?;
    Ok(Ok(CreatedKey {
        application: application.filter(|name| *name != key.name),
        id: key.id.to_string(),
        name: key.name,
        secret: secret.expose_secret().to_owned(),
        administers,
    }))
}

/// Verifies that the key was revoked before: the button was pressed twice.
async fn require_revoked(app: &AppState, id: ApiKeyId) -> Result<()> {
    match app.applications.is_revoked(id).await? {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}
