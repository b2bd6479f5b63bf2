//! The way on from sign-in. A path on this site is redirected to; to a page of another origin a
//! page of ours leads on, since `form-action 'self'` holds for every redirect after a form.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use url::form_urlencoded;

use crate::error::{Error, Failure, Result};
use crate::http::layout::{Layout, NavItem, page, see_other};
use crate::http::onward::{Onward, go_on};
use crate::http::target::Destination;
use crate::sessions::Caller;

#[derive(Template)]
#[template(path = "pages/continue.html")]
struct GoOnPage<'a> {
    layout: Layout,
    host: &'a str,
    url: &'a str,
    came_back: bool,
    is_cookie_refused: bool,
    is_overtaken: bool,
}

/// Returns the response to a form that signed somebody in: a redirect within this site.
pub(super) fn after_form(next: &Destination) -> HttpResponse {
    match next {
        Destination::Here(path) => see_other(path),
        Destination::Elsewhere { url, .. } => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.append_pair("next", url).finish();
            see_other(format!("/sign-in?{query}"))
        }
    }
}

/// Returns the response to the request of a page by somebody who is signed in: a redirect within
/// this site, or a page that goes on to another origin by itself and by a link.
///
/// # Errors
/// [`Error::Internal`] when the page can't be rendered.
pub(super) fn after_page(
    request: &HttpRequest,
    caller: &Caller,
    next: &Destination,
) -> Result<HttpResponse> {
    let Destination::Elsewhere { url, host } = next else {
        return Ok(see_other(next.as_str()));
    };
    let onward = go_on(request, caller)?;
    let template = GoOnPage {
        layout: Layout::for_caller(request, caller, NavItem::None)?,
        host,
        url,
        came_back: onward == Onward::CameBack,
        is_cookie_refused: onward == Onward::CookieRefused,
        is_overtaken: onward == Onward::Overtaken,
    };
    let mut response = page(StatusCode::OK, &template)?;
    if onward == Onward::AtOnce {
        let refresh = HeaderValue::from_str(&format!("0; url={url}"))
            .map_err(|err| Error::Internal(Failure::new("the way on", err)))?;
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("refresh"), refresh);
    }
    Ok(response)
}
