//! `/admin/users/{id}/delete`: deletes an account, once its e-mail or its subject is typed; and
//! `/admin/users/{id}/export`: what is stored about the person, which somebody may want before.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::act_page::{Act, ActPage, LAST_ADMIN};
use super::gone::{find_person, gone, to_list};
use super::person::PersonHead;
use super::user_acts::{ending, summarize};
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::export_reader::ExportReader;
use crate::http::forms::EmptyForm;
use crate::http::layout::signed_out_response;
use crate::http::notice::{PersonNotice, SignedOutNotice};
use crate::http::person_export::send_export;
use crate::people::{Role, User};
use crate::sessions::Caller;

/// The form of `POST /admin/users/{id}/delete`.
#[derive(Default, Deserialize)]
pub struct DeleteForm {
    #[serde(default)]
    typed: String,
    #[serde(default)]
    reason: String,
}

/// Shows what it means to delete the account.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let is_last = app.accounts.is_last_admin(user.id).await?;
    let page = delete_page(&app, &request, (&caller, &user), &DeleteForm::default()).await?;
    page.with_refusal(is_last.then(|| LAST_ADMIN.to_owned()))
        .respond()
}

/// Deletes the account. Sent twice, the form leads to the list, which says that it is gone.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<DeleteForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    let reason = match user.is_deletion_confirmed(&form.typed) {
        true => form.reason.parse(),
        false => Err(Error::field("typed", mismatch(&user))),
    };
    let deleted = match reason {
        Ok(reason) => {
            let origin = caller.origin().with_reason(reason);
            app.accounts.admin_delete(*id, origin).await
        }
        Err(err) => Err(err),
    };
    match deleted {
        Ok(()) if *id == caller.user.id => {
            browser::clear_session(&request)?;
            Ok(signed_out_response(&request, SignedOutNotice::Deleted))
        }
        Ok(()) => Ok(to_list(&request, &caller, *id, PersonNotice::Deleted)),
        Err(Error::NotFound) => Ok(gone(&request, &caller, *id)),
        Err(err) => delete_page(&app, &request, (&caller, &user), &form)
            .await?
            .respond_with_error(err),
    }
}

/// Sends what is stored about a person, as a JSON file. It is recorded on the person.
pub async fn export(
    app: web::Data<AppState>,
    AdminForm(caller, _): AdminForm<EmptyForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let export = app.accounts.admin_export(*id, caller.origin()).await?;
    let reader = ExportReader::new(&app.sessions, caller.origin(), Role::Admin);
    send_export(reader, export, &format!("rollcall-{id}")).await
}

fn mismatch(user: &User) -> &'static str {
    match user.is_external() {
        true => "is not their subject",
        false => "is not their e-mail",
    }
}

async fn delete_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
    form: &DeleteForm,
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let summary = summarize(app, user).await?;
    let own = "This is your own account. You are signed out at once.";
    let (label, again) = match user.is_external() {
        true => (
            "Their subject",
            "If their application signs them in again, a new account is created.",
        ),
        false => (
            "Their e-mail",
            "The e-mail can then be used for another account.",
        ),
    };
    let act = Act {
        title: ("Delete", ""),
        path: "delete",
        words: vec![
            ending(&summary),
            "The account is deleted with everything stored about it: sessions, devices, alerts, events, and messages waiting to be sent. The events still say that it was deleted, when, by whom and why, with its id only.".into(),
            format!("This can’t be undone. {again}"),
        ],
        button: "Delete the account",
        is_danger: true,
    };
    let page = ActPage::new(request, caller, head, act)?
        .with_typed(label.to_owned(), user.deletion_text(), &form.typed)
        .with_reason_of_deletion(&form.reason)
        .with_warning((user.id == caller.user.id).then(|| own.to_owned()));
    Ok(page)
}
