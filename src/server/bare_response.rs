//! Adds the security headers to the responses that `actix-http` gives itself. What it can't read as
//! a request never comes to the application: it sends an empty 400, 408 or 431, and has no hook.
//!
//! [`CompletingStream`] is between it and the socket, and adds the headers to a bare head at the end
//! of what is to be written. No byte of the application's is ever taken for one:
//!
//! - While a request is with the application, or its response not yet wholly encoded, nothing is
//!   added ([`Turns`]). So what is written ends where a response ends.
//! - A bare head has `content-length`, `connection` and `date`, and nothing else ([`is_bare_head`]).
//!   Every head of the application's has the security headers.
//! - A body could end in the text of one. After a body that ends as a bare head does, nothing is
//!   added until all of it is written. A chunked body always ends otherwise.
//!
//! Where this can't be told, as after an error that no middleware rendered, the bytes stay as they
//! are. The headers go out ahead of the blank line and are not counted as written; the caller's own
//! bytes are, each when it is. Nothing is buffered, so there is nothing to flush.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::turns::{END, Turns};

const STATUSES: [&str; 3] = [
    "400 Bad Request",
    "408 Request Timeout",
    "431 Request Header Fields Too Large",
];
const CONNECTIONS: [&str; 3] = [
    "connection: close",
    "connection: keep-alive",
    "connection: upgrade",
];
const BLANK_LINE: usize = 2;
/// Longer than any bare head.
const LONGEST: usize = 256;

/// A stream that completes the bare heads written to it.
pub(super) struct CompletingStream<T> {
    stream: T,
    turns: Rc<Turns>,
    lines: Arc<[u8]>,
    /// The caller's bytes up to the end of a bare head, still to be written; 0 where there is none.
    left: usize,
    /// The bytes of `lines` that are written.
    added: usize,
}

impl<T: AsyncWrite + Unpin> CompletingStream<T> {
    /// Returns a stream that adds `lines`.
    pub(super) fn new(stream: T, lines: Arc<[u8]>) -> Self {
        Self {
            stream,
            turns: Rc::default(),
            lines,
            left: 0,
            added: 0,
        }
    }

    /// Returns the turns of the application on this connection.
    pub(super) fn turns(&self) -> Rc<Turns> {
        self.turns.clone()
    }

    fn poll_plain(&mut self, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    /// Writes bytes that end in a bare head, or a part of them: all in one go where the socket
    /// takes it, since the connection is closed at once.
    fn poll_completed(
        &mut self,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let ahead = self.left.saturating_sub(BLANK_LINE);
        let buffer = &buffer[..buffer.len().min(self.left)];
        if buffer.len() <= ahead {
            let accepted = ready!(self.poll_plain(context, buffer))?;
            self.left -= accepted;
            return Poll::Ready(Ok(accepted));
        }
        let (before, blank_line) = buffer.split_at(ahead);
        loop {
            let lines = &self.lines[self.added..];
            let slices = [before, lines, blank_line].map(IoSlice::new);
            let stream = Pin::new(&mut self.stream);
            let written = ready!(stream.poll_write_vectored(context, &slices))?;
            let added = written.saturating_sub(before.len()).min(lines.len());
            let accepted = written - added;
            self.added += added;
            self.left -= accepted;
            if accepted > 0 || written == 0 {
                return Poll::Ready(Ok(accepted));
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for CompletingStream<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.left == 0 && this.turns.may_end_bare() && ends_in_bare_head(buffer) {
            (this.left, this.added) = (buffer.len(), 0);
        }
        match this.left {
            0 => this.poll_plain(context, buffer),
            _ => this.poll_completed(context, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // The dispatcher flushes once all of its buffer is accepted, and only then.
        this.turns.all_is_written();
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for CompletingStream<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

fn ends_in_bare_head(buffer: &[u8]) -> bool {
    if !buffer.ends_with(END) {
        return false;
    }
    let end = &buffer[buffer.len().saturating_sub(LONGEST)..];
    let version = b"HTTP/1.";
    let start = end
        .windows(version.len())
        .rposition(|window| window == version);
    start.is_some_and(|start| is_bare_head(&end[start..]))
}

/// Returns whether this is a head exactly as `actix-http` writes its own.
fn is_bare_head(head: &[u8]) -> bool {
    let head = str::from_utf8(head).ok();
    let Some(head) = head.and_then(|head| head.strip_suffix("\r\n\r\n")) else {
        return false;
    };
    let lines: Vec<&str> = head.split("\r\n").collect();
    let (status, date) = match lines[..] {
        [status, "content-length: 0", date] => (status, date),
        [status, "content-length: 0", connection, date] if CONNECTIONS.contains(&connection) => {
            (status, date)
        }
        _ => return false,
    };
    let status = status
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| status.strip_prefix("HTTP/1.0 "));
    status.is_some_and(|status| STATUSES.contains(&status)) && date.starts_with("date: ")
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const LINES: &[u8] = b"x-frame-options: DENY\r\ncache-control: no-store\r\n";
    const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-frame-options: DENY\r\n\
                          date: Sun, 29 Nov 2026 10:00:00 GMT\r\n\r\nok";
    const BARE: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\
                          connection: close\r\ndate: Sun, 29 Nov 2026 10:00:00 GMT\r\n\r\n";

    /// A socket that takes so many bytes at a time, and nothing every other time.
    struct Socket {
        step: usize,
        is_full: bool,
        taken: Vec<u8>,
    }

    impl Socket {
        fn take(&mut self, slices: &[&[u8]]) -> Poll<io::Result<usize>> {
            self.is_full = !self.is_full;
            if self.is_full {
                return Poll::Pending;
            }
            let bytes = slices.concat();
            let count = bytes.len().min(self.step);
            self.taken.extend_from_slice(&bytes[..count]);
            Poll::Ready(Ok(count))
        }
    }

    impl AsyncWrite for Socket {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.get_mut().take(&[buffer])
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffers: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let buffers: Vec<&[u8]> = buffers.iter().map(|buffer| &buffer[..]).collect();
            self.get_mut().take(&buffers)
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn stream(step: usize) -> CompletingStream<Socket> {
        let socket = Socket {
            step,
            is_full: false,
            taken: Vec::new(),
        };
        CompletingStream::new(socket, LINES.into())
    }

    /// Writes all of it, at most so many bytes at a time, and flushes as the dispatcher does.
    fn write(stream: &mut CompletingStream<Socket>, mut bytes: &[u8], most: usize) {
        let context = &mut Context::from_waker(Waker::noop());
        while !bytes.is_empty() {
            let offered = &bytes[..bytes.len().min(most)];
            if let Poll::Ready(accepted) = Pin::new(&mut *stream).poll_write(context, offered) {
                let accepted = accepted.unwrap();
                assert!(0 < accepted && accepted <= offered.len());
                bytes = &bytes[accepted..];
            }
        }
        assert!(Pin::new(stream).poll_flush(context).is_ready());
    }

    fn completed(bare: &[u8]) -> Vec<u8> {
        let (head, blank_line) = bare.split_at(bare.len() - BLANK_LINE);
        [head, LINES, blank_line].concat()
    }

    #[test]
    fn a_bare_head_is_completed_however_it_is_written() {
        for step in 1..=BARE.len() + LINES.len() {
            for before in [b"".as_slice(), GOOD] {
                let mut stream = stream(step);
                write(&mut stream, &[before, BARE].concat(), usize::MAX);
                write(&mut stream, GOOD, usize::MAX);
                let expected = [before, &completed(BARE), GOOD].concat();
                assert_eq!(stream.stream.taken, expected, "{step}");
            }
        }
    }

    #[test]
    fn a_rest_may_be_offered_in_parts() {
        let context = &mut Context::from_waker(Waker::noop());
        for first in 1..BARE.len() {
            for most in 1..5 {
                let mut stream = stream(first);
                stream.stream.is_full = true;
                let accepted = Pin::new(&mut stream).poll_write(context, BARE);
                let Poll::Ready(Ok(accepted)) = accepted else {
                    panic!("{accepted:?}");
                };
                write(&mut stream, &BARE[accepted..], most);
                assert_eq!(stream.stream.taken, completed(BARE), "{first} {most}");
            }
        }
    }

    #[test]
    fn an_open_turn_leaves_all_as_it_is() {
        let mut stream = stream(50);
        stream.turns.begin();
        write(&mut stream, BARE, usize::MAX);
        assert_eq!(stream.stream.taken, BARE);
    }

    #[test]
    fn after_a_misleading_body_all_stays_as_it_is_until_it_is_written() {
        for step in [1, 7, 1_000] {
            let mut stream = stream(step);
            stream.turns.begin();
            stream.turns.end(true);
            write(&mut stream, BARE, usize::MAX);
            assert_eq!(stream.stream.taken, BARE);
            stream.stream.taken.clear();
            write(&mut stream, BARE, usize::MAX);
            assert_eq!(stream.stream.taken, completed(BARE));
        }
    }

    #[test]
    fn only_a_head_of_actix_is_one() {
        let text = str::from_utf8(BARE).unwrap();
        for bare in [
            text.into(),
            text.replace("connection: close\r\n", ""),
            text.replace("HTTP/1.1", "HTTP/1.0"),
            text.replace("400 Bad Request", "408 Request Timeout"),
        ] {
            assert!(ends_in_bare_head(bare.as_bytes()), "{bare}");
        }
        for other in [
            text.replace("400 Bad Request", "200 OK"),
            text.replace("length: 0", "length: 1"),
            text.replace("close", "close\r\nx: y"),
            text.replace("date", "x"),
            format!("{text}x"),
            text[1..].to_owned(),
            text[..text.len() - 1].to_owned(),
        ] {
            assert!(!ends_in_bare_head(other.as_bytes()), "{other}");
        }
        assert!(!ends_in_bare_head(GOOD));
    }
}
