//! Lifting the delay that a person has to wait after wrong passwords: the page that says what it
//! means, and its form.

use actix_web::{HttpRequest, HttpResponse, web};

use super::act_page::{Act, ActPage};
use super::person::PersonHead;
use super::user_acts::{ReasonForm, outcome, to_person};
use crate::db::UserId;
use crate::error::Result;
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::notice::PersonNotice;
use crate::people::User;
use crate::sessions::Caller;

/// Shows what it means to lift the delay.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let refusal = match app.throttles.has_delay(user.id).await? {
        true => None,
        false => Some(format!("{} doesn’t have to wait.", user.display_name())),
    };
    let page = act_page(&app, &request, (&caller, &user), "").await?;
    page.with_refusal(refusal).respond()
}

/// Lifts the delay.
///
/// # Errors
/// As [`show`].
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<ReasonForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let lifted = match form.origin(&caller) {
        Ok(origin) => app.accounts.lift_delay(*id, origin).await,
        Err(err) => Err(err),
    };
    match lifted {
        Ok(lifted) => {
            let notice = outcome(lifted, PersonNotice::DelayLifted, PersonNotice::NoDelay);
            Ok(to_person(&request, &caller, *id, notice))
        }
        Err(err) => act_page(&app, &request, (&caller, &user), form.reason())
            .await?
            .respond_with_error(err),
    }
}

async fn act_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
    reason: &str,
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let act = Act {
        title: ("Lift the delay of", ""),
        path: "lift-delay",
        words: vec![
            "They can try their password again at once, on every device.".into(),
            "So can anybody who is guessing it: wrong passwords are counted from zero again."
                .into(),
        ],
        button: "Lift the delay",
        is_danger: false,
    };
    Ok(ActPage::new(request, caller, head, act)?.with_reason(reason))
}
