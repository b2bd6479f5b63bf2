//! The settings on *Your devices* and *Account*: the idle limit, messages about alerts, IP retention, and
//! the time zone. Each is saved by itself, and leads back to the page that it is on.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::account::to_account;
use super::settings_card::SettingsPage;
use super::time_zone::get_offered;
use super::unused::{self, UnusedChange};
use crate::clock::{TimeZone, Timestamp};
use crate::devices::group_by_device;
use crate::error::Result;
use crate::events::Setting;
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;
use crate::http::forms::Form;
use crate::http::layout::see_other;
use crate::http::notice::{self, AccountNotice, IdleEnds, Notice};
use crate::net::IpRetention;
use crate::people::IdleLimit;
use crate::sessions::{Caller, Confirmation, IdleChange, Session};

/// The value of a box that is ticked.
const ON: &str = "on";

/// The form of `POST /account/idle-limit`.
#[derive(Deserialize)]
pub struct IdleLimitForm {
    /// Empty for the limit of the service.
    idle_limit: String,
    back: Option<String>,
    /// The limit that the form showed.
    shown: Option<String>,
    /// When the devices that it signs out were shown, if they were, in microseconds since the Unix epoch.
    confirmed: Option<String>,
}

/// The form of `POST /account/alerts`.
#[derive(Deserialize)]
pub struct AlertEmailsForm {
    /// Present if they are enabled.
    alert_emails: Option<String>,
    back: Option<String>,
    /// Whether the form showed them as enabled: "on".
    shown: Option<String>,
}

/// The form of `POST /account/addresses`.
#[derive(Deserialize)]
pub struct IpRetentionForm {
    addresses: String,
    back: Option<String>,
    /// The IP retention that the form showed.
    shown: Option<String>,
}

/// The form of `POST /account/time-zone`.
#[derive(Deserialize)]
pub struct TimeZoneForm {
    /// Empty for the zone of the browser.
    time_zone: String,
    /// The zone that the form showed.
    shown: Option<String>,
}

/// A setting as a form showed it, as it is by now, and as it was chosen.
struct Choice<'a> {
    setting: Setting,
    shown: Option<&'a str>,
    now: &'a str,
    chosen: &'a str,
}

/// Updates the idle limit of the person's sessions. If that signs out devices, it shows them first, and
/// nothing is saved before they were confirmed. A stolen session would have itself last as long as it
/// can, so a longer limit requires step-up; a device in doubt chooses neither a longer nor a shorter one.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when there is no such limit to choose;
/// [`Error::UnconfirmedDevice`](crate::Error::UnconfirmedDevice) when it is another limit, and the caller's
/// device is in doubt; [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the limit gets longer, or it was confirmed
/// that devices are signed out, and the password was given too long ago.
pub async fn update_idle_limit(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<IdleLimitForm>,
) -> Result<HttpResponse> {
    let limit: Option<IdleLimit> = match form.idle_limit.as_str() {
        "" => None,
        chosen => Some(chosen.parse()?),
    };
    let back = SettingsPage::stated(form.back.as_deref());
    let choice = Choice {
        setting: Setting::IdleLimit,
        shown: form.shown.as_deref(),
        now: caller.user.idle_limit().map_or("", IdleLimit::as_str),
        chosen: &form.idle_limit,
    };
    if choice.is_stale() {
        return Ok(not_saved(&request, &caller, back, choice.setting));
    }
    let now = app.clock.now();
    let confirmation = confirmation(form.confirmed.as_deref(), now);
    require_for_limit(&app, &caller, limit, confirmation).await?;
    let changed = app
        .accounts
        .update_idle_limit(caller.user.id, limit, confirmation, caller.origin())
        .await?;
    match changed {
        IdleChange::Saved { ended, live } => {
            let notice = AccountNotice::IdleLimitUpdated(count_ends(ended, &live));
            Ok(saved(&request, &caller, back, notice))
        }
        IdleChange::Unconfirmed { ending, live } => {
            let change = unconfirmed((limit, confirmation), form.shown, back, now);
            unused::confirm(&app, &request, &caller, (ending, &live), change).await
        }
    }
}

/// Returns the choice of an idle limit for the page of the time `at` that shows what it signs out; `shown` is the
/// limit that the form of it showed.
fn unconfirmed(
    (chosen, confirmation): (Option<IdleLimit>, Confirmation),
    shown: Option<String>,
    back: SettingsPage,
    at: Timestamp,
) -> UnusedChange {
    let value = chosen.map_or("", IdleLimit::as_str);
    let mut fields = vec![("idle_limit", value.into()), ("back", back.path().into())];
    fields.extend(shown.map(|shown| ("shown", shown)));
    UnusedChange {
        chosen,
        action: "/account/idle-limit".into(),
        fields,
        back: back.path().into(),
        at,
        is_again: confirmation != Confirmation::Missing,
    }
}

/// Updates whether alerts about sign-ins are sent by e-mail as well. An intruder would switch them
/// off first, so this requires step-up, and a device that is not in doubt.
///
/// # Errors
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when the password was given too long
/// ago; [`Error::UnconfirmedDevice`](crate::Error::UnconfirmedDevice) when they are to be switched off, and
/// the caller's device is in doubt.
pub async fn update_alert_emails(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<AlertEmailsForm>,
) -> Result<HttpResponse> {
    let is_on = form.alert_emails.is_some();
    let back = SettingsPage::stated(form.back.as_deref());
    let state = |is_on| if is_on { ON } else { "" };
    let choice = Choice {
        setting: Setting::AlertMail,
        shown: form.shown.as_deref(),
        now: state(caller.user.alert_emails),
        chosen: state(is_on),
    };
    if choice.is_stale() {
        return Ok(not_saved(&request, &caller, back, choice.setting));
    }
    if caller.user.alert_emails && !is_on {
        app.accounts.require_confirmed(&caller).await?;
    }
    app.sessions.require_step_up(&caller)?;
    app.accounts
        .update_alert_emails(caller.user.id, is_on, caller.origin())
        .await?;
    Ok(saved(
        &request,
        &caller,
        back,
        AccountNotice::AlertEmailsUpdated,
    ))
}

/// Updates how much of the addresses a person comes from is stored. To store less shortens or deletes
/// what is stored, which an intruder would do to the evidence of an alert, so it requires step-up, and a
/// device that is not in doubt.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when there is no such IP retention;
/// [`Error::StepUpRequired`](crate::Error::StepUpRequired) when less is to be stored, and the password was
/// given too long ago; [`Error::UnconfirmedDevice`](crate::Error::UnconfirmedDevice) when less is to be
/// stored, and the caller's device is in doubt.
pub async fn update_ip_retention(
    app: web::Data<AppState>,
    request: HttpRequest,
    PageCaller(caller): PageCaller,
    Form(form): Form<IpRetentionForm>,
) -> Result<HttpResponse> {
    let retention: IpRetention = form.addresses.parse()?;
    let back = SettingsPage::stated(form.back.as_deref());
    let choice = Choice {
        setting: Setting::Addresses,
        shown: form.shown.as_deref(),
        now: caller.user.ip_retention.as_str(),
        chosen: &form.addresses,
    };
    if choice.is_stale() {
        return Ok(not_saved(&request, &caller, back, choice.setting));
    }
    if retention > caller.user.ip_retention {
        app.accounts.require_confirmed(&caller).await?;
        app.sessions.require_step_up(&caller)?;
    }
    let redaction = app
        .accounts
        .update_ip_retention(caller.user.id, retention, caller.origin())
        .await?;
    let notice = match (redaction.changed, redaction.waiting) {
        (_, 1..) => AccountNotice::AddressesRedactedExceptAlerts,
        (0, 0) => AccountNotice::IpRetentionUpdated,
        (1.., 0) => AccountNotice::AddressesRedacted,
    };
    Ok(saved(&request, &caller, back, notice))
}

/// Updates the zone that the person reads times in, as those of the evidence of an alert are: not on a device in
/// doubt.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) when there is no such zone to choose;
/// [`Error::UnconfirmedDevice`](crate::Error::UnconfirmedDevice) when it is another one, and the caller's device is
/// in doubt.
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
    let choice = Choice {
        setting: Setting::TimeZone,
        shown: form.shown.as_deref(),
        now: caller.user.time_zone().map_or("", TimeZone::name),
        chosen: &form.time_zone,
    };
    if choice.is_stale() {
        let back = SettingsPage::Account;
        return Ok(not_saved(&request, &caller, back, choice.setting));
    }
    if choice.now != choice.chosen {
        app.accounts.require_confirmed(&caller).await?;
    }
    app.accounts
        .update_time_zone(caller.user.id, zone, caller.origin())
        .await?;
    Ok(to_account(
        &request,
        &caller,
        AccountNotice::TimeZoneUpdated,
    ))
}

/// Returns whether the sessions that a change ends were shown before, and when: `confirmed` is that time. A client
/// that states none confirms what is so now.
pub(super) fn confirmation(confirmed: Option<&str>, now: Timestamp) -> Confirmation {
    let Some(stated) = confirmed else {
        return Confirmation::Missing;
    };
    let shown = stated.parse().ok().and_then(Timestamp::from_micros);
    Confirmation::Given(shown.map_or(now, |shown| shown.min(now)))
}

/// Counts the devices that have no live session any more, and what ended on the others.
fn count_ends(ended: Vec<Session>, live: &[Session]) -> IdleEnds {
    let is_over = |session: &Session| !live.iter().any(|live| live.is_on_device_of(session));
    let (over, partly): (Vec<Session>, Vec<Session>) = ended.into_iter().partition(is_over);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    IdleEnds {
        device: over.first().map(|session| session.id),
        devices: count(group_by_device(over).len()),
        sessions: count(partly.len()),
        session: match group_by_device(partly).as_slice() {
            [device] => Some(device.first().id),
            _ => None,
        },
    }
}

impl Choice<'_> {
    /// Returns whether the setting was changed since the form showed it, to another value than the chosen
    /// one: what the form shows is not what is so then, and to save it by the way would undo the change.
    fn is_stale(&self) -> bool {
        let is_changed = self.shown.is_some_and(|shown| shown != self.now);
        is_changed && self.chosen != self.now
    }
}

/// Verifies that the caller may choose an idle limit: a longer one, or one that signs out devices.
async fn require_for_limit(
    app: &AppState,
    caller: &Caller,
    limit: Option<IdleLimit>,
    confirmation: Confirmation,
) -> Result<()> {
    let limits = app.sessions.idle_limits();
    let is_longer = limits.is_longer(limit, caller.user.idle_limit());
    if limit != caller.user.idle_limit() {
        app.accounts.require_confirmed(caller).await?;
    }
    if is_longer || confirmation != Confirmation::Missing {
        app.sessions.require_step_up(caller)?;
    }
    Ok(())
}

/// Returns the response to a setting that was changed since the form showed it: the page that it is on, which
/// says so; to the script nothing but the status.
fn not_saved(
    request: &HttpRequest,
    caller: &Caller,
    back: SettingsPage,
    setting: Setting,
) -> HttpResponse {
    if is_of_script(request) {
        return HttpResponse::Conflict().finish();
    }
    let outcome = AccountNotice::SettingChangedBefore(setting);
    notice::put(request, Notice::Account(caller.user.id, outcome));
    see_other(back.path())
}

/// Returns whether the script sent the form, and stays on its page.
fn is_of_script(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    accept.is_some_and(|accept| accept == "application/json")
}

/// Returns the response to a setting that is saved: the page that it is on, with the notice; to the script,
/// which stays on the page, nothing but that.
fn saved(
    request: &HttpRequest,
    caller: &Caller,
    back: SettingsPage,
    outcome: AccountNotice,
) -> HttpResponse {
    if is_of_script(request) {
        return HttpResponse::NoContent().finish();
    }
    notice::put(request, Notice::Account(caller.user.id, outcome));
    see_other(back.path())
}
