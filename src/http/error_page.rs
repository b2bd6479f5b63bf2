//! The page that says what went wrong, and leads on.

use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use tracing_actix_web::RequestId;

use super::admin_gate::Admitted;
use super::app_state::AppState;
use super::body::is_safe;
use super::chosen_fields::page_detail;
use super::failed_form::{self, FailedForm, ShownError};
use super::form_origin::FormOrigin;
use super::layout::{Layout, page, see_other};
use super::proof_page::address_of;
use super::site::SiteLook;
use super::unsent_form;
use super::way_back::{page_behind, page_of_request};
use crate::error::{Chain, Error};
use crate::settings::Site;
use crate::text::truncate_chars;

/// What a page says of a form that one of our pages sent, but for another session.
const OUTDATED: &str = "Nothing was done. The page was opened before you signed in, or by somebody else. Open the page again and try once more.";
/// Parts of an address that a page names as wrong, at most, and the characters of each.
const MAX_NAMED: (usize, usize) = (5, 60);

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage {
    layout: Layout,
    status: u16,
    title: String,
    detail: String,
    /// Where to go from there: a path and its name.
    link: (String, String),
    request_id: Option<String>,
}

/// How an error page leads on.
pub(super) struct WayOn {
    /// Where to go from there: a path and its name.
    link: (String, &'static str),
    /// What went wrong, where the request tells more of it than the error.
    detail: Option<String>,
    /// The address that the history of the browser has in place of a form's.
    behind: Option<String>,
}

impl WayOn {
    /// Returns the way to the devices of the person.
    pub(super) fn to_devices() -> Self {
        Self {
            link: ("/".into(), "Go to your devices"),
            detail: None,
            behind: None,
        }
    }

    /// Returns the way on from an error of `request`.
    pub(super) fn of(request: &HttpRequest, error: &Error) -> Self {
        let (link, detail) = match error {
            Error::CsrfMismatch => {
                let is_own = FormOrigin::from_request(request) == FormOrigin::Own;
                let link = (page_of_request(request), "Open the page again");
                (link, is_own.then(|| OUTDATED.to_owned()))
            }
            Error::Invalid(_) | Error::Malformed(_) if is_safe(request) => {
                let link = (request.path().to_owned(), "Open the page without that part");
                (link, Some(describe_address(error)))
            }
            Error::Invalid(_) => {
                let page = page_behind(request).unwrap_or_else(|| page_of_request(request));
                ((page, "Go back to the page"), None)
            }
            Error::ProofRequired(_) => {
                let page = match is_safe(request) {
                    true => address_of(request),
                    false if unsent_form::is_storable(request) => unsent_form::PATH.to_owned(),
                    false => page_of_request(request),
                };
                ((page, "Try again"), None)
            }
            _ => (Self::to_devices().link, None),
        };
        Self {
            link,
            detail,
            behind: match error {
                // What does not exist has one page, whatever it is requested with.
                Error::NotFound | Error::NoAuthority => None,
                _ => page_behind(request),
            },
        }
    }
}

/// Says what is wrong with an address whose query can't be read: its parts, where they are known.
fn describe_address(error: &Error) -> String {
    let (count, chars) = MAX_NAMED;
    let named = error.field_errors().iter().map(|it| it.field.as_str());
    let parts: Vec<String> = named
        .filter(|field| *field != "query")
        .take(count)
        .map(|field| format!("“{}”", truncate_chars(field, chars)))
        .collect();
    let what = match parts.as_slice() {
        [] => "Something in this address is not as this page expects it.".to_owned(),
        parts => format!("This page can’t read {} in its address.", parts.join(", ")),
    };
    format!("{what} The address may have been cut off, or be an old one.")
}

/// Returns a response with the page of an error.
pub(super) fn error_page(
    error: &Error,
    way_on: WayOn,
    id: Option<RequestId>,
    site: Option<Arc<SiteLook>>,
) -> HttpResponse {
    let is_logged =
        error.status_code().is_server_error() && !matches!(error, Error::ProofRequired(_));
    let template = ErrorPage {
        layout: Layout {
            behind: way_on.behind,
            ..Layout::bare(site.unwrap_or_else(|| Arc::new(SiteLook::new(&Site::default()))))
        },
        status: error.status_code().as_u16(),
        title: error.title().to_owned(),
        detail: way_on.detail.unwrap_or_else(|| page_detail(error)),
        link: (way_on.link.0, way_on.link.1.to_owned()),
        // Only the cause of a server error is in the log, to be found by the id.
        request_id: id.filter(|_| is_logged).map(|id| id.to_string()),
    };
    page(error.status_code(), &template).unwrap_or_else(|err| bare(&err))
}

/// Returns the redirect to the page that shows the error of a form, if there is to be one.
pub(super) fn error_redirect(
    request: &HttpRequest,
    error: &Error,
    way_on: &WayOn,
) -> Option<HttpResponse> {
    let is_hidden = request.path().starts_with("/admin/")
        && matches!(error, Error::NotFound | Error::NoAuthority);
    let is_unread = matches!(
        error,
        Error::MethodNotAllowed
            | Error::TooLarge { .. }
            | Error::TooSlow { .. }
            | Error::UnsupportedMediaType { .. }
    );
    // What the service can't do now is to be tried again.
    if is_hidden || is_unread || !error.status_code().is_client_error() {
        return None;
    }
    let (href, name) = &way_on.link;
    let shown = ShownError {
        status: error.status_code().as_u16(),
        title: error.title().to_owned(),
        detail: way_on.detail.clone().unwrap_or_else(|| page_detail(error)),
        link: (href.clone(), (*name).to_owned()),
    };
    failed_form::store_error(request, shown).map(see_other)
}

/// Responds with the page of an error instead of another page, where that is what a form that failed has been
/// redirected to: once, as the error may be none by the time the page is reloaded. Of the administrators' pages,
/// behind their gate.
pub async fn show_failed(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> std::result::Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, actix_web::Error> {
    let is_admitted = request.extensions().contains::<Admitted>();
    let is_behind_gate = request.path().starts_with("/admin") && !is_admitted;
    if is_behind_gate {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    if let Some(page) = failed_form::page_without(request.request()) {
        return Ok(request.into_response(see_other(page)).map_into_right_body());
    }
    let response = site_of(request.app_data()).and_then(|site| {
        let form = failed_form::shown(request.request())?;
        let error = form.failure.error.clone()?;
        failed_form::forget(request.request());
        Some(shown_page(&form, error, site))
    });
    match response {
        Some(response) => Ok(request.into_response(response).map_into_right_body()),
        None => Ok(next.call(request).await?.map_into_left_body()),
    }
}

/// Returns the page of the error of a form.
fn shown_page(form: &FailedForm, error: ShownError, site: Arc<SiteLook>) -> HttpResponse {
    let template = ErrorPage {
        layout: Layout {
            behind: form.behind.clone(),
            ..Layout::bare(site)
        },
        status: error.status,
        title: error.title,
        detail: error.detail,
        link: error.link,
        request_id: None,
    };
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::OK);
    page(status, &template).unwrap_or_else(|err| bare(&err))
}

/// Returns the look of the site, if the application has its state.
pub(super) fn site_of(app: Option<&web::Data<AppState>>) -> Option<Arc<SiteLook>> {
    app.map(|app| app.site.clone())
}

/// Returns an empty response, for an error in the rendering of a page.
fn bare(err: &Error) -> HttpResponse {
    tracing::error!(error = %Chain(err), "a page could not be rendered");
    HttpResponse::new(StatusCode::INTERNAL_SERVER_ERROR)
}
