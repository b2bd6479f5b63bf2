//! The forms of `/account` by which people choose how their devices are treated.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::error::Result;
use crate::http::app::App;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::see_other;

/// `POST /account/idle-limit`
#[derive(Deserialize)]
pub struct ChooseIdleLimit {
    /// Empty: the service's own limit.
    idle_limit: String,
}

/// `POST /account/alerts`
#[derive(Deserialize)]
pub struct ChooseAlerts {
    /// There if they are wanted.
    alert_emails: Option<String>,
}

/// `POST /account/addresses`
#[derive(Deserialize)]
pub struct ChooseAddresses {
    addresses: String,
}

/// Changes how long the person's devices may go unused.
pub async fn choose_idle_limit(
    app: web::Data<App>,
    PageCaller(caller): PageCaller,
    Form(form): Form<ChooseIdleLimit>,
) -> Result<HttpResponse> {
    let limit = match form.idle_limit.as_str() {
        "" => None,
        chosen => Some(chosen.parse()?),
    };
    app.sessions.limit_idle(caller.user.id, limit).await?;
    Ok(see_other("/account?done=idle-limit"))
}

/// Changes whether alerts go to the person's e-mail, too. A thief would switch them off first, so it
/// needs a password given recently.
pub async fn choose_alerts(
    app: web::Data<App>,
    PageCaller(caller): PageCaller,
    Form(form): Form<ChooseAlerts>,
) -> Result<HttpResponse> {
    app.sessions.require_recent_password(&caller)?;
    app.people
        .want_alert_emails(caller.user.id, form.alert_emails.is_some())
        .await?;
    Ok(see_other("/account?done=alerts"))
}

/// Changes what is kept of the addresses the person comes from.
pub async fn choose_addresses(
    app: web::Data<App>,
    PageCaller(caller): PageCaller,
    Form(form): Form<ChooseAddresses>,
) -> Result<HttpResponse> {
    let keeping = form.addresses.parse()?;
    app.sessions.keep_addresses(caller.user.id, keeping).await?;
    Ok(see_other("/account?done=addresses"))
}
