//! `/demo/sign-in`: sign-in as one of the demo's people with one click. The route exists only in
//! `rollcall demo`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{go_on, sign_in};
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::MaybeCaller;
use crate::http::client::RequestClient;
use crate::http::forms::PublicForm;
use crate::http::layout::see_other;
use crate::sessions::SessionPersistence;

/// The form of `POST /demo/sign-in`.
#[derive(Deserialize)]
pub struct DemoForm {
    person: String,
    next: Option<String>,
}

/// Creates a session of a sample person in this browser.
///
/// # Errors
/// [`Error::NotFound`] for anybody but a sample person.
pub async fn sign_in(
    app: web::Data<AppState>,
    request: HttpRequest,
    RequestClient(client): RequestClient,
    MaybeCaller(before): MaybeCaller,
    form: PublicForm<DemoForm>,
) -> Result<HttpResponse> {
    let PublicForm::Accepted(form) = form else {
        return Ok(see_other("/sign-in"));
    };
    let mut people = app.sample_people.iter();
    let person = people.find(|person| person.email == form.person);
    let email = person.ok_or(Error::NotFound)?.email.parse()?;
    let user = app.people.get_by_email(email).await?;
    let persistence = SessionPersistence::Standard;
    let before = before.map(|caller| caller.session);
    sign_in::start_session(&app, &request, &user, client, persistence, before).await?;
    let next = app.allowed_hosts.destination(form.next.as_deref());
    Ok(go_on::after_form(&next))
}
