//! `/admin/users/{id}/role`: makes a person an administrator, an auditor, or neither.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::act_page::{Act, ActPage, LAST_ADMIN, role_choices};
use super::gone::{find_person, gone};
use super::person::PersonHead;
use super::user_acts::{outcome, to_person};
use crate::db::UserId;
use crate::error::{Error, Result};
use crate::events::StatedReason;
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::layout::see_other;
use crate::http::notice::{self, AccountNotice, Notice, PersonNotice};
use crate::http::target::HOME;
use crate::people::{Role, User};
use crate::sessions::Caller;

const EXTERNAL: &str = "An application signs them in itself, so they have no password here, and can’t \
                        be an administrator or an auditor.";

/// The form of `POST /admin/users/{id}/role`.
#[derive(Deserialize)]
pub struct RoleForm {
    #[serde(default)]
    role: String,
    #[serde(default)]
    reason: String,
}

/// Shows the roles, and what each may do.
///
/// # Errors
/// [`Error::NotFound`] when there is no such person, as below.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let refusal = match user.is_external() {
        true => Some(EXTERNAL),
        false if app.accounts.is_last_admin(user.id).await? => Some(LAST_ADMIN),
        false => None,
    };
    let form = RoleForm {
        role: user.role().as_str().to_owned(),
        reason: String::new(),
    };
    let page = role_page(&app, &request, (&caller, &user), &form).await?;
    page.with_refusal(refusal.map(str::to_owned)).respond()
}

/// Updates the role.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<RoleForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    if user.is_external() {
        let page = role_page(&app, &request, (&caller, &user), &form).await?;
        return page.respond_refused(EXTERNAL);
    }
    match update(&app, &caller, &user, &form).await {
        Ok(notice) if *id == caller.user.id && form.role == Role::Person.as_str() => {
            // The person's page does not exist for them any more.
            let notice = AccountNotice::Person(*id, notice);
            notice::put(&request, Notice::Account(*id, notice));
            Ok(see_other(HOME))
        }
        Ok(notice) => Ok(to_person(&request, &caller, *id, notice)),
        Err(err) => role_page(&app, &request, (&caller, &user), &form)
            .await?
            .respond_with_error(err),
    }
}

async fn update(
    app: &AppState,
    caller: &Caller,
    user: &User,
    form: &RoleForm,
) -> Result<PersonNotice> {
    let role: Role = form
        .role
        .parse()
        .map_err(|_| Error::field("role", "must be one of the list"))?;
    if user.role() == role {
        return Ok(PersonNotice::RoleUnchanged);
    }
    let reason: StatedReason = form.reason.parse()?;
    let origin = caller.origin().with_reason(reason);
    let set = app.accounts.set_role(user.id, role, origin).await?;
    Ok(outcome(
        set,
        PersonNotice::RoleSet(user.role()),
        PersonNotice::RoleUnchanged,
    ))
}

async fn role_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
    form: &RoleForm,
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let own = "This is your own account. Once you are no longer an administrator, only another administrator can make you one again.";
    let act = Act {
        title: ("Change the role of", ""),
        path: "role",
        words: vec!["It applies at once, also in their current sessions.".into()],
        button: "Change the role",
        is_danger: false,
    };
    let page = ActPage::new(request, caller, head, act)?
        .with_choices(role_choices(&form.role, Some(user.role())))
        .with_reason(&form.reason);
    Ok(page.with_warning((user.id == caller.user.id).then(|| own.to_owned())))
}
