//! `/unsent-form`: a form that was refused because its page was outdated, with what was typed into it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::target::{HOME, page_of_form};
use crate::http::unsent_form::{self, UnsentForm};
use crate::people::Role;
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/unsent_form.html")]
struct UnsentFormPage {
    layout: Layout,
    title: &'static str,
    /// The person or the device that it is about, where it is about one.
    subject: Option<String>,
    button: &'static str,
    action: String,
    typed: Vec<TypedField>,
    hidden: Vec<(String, String)>,
    /// The page that the form is from.
    origin: String,
}

struct TypedField {
    name: &'static str,
    label: &'static str,
    value: String,
    is_password: bool,
}

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
    let mut layout = Layout::for_caller(&request, &caller, NavItem::None)?;
    layout.is_failed = true;
    page(
        StatusCode::OK,
        &UnsentFormPage::new(layout, unsent, subject),
    )
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
            app.sessions.get(caller.user.id, id).await?.display_name()
        }
    };
    Ok(Some(name))
}

impl UnsentFormPage {
    fn new(layout: Layout, unsent: UnsentForm, subject: Option<String>) -> Self {
        let UnsentForm { form, path, fields } = unsent;
        let value = |name: &str| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map_or_else(String::new, |(_, value)| value.clone())
        };
        let typed = form.fields.iter().map(|(name, label)| TypedField {
            name,
            label,
            value: value(name),
            is_password: name.contains("password"),
        });
        let typed: Vec<TypedField> = typed.collect();
        let is_typed = |name: &str| typed.iter().any(|field| field.name == name);
        let hidden = fields.iter().filter(|(name, _)| !is_typed(name));
        Self {
            layout,
            title: form.title,
            subject,
            button: form.button,
            origin: page_of_form(&path),
            hidden: hidden.cloned().collect(),
            action: path,
            typed,
        }
    }
}
