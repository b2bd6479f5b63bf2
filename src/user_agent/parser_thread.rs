//! The one thread that parses the user agents of requests: each thread that used the patterns would
//! have caches of its own, about 7 MB in all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use super::facts::DeviceFacts;
use super::hints::ClientHints;
use super::parser::DeviceParser;

/// User agents that may wait. A request for which there is no place waits for one.
const QUEUE: usize = 256;

/// Parses user agents off the threads that serve requests; clones share the thread, which ends when all
/// are dropped.
#[derive(Clone)]
pub struct ParserThread {
    requests: mpsc::Sender<ParseRequest>,
}

/// A user agent with its hints, and where the result goes.
struct ParseRequest {
    agent: String,
    hints: ClientHints,
    /// The span of the request whose user agent it is.
    span: Span,
    reply: oneshot::Sender<DeviceFacts>,
}

impl ParserThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system's, when it has no thread.
    pub fn start(parser: DeviceParser) -> std::io::Result<Self> {
        let (requests, received) = mpsc::channel(QUEUE);
        thread::Builder::new()
            .name("user-agents".into())
            .spawn(move || serve_requests(&parser, received))?;
        Ok(Self { requests })
    }

    /// Returns the facts that `user_agent`, any text, and its client hints state.
    pub async fn parse(&self, user_agent: &str, hints: ClientHints) -> DeviceFacts {
        let (reply, replied) = oneshot::channel();
        let request = ParseRequest {
            agent: DeviceParser::truncate(user_agent).to_owned(),
            hints,
            span: Span::current(),
            reply,
        };
        let facts = match self.requests.send(request).await {
            Ok(()) => replied.await.ok(),
            Err(_) => None,
        };
        facts.unwrap_or_else(|| {
            tracing::error!("the user-agent parser is gone; devices go unrecognised");
            DeviceFacts::default()
        })
    }
}

/// Serves requests until the last sender is dropped.
fn serve_requests(parser: &DeviceParser, mut received: mpsc::Receiver<ParseRequest>) {
    while let Some(request) = received.blocking_recv() {
        // Nobody waits for a request that is gone.
        if !request.reply.is_closed() {
            let parse = || parser.parse_with_hints(&request.agent, &request.hints);
            let parse = || request.span.in_scope(parse);
            // The thread outlives a panic, which the logger records; this device goes unrecognised.
            let facts = catch_unwind(AssertUnwindSafe(parse)).unwrap_or_default();
            let _ = request.reply.send(facts);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::Poll;

    use futures_util::future::join_all;

    use super::*;

    async fn is_pending<F: Future>(future: &mut Pin<Box<F>>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[actix_web::test]
    async fn whoever_waits_for_the_parser_blocks_no_thread() {
        let (requests, received) = mpsc::channel(1);
        let parser = ParserThread { requests };
        let mut first = Box::pin(parser.parse("curl/8.0", ClientHints::default()));
        let mut second = Box::pin(parser.parse("curl/8.0", ClientHints::default()));
        // Nobody parses yet: the first waits for its result, the second for a place.
        assert!(is_pending(&mut first).await);
        assert!(is_pending(&mut second).await);
        assert_eq!(received.len(), 1);
        let built_in = DeviceParser::built_in().unwrap();
        thread::spawn(move || serve_requests(&built_in, received));
        for facts in join_all([first, second]).await {
            assert_eq!(facts.browser.as_deref(), Some("curl"));
        }
    }
}
