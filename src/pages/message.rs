//! A page that says something and asks nothing.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::error::Result;
use crate::http::layout::{Layout, page};

/// What the page says.
#[derive(Default)]
pub(super) struct Message {
    pub(super) title: &'static str,
    /// Its paragraphs.
    pub(super) words: Vec<String>,
    /// Where to go from there: a path and its name.
    pub(super) link: Option<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "pages/message.html")]
struct MessagePage {
    layout: Layout,
    title: &'static str,
    words: Vec<String>,
    link: Option<(&'static str, &'static str)>,
}

/// Returns a page with a message.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) when it can't be rendered.
pub(super) fn message_page(
    request: &HttpRequest,
    status: StatusCode,
    message: Message,
) -> Result<HttpResponse> {
    let template = MessagePage {
        // The page has no form to send again.
        layout: Layout {
            refusal: None,
            ..Layout::anonymous(request)?
        },
        title: message.title,
        words: message.words,
        link: message.link,
    };
    page(status, &template)
}
