//! `/devices/{id}/when-unused`: exempts a device from the idle limit, or ends that.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::preferences::confirmation;
use super::unused::{self, UnusedChange};
use crate::db::SessionId;
use crate::devices::WhenUnused;
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::see_other;
use crate::http::notice::{self, AccountNotice, Notice};
use crate::sessions::{Caller, Confirmation, IdleChange};

/// The form of `POST /devices/{id}/when-unused`.
#[derive(Deserialize)]
pub struct WhenUnusedForm {
    when_unused: String,
    /// When the device that it signs out was shown, if it was, in microseconds since the Unix epoch.
    confirmed: Option<String>,
}

/// Updates what becomes of the device when it is not used. A stolen session would have itself last as
/// long as it can, so this requires step-up, and to stay signed in a device that is not in doubt. If it signs
/// the device out, that is shown first.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when the caller has no such session, or it is on no known
/// device; [`Error::UnconfirmedDevice`](crate::Error::UnconfirmedDevice) when it is to stay signed in, and
/// the caller's device is in doubt; [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password
/// was given too long ago.
pub async fn submit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    id: web::Path<SessionId>,
    Form(form): Form<WhenUnusedForm>,
) -> Result<HttpResponse> {
    let owner = caller.user.id;
    let when_unused: WhenUnused = form.when_unused.parse()?;
    require_permission(&app, &caller, when_unused).await?;
    let now = app.clock.now();
    let confirmed = confirmation(form.confirmed.as_deref(), now);
    let device = format!("/devices/{id}");
    let changed = app
        .accounts
        .update_when_unused((owner, *id), when_unused, confirmed, caller.origin())
        .await?;
    let ended = match changed {
        IdleChange::Saved { ended, .. } => ended,
        IdleChange::Unconfirmed { ending, live } => {
            let change = UnusedChange {
                chosen: caller.user.idle_limit(),
                action: format!("{device}/when-unused"),
                fields: vec![("when_unused", form.when_unused)],
                back: device,
                at: now,
                is_again: confirmed != Confirmation::Missing,
            };
            return unused::confirm(&app, &request, &caller, (ending, &live), change).await;
        }
    };
    let outcome = match when_unused {
        WhenUnused::StaysSignedIn => AccountNotice::DeviceExempt(*id),
        WhenUnused::SignsOut => {
            AccountNotice::DeviceNotExempt(*id, u32::try_from(ended.len()).unwrap_or(u32::MAX))
        }
    };
    notice::put(&request, Notice::Account(owner, outcome));
    Ok(see_other(device))
}

async fn require_permission(
    app: &AppState,
    caller: &Caller,
    when_unused: WhenUnused,
) -> Result<()> {
    if when_unused == WhenUnused::StaysSignedIn {
        app.accounts.require_confirmed(caller).await?;
    }
    app.sessions.require_step_up(caller)
}
