//! What pages say of the request before the redirect that led to them. All the sentences are here:
//! whichever page is rendered first says it.

use actix_web::HttpRequest;

use super::admin::person_notices;
use super::review_words::{self, describe_again, describe_review, describe_unrestored};
use super::saved_words::{address_words, alert_email_words, exempt_words};
use super::steps_view::describe_finish;
use super::{end_notices, idle_notices, reviewed_alerts, settings_card};
use crate::account::StepAct;
use crate::alerts::AlertReview;
use crate::clock::Timestamp;
use crate::db::{AlertId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::ending_words::Ending;
use crate::http::layout::Layout;
use crate::http::notice::{self, AccountNotice, EndMoment, EndNotice, Notice, SignedOutNotice};
use crate::http::reader_clock::ReaderClock;
use crate::people::MAX_FAILURES_IN_WORDS;
use crate::sessions::Caller;

/// A notice as a page shows it.
#[derive(Default)]
pub(super) struct NoticeView {
    /// What it says, if anything.
    pub(super) words: Option<String>,
    /// The label of a link to the other devices that are still signed in, if it says so.
    pub(super) others_left: Option<String>,
    /// Whether it says that this device was signed out by its person.
    pub(super) is_sign_out: bool,
    /// Whether it says that something was not done.
    pub(super) is_failure: bool,
    /// Whether it says what the person did in their account.
    pub(super) is_of_account: bool,
    /// What an open page states it by, when it asks whether it is still true.
    pub(super) token: Option<String>,
}

impl NoticeView {
    /// Returns the words, unless they say that something was not done: those are the page's refusal then.
    pub(super) fn show_on(self, layout: &mut Layout) -> Option<String> {
        if self.is_failure {
            layout.refusal = self.words;
            return None;
        }
        self.words
    }
}

/// Returns the notice for the page in the response to `request`, and uses it up.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn take(
    app: &AppState,
    request: &HttpRequest,
    caller: Option<&Caller>,
) -> Result<NoticeView> {
    match notice::take(request, caller.map(|caller| caller.user.id)) {
        Some(Notice::Account(user, notice)) => {
            of_account(app, request, (user, caller), notice).await
        }
        Some(Notice::SignedOut(notice)) => Ok(NoticeView {
            words: Some(signed_out_words(notice)),
            is_sign_out: is_sign_out(notice),
            ..NoticeView::default()
        }),
        None => Ok(NoticeView::default()),
    }
}

/// Returns a notice about the account of `user`.
pub(super) async fn of_account(
    app: &AppState,
    request: &HttpRequest,
    (user, caller): (UserId, Option<&Caller>),
    notice: AccountNotice,
) -> Result<NoticeView> {
    let words = match notice {
        AccountNotice::EmailChangeReported(alert) => {
            let email = caller.map(|caller| describe_unrestored(caller.user.shown_email()));
            Some(change_words(app, (user, alert), email).await?)
        }
        AccountNotice::EmailChangeUndoneBefore(alert) => {
            let email = caller.map(|caller| describe_again(caller.user.shown_email()));
            Some(change_words(app, (user, alert), email).await?)
        }
        AccountNotice::Ended(notice) => end_notices::describe(app, user, caller, notice).await?,
        AccountNotice::PasswordChanged => Some(password_words(app, user, caller).await?),
        AccountNotice::AlertConfirmedLate(alert) => {
            let late = (alert, AlertReview::Confirmed);
            Some(reviewed_alerts::describe_late(app, user, late, clock(request, caller)?).await?)
        }
        AccountNotice::AlertReportedLate(alert) => {
            let late = (alert, AlertReview::Reported);
            Some(reviewed_alerts::describe_late(app, user, late, clock(request, caller)?).await?)
        }
        AccountNotice::DeviceExempt(id) => {
            let clock = clock(request, caller)?;
            Some(exempt_words(app, (user, id), clock).await?)
        }
        notice => account_words(app, user, notice).await?,
    };
    Ok(NoticeView {
        words: with_finish(app, caller, notice, words).await?,
        others_left: others_left(app, caller, notice).await?,
        is_failure: matches!(
            notice,
            AccountNotice::SettingChangedBefore(_) | AccountNotice::NotCarriedOut(_)
        ),
        is_of_account: true,
        ..NoticeView::default()
    })
}

/// Says what the report of a change of the e-mail did, and what is so of the `email`.
async fn change_words(
    app: &AppState,
    (user, alert): (UserId, AlertId),
    email: Option<String>,
) -> Result<String> {
    let ended = reviewed(app, user, alert).await?;
    let words: Vec<String> = ended.into_iter().chain(email).collect();
    Ok(words.join(" "))
}

/// Returns the clock of whoever reads the page.
fn clock(request: &HttpRequest, caller: Option<&Caller>) -> Result<ReaderClock> {
    match caller {
        Some(caller) => ReaderClock::of_caller(request, caller),
        None => ReaderClock::of_browser(request),
    }
}

/// Returns what leads to the devices that signed in after the page of *Sign out others* was shown, if any
/// did.
async fn others_left(
    app: &AppState,
    caller: Option<&Caller>,
    notice: AccountNotice,
) -> Result<Option<String>> {
    let (Some(caller), AccountNotice::Ended(EndNotice::Others(_))) = (caller, notice) else {
        return Ok(None);
    };
    let (owner, here) = (caller.user.id, Some(caller.session.id));
    let live = app.sessions.list_live(owner).await?;
    let live = app.accounts.order_for_names(owner, here, live).await?;
    let ending = Ending::of_others(&live, caller);
    Ok(ending.map(|ending| format!("{}, too", ending.words())))
}

/// Returns the words, followed by what they mean for the steps after a report, if the act finished these.
async fn with_finish(
    app: &AppState,
    caller: Option<&Caller>,
    notice: AccountNotice,
    words: Option<String>,
) -> Result<Option<String>> {
    let (Some(caller), Some(act)) = (caller, step_act(notice)) else {
        return Ok(words);
    };
    let steps = app.accounts.find_finish(caller, act).await?;
    let finish = steps.as_ref().and_then(describe_finish);
    let all: Vec<String> = words.into_iter().chain(finish).collect();
    Ok((!all.is_empty()).then(|| all.join(" ")))
}

/// Returns what a notice says that the person did, if that may be a step after a report.
fn step_act(notice: AccountNotice) -> Option<StepAct> {
    Some(match notice {
        AccountNotice::StepsFinished => StepAct::Recorded,
        AccountNotice::PasswordChanged => StepAct::ChangedPassword,
        AccountNotice::EmailChanged | AccountNotice::EmailVerified => StepAct::VerifiedEmail,
        AccountNotice::Ended(EndNotice::Others(Some(EndMoment { by, at }))) => {
            StepAct::SignedOutOthers(by, Timestamp::from_micros(at)?)
        }
        _ => return None,
    })
}

/// Returns whether the person signed this device out, and may want to leave nothing on it.
fn is_sign_out(notice: SignedOutNotice) -> bool {
    use SignedOutNotice::{Deleted, Disabled, SignedOut, SignedOutEverywhere, SignedOutHere};

    matches!(
        notice,
        SignedOut | SignedOutHere(_) | SignedOutEverywhere | Deleted | Disabled
    )
}

/// Returns what a person is told. That devices are signed out is stated only if the rows agree.
async fn account_words(
    app: &AppState,
    user: UserId,
    notice: AccountNotice,
) -> Result<Option<String>> {
    match notice {
        AccountNotice::AlertReviewed(alert) => reviewed(app, user, alert).await,
        AccountNotice::IdleLimitUpdated(ends) => idle_notices::describe_limit(app, user, ends)
            .await
            .map(Some),
        AccountNotice::DeviceNotExempt(id, ended) => {
            idle_notices::describe_exemption_end(app, user, (id, ended)).await
        }
        AccountNotice::SettingChangedBefore(setting) => {
            let (user, limits) = (app.people.get(user).await?, app.sessions.idle_limits());
            Ok(Some(settings_card::describe_conflict(
                setting, &user, limits,
            )))
        }
        AccountNotice::SignedUp => {
            let user = app.people.get(user).await?;
            Ok(Some(format!(
                "Your account is created. We sent a link to {}: open it within 24 hours to verify your e-mail.",
                user.shown_email()
            )))
        }
        AccountNotice::AlertEmailsUpdated => {
            let is_on = app.people.get(user).await?.alert_emails;
            Ok(Some(alert_email_words(is_on).to_owned()))
        }
        AccountNotice::IpRetentionUpdated
        | AccountNotice::AddressesRedacted
        | AccountNotice::AddressesRedactedExceptAlerts => {
            let user = app.people.get(user).await?;
            Ok(Some(address_words(user.ip_retention, notice).to_owned()))
        }
        AccountNotice::Person(id, notice) => {
            person_notices::describe(app, id, id == user, notice).await
        }
        notice => Ok(plain_words(notice).map(str::to_owned)),
    }
}

/// Returns what the review of an alert did.
async fn reviewed(app: &AppState, user: UserId, alert: AlertId) -> Result<Option<String>> {
    let outcome = app.accounts.find_review(user, alert).await?;
    Ok(match outcome {
        Some(outcome) => Some(describe_review(&outcome)),
        None => Some(review_words::describe_unanswered(app, user, alert).await?),
    })
}

/// Returns that the password is changed, and what became of the other devices by that.
async fn password_words(app: &AppState, user: UserId, caller: Option<&Caller>) -> Result<String> {
    const CHANGED: &str = "Your password is changed.";

    let Some(caller) = caller else {
        return Ok(CHANGED.into());
    };
    let at = caller.user.password_changed_at.timestamp_micros();
    let by = caller.session.id;
    let others = EndNotice::Others(Some(EndMoment { by, at }));
    let others = end_notices::describe(app, user, Some(caller), others).await?;
    Ok(match others {
        Some(others) => format!("{CHANGED} {others}"),
        None => CHANGED.into(),
    })
}

/// Returns the sentence of a notice that names nothing; `None` for one that names a device.
fn plain_words(notice: AccountNotice) -> Option<&'static str> {
    Some(match notice {
        AccountNotice::AlertSettled => review_words::NO_ANSWER_DUE,
        AccountNotice::ActDismissed => "The notice is dismissed.",
        AccountNotice::DeviceRenamed => "The name is saved.",
        AccountNotice::Renamed => "Your name is saved.",
        AccountNotice::EmailLinkSent => "A link is on its way. Open it within 24 hours.",
        AccountNotice::EmailLinkLimit => {
            "Several links were sent to that address already. Try again in an hour."
        }
        AccountNotice::EmailUnchanged => "That is your e-mail already.",
        AccountNotice::EmailChangeCancelled => {
            "The change is cancelled. Your e-mail stays as it is."
        }
        AccountNotice::NoEmailChange => "There is no pending change to cancel.",
        AccountNotice::EmailDeclined => {
            "The person who reads that mailbox said that it isn’t yours, so we send nothing to it. Change your e-mail."
        }
        AccountNotice::EmailVerified => "Your e-mail is verified.",
        AccountNotice::EmailChanged => {
            "Your e-mail is changed. You sign in with the new one from now on."
        }
        AccountNotice::PasswordChangedBefore => {
            "Your password was changed a moment ago. Sending the form again changed nothing."
        }
        AccountNotice::TimeZoneUpdated => "Your time zone is saved.",
        AccountNotice::NotCarriedOut(act) => act.words(),
        notice => return plain_admin_words(notice),
    })
}

/// Returns the sentence of a notice of an administrator's page that names nothing.
fn plain_admin_words(notice: AccountNotice) -> Option<&'static str> {
    Some(match notice {
        AccountNotice::ApiKeyRevoked => "The key is revoked.",
        AccountNotice::ApiKeyCreatedBefore => {
            "That key was created before; this form changed nothing. Its secret was shown only then: if you don’t have it, revoke the key and create another."
        }
        AccountNotice::ApplicationCreated => "The application is added.",
        AccountNotice::ApplicationUpdated => "The application is changed.",
        AccountNotice::ApplicationDeleted => "The application is deleted.",
        AccountNotice::ApplicationMissing => "There is no such application any more.",
        AccountNotice::OrderedBefore => {
            "This had been ordered already. Sending the form again changed nothing."
        }
        _ => return None,
    })
}

fn signed_out_words(notice: SignedOutNotice) -> String {
    let words = match notice {
        SignedOutNotice::WrongPasswords => {
            return format!(
                "This device was signed out because the password was entered wrong \
                 {MAX_FAILURES_IN_WORDS} times. Sign in with your password. “Forgotten your \
                 password?” says how to get a new one."
            );
        }
        SignedOutNotice::NotCarriedOut => {
            "Nothing was done: you are not signed in. Sign in, then do it again if it is still right."
        }
        SignedOutNotice::SignedOut => "You are signed out on this device.",
        SignedOutNotice::SignedOutHere(others) => return end_notices::signed_out_here(others),
        SignedOutNotice::SignedOutEverywhere => {
            "You are signed out on this device and everywhere else."
        }
        SignedOutNotice::PasswordSet => {
            "Your new password is set, and every device is signed out. Sign in with it."
        }
        SignedOutNotice::EmailVerified => "Your e-mail is verified. Sign in with it.",
        SignedOutNotice::EmailChanged => "Your e-mail is changed. Sign in with the new one.",
        SignedOutNotice::TakenBack => {
            "Your account has its former e-mail again. Every device is signed out, and the old password no longer works. Choose “Forgotten your password?” to set a new one."
        }
        SignedOutNotice::TakenBackWithoutEmail => {
            "Every device is signed out, and the old password no longer works. Another account has your former e-mail now, so yours has none. Ask an administrator of this service to set one; then you can choose a new password."
        }
        SignedOutNotice::FirstPasswordSet => "Your password is set. Sign in with it.",
        SignedOutNotice::Deleted => "Your account is deleted, with everything that belonged to it.",
        SignedOutNotice::Disabled => {
            "Your account is disabled, and every device is signed out. Another administrator can enable it."
        }
    };
    words.to_owned()
}
