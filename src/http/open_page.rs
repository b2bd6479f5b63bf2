//! What the script of an open page states when it requests the page again: the notice and the alerts that it
//! shows. The notice is worded anew, since it may no longer be true; an alert that was answered elsewhere keeps
//! its place.

use actix_web::{HttpMessage, HttpRequest};

use super::app_state::app_state;
use super::notice::{self, Notice, ShownNotice};
use super::prefetch::UNATTENDED;
use crate::clock::Timestamp;
use crate::db::{AlertId, UserId};

const NOTICE: &str = "x-shown-notice";
const ALERTS: &str = "x-shown-alerts";
/// The most alerts of a page.
const MAX_ALERTS: usize = 20;

/// Returns what the script of the page in the response states the notice by that the page shows.
pub fn notice_token(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    let shown = extensions.get::<ShownNotice>();
    shown.map(|ShownNotice(sealed)| sealed.clone())
}

/// Returns the notice that an open page of `reader` shows, and when it was put there.
pub fn shown_notice(request: &HttpRequest, reader: UserId) -> Option<(Notice, Timestamp)> {
    let sealed = stated(request, NOTICE)?;
    let (stored, at) = notice::open(request, app_state(request).ok()?, sealed)?;
    let is_own = matches!(stored.notice, Notice::Account(user, _) if user == reader);
    is_own.then(|| {
        let shown = ShownNotice(sealed.to_owned());
        request.extensions_mut().insert(shown);
        (stored.notice, at)
    })
}

/// Returns the alerts that an open page shows.
pub fn shown_alerts(request: &HttpRequest) -> Vec<AlertId> {
    let ids = stated(request, ALERTS).unwrap_or_default().split(',');
    ids.take(MAX_ALERTS)
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn stated<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let headers = request.headers();
    headers
        .get(name)
        .filter(|_| headers.contains_key(UNATTENDED))
        .and_then(|value| value.to_str().ok())
}
