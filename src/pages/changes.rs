//! `/devices/changes`: notifies an open page of changes (server-sent events, HTML Living Standard
//! 9.2), so that it shows the new state, or goes to sign-in.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::Stream;
use futures_util::stream::{empty, once, unfold};
use futures_util::{StreamExt, future::ready};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use crate::clock::{Clock, Timestamp};
use crate::db::{SessionId, UserId};
use crate::error::{Error, Result};
use crate::events::{Change, Changes, EventKind, PageState, Subscription};
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
    /// When the page was requested, in microseconds since the Unix epoch.
    since: i64,
    /// How many changes shortly before that it could show, if they were counted.
    seen: Option<usize>,
}

/// A page that is notified of the changes to its person that it doesn't show.
struct Listener {
    changes: Changes,
    subscription: Subscription,
    user: UserId,
    session: SessionId,
    page: PageState,
    clock: Clock,
    /// When it ends, so that its browser proves anew that it may listen, where sessions are bound.
    until: Option<Timestamp>,
    is_over: bool,
}

/// Opens the stream, which ends when the page's session ends, when several newer pages of it listen,
/// when the proof is over that its browser has the key of the session, or when the node stops. With a cookie that was just replaced it ends at once, and the browser
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
    let subscription = app.changes.subscribe(caller.user.id, caller.session.id)?;
    let page = PageState {
        at: since,
        seen: query.seen,
    };
    let has_changed = app.changes.has_changed(caller.user.id, page).await?;
    let listener = Listener {
        changes: app.changes.clone(),
        subscription,
        user: caller.user.id,
        session: caller.session.id,
        page,
        clock: app.clock.clone(),
        until: caller.proven_until,
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
            let user = self.user;
            let is_own = move |change: &Change| change.user == user;
            let left = self.until.map(|until| until.since(self.clock.now()));
            let span = left.map_or(KEEP_ALIVE, |left| left.min(KEEP_ALIVE));
            let Subscription { changes, place } = &mut self.subscription;
            let received = tokio::select! {
                biased;
                () = place.replaced() => {
                    self.is_over = true;
                    return Some(REPLACED);
                }
                received = next_change(changes, span, is_own) => received,
            };
            if self.until.is_some_and(|until| self.clock.now() >= until) {
                return None;
            }
            return match received {
                None => Some(COMMENT),
                Some(Err(RecvError::Closed)) => None,
                Some(Err(RecvError::Lagged(_))) => Some(CHANGED),
                Some(Ok(change)) if self.is_own_end(&change) => {
                    self.is_over = true;
                    Some(SIGNED_OUT)
                }
                Some(Ok(change)) if self.is_news(&change).await => Some(CHANGED),
                Some(Ok(_)) => continue,
            };
        }
    }

    /// Returns whether the page doesn't show a change: one from before it may have been committed after
    /// it was read, and one of a node whose clock is ahead before that. Where that can't be read, it may.
    async fn is_news(&self, change: &Change) -> bool {
        if self.page.seen.is_none() {
            return change.at > self.page.at;
        }
        let has_changed = self.changes.has_changed(self.user, self.page).await;
        has_changed.unwrap_or(true)
    }

    fn is_own_end(&self, change: &Change) -> bool {
        change.kind == EventKind::Ended && change.session == Some(self.session)
    }
}

/// Waits for a change that `is_news`; `None` when there is none within `span`, however many others
/// there are.
async fn next_change(
    changes: &mut Receiver<Change>,
    span: Duration,
    is_news: impl Fn(&Change) -> bool,
) -> Option<Result<Change, RecvError>> {
    let mut over = pin!(sleep(span));
    loop {
        let received = tokio::select! {
            // The end comes first: on a busy node there is always another change.
            biased;
            () = &mut over => return None,
            received = changes.recv() => received,
        };
        match received {
            Ok(change) if !is_news(&change) => {}
            received => return Some(received),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;
    use tokio::task::yield_now;
    use tokio::time::timeout;

    use super::*;

    const A_MOMENT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(20);

    fn change_of(user: u8) -> Change {
        Change {
            user: UserId::from_bytes([user; 16]),
            session: None,
            kind: EventKind::Ended,
            at: Timestamp::from_micros(0).unwrap(),
            times: 1,
        }
    }

    fn is_of_1(change: &Change) -> bool {
        change.user == UserId::from_bytes([1; 16])
    }

    #[tokio::test]
    async fn changes_of_others_do_not_put_the_keep_alive_off() {
        let (sender, mut changes) = broadcast::channel(16);
        let others = async {
            while sender.send(change_of(2)).is_ok() {
                yield_now().await;
            }
        };
        let received = tokio::select! {
            () = others => None,
            received = timeout(LONG, next_change(&mut changes, A_MOMENT, is_of_1)) => Some(received),
        };
        assert!(matches!(received, Some(Ok(None))), "{received:?}");
    }

    #[tokio::test]
    async fn the_first_change_that_is_news_is_returned() {
        let (sender, mut changes) = broadcast::channel(16);
        for user in [2, 1, 3] {
            sender.send(change_of(user)).unwrap();
        }
        let received = next_change(&mut changes, LONG, is_of_1).await;
        assert!(matches!(received, Some(Ok(change)) if is_of_1(&change)));
        drop(sender);
        let received = next_change(&mut changes, LONG, is_of_1).await;
        assert!(matches!(received, Some(Err(RecvError::Closed))));
    }
}
