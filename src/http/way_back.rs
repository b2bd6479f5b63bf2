//! The page that a form was sent from.

use actix_web::HttpRequest;
use actix_web::http::Method;

use super::form_origin::own_referrer;
use super::target::{is_local, page_of_form};

/// Returns the page with the form of a request, for somebody who has to open it again: with the query of
/// the page that the browser says it was sent from, such as the devices that were selected.
pub(super) fn page_of_request(request: &HttpRequest) -> String {
    let page = page_of_form(request.path());
    let has_form = |from: &String| {
        let path = from.split('?').next().unwrap_or_default();
        is_local(from) && (path == page || path == request.path())
    };
    own_referrer(request).filter(has_form).unwrap_or(page)
}

/// Returns the address that the history of the browser has in place of that of a form which `request`
/// sends: the page that the browser says it was sent from, else the page of the form. `None` for any other
/// request.
pub(super) fn page_behind(request: &HttpRequest) -> Option<String> {
    (*request.method() == Method::POST).then(|| {
        let from = own_referrer(request).filter(|from| is_local(from));
        from.unwrap_or_else(|| page_of_form(request.path()))
    })
}
