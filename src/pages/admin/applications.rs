//! `/admin/applications`: applications and their keys, and the forms that change applications.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::application_form::{ApplicationForm, ApplicationFormView};
use super::applications_page::{ApplicationsPage, PATH};
use super::key_form::NewKeyForm;
use crate::applications::Deletion;
use crate::db::ApplicationId;
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminCaller, AdminForm, AuditCaller};
use crate::http::app_state::AppState;
use crate::http::failed_form;
use crate::http::forms::EmptyForm;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::notice::{self, AccountNotice, Notice};
use crate::listing::{QueryPairs, read_parts};
use crate::pages::notices;
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/admin/delete_application.html")]
struct DeletePage {
    layout: Layout,
    id: String,
    name: String,
}

/// The path that new keys are posted to.
const KEYS: &str = "/admin/api-keys";
const NAME_TAKEN: &str = "There is another application with that name.";

/// Shows a page of applications; to administrators, with forms.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AuditCaller(caller): AuditCaller,
) -> Result<HttpResponse> {
    // The name of the last application of the page before.
    let mut after = None;
    let pairs = QueryPairs::of(request.query_string());
    let parts = pairs
        .iter()
        .filter(|(part, _)| !failed_form::is_name_of_form(part));
    read_parts(parts, &["after"], |_, name| {
        after = Some(name);
        Ok(())
    })?;
    let failed = failed_form::shown(&request);
    let of_key = failed.as_ref().filter(|form| form.sent_to() == KEYS);
    let form = of_key.and_then(|form| form.parse()).unwrap_or_default();
    let mut template = ApplicationsPage::load(&app, &request, &caller, after, &form).await?;
    if let Some(failed) = &failed {
        template.show_failed(failed);
    }
    template.notice = notices::take(&app, &request, Some(&caller)).await?.words;
    page(StatusCode::OK, &template)
}

/// Creates an application without keys.
pub async fn create(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<ApplicationForm>,
) -> Result<HttpResponse> {
    let created = match form.parse(&app.allowed_hosts) {
        Err(words) => Err(words),
        Ok(new) => match app.accounts.create_application(new, caller.origin()).await {
            Err(Error::ApplicationExists) => Err(NAME_TAKEN.to_owned()),
            created => Ok(created?),
        },
    };
    match created {
        Ok(_) => Ok(done(&request, &caller, AccountNotice::ApplicationCreated)),
        Err(words) => {
            let mut template = first_page(&app, &request, &caller).await?;
            template.new = ApplicationFormView::new(&form);
            template.refused(&request, words)
        }
    }
}

/// Changes the name, the kind and the hosts of an application. A name that was changed since the form showed
/// it is not overwritten.
///
/// # Errors
/// [`Error::NotFound`] when there is no such application, or it is "Earlier".
pub async fn update(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<ApplicationForm>,
    id: web::Path<ApplicationId>,
) -> Result<HttpResponse> {
    if form.is_of_page() {
        let now = app.applications.get(&id.to_string()).await?.name;
        if let Some(words) = form.conflict(&now) {
            let mut template = first_page(&app, &request, &caller).await?;
            template.fill(&id.to_string(), &form);
            return template.refused(&request, words);
        }
    }
    let refusal = match form.parse(&app.allowed_hosts) {
        Err(words) => Some(words),
        Ok(new) => match app
            .accounts
            .update_application(*id, new, caller.origin())
            .await
        {
            Err(Error::ApplicationExists) => Some(NAME_TAKEN.to_owned()),
            updated => updated.map(|()| None)?,
        },
    };
    let Some(words) = refusal else {
        return Ok(done(&request, &caller, AccountNotice::ApplicationUpdated));
    };
    let mut template = first_page(&app, &request, &caller).await?;
    template.fill(&id.to_string(), &form);
    template.refused(&request, words)
}

/// Shows what it means to delete an application.
///
/// # Errors
/// [`Error::NotFound`] when there is no such application.
pub async fn show_delete(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<ApplicationId>,
) -> Result<HttpResponse> {
    let template = DeletePage {
        layout: Layout::for_caller(&request, &caller, NavItem::Administration)?,
        name: app.applications.get(&id.to_string()).await?.name,
        id: id.to_string(),
    };
    page(StatusCode::OK, &template)
}

/// Deletes an application that has neither people nor keys in use.
pub async fn delete(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, _): AdminForm<EmptyForm>,
    id: web::Path<ApplicationId>,
) -> Result<HttpResponse> {
    match app.accounts.delete_application(*id, caller.origin()).await {
        Ok(Deletion::Deleted) => Ok(done(&request, &caller, AccountNotice::ApplicationDeleted)),
        Ok(Deletion::InUse { .. }) => {
            let template = first_page(&app, &request, &caller).await?;
            template.refused(
                &request,
                "The application was not deleted: it has people or keys in use. Revoke its keys first.".into(),
            )
        }
        // The button was pressed twice.
        Err(Error::NotFound) => Ok(done(&request, &caller, AccountNotice::ApplicationMissing)),
        Err(err) => Err(err),
    }
}

async fn first_page(
    app: &AppState,
    request: &HttpRequest,
    caller: &Caller,
) -> Result<ApplicationsPage> {
    ApplicationsPage::load(app, request, caller, None, &NewKeyForm::default()).await
}

fn done(request: &HttpRequest, caller: &Caller, outcome: AccountNotice) -> HttpResponse {
    notice::put(request, Notice::Account(caller.user.id, outcome));
    see_other(PATH)
}
