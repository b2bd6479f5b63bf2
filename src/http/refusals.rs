//! What of the refused requests is recorded: forms that may be forged, what is for administrators, and
//! tokens. Tries of passwords are observed by the throttles.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;

use super::app_state::app_state;
use super::client::{location, source};
use super::form_origin::FormOrigin;
use super::logged_caller::LoggedCaller;
use super::{browser, failed_form, logged_caller};
use crate::error::Error;
use crate::events::{EventKind, Refusal, Source};

/// The part of a route that stands for the token of a link.
const LINK_TOKEN: &str = "{token}";
/// What is added to the route of a request that another site led to.
const FROM_ANOTHER_SITE: &str = " (from another site)";

/// Observes a request that is responded with an error.
pub(super) async fn observe_error(request: &HttpRequest, error: &Error) {
    match error {
        Error::CsrfMismatch => {
            identify(request).await;
            observe_form(request);
        }
        // Where from is of no use: it happens to everybody.
        Error::InvalidToken(refusal) if refusal.is_routine() => {
            observe(request, EventKind::TokenRefused, refusal.as_str(), None);
        }
        Error::InvalidToken(refusal) => observe_token(request, refusal.as_str()),
        Error::InvalidClient => observe_token(request, "api_key"),
        Error::InsufficientScope { .. } => observe_token(request, "scope"),
        _ => {}
    }
}

/// Finds who sent a form that was refused before they were identified. An error leaves that unknown.
async fn identify(request: &HttpRequest) {
    if logged_caller::recorded(request).user.is_some() {
        return;
    }
    let (Ok(app), Ok(Some(claim))) = (app_state(request), browser::session_claim(request)) else {
        return;
    };
    let location = location(request, app);
    if let Ok(caller) = app.sessions.identify(claim, location).await {
        logged_caller::record_caller(request, &caller);
    }
}

/// Observes a page that is not found. The token of a link is a secret like any other.
pub(super) fn observe_page(request: &HttpRequest, status: StatusCode) {
    let is_link = || route(request).contains(LINK_TOKEN);
    let is_gone = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
    // What is shown again was observed when it was responded first.
    if is_gone && is_link() && failed_form::shown(request).is_none() {
        observe_token(request, "link");
    }
}

/// Observes a form that may be forged.
pub(super) fn observe_form(request: &HttpRequest) {
    let source = sent_from(request);
    observe(request, EventKind::FormRefused, route(request), source);
}

/// Observes that something of administrators was requested by somebody who is none. Another site can lead
/// any browser there: then no person is blamed for it.
pub(super) fn observe_admin(request: &HttpRequest) {
    let source = sent_from(request);
    let mut detail = route(request);
    let mut caller = logged_caller::recorded(request);
    if FormOrigin::from_request(request) == FormOrigin::Other {
        detail.push_str(FROM_ANOTHER_SITE);
        caller = LoggedCaller::default();
    }
    observe_of(
        request,
        caller,
        (EventKind::AdminRefused, detail.into()),
        source,
    );
}

fn observe_token(request: &HttpRequest, reason: &'static str) {
    let source = sent_from(request);
    observe(request, EventKind::TokenRefused, reason, source);
}

fn observe(
    request: &HttpRequest,
    kind: EventKind,
    detail: impl Into<Cow<'static, str>>,
    source: Option<Source>,
) {
    let caller = logged_caller::recorded(request);
    observe_of(request, caller, (kind, detail.into()), source);
}

fn observe_of(
    request: &HttpRequest,
    caller: LoggedCaller,
    (kind, detail): (EventKind, Cow<'static, str>),
    source: Option<Source>,
) {
    let Ok(app) = app_state(request) else {
        return;
    };
    app.refusals.observe(Refusal {
        kind,
        detail,
        user: caller.user,
        by: caller.user.zip(caller.session),
        application: caller.application,
        source,
    });
}

fn sent_from(request: &HttpRequest) -> Option<Source> {
    let app = app_state(request).ok()?;
    Some(source(request, app))
}

/// Returns the route of a request: of these there are as many as the service has.
fn route(request: &HttpRequest) -> String {
    request
        .match_pattern()
        .unwrap_or_else(|| "(none)".to_owned())
}
