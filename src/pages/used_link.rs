//! The page of a link that was used: what it did, and when. It says the same to whoever sends its form twice
//! and to whoever comes later, so it claims of nobody that they did it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::message::{Message, message_page};
use crate::error::Result;
use crate::http::reader_clock::ReaderClock;
use crate::people::{LinkAct, UsedLink};

const SIGN_IN: Option<(&str, &str)> = Some(("/sign-in", "Sign in"));

/// Returns the page of a link that was used.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when it can't be rendered.
pub(super) fn used_page(request: &HttpRequest, used: UsedLink) -> Result<HttpResponse> {
    let clock = ReaderClock::of_browser(request)?;
    message_page(request, StatusCode::GONE, message(used, clock))
}

fn message(used: UsedLink, clock: ReaderClock) -> Message {
    let at = format!("on {}", clock.zone.exact(used.used_at));
    let (title, words, link) = match used.act {
        LinkAct::PasswordSet => (
            "A new password was set",
            vec![
                format!(
                    "It was set with this link {at}, and every device was signed out. Sign in with it, unless it was changed since."
                ),
                "If it wasn’t you, choose “Forgotten your password?” on the sign-in page.".into(),
            ],
            SIGN_IN,
        ),
        LinkAct::FirstPasswordSet => (
            "The password was set",
            vec![
                format!(
                    "It was set with this link {at}. Sign in with it, unless it was changed since."
                ),
                "If it wasn’t you, tell the person who invited you.".into(),
            ],
            SIGN_IN,
        ),
        LinkAct::EmailVerified => (
            "The e-mail was verified",
            vec![format!(
                "It was verified with this link {at}. Nothing is left to do."
            )],
            Some(("/account", "Account")),
        ),
        LinkAct::EmailChanged => (
            "The e-mail was changed",
            vec![format!(
                "This link gave the account its new e-mail {at}. Nothing is left to do."
            )],
            Some(("/account", "Account")),
        ),
        answer => (
            "This was answered",
            vec![describe_answer(answer, &at)],
            SIGN_IN.filter(|_| answer == LinkAct::ChangeConfirmed),
        ),
    };
    Message { title, words, link }
}

/// Returns which answer a link gave, and what that did.
fn describe_answer(act: LinkAct, at: &str) -> String {
    let what = match act {
        LinkAct::ChangeConfirmed => {
            return format!(
                "The answer “Yes, it was me” was given with this link {at}: the account keeps its new e-mail. This address gets no more e-mails about it and can no longer take it back."
            );
        }
        LinkAct::ChangeDeclined => "the change of the e-mail was cancelled.",
        LinkAct::AccountDeclined => "the account that was created with this address was deleted.",
        _ => "the account sends nothing to this address any more.",
    };
    format!("The answer “This isn’t mine” was given with this link {at}: {what}")
}
