//! `/confirm`: step-up. Once the password is given again, the interrupted request continues.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::account::OwnPassword;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::{AnyPageCaller, PageCaller};
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, see_other, signed_out_response, throttled_page};
use crate::http::notice::SignedOutNotice;
use crate::http::requester::requester;
use crate::http::step_up::{ConfirmPage, action_fields, way_back};
use crate::http::target::{is_local, local_path};
use crate::people::PlainPassword;
use crate::sessions::Caller;
use crate::throttles::Purpose;

/// The query of `GET /confirm`.
#[derive(Deserialize)]
pub struct ConfirmQuery {
    next: Option<String>,
}

/// The form of `POST /confirm`.
#[derive(Deserialize)]
pub struct ConfirmForm {
    password: String,
    /// The path that the interrupted request is posted to.
    #[serde(rename = "act")]
    action: Option<String>,
    next: Option<String>,
}

/// Shows the form.
pub async fn show(
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    web::Query(query): web::Query<ConfirmQuery>,
) -> Result<HttpResponse> {
    let next = local_path(query.next.as_deref());
    page(StatusCode::OK, &confirm_page(&request, &caller, next)?)
}

/// Verifies the password and continues with the interrupted request: a 307 makes the browser post
/// it again with all its fields (RFC 9110, 15.4.8). The password counts whatever the cookie is.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    AnyPageCaller(caller): AnyPageCaller,
    Form(form): Form<ConfirmForm>,
) -> Result<HttpResponse> {
    let next = local_path(form.next.as_deref());
    let password = PlainPassword::claimed(form.password);
    let requester = requester(&request, Some(&caller))?;
    match app
        .accounts
        .verify_own_password(
            &app.people,
            &caller,
            (Purpose::StepUp, &requester),
            password,
        )
        .await
    {
        Ok(OwnPassword::Right) => {
            let session = app.sessions.record_step_up(&caller).await?;
            browser::set_session(&request, &session, &caller.user)?;
            Ok(match form.action.filter(|action| is_local(action)) {
                Some(action) => HttpResponse::TemporaryRedirect()
                    .insert_header((LOCATION, action))
                    .finish(),
                None => see_other(next),
            })
        }
        Ok(OwnPassword::Wrong) => {
            let mut template = confirm_page(&request, &caller, next)?;
            template.continue_with(&request, form.action);
            template.error = Some("That is not your password. Try again.");
            template.layout.is_failed = true;
            page(StatusCode::FORBIDDEN, &template)
        }
        Ok(OwnPassword::SessionEnded) => session_ended(&request),
        Err(err) => {
            let again = async || {
                let mut template = confirm_page(&request, &caller, next)?;
                template.continue_with(&request, form.action);
                page(StatusCode::OK, &template)
            };
            throttled_page(&request, err, again).await
        }
    }
}

/// Returns the response where the session was ended after too many wrong passwords.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when the server was assembled without its state.
pub(super) fn session_ended(request: &HttpRequest) -> Result<HttpResponse> {
    browser::clear_session(request)?;
    Ok(signed_out_response(
        request,
        SignedOutNotice::WrongPasswords,
    ))
}

impl ConfirmPage {
    /// Has the page continue with the interrupted request.
    fn continue_with(&mut self, request: &HttpRequest, action: Option<String>) {
        self.action = action.filter(|action| is_local(action));
        self.fields = action_fields(request);
        if let Some(action) = &self.action {
            self.leave = way_back(action, &self.fields);
        }
    }
}

fn confirm_page(request: &HttpRequest, caller: &Caller, next: &str) -> Result<ConfirmPage> {
    Ok(ConfirmPage {
        layout: Layout::for_caller(request, caller, NavItem::None)?,
        action: None,
        fields: Vec::new(),
        next: next.to_owned(),
        leave: way_back(next, &[]),
        error: None,
    })
}
