//! The page of a link that was used: what it did, and when. It says the same to whoever sends its form twice
//! and to whoever comes later, so it claims of nobody that they did it; and to whoever presses another button after
//! that, that the press did nothing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::link_reviews::Press;
use super::message::{Message, message_page};
use crate::error::Result;
use crate::http::reader_clock::ReaderClock;
use crate::people::{LinkAct, UsedLink};

const SIGN_IN: Option<(&str, &str)> = Some(("/sign-in", "Sign in"));

const ACCOUNT: Option<(&str, &str)> = Some(("/account", "Account"));

/// What was pressed on the page of a link that had been used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsedPress {
    /// *Verify the e-mail*.
    Verify,
    /// *This isn’t mine*.
    NotMine,
    /// *Set the new password*.
    Password,
    /// *Yes, it was me*.
    Yes,
    /// *Take the account back*.
    TakeBack,
}

impl UsedPress {
    /// Returns what was pressed on the page of a former address.
    pub(super) fn of_former(press: Press) -> Self {
        match press {
            Press::Yes => Self::Yes,
            Press::No | Press::TakeBack => Self::TakeBack,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Verify => "Verify the e-mail",
            Self::NotMine => "This isn’t mine",
            Self::Password => "Set the new password",
            Self::Yes => Press::Yes.label_of_former(),
            Self::TakeBack => Press::TakeBack.label_of_former(),
        }
    }

    /// Returns whether it is what a link did: the same form, sent again.
    fn is_of(self, act: LinkAct) -> bool {
        match act {
            LinkAct::PasswordSet | LinkAct::FirstPasswordSet => self == Self::Password,
            LinkAct::EmailVerified | LinkAct::EmailChanged => self == Self::Verify,
            LinkAct::ChangeDeclined | LinkAct::AccountDeclined | LinkAct::AddressDeclined => {
                self == Self::NotMine
            }
            LinkAct::ChangeConfirmed => self == Self::Yes,
        }
    }
}

/// Returns the page of a link that was used, for whoever opens it again, or presses something on it.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when it can't be rendered.
pub(super) fn used_page(
    request: &HttpRequest,
    used: UsedLink,
    press: Option<UsedPress>,
) -> Result<HttpResponse> {
    let at = ReaderClock::of_browser(request)?.zone.exact(used.used_at);
    let at = format!("on {at}");
    let message = match used.act {
        LinkAct::PasswordSet | LinkAct::FirstPasswordSet => {
            let is_sent_again = press == Some(UsedPress::Password);
            password_set(used.act == LinkAct::FirstPasswordSet, &at, is_sent_again)
        }
        act => {
            let other = press.filter(|press| !press.is_of(act));
            let so = other.map_or_else(String::new, |press| {
                format!(", so your “{}” did nothing", press.label())
            });
            match act {
                LinkAct::EmailVerified | LinkAct::EmailChanged => {
                    verified(act == LinkAct::EmailChanged, (&at, &so))
                }
                answer => declined_or_confirmed(answer, (&at, &so)),
            }
        }
    };
    message_page(request, StatusCode::GONE, message)
}

/// Returns what is said of a link that set a password; another one may have been typed in the form that was sent
/// after that.
fn password_set(is_first: bool, at: &str, is_sent_again: bool) -> Message {
    let (title, ended, otherwise) = match is_first {
        true => (
            "The password was set",
            "",
            "If it wasn’t you, tell the person who invited you.",
        ),
        false => (
            "A new password was set",
            ", and every device was signed out",
            "If it wasn’t you, choose “Forgotten your password?” on the sign-in page.",
        ),
    };
    let set = format!(
        "It was set with this link {at}{ended}. Sign in with it, unless it was changed or the account was deleted since."
    );
    let once = "The link works once: a password that was sent with it after that was not set.";
    let once = is_sent_again.then(|| once.to_owned());
    Message {
        title,
        words: [Some(set), once, Some(otherwise.to_owned())]
            .into_iter()
            .flatten()
            .collect(),
        link: SIGN_IN,
    }
}

/// Returns what is said of a link that verified an address.
fn verified(is_change: bool, (at, so): (&str, &str)) -> Message {
    let (title, what) = match is_change {
        true => (
            "The e-mail was changed",
            format!("This link gave the account its new e-mail {at}{so}."),
        ),
        false => (
            "The e-mail was verified",
            format!("It was verified with this link {at}{so}."),
        ),
    };
    let next = match so.is_empty() {
        true => {
            "Nothing is left to do, unless the e-mail was changed or the account was deleted since."
        }
        false => {
            "If the account isn’t yours, ask an administrator of this service to take your address out of it: whoever verified it was signed in to the account, or had its password. If the account is yours, nothing is left to do."
        }
    };
    Message {
        title,
        words: vec![what, next.into()],
        link: ACCOUNT,
    }
}

/// Returns which answer a link gave, and what that did.
fn declined_or_confirmed(act: LinkAct, (at, so): (&str, &str)) -> Message {
    let is_late = !so.is_empty();
    let (what, next, link) = match act {
        LinkAct::ChangeConfirmed => (
            "the account keeps its new e-mail. This address gets no more e-mails about it and can no longer take it back.",
            "If that was not you, sign in and change the e-mail on Account, or ask an administrator of this service.",
            SIGN_IN,
        ),
        LinkAct::ChangeDeclined => (
            "the change of the e-mail was cancelled.",
            "If the account is yours, sign in, and change its e-mail again on Account.",
            ACCOUNT.filter(|_| is_late),
        ),
        LinkAct::AccountDeclined => (
            "the account that was created with this address was deleted.",
            "If the account was yours, create another one, or ask an administrator of this service.",
            SIGN_IN.filter(|_| is_late),
        ),
        _ => (
            "the account sends nothing to this address any more.",
            "If the account is yours, ask an administrator of this service.",
            None,
        ),
    };
    let answer = match act {
        LinkAct::ChangeConfirmed => UsedPress::Yes.label(),
        _ => UsedPress::NotMine.label(),
    };
    let given = format!("The answer “{answer}” was given with this link {at}");
    let words = format!("{given}{so}: {what}");
    let next = is_late.then(|| next.to_owned());
    Message {
        title: "This was answered",
        words: [Some(words), next].into_iter().flatten().collect(),
        link,
    }
}
