//! The preferences on `/account`: the idle limit, messages about alerts, the time zone, and IP retention.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::account::to_account;
use super::time_zone::get_offered;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::notice::AccountNotice;

/// The form of `POST /account/idle-limit`.
#[derive(Deserialize)]
pub struct IdleLimitForm {
    /// Empty for the limit of the service.
    idle_limit: String,
}

/// The form of `POST /account/alerts`.
#[derive(Deserialize)]
pub struct AlertEmailsForm {
    /// Present if they are enabled.
    alert_emails: Option<String>,
}

/// The form of `POST /account/addresses`.
#[derive(Deserialize)]
pub struct IpRetentionForm {
    addresses: String,
}

/// The form of `POST /account/time-zone`.
#[derive(Deserialize)]
pub struct TimeZoneForm {
    /// Empty for the zone of the browser.
    time_zone: String,
}

/// Updates the idle limit of the person's sessions.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when there is no such limit to choose.
pub async fn update_idle_limit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<IdleLimitForm>,
) -> Result<HttpResponse> {
    let limit = match form.idle_limit.as_str() {
        "" => None,
        chosen => Some(chosen.parse()?),
    };
    app.accounts
        .update_idle_limit(caller.user.id, limit, caller.origin())
        .await?;
    Ok(to_account(
        &request,
        &caller,
        AccountNotice::IdleLimitUpdated,
    ))
}

/// Updates whether alerts about sign-ins are sent by e-mail as well. An intruder would switch them
/// off first, so this requires step-up.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was given too long
/// ago.
pub async fn update_alert_emails(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<AlertEmailsForm>,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    app.accounts
        .update_alert_emails(caller.user.id, form.alert_emails.is_some(), caller.origin())
        .await?;
    Ok(to_account(
        &request,
        &caller,
        AccountNotice::AlertEmailsUpdated,
    ))
}

/// Updates how much of the addresses a person comes from is stored.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when there is no such IP retention.
pub async fn update_ip_retention(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<IpRetentionForm>,
) -> Result<HttpResponse> {
    let retention = form.addresses.parse()?;
    app.accounts
        .update_ip_retention(caller.user.id, retention, caller.origin())
        .await?;
    Ok(to_account(
        &request,
        &caller,
        AccountNotice::IpRetentionUpdated,
    ))
}

/// Updates the zone that the person reads times in.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when there is no such zone to choose.
pub async fn update_time_zone(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<TimeZoneForm>,
) -> Result<HttpResponse> {
    let zone = match form.time_zone.as_str() {
        "" => None,
        name => Some(get_offered(name)?),
    };
    app.accounts
        .update_time_zone(caller.user.id, zone, caller.origin())
        .await?;
    Ok(to_account(
        &request,
        &caller,
        AccountNotice::TimeZoneUpdated,
    ))
}
