//! `/devices/changes`: tells an open page that something changed (server-sent events, HTML Living
//! Standard 9.2), so that it shows the new state, or goes to sign-in.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use chrono::DateTime;
use futures_util::Stream;
use futures_util::stream::{once, unfold};
use futures_util::{StreamExt, future::ready};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::{Error, Failure, Result};
use crate::events::{Change, EventKind};
use crate::http::app_state::AppState;
use crate::http::caller::PageCaller;

/// Something is sent at least this often, so that proxies don't take the stream for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

const HELLO: &str = "retry: 2000\n\n";
const STILL_HERE: &str = ": still here\n\n";
const CHANGED: &str = "event: changed\ndata:\n\n";
const SIGNED_OUT: &str = "event: signed-out\ndata:\n\n";

/// `GET /devices/changes`
#[derive(Deserialize)]
pub struct ChangesQuery {
    /// When the page was made: microseconds since the Unix epoch.
    since: i64,
}

/// Who listens, and from which moment on.
struct Listener {
    changes: Receiver<Change>,
    user: UserId,
    session: SessionId,
    since: Timestamp,
    is_over: bool,
}

/// The stream; it ends when the device is signed out, or the node stops.
pub async fn stream(
    app: web::Data<AppState>,
    PageCaller(caller): PageCaller,
    web::Query(query): web::Query<ChangesQuery>,
) -> Result<HttpResponse> {
    let since = DateTime::from_timestamp_micros(query.since)
        .ok_or_else(|| Error::field("since", "is no time"))?
        .into();
    let stopping = || Error::Unavailable(Failure::because("the service is stopping"));
    let changes = app.changes.subscribe().ok_or_else(stopping)?;
    let has_changed = app.changes.has_changed_since(caller.user.id, since).await?;
    let listener = Listener {
        changes,
        user: caller.user.id,
        session: caller.session.id,
        since,
        is_over: false,
    };
    let first = if has_changed { CHANGED } else { HELLO };
    let stream = once(ready(Ok(Bytes::from_static(first.as_bytes())))).chain(messages(listener));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        // nginx would keep it to itself until it is large.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream))
}

fn messages(listener: Listener) -> impl Stream<Item = std::result::Result<Bytes, Infallible>> {
    unfold(listener, |mut listener| async move {
        let words = listener.next().await?;
        Some((Ok(Bytes::from_static(words.as_bytes())), listener))
    })
}

impl Listener {
    async fn next(&mut self) -> Option<&'static str> {
        if self.is_over {
            return None;
        }
        loop {
            match timeout(KEEP_ALIVE, self.changes.recv()).await {
                Err(_) => return Some(STILL_HERE),
                Ok(Err(RecvError::Closed)) => return None,
                Ok(Err(RecvError::Lagged(_))) => return Some(CHANGED),
                Ok(Ok(change)) if change.user != self.user || change.at <= self.since => {}
                Ok(Ok(change)) if self.is_own_end(&change) => {
                    self.is_over = true;
                    return Some(SIGNED_OUT);
                }
                Ok(Ok(_)) => return Some(CHANGED),
            }
        }
    }

    fn is_own_end(&self, change: &Change) -> bool {
        change.kind == EventKind::Ended && change.session == Some(self.session)
    }
}
