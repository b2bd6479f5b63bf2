//! The forms of `/account` by which people choose how their devices are treated.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::see_other;

/// `POST /account/idle-limit`
#[derive(Deserialize)]
pub struct IdleLimitForm {
    /// Empty: the service's own limit.
    idle_limit: String,
}

/// `POST /account/alerts`
#[derive(Deserialize)]
pub struct AlertEmailsForm {
    /// There if they are wanted.
    alert_emails: Option<String>,
}

/// `POST /account/addresses`
#[derive(Deserialize)]
pub struct IpRetentionForm {
    addresses: String,
}

/// Changes how long the person's devices may go unused.
pub async fn update_idle_limit(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
    Form(form): Form<IdleLimitForm>,
) -> Result<HttpResponse> {
    let limit = match form.idle_limit.as_str() {
        "" => None,
        chosen => Some(chosen.parse()?),
    };
    app.accounts
        .update_idle_limit(caller.user.id, limit)
        .await?;
    Ok(see_other("/account?done=idle-limit"))
}

/// Changes whether alerts go to the person's e-mail, too. A thief would switch them off first, so it
/// needs a password given recently.
pub async fn update_alert_emails(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
    Form(form): Form<AlertEmailsForm>,
) -> Result<HttpResponse> {
    app.sessions.require_step_up(&caller)?;
    app.people
        .update_alert_emails(caller.user.id, form.alert_emails.is_some())
        .await?;
    Ok(see_other("/account?done=alerts"))
}

/// Changes what is kept of the addresses the person comes from.
pub async fn update_ip_retention(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
    Form(form): Form<IpRetentionForm>,
) -> Result<HttpResponse> {
    let retention = form.addresses.parse()?;
    app.accounts
        .update_ip_retention(caller.user.id, retention)
        .await?;
    Ok(see_other("/account?done=addresses"))
}
