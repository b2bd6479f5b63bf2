//! `/devices/changes`: notifies an open page of changes (server-sent events, HTML Living Standard
//! 9.2), so that it shows the new state, or goes to sign-in.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::Stream;
use futures_util::stream::{empty, once, unfold};
use futures_util::{StreamExt, future::ready};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::{Change, EventKind, Subscription};
use crate::http::app_state::AppState;
use crate::http::caller::ListeningCaller;

/// How long to wait for a change before a comment is sent, which keeps proxies from closing the
/// stream as idle.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Sets the delay before a browser reconnects: 2 seconds.
const RETRY_DELAY: &str = "retry: 2000\n\n";
const COMMENT: &str = ": still here\n\n";
const CHANGED: &str = "event: changed\ndata:\n\n";
const SIGNED_OUT: &str = "event: signed-out\ndata:\n\n";
/// Newer pages of the session listen in place of this one, which must not reconnect.
const REPLACED: &str = "event: replaced\ndata:\n\n";

/// The query of `GET /devices/changes`.
#[derive(Deserialize)]
pub struct ChangesQuery {
    /// When the page was rendered, in microseconds since the Unix epoch.
    since: i64,
}

/// A page that is notified of the changes to its person after `since`.
struct Listener {
    subscription: Subscription,
    user: UserId,
    session: SessionId,
    since: Timestamp,
    is_over: bool,
}

/// Opens the stream, which ends when the page's session ends, when several newer pages of it listen,
/// or when the node stops. With a cookie that was just replaced it ends at once, and the browser
/// reconnects with the new one. To listen is no use of the session. `HEAD` opens no stream.
///
/// # Errors
/// [`Error::Invalid`] when `since` is out of range; [`Error::Busy`] when the node has as many
/// streams as it may; [`Error::Unavailable`] when the node is stopping or the database doesn't
/// respond.
pub async fn stream(
    app: web::Data<AppState>,
    request: HttpRequest,
    ListeningCaller(caller): ListeningCaller,
    web::Query(query): web::Query<ChangesQuery>,
) -> Result<HttpResponse> {
    let since =
        Timestamp::from_micros(query.since).ok_or_else(|| Error::field("since", "is no time"))?;
    if *request.method() == Method::HEAD {
        app.changes.require_room(caller.session.id)?;
        return Ok(event_stream(empty()));
    }
    let subscription = app.changes.subscribe(caller.session.id)?;
    let has_changed = app.changes.has_changed_since(caller.user.id, since).await?;
    let listener = Listener {
        subscription,
        user: caller.user.id,
        session: caller.session.id,
        since,
        is_over: !caller.may_write(),
    };
    let first = if has_changed { CHANGED } else { RETRY_DELAY };
    let stream = once(ready(Ok(Bytes::from_static(first.as_bytes())))).chain(messages(listener));
    Ok(event_stream(stream))
}

fn event_stream(
    stream: impl Stream<Item = std::result::Result<Bytes, Infallible>> + 'static,
) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        // nginx buffers the stream otherwise.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream)
}

fn messages(listener: Listener) -> impl Stream<Item = std::result::Result<Bytes, Infallible>> {
    unfold(listener, |mut listener| async move {
        let message = listener.next().await?;
        Some((Ok(Bytes::from_static(message.as_bytes())), listener))
    })
}

impl Listener {
    async fn next(&mut self) -> Option<&'static str> {
        if self.is_over {
            return None;
        }
        loop {
            let Subscription { changes, place } = &mut self.subscription;
            let received = tokio::select! {
                biased;
                () = place.replaced() => {
                    self.is_over = true;
                    return Some(REPLACED);
                }
                received = timeout(KEEP_ALIVE, changes.recv()) => received,
            };
            match received {
                Err(_) => return Some(COMMENT),
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
