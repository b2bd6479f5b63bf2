//! When the application has a turn on a connection, and when only `actix-http` writes.

use std::cell::Cell;
use std::error::Error as StdError;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

/// How every bare head ends: its date, and the blank line.
pub(super) const END: &[u8] = b" GMT\r\n\r\n";

/// What the application has to do with the bytes of a connection.
#[derive(Default)]
pub(super) struct Turns {
    /// The requests that the application has and hasn't wholly answered.
    open: Cell<usize>,
    /// Whether a body that ends as a bare head does may be among the bytes not yet written.
    is_misleading: Cell<bool>,
}

impl Turns {
    pub(super) fn begin(&self) {
        self.open.set(self.open.get().saturating_add(1));
    }

    pub(super) fn end(&self, is_misleading: bool) {
        self.open.set(self.open.get().saturating_sub(1));
        self.is_misleading
            .set(self.is_misleading.get() || is_misleading);
    }

    fn are_over(&self) -> bool {
        self.open.get() == 0
    }

    pub(super) fn may_end_bare(&self) -> bool {
        self.are_over() && !self.is_misleading.get()
    }

    pub(super) fn all_is_written(&self) {
        if self.are_over() {
            self.is_misleading.set(false);
        }
    }
}

/// Tells the connection from when to when the application has a turn. An error leaves it open: the
/// response to it is made outside.
///
/// # Errors
/// Those of the application.
pub(super) async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let turns = request.conn_data::<Rc<Turns>>().cloned();
    if let Some(turns) = &turns {
        turns.begin();
    }
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(match turns {
        Some(turns) => response.map_body(|_, body| BoxBody::new(WatchedBody::new(body, turns))),
        None => response,
    })
}

/// A body that ends its turn. It is dropped once it is encoded.
struct WatchedBody {
    body: BoxBody,
    turns: Rc<Turns>,
    /// The last bytes, as many as [`END`] has.
    tail: [u8; END.len()],
}

impl WatchedBody {
    fn new(body: BoxBody, turns: Rc<Turns>) -> Self {
        Self {
            body,
            turns,
            tail: [0; END.len()],
        }
    }

    fn record_tail(&mut self, bytes: &[u8]) {
        let new = &bytes[bytes.len().saturating_sub(END.len())..];
        self.tail.rotate_left(new.len());
        self.tail[END.len() - new.len()..].copy_from_slice(new);
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.turns.end(self.tail == END);
    }
}

impl MessageBody for WatchedBody {
    type Error = Box<dyn StdError>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        let next = ready!(Pin::new(&mut self.body).poll_next(context));
        if let Some(Ok(bytes)) = &next {
            self.record_tail(bytes);
        }
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::task::Waker;

    use actix_web::body::BodyStream;
    use futures_util::stream::iter;

    use super::*;

    /// A response of the application whose body comes in these pieces.
    fn answer(turns: &Rc<Turns>, pieces: &[&'static [u8]]) {
        turns.begin();
        let pieces: Vec<io::Result<web::Bytes>> = pieces
            .iter()
            .map(|piece| Ok(web::Bytes::from_static(piece)))
            .collect();
        let body = BoxBody::new(BodyStream::new(iter(pieces)));
        let mut body = WatchedBody::new(body, turns.clone());
        let context = &mut Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(_)) = Pin::new(&mut body).poll_next(context) {}
    }

    #[test]
    fn a_body_that_ends_as_a_bare_head_is_misleading_until_it_is_written() {
        let misleading: [&[&[u8]]; 2] = [
            &[b"date: Sun, 29 Nov 2026 10:00:00 GMT\r\n\r\n"],
            &[b"x GM", b"T\r", b"\n", b"\r\n"],
        ];
        for pieces in misleading {
            let turns = Rc::default();
            answer(&turns, pieces);
            answer(&turns, &[b"harmless"]);
            assert!(!turns.may_end_bare());
            turns.all_is_written();
            assert!(turns.may_end_bare());
        }
        let harmless: [&[&[u8]]; 3] = [&[], &[b" GMT\r\n\r\n", b"\n"], &[b"GMT\r\n\r\n"]];
        for pieces in harmless {
            let turns = Rc::default();
            answer(&turns, pieces);
            assert!(turns.may_end_bare());
        }
    }

    #[test]
    fn a_turn_lasts_until_its_body_is_dropped() {
        let turns = Rc::new(Turns::default());
        turns.begin();
        turns.begin();
        let body = WatchedBody::new(BoxBody::new(()), turns.clone());
        turns.all_is_written();
        assert!(!turns.may_end_bare());
        drop(body);
        assert!(!turns.may_end_bare(), "the other one is open");
        turns.end(false);
        assert!(turns.may_end_bare());
    }
}
