//! `/account/delete`: deletes the caller's account, once its e-mail is typed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::caller::PageCaller;
use crate::http::failed_form;
use crate::http::failed_page::failed_page;
use crate::http::forms::Form;
use crate::http::layout::{Layout, NavItem, page, signed_out_response};
use crate::http::notice::SignedOutNotice;
use crate::http::reader_clock::ReaderClock;
use crate::sessions::Caller;

/// What is wrong with what was typed.
const MISMATCH: &str = "is not the e-mail of your account";
/// Why the account of the only administrator can't be deleted.
const LAST_ADMIN: &str = "There is no other administrator: you are the only one who can sign in. Make somebody else an administrator first.";

#[derive(Template)]
#[template(path = "pages/delete_account.html")]
struct DeletePage<'a> {
    layout: Layout,
    /// What has to be typed.
    expected: &'a str,
    /// What was typed.
    typed: &'a str,
    error: Option<&'static str>,
    /// Why the account can't be deleted now.
    refusal: Option<String>,
}

/// The form of `POST /account/delete`.
#[derive(Deserialize)]
pub struct DeleteOwnForm {
    /// The e-mail of the account.
    typed: Option<String>,
}

/// Shows what it means to delete the account.
pub async fn show(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
) -> Result<HttpResponse> {
    let is_last = app.accounts.is_last_admin(caller.user.id).await?;
    let refusal = is_last.then(|| LAST_ADMIN.to_owned());
    let failed = failed_form::shown(&request);
    let typed = failed.as_ref().and_then(|form| form.value("typed"));
    let mut template = DeletePage::new(&request, &caller, typed.unwrap_or_default())?;
    let words = template.layout.refused_words();
    if typed.is_some() && words.is_none() {
        template.error = Some(MISMATCH);
    }
    page(StatusCode::OK, &template.refused(words.or(refusal)))
}

/// Deletes the account with everything that belongs to it. Without its e-mail it shows the page.
///
/// # Errors
/// [`Error::UnconfirmedDevice`] when the caller's device is in doubt; [`Error::StepUpRequired`] when the
/// password was given too long ago.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<DeleteOwnForm>,
) -> Result<HttpResponse> {
    let typed = form.typed.as_deref().unwrap_or_default();
    if !caller.user.is_deletion_confirmed(typed) {
        let mut template = DeletePage::new(&request, &caller, typed)?;
        if form.typed.is_none() {
            return page(StatusCode::OK, &template);
        }
        template.error = Some(MISMATCH);
        let page = (&template, &template.layout);
        return failed_page(&request, StatusCode::BAD_REQUEST, page, None);
    }
    app.accounts.require_confirmed(&caller).await?;
    app.sessions.require_step_up(&caller)?;
    match app.accounts.delete_own(&caller).await {
        Ok(()) => {
            browser::clear_session(&request)?;
            Ok(signed_out_response(&request, SignedOutNotice::Deleted))
        }
        Err(err @ (Error::LastAdmin | Error::EmailChangedLately { .. })) => {
            let template = DeletePage::new(&request, &caller, typed)?;
            let template = template.refused(Some(explain(&request, &caller, &err)?));
            let page = (&template, &template.layout);
            let words = template.refusal.as_deref();
            failed_page(&request, StatusCode::CONFLICT, page, words)
        }
        Err(err) => Err(err),
    }
}

/// Returns why the account can't be deleted, for its person.
fn explain(request: &HttpRequest, caller: &Caller, err: &Error) -> Result<String> {
    Ok(match err {
        Error::EmailChangedLately { until } => {
            let clock = ReaderClock::of_caller(request, caller)?;
            format!(
                "Your account can’t be deleted before {}: until then, your former e-mail can take it back.",
                clock.zone.exact(*until)
            )
        }
        _ => LAST_ADMIN.into(),
    })
}

impl<'a> DeletePage<'a> {
    fn new(request: &HttpRequest, caller: &'a Caller, typed: &'a str) -> Result<Self> {
        Ok(Self {
            layout: Layout::for_caller(request, caller, NavItem::Account)?,
            expected: caller.user.deletion_text(),
            typed,
            error: None,
            refusal: None,
        })
    }

    fn refused(self, refusal: Option<String>) -> Self {
        Self { refusal, ..self }
    }
}
