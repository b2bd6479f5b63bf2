//! The page of a former address, by the link in any message to it: *Take the account back*, and
//! *Yes, it was me*, for as long as its window is open.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::alert_views::AlertView;
use super::link_reviews::Press;
use super::message::{Message, message_page};
use super::new_password::{DISABLED, FORMER_FIRST, PasswordForm, after_page, get_linked_message};
use crate::account::{LinkedMessage, Mailbox, TakenBack};
use crate::db::FormerEmailId;
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::http::app_state::AppState;
use crate::http::failed_page::failed_page;
use crate::http::layout::{Layout, page};
use crate::http::reader_clock::ReaderClock;

/// What is said of an answer that was given on another page.
pub(super) const CHANGED_SINCE: &str = "Nothing was done: the e-mail of the account was changed since that page was opened. Please answer this one.";
/// Alerts that the page lists at most.
const MAX_LISTED: usize = 10;

#[derive(Template)]
#[template(path = "pages/take_back.html")]
struct TakeBackPage<'a> {
    layout: Layout,
    token: &'a str,
    email: &'a str,
    changed_at: String,
    expires_at: String,
    alerts: Vec<AlertView>,
}

/// Shows what happened, and the form that takes the account back or confirms the change; also to whoever
/// answered another page, from before the e-mail was changed, which is refused in these words.
pub(super) async fn show(
    app: &AppState,
    request: &HttpRequest,
    (token, message, former): (&str, &LinkedMessage, &Mailbox),
    refusal: Option<&str>,
) -> Result<HttpResponse> {
    let Mailbox::Former {
        email,
        changed_at,
        expires_at,
        ..
    } = former
    else {
        return Err(Error::NotFound);
    };
    let clock = ReaderClock::of_browser(request)?;
    let listed = message.alerts.iter().take(MAX_LISTED).cloned().collect();
    let listed = app
        .accounts
        .describe_alerts(message.user.id, listed)
        .await?;
    let mut template = TakeBackPage {
        layout: Layout::anonymous(request)?,
        token,
        email,
        changed_at: clock.zone.exact(*changed_at),
        expires_at: clock.zone.exact(*expires_at),
        alerts: listed
            .iter()
            .map(|details| AlertView::for_former(details, clock))
            .collect(),
    };
    if refusal.is_none() {
        return page(StatusCode::OK, &template);
    }
    template.layout.refusal = refusal.map(str::to_owned);
    let failed = (&template, &template.layout);
    failed_page(request, StatusCode::CONFLICT, failed, None)
}

/// Takes the account back, or confirms that its change was the owner's own. `None` where another answer came
/// first.
///
/// # Errors
/// [`Error::NotFound`] when the link is not genuine or has expired.
pub(super) async fn submit(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    (former, press): (FormerEmailId, Press),
    origin: Origin,
) -> Result<Option<HttpResponse>> {
    if press == Press::Yes {
        let link = app.links.message(token).ok_or(Error::NotFound)?;
        return match app.accounts.confirm_email_change(former, link.into()).await {
            Ok(()) => confirmed(request).map(Some),
            Err(Error::NotFound) => Ok(None),
            Err(err) => Err(err),
        };
    }
    let taken_back = match app.accounts.take_back(former, origin).await {
        Ok(taken_back) => taken_back,
        Err(Error::NotFound) => return Ok(None),
        Err(err) => return Err(err),
    };
    let message = get_linked_message(app, token).await?;
    let done = outcome(&taken_back);
    let form = PasswordForm::new(app, &message);
    let advice = match taken_back {
        TakenBack::EmailUnavailable { .. } => None,
        _ if !message.user.is_active => Some(DISABLED),
        _ if message.has_former => Some(FORMER_FIRST),
        _ => Some(
            "Set a new password: choose “Forgotten your password?” on the sign-in page, with this \
             e-mail.",
        ),
    };
    after_page(request, token, &done, advice, form).map(Some)
}

/// Returns what became of an account that was taken back, in words.
pub(super) fn outcome(taken_back: &TakenBack) -> String {
    match taken_back {
        TakenBack::Restored { email } => restored(email),
        TakenBack::EmailUnavailable { email } => format!(
            "Every device is signed out, and the old password no longer works. Another account has {email} now, so this account has no e-mail. Ask an administrator of this service to set one; then you can choose a new password."
        ),
    }
}

fn restored(email: &str) -> String {
    format!(
        "The account has {email} as its e-mail again. Every device is signed out, and the old \
         password no longer works."
    )
}

fn confirmed(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "Thank you",
        words: vec![
            "The account keeps its new e-mail. This address gets no more e-mails about it and can no longer take it back."
                .into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::OK, message)
}

/// Returns the page for an answer that came after that of somebody else, by another link.
pub(super) fn late(request: &HttpRequest, press: Press) -> Result<HttpResponse> {
    let message = Message {
        title: "This was answered already",
        words: vec![
            format!("It was answered with another e-mail, so your “{}” did nothing.", press.label_of_former()),
            "Sign in to see what the e-mail of the account is now, or ask an administrator of this service."
                .into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::GONE, message)
}
