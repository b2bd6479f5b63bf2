//! The pages after an alert was confirmed or reported by the link in a message: what was done, and
//! after a report the steps that are left.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::alert_views::{describe_review, ended_devices};
use super::new_password::{FORMER_FIRST, PasswordForm, after_page};
use super::take_back;
use crate::account::{LinkedMessage, Reported};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::layout::{Layout, page};

/// What to do where the page can set no password.
pub(super) const FORGOTTEN: &str = "If somebody may know your password, set a new one: choose \
                                    “Forgotten your password?” on the sign-in page.";

#[derive(Template)]
#[template(path = "pages/after_report.html")]
struct AfterReportPage<'a> {
    layout: Layout,
    /// What was done, in words.
    done: &'a str,
    /// What the report did.
    first: &'static str,
    /// How to set a new password, where there is no form.
    advice: &'static str,
    /// The e-mail of the account.
    email: &'a str,
    token: &'a str,
    form: Option<PasswordForm>,
}

/// Returns the page after a confirmation.
pub(super) async fn after_confirmation(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    message: &LinkedMessage,
) -> Result<HttpResponse> {
    let done = describe_single(app, message).await?;
    let done = done.unwrap_or_else(|| "Good: it was you. Nothing was changed.".into());
    after_page(request, token, &done, None, None)
}

/// Returns the page after a report, from the message as it was `before`.
pub(super) async fn after_report(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
    (before, reported): (&LinkedMessage, &Reported),
) -> Result<HttpResponse> {
    if let Some(taken_back) = &reported.taken_back {
        return after_page(request, token, &take_back::outcome(taken_back), None, None);
    }
    let mut done = match describe_single(app, before).await? {
        Some(done) => done,
        None => ended_devices(&reported.ended)
            .unwrap_or_else(|| "All of these devices were already signed out.".into()),
    };
    if let Some(email) = &reported.unrestored_email {
        done = format!("{done} {}", describe_unrestored(email));
    }
    let template = AfterReportPage {
        layout: Layout::anonymous(request)?,
        done: &done,
        first: match before.alerts.iter().any(|alert| alert.session_id.is_some()) {
            true => "Sign it out",
            false => "Report it",
        },
        advice: match before.has_former {
            true => FORMER_FIRST,
            false => FORGOTTEN,
        },
        email: &before.user.email,
        token,
        form: PasswordForm::new(app, before).filter(|_| before.may_set_password),
    };
    page(StatusCode::OK, &template)
}

/// Returns what the review did, if the message is about one alert.
async fn describe_single(app: &AppState, message: &LinkedMessage) -> Result<Option<String>> {
    let [alert] = message.alerts.as_slice() else {
        return Ok(None);
    };
    let outcome = app.accounts.find_review(alert.user_id, alert.id).await?;
    Ok(outcome.as_ref().map(describe_review))
}

/// Returns what to do about an e-mail that a report could not change back.
fn describe_unrestored(email: &str) -> String {
    format!(
        "The account’s e-mail is still {email}; this link can’t change it back. If that is wrong, \
         sign in and change it on Account, or ask an administrator of this service."
    )
}
