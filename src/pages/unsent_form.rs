//! `/unsent-form`: a form that was refused because its page was outdated, with what was typed into it.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::{Layout, NavItem, see_other};
use crate::http::target::{HOME, page_of_form};
use crate::http::typed_forms::UnsentForm;
use crate::http::unsent_form;
use crate::http::unsent_page::{UnsentFormPage, UnsentState};
use crate::people::Role;
use crate::sessions::Caller;

/// Shows the form, or redirects to *Your devices* where there is none of the caller.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let Some(unsent) = unsent_form::find(&request, &caller).await? else {
        return Ok(see_other(HOME));
    };
    let is_for_admins = unsent.path.starts_with("/admin/");
    if is_for_admins && caller.user.role() < Role::Admin {
        return Ok(see_other(HOME));
    }
    let subject = match subject(&app, &caller, &unsent).await {
        // What it was about is gone.
        Err(Error::NotFound) => return Ok(see_other(HOME)),
        subject => subject?,
    };
    let layout = Layout::for_caller(&request, &caller, NavItem::None)?;
    let csrf = layout.csrf.clone();
    UnsentFormPage::respond((layout, csrf), unsent, subject, UnsentState::Ready)
}

/// Forgets the form, and leads to the page that it is from.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub async fn cancel(
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let unsent = unsent_form::find(&request, &caller).await?;
    unsent_form::forget(&request)?;
    let page = unsent.map_or_else(|| HOME.to_owned(), |unsent| page_of_form(&unsent.path));
    Ok(see_other(page))
}

/// Returns the name of the person or the device that a form is about.
async fn subject(app: &AppState, caller: &Caller, unsent: &UnsentForm) -> Result<Option<String>> {
    let mut segments = unsent.path.split('/').skip(1);
    let id = match unsent.form.path {
        path if path.starts_with("/admin/users/{id}/") => segments.nth(2),
        path if path.starts_with("/devices/{id}/") => segments.nth(1),
        _ => return Ok(None),
    };
    let id = id.unwrap_or_default();
    let name = match caller.user.role() {
        Role::Admin if unsent.path.starts_with("/admin/") => {
            let id = id.parse().map_err(|_| Error::NotFound)?;
            app.people.get(id).await?.display_name().to_owned()
        }
        _ => {
            let id = id.parse().map_err(|_| Error::NotFound)?;
            let session = app.sessions.get(caller.user.id, id).await?;
            let here = Some(caller.session.id);
            app.accounts.find_device_name(here, &session).await?
        }
    };
    Ok(Some(name))
}
