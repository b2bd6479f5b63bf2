//! `/alerts/{id}`: "Was this you?", confirmed or reported on another device of the same person, and
//! the steps after a report. An alert that is no longer open, or that the caller may not review, is
//! not an error: the page has a notice.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::account::{TakenBack, UnchangedEmail};
use crate::alerts::StepRecord;
use crate::db::AlertId;
use crate::error::{Error, Result};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::{EmptyForm, Form};
use crate::http::layout::{see_other, signed_out_response};
use crate::http::notice::{self, AccountNotice, Notice, SignedOutNotice};
use crate::http::target::HOME;
use crate::sessions::Caller;

/// Where the steps after a report are.
const NEXT_STEPS: &str = "/devices#next-steps";

/// Confirms an alert: "Yes, it was me."
pub async fn confirm(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let outcome = match app.accounts.confirm_alert(&caller, *id).await {
        Ok(alert) => AccountNotice::AlertReviewed(alert.id),
        // Pressed twice, it says what was answered.
        Err(Error::NotFound) => late(&app, &caller, AccountNotice::AlertConfirmedLate(*id)).await?,
        Err(err) => return Err(err),
    };
    Ok(back(&request, &caller, outcome))
}

/// Returns what is said of an alert that was not open to be answered: nothing, if the caller's device is in doubt.
async fn late(app: &AppState, caller: &Caller, outcome: AccountNotice) -> Result<AccountNotice> {
    let attention = app.accounts.list_attention(caller).await?;
    Ok(match attention.is_in_doubt {
        true => AccountNotice::AlertSettled,
        false => outcome,
    })
}

/// Reports an alert: "No, sign it out." Its sessions end at once, and the page then offers further
/// steps. A changed e-mail is changed back, which ends every session.
pub async fn report(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let reported = match app.accounts.report_alert(&caller, *id).await {
        Ok(reported) => reported,
        Err(Error::NotFound) => {
            let outcome = late(&app, &caller, AccountNotice::AlertReportedLate(*id)).await?;
            return Ok(back(&request, &caller, outcome));
        }
        Err(err) => return Err(err),
    };
    match reported.taken_back {
        Some(TakenBack::Restored { .. }) => {
            return Ok(signed_out_response(&request, SignedOutNotice::TakenBack));
        }
        Some(TakenBack::EmailUnavailable { .. }) => {
            let outcome = SignedOutNotice::TakenBackWithoutEmail;
            return Ok(signed_out_response(&request, outcome));
        }
        None => {}
    }
    let outcome = match reported.email {
        Some(UnchangedEmail::Still(_)) => AccountNotice::EmailChangeReported(*id),
        Some(UnchangedEmail::Again(_)) => AccountNotice::EmailChangeUndoneBefore(*id),
        None => AccountNotice::AlertReviewed(*id),
    };
    Ok(back(&request, &caller, outcome))
}

/// Dismisses the notice of what an administrator did: "I have read it."
pub async fn dismiss(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    let outcome = match app.accounts.dismiss_notice(&caller, *id).await {
        Ok(()) => AccountNotice::ActDismissed,
        Err(Error::NotFound) => AccountNotice::AlertSettled,
        Err(err) => return Err(err),
    };
    Ok(back(&request, &caller, outcome))
}

/// Skips signing out the other devices after a report.
pub async fn skip_others(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    record_step(&app, &request, (&caller, *id), StepRecord::OthersSkipped).await
}

/// Skips setting a new password after a report.
pub async fn skip_password(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    record_step(&app, &request, (&caller, *id), StepRecord::PasswordSkipped).await
}

/// Skips checking the e-mail after a report.
pub async fn skip_email(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    record_step(&app, &request, (&caller, *id), StepRecord::EmailSkipped).await
}

/// Confirms after a report that the account's e-mail is right.
pub async fn confirm_email(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<AlertId>,
    _: Form<EmptyForm>,
) -> Result<HttpResponse> {
    record_step(&app, &request, (&caller, *id), StepRecord::EmailConfirmed).await
}

/// Records what was done about a step, and leads back; so it does where there is none any more. Once
/// nothing is left to do, the page says so.
async fn record_step(
    app: &AppState,
    request: &HttpRequest,
    (caller, id): (&Caller, AlertId),
    record: StepRecord,
) -> Result<HttpResponse> {
    match app.accounts.record_step(caller, id, record).await {
        Ok(steps) if !steps.is_open() => Ok(back(request, caller, AccountNotice::StepsFinished)),
        Ok(_) | Err(Error::NotFound) => Ok(see_other(NEXT_STEPS)),
        Err(err) => Err(err),
    }
}

fn back(request: &HttpRequest, caller: &Caller, outcome: AccountNotice) -> HttpResponse {
    notice::put(request, Notice::Account(caller.user.id, outcome));
    see_other(HOME)
}
