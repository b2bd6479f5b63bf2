//! The responses to requests that lack the proof of their browser, where asking it again helps.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::app_state::app_state;
use super::bound_session;
use super::layout::{Layout, page};
use super::site::SiteLook;
use crate::error::MissingProof;

/// The page that asks itself again.
#[derive(Template)]
#[template(path = "pages/reload.html")]
struct ReloadPage {
    layout: Layout,
    /// The address of the request.
    address: String,
}

/// Returns the response to a request that lacks its proof, where that is neither a page of an error nor that to
/// somebody who is not signed in.
pub(super) fn respond(
    request: &HttpRequest,
    missing: MissingProof,
    site: Option<Arc<SiteLook>>,
) -> Option<HttpResponse> {
    match missing {
        MissingProof::Expired => {
            bound_session::forget(request, app_state(request).ok()?);
            let again = HttpResponse::TemporaryRedirect()
                .insert_header((LOCATION, address_of(request)))
                .finish();
            Some(again)
        }
        MissingProof::FromElsewhere => {
            let template = ReloadPage {
                layout: Layout::bare(site?),
                address: address_of(request),
            };
            page(StatusCode::OK, &template).ok()
        }
        MissingProof::NotNow | MissingProof::Absent => None,
    }
}

/// Returns the path and the query of a request, as they were sent.
pub(super) fn address_of(request: &HttpRequest) -> String {
    let address = request.uri().path_and_query();
    address.map_or("/", |address| address.as_str()).to_owned()
}
