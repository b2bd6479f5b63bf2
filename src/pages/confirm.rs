//! `/confirm`: the password again, before a sensitive act; then on to it.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::http::app::App;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::{Layout, Place, page, see_other};
use crate::http::step_up::{ConfirmPage, act_fields};
use crate::http::target::{is_local, local_path};
use crate::people::PlainPassword;
use crate::sessions::Caller;

/// `GET /confirm`
#[derive(Deserialize)]
pub struct Arrival {
    next: Option<String>,
}

/// `POST /confirm`
#[derive(Deserialize)]
pub struct Confirmation {
    password: String,
    act: Option<String>,
    next: Option<String>,
}

/// The form.
pub async fn show(
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    web::Query(arrival): web::Query<Arrival>,
) -> Result<HttpResponse> {
    let next = local_path(arrival.next.as_deref());
    page(StatusCode::OK, &form(&request, &caller, next)?)
}

/// Goes on to the act: 307 has the browser post it again, fields and all.
pub async fn submit(
    app: web::Data<App>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(given): Form<Confirmation>,
) -> Result<HttpResponse> {
    let next = local_path(given.next.as_deref());
    let password = PlainPassword::claimed(given.password);
    match app.people.confirm(&caller.user, password).await {
        Ok(()) => {
            let session = app.sessions.confirm(&caller).await?;
            browser::keep(&request, &session)?;
            Ok(match given.act.filter(|act| is_local(act)) {
                Some(act) => HttpResponse::TemporaryRedirect()
                    .insert_header((LOCATION, act))
                    .finish(),
                None => see_other(next),
            })
        }
        Err(Error::InvalidCredentials) => {
            let mut template = form(&request, &caller, next)?;
            template.act = given.act.filter(|act| is_local(act));
            template.fields = act_fields(&request);
            template.error = Some("That is not your password. Try again.");
            page(StatusCode::FORBIDDEN, &template)
        }
        Err(fault) => Err(fault),
    }
}

fn form(request: &HttpRequest, caller: &Caller, next: &str) -> Result<ConfirmPage> {
    Ok(ConfirmPage {
        layout: Layout::of(request, caller, Place::Elsewhere)?,
        act: None,
        fields: Vec::new(),
        next: next.to_owned(),
        error: None,
    })
}
