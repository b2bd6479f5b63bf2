//! What an administrator does to the account of a person: disables and enables it, ends its sessions
//! and vouches for its e-mail. Each has a page that says what will happen, and its form.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::act_page::{Act, ActPage, LAST_ADMIN};
use super::back::{Back, List};
use super::gone::{find_person, gone};
use super::person::{PersonHead, devices, sessions};
use crate::account::Administered;
use crate::db::UserId;
use crate::error::Result;
use crate::events::{Origin, StatedReason};
use crate::http::admin_caller::{AdminCaller, AdminForm};
use crate::http::app_state::AppState;
use crate::http::browser;
use crate::http::forms::EmptyForm;
use crate::http::layout::{see_other, signed_out_response};
use crate::http::notice::{self, AccountNotice, Notice, PersonNotice, SignedOutNotice};
use crate::people::User;
use crate::sessions::bulk::OrderTicket;
use crate::sessions::{Caller, SessionSummary};

const NEVER_VERIFIED: &str =
    "An application signs them in and provides their e-mail. It is never verified.";

/// A form with the reason of what is done.
#[derive(Deserialize)]
pub struct ReasonForm {
    #[serde(default)]
    reason: String,
    /// The ticket of the page, where it is for sessions.
    #[serde(default)]
    order: String,
}

/// Shows what it means to disable an account.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such person, as for each below.
pub async fn show_disable(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let refusal = match user.is_active {
        false => Some(format!("{} is already disabled.", user.display_name())),
        true if app.accounts.is_last_admin(user.id).await? => Some(LAST_ADMIN.into()),
        true => None,
    };
    let page = disable_page(&app, &request, (&caller, &user), "").await?;
    page.with_refusal(refusal).respond()
}

/// Disables an account, and ends its sessions.
pub async fn disable(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<ReasonForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    let disabled = match form.origin(&caller) {
        _ if !user.is_active => Ok(Administered::Unchanged),
        Ok(origin) => app.accounts.disable(*id, origin).await,
        Err(err) => Err(err),
    };
    match disabled {
        Ok(Administered::Unchanged) => Ok(to_person(
            &request,
            &caller,
            *id,
            PersonNotice::AlreadyDisabled,
        )),
        Ok(Administered::Done { .. }) if *id == caller.user.id => {
            browser::clear_session(&request)?;
            Ok(signed_out_response(&request, SignedOutNotice::Disabled))
        }
        Ok(Administered::Done { ended }) => {
            let notice = PersonNotice::Disabled(count(ended));
            Ok(to_person(&request, &caller, *id, notice))
        }
        Err(err) => disable_page(&app, &request, (&caller, &user), &form.reason)
            .await?
            .respond_with_error(err),
    }
}

/// Shows what it means to enable an account.
pub async fn show_enable(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let refusal = user
        .is_active
        .then(|| format!("{} is not disabled.", user.display_name()));
    let page = enable_page(&app, &request, (&caller, &user), "").await?;
    page.with_refusal(refusal).respond()
}

/// Enables an account.
pub async fn enable(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<ReasonForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    let enabled = match form.origin(&caller) {
        _ if user.is_active => Ok(Administered::Unchanged),
        Ok(origin) => app.accounts.enable(*id, origin).await,
        Err(err) => Err(err),
    };
    match enabled {
        Ok(enabled) => {
            let notice = outcome(enabled, PersonNotice::Enabled, PersonNotice::AlreadyEnabled);
            Ok(to_person(&request, &caller, *id, notice))
        }
        Err(err) => enable_page(&app, &request, (&caller, &user), &form.reason)
            .await?
            .respond_with_error(err),
    }
}

/// Shows what it means to end a person's sessions.
pub async fn show_end_sessions(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let summary = summarize(&app, &user).await?;
    let refusal = (summary.sessions == 0).then(|| "They have no active sessions.".to_owned());
    let page = end_sessions_page(&app, &request, (&caller, &user), "").await?;
    page.with_refusal(refusal).respond()
}

/// Ends all sessions of a person.
pub async fn end_sessions(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, form): AdminForm<ReasonForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    // What signed in after the page was made is not what it is about.
    let order = form.order.parse::<OrderTicket>();
    let until = order.map_or(app.clock.now(), |ticket| ticket.until());
    let ended = match form.origin(&caller) {
        Ok(origin) => app.accounts.end_sessions_until(*id, until, origin).await,
        Err(err) => Err(err),
    };
    match ended {
        Ok(_) if *id == caller.user.id => {
            browser::clear_session(&request)?;
            let notice = SignedOutNotice::SignedOutEverywhere;
            Ok(signed_out_response(&request, notice))
        }
        Ok(ended) => {
            let notice = PersonNotice::SessionsEnded(count(ended.len()));
            Ok(to_person(&request, &caller, *id, notice))
        }
        Err(err) => {
            let Some(user) = find_person(&app, *id).await? else {
                return Ok(gone(&request, &caller, *id));
            };
            end_sessions_page(&app, &request, (&caller, &user), &form.reason)
                .await?
                .respond_with_error(err)
        }
    }
}

/// Shows what it means to vouch for a person's e-mail.
pub async fn show_verify_email(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminCaller(caller): AdminCaller,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let user = app.people.get(*id).await?;
    let refusal = match user.email_verified_at {
        _ if user.is_external() => Some(NEVER_VERIFIED.to_owned()),
        Some(_) => Some(format!("{} is already verified.", user.email)),
        None => None,
    };
    let page = verify_page(&app, &request, (&caller, &user)).await?;
    page.with_refusal(refusal).respond()
}

/// Vouches for a person's e-mail.
pub async fn verify_email(
    app: web::Data<AppState>,
    request: HttpRequest,
    AdminForm(caller, _): AdminForm<EmptyForm>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    let Some(user) = find_person(&app, *id).await? else {
        return Ok(gone(&request, &caller, *id));
    };
    match app.accounts.vouch_email(*id, caller.origin()).await {
        Ok(vouched) => {
            const DONE: PersonNotice = PersonNotice::EmailVouched;
            let notice = outcome(vouched, DONE, PersonNotice::AlreadyVerified);
            Ok(to_person(&request, &caller, *id, notice))
        }
        Err(_) if user.is_external() => verify_page(&app, &request, (&caller, &user))
            .await?
            .respond_refused(NEVER_VERIFIED),
        Err(err) => verify_page(&app, &request, (&caller, &user))
            .await?
            .respond_with_error(err),
    }
}

impl ReasonForm {
    /// Returns the reason as it was submitted.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the caller as the origin of what is done, with the reason.
    pub(super) fn origin(&self, caller: &Caller) -> Result<Origin> {
        let reason: StatedReason = self.reason.parse()?;
        Ok(caller.origin().with_reason(reason))
    }
}

/// Returns a redirect to the person's page, which then shows the notice.
pub(super) fn to_person(
    request: &HttpRequest,
    caller: &Caller,
    id: UserId,
    outcome: PersonNotice,
) -> HttpResponse {
    let outcome = AccountNotice::Person(id, outcome);
    notice::put(request, Notice::Account(caller.user.id, outcome));
    let back = Back::of(request, List::People);
    see_other(back.from(format!("/admin/users/{id}")))
}

/// Returns the sessions of a person in numbers.
pub(super) async fn summarize(app: &AppState, user: &User) -> Result<SessionSummary> {
    let summaries = app.sessions.summarize(vec![user.id]).await?;
    Ok(summaries.get(&user.id).copied().unwrap_or_default())
}

/// Says how many sessions end.
pub(super) fn ending(summary: &SessionSummary) -> String {
    match summary.sessions {
        0 => "They are not signed in anywhere, so no session ends.".into(),
        _ => format!("This ends {} on {}.", sessions(summary), devices(summary)),
    }
}

fn count(ended: usize) -> u32 {
    u32::try_from(ended).unwrap_or(u32::MAX)
}

/// Returns the notice of what was done, or of what had been so before.
pub(super) fn outcome(
    administered: Administered,
    done: PersonNotice,
    before: PersonNotice,
) -> PersonNotice {
    match administered {
        Administered::Done { .. } => done,
        Administered::Unchanged => before,
    }
}

async fn disable_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
    reason: &str,
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let own = "This is your own account. You are signed out at once, and only another administrator can enable it.";
    let act = Act {
        title: ("Disable", ""),
        path: "disable",
        words: vec![
            ending(&summarize(app, user).await?),
            match user.is_external() {
                true => {
                    "Their application can’t sign them in here until somebody enables the account."
                }
                false => "They can’t sign in, and links for a new password no longer work.",
            }
            .into(),
            "Nothing is deleted.".into(),
        ],
        button: "Disable the account",
        is_danger: true,
    };
    let page = ActPage::new(request, caller, head, act)?.with_reason(reason);
    Ok(page.with_warning((user.id == caller.user.id).then(|| own.to_owned())))
}

async fn enable_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
    reason: &str,
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let act = Act {
        title: ("Enable", ""),
        path: "enable",
        words: vec![
            sign_in_after_enabling(app, user).into(),
            "Sessions that ended when the account was disabled stay ended.".into(),
        ],
        button: "Enable the account",
        is_danger: false,
    };
    Ok(ActPage::new(request, caller, head, act)?.with_reason(reason))
}

fn sign_in_after_enabling(app: &AppState, user: &User) -> &'static str {
    let awaits_email = app.accounts.requires_verified_email() && !user.is_email_accepted();
    match (user.is_external(), user.is_password_void(), awaits_email) {
        (true, ..) => "Their application can sign them in again.",
        (_, true, _) => {
            "They can sign in again once they have set a password with a link; the account has none now."
        }
        (.., true) => {
            "They can sign in again with the password that they had, once their e-mail is verified."
        }
        (.., false) => "They can sign in again with the password that they had.",
    }
}

async fn end_sessions_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
    reason: &str,
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let own = "This is your own account. You are signed out here as well.";
    let act = Act {
        title: ("End all sessions of", ""),
        path: "end-sessions",
        words: vec![
            ending(&summarize(app, user).await?),
            match user.is_external() {
                true => "Their application can sign them in again at once.",
                false => "They can sign in again at once, with their password. If somebody else may know it, disable the account as well.",
            }
            .into(),
        ],
        button: "End all sessions",
        is_danger: true,
    };
    let page = ActPage::new(request, caller, head, act)?
        .with_reason_of_ending(reason)
        .with_order(app.sessions.issue_ticket().await?);
    Ok(page.with_warning((user.id == caller.user.id).then(|| own.to_owned())))
}

async fn verify_page(
    app: &AppState,
    request: &HttpRequest,
    (caller, user): (&Caller, &User),
) -> Result<ActPage> {
    let head = PersonHead::load(app, user, caller).await?;
    let declined = "The person who reads that mailbox said that the address isn’t theirs.";
    let mut words = vec![
        format!(
            "{} counts as verified, as if they had opened a link in an e-mail to it.",
            user.email
        ),
        "Applications may rely on it.".into(),
    ];
    if app.people.requires_verified_email() {
        words.push("They can sign in with it then.".into());
    }
    let act = Act {
        title: ("Mark as verified: the e-mail of", ""),
        path: "verify-email",
        words,
        button: "Mark as verified",
        is_danger: false,
    };
    let warning = user.email_declined_at.map(|_| declined.to_owned());
    Ok(ActPage::new(request, caller, head, act)?.with_warning(warning))
}
