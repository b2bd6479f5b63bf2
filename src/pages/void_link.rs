//! The pages of a link in a message about alerts that answers nothing. They show no facts.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::message::{Message, message_page};
use crate::error::Result;
use crate::http::app_state::AppState;

/// Returns the page of a link that is not genuine, has expired, or is about an account that is gone.
pub(super) fn unknown_link(
    app: &AppState,
    request: &HttpRequest,
    token: &str,
) -> Result<HttpResponse> {
    let why = match app.links.message(token) {
        Some(_) => "It is too old, or the account was deleted.",
        None => "It may be too old, or a part of it is missing: open it from the e-mail itself.",
    };
    let message = Message {
        title: "This link doesn’t work",
        words: vec![
            why.into(),
            "If you have an account, Your devices shows what needs your attention. Sign in on a device that you used before. If you can’t sign in, set a new password."
                .into(),
        ],
        link: Some(("/devices", "Your devices")),
    };
    message_page(request, StatusCode::NOT_FOUND, message)
}

/// Returns the page of a link whose mailbox may be that of somebody in doubt.
pub(super) fn doubtful_mailbox(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "This link can’t answer that",
        words: vec![
            "The e-mail of the account was changed recently, and nobody has confirmed yet who did it.".into(),
            "Sign in on a device that you used before, and answer it there, under Your devices.".into(),
        ],
        link: Some(("/devices", "Your devices")),
    };
    message_page(request, StatusCode::FORBIDDEN, message)
}

/// Returns the page of a link whose mailbox is none of the account's any more.
pub(super) fn void_link(request: &HttpRequest) -> Result<HttpResponse> {
    let message = Message {
        title: "This link no longer works",
        words: vec![
            "The account has another e-mail now, so this link can’t change anything in it.".into(),
            "If the account is yours, sign in, or ask an administrator of this service.".into(),
        ],
        link: Some(("/sign-in", "Sign in")),
    };
    message_page(request, StatusCode::GONE, message)
}
