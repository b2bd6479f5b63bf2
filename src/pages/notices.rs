//! What pages say of the request before the redirect that led to them. All the sentences are here:
//! whichever page is rendered first says it.

use actix_web::HttpRequest;

use super::admin::person_notices;
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::http::app_state::AppState;
use crate::http::notice::{self, AccountNotice, Notice, SignedOutNotice};
use crate::net::IpRetention;
use crate::sessions::Caller;

/// A notice as a page shows it.
#[derive(Default)]
pub(super) struct NoticeView {
    /// What it says, if anything.
    pub(super) words: Option<String>,
    /// Whether *Your devices* offers further steps, after an alert was reported.
    pub(super) offers_more: bool,
    /// Whether it says that this device was signed out by its person.
    pub(super) is_sign_out: bool,
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
    let words = match notice::take(request, caller.map(|caller| caller.user.id)) {
        Some(Notice::Account(user, AccountNotice::AlertReported(session))) => {
            return Ok(NoticeView {
                words: reported(app, user, session).await?,
                offers_more: true,
                ..NoticeView::default()
            });
        }
        Some(Notice::Account(user, AccountNotice::EmailChangeReported(session))) => {
            let ended = reported(app, user, session).await?;
            let advice = caller.map(|caller| describe_unrestored(caller.user.shown_email()));
            let words: Vec<String> = ended.into_iter().chain(advice).collect();
            return Ok(NoticeView {
                words: Some(words.join(" ")),
                offers_more: true,
                ..NoticeView::default()
            });
        }
        Some(Notice::Account(user, notice)) => account_words(app, user, notice).await?,
        Some(Notice::SignedOut(notice)) => {
            return Ok(NoticeView {
                words: Some(signed_out_words(notice).to_owned()),
                is_sign_out: is_sign_out(notice),
                ..NoticeView::default()
            });
        }
        None => None,
    };
    Ok(NoticeView {
        words,
        ..NoticeView::default()
    })
}

/// Returns whether the person signed this device out, and may want to leave nothing on it.
fn is_sign_out(notice: SignedOutNotice) -> bool {
    use SignedOutNotice::{Deleted, Disabled, SignedOut, SignedOutEverywhere};

    matches!(notice, SignedOut | SignedOutEverywhere | Deleted | Disabled)
}

/// Returns what a person is told. That devices are signed out is stated only if the rows agree.
async fn account_words(
    app: &AppState,
    user: UserId,
    notice: AccountNotice,
) -> Result<Option<String>> {
    match notice {
        AccountNotice::DeviceSignedOut(id) => {
            let device = ended_device(app, user, id).await?;
            Ok(device.map(|device| format!("{device} is signed out.")))
        }
        AccountNotice::DeviceAlreadySignedOut(id) => {
            let device = ended_device(app, user, id).await?;
            Ok(device.map(|device| format!("{device} had been signed out before.")))
        }
        AccountNotice::IdleLimitUpdated(count, first) => {
            let device = match first {
                Some(id) => ended_device(app, user, id).await?,
                None => None,
            };
            Ok(Some(idle_limit_words(count, device)))
        }
        AccountNotice::DeviceNotExempt(Some(id)) => {
            let device = ended_device(app, user, id).await?;
            Ok(device.map(|device| format!("Saved. {device} is signed out.")))
        }
        AccountNotice::AlertEmailsUpdated => {
            let is_on = app.people.get(user).await?.alert_emails;
            Ok(Some(alert_email_words(is_on).to_owned()))
        }
        AccountNotice::IpRetentionUpdated => {
            let retention = app.people.get(user).await?.ip_retention;
            Ok(Some(retention_words(retention).to_owned()))
        }
        AccountNotice::Person(id, notice) => {
            let is_reader = id == user;
            person_notices::describe(app, id, is_reader, notice).await
        }
        AccountNotice::OthersSignedOut if app.sessions.list_live(user).await?.len() > 1 => Ok(None),
        notice => Ok(plain_words(notice).map(str::to_owned)),
    }
}

async fn reported(
    app: &AppState,
    user: UserId,
    session: Option<SessionId>,
) -> Result<Option<String>> {
    let Some(id) = session else {
        return Ok(None);
    };
    let device = ended_device(app, user, id).await?;
    Ok(device.map(|device| format!("{device} is signed out, and forgotten.")))
}

/// Returns what to do about an e-mail that a report could not change back.
fn describe_unrestored(email: &str) -> String {
    format!(
        "Your e-mail is still {email}: that change can’t be undone here. If it should be another \
         one, change it on Account first, or ask an administrator of this service. Whoever reads \
         {email} can set a new password."
    )
}

/// Returns the name of a session's device, if the session has ended.
async fn ended_device(app: &AppState, user: UserId, id: SessionId) -> Result<Option<String>> {
    let session = app.sessions.find(user, id).await?;
    let ended = session.filter(|session| !session.is_active);
    Ok(ended.map(|session| session.display_name()))
}

/// Returns what became of devices when the idle limit was updated; `device` is the first that was signed
/// out.
fn idle_limit_words(count: u32, device: Option<String>) -> String {
    match (count, device) {
        (_, None) => "Saved.".into(),
        (0 | 1, Some(device)) => format!("Saved. {device} is signed out."),
        (2, Some(device)) => format!("Saved. {device} and another device are signed out."),
        (n, Some(device)) => format!(
            "Saved. {device} and {} other devices are signed out.",
            n - 1
        ),
    }
}

fn alert_email_words(is_on: bool) -> &'static str {
    match is_on {
        true => "Saved. You get an e-mail about new sign-ins.",
        false => "Saved. You get no e-mail about new sign-ins.",
    }
}

fn retention_words(retention: IpRetention) -> &'static str {
    match retention {
        IpRetention::Whole => "Saved. Addresses are stored whole from now on.",
        IpRetention::Shortened => "Saved. Older addresses were shortened, too.",
        IpRetention::None => "Saved. Older addresses were deleted, too.",
    }
}

/// Returns the sentence of a notice that names nothing; `None` for one that names a device.
fn plain_words(notice: AccountNotice) -> Option<&'static str> {
    Some(match notice {
        AccountNotice::SignInConfirmed => "Good. It stays signed in.",
        AccountNotice::AlertConfirmed => "Good. That is done with.",
        AccountNotice::AlertSettled => "There is nothing to answer there any more.",
        AccountNotice::OthersSignedOut => "Your other devices are signed out.",
        AccountNotice::DeviceRenamed => "The name is saved.",
        AccountNotice::Renamed => "Your name is saved.",
        AccountNotice::EmailLinkSent => "A link is on its way. Open it within 24 hours.",
        AccountNotice::EmailLinkLimit => {
            "That address was sent several links already. Try again in an hour."
        }
        AccountNotice::EmailUnchanged => "That is your e-mail already.",
        AccountNotice::EmailChangeCancelled => {
            "The change is cancelled. Your e-mail stays as it is."
        }
        AccountNotice::NoEmailChange => "There was no change left to cancel.",
        AccountNotice::EmailDeclined => {
            "Whoever reads that mailbox said that it isn’t yours, so nothing is sent to it. Change your e-mail."
        }
        AccountNotice::EmailVerified => "Your e-mail is verified.",
        AccountNotice::EmailChanged => {
            "Your e-mail is changed. You sign in with the new one from now on."
        }
        AccountNotice::DeviceExempt => "Saved. The device stays signed in even if it is not used.",
        AccountNotice::DeviceNotExempt(_) => {
            "Saved. The device signs out by itself again when it is not used."
        }
        AccountNotice::TimeZoneUpdated => "Your time zone is saved.",
        AccountNotice::PasswordChanged => {
            "Your password is changed, and your other devices are signed out."
        }
        AccountNotice::ApiKeyRevoked => "The key is revoked.",
        AccountNotice::ApiKeyCreatedBefore => {
            "That key was made before; this form changed nothing. Its secret was shown only then: if you don’t have it, revoke the key and make another."
        }
        AccountNotice::ApplicationCreated => "The application is added.",
        AccountNotice::ApplicationUpdated => "The application is changed.",
        AccountNotice::ApplicationDeleted => "The application is deleted.",
        AccountNotice::ApplicationMissing => "There is no such application any more.",
        AccountNotice::OrderedBefore => {
            "This was ordered before. The form that was sent again changed nothing."
        }
        AccountNotice::AlertReported(_)
        | AccountNotice::EmailChangeReported(_)
        | AccountNotice::DeviceSignedOut(_)
        | AccountNotice::DeviceAlreadySignedOut(_)
        | AccountNotice::AlertEmailsUpdated
        | AccountNotice::IpRetentionUpdated
        | AccountNotice::IdleLimitUpdated(..)
        | AccountNotice::Person(..) => return None,
    })
}

fn signed_out_words(notice: SignedOutNotice) -> &'static str {
    match notice {
        SignedOutNotice::WrongPasswords => {
            "This device was signed out, since the password was given wrong ten times. Sign in with \
             your password. “Forgotten your password?” says how to get a new one."
        }
        SignedOutNotice::SignedOut => "You are signed out on this device.",
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
            "Every device is signed out, and the old password no longer works. Another account has the former e-mail by now: ask an administrator of this service to give yours one."
        }
        SignedOutNotice::FirstPasswordSet => "Your password is set. Sign in with it.",
        SignedOutNotice::Deleted => "Your account is deleted, with everything that belonged to it.",
        SignedOutNotice::Disabled => {
            "Your account is disabled, and every device is signed out. Another administrator can enable it."
        }
    }
}
