//! The actor that owns the buffer of last uses. It receives them as messages, and completes a flush
//! even when its sender is gone: a cancelled request loses no use that another one recorded.

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use tokio::sync::oneshot;

use crate::db::Db;
use crate::error::Result;
use crate::sessions::{
    FlushLastUses, LastUseBuffer, LastUses, RecordLastUse, WriteOutcome, write_last_uses,
};

/// The number of messages that may wait in the mailbox. While it is full, uses are written at once.
const MAILBOX_CAPACITY: usize = 4_096;

struct LastUseWriter {
    db: Db,
    buffer: LastUseBuffer,
    /// Whether a flush is in progress.
    is_flushing: bool,
    /// Where the results of the flushes requested since the one in progress began are sent. Each
    /// belongs to a waiting request or job, so the number of connections bounds them.
    waiting: Vec<oneshot::Sender<Result<usize>>>,
}

/// Starts the actor in the current actix system, and returns the recorder that feeds it.
pub(super) fn start(db: Db) -> LastUses {
    let buffer = LastUseBuffer::default();
    let is_full = buffer.is_full();
    let writer = LastUseWriter {
        db: db.clone(),
        buffer,
        is_flushing: false,
        waiting: Vec::new(),
    }
    .start();
    LastUses::buffered(db, writer.clone().recipient(), writer.recipient(), is_full)
}

impl Actor for LastUseWriter {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(MAILBOX_CAPACITY);
    }
}

impl Handler<RecordLastUse> for LastUseWriter {
    type Result = ();

    fn handle(&mut self, RecordLastUse(used): RecordLastUse, _: &mut Self::Context) {
        self.buffer.insert(used);
    }
}

impl Handler<FlushLastUses> for LastUseWriter {
    type Result = ();

    fn handle(&mut self, FlushLastUses { reply }: FlushLastUses, context: &mut Self::Context) {
        self.waiting.retain(|reply| !reply.is_closed());
        self.waiting.push(reply);
        if !self.is_flushing {
            self.flush(context);
        }
    }
}

impl LastUseWriter {
    /// Writes the uses that are buffered now, then sends the result for the flushes requested until
    /// now. Uses and flushes that arrive meanwhile are handled by the next flush.
    fn flush(&mut self, context: &mut Context<Self>) {
        self.is_flushing = true;
        let (db, uses) = (self.db.clone(), self.buffer.take());
        let waiting = std::mem::take(&mut self.waiting);
        let write = async move { write_last_uses(&db, uses).await };
        context.spawn(write.into_actor(self).map(|outcome, writer, context| {
            writer.finish_flush(outcome, waiting, context);
        }));
    }

    fn finish_flush(
        &mut self,
        outcome: WriteOutcome,
        waiting: Vec<oneshot::Sender<Result<usize>>>,
        context: &mut Context<Self>,
    ) {
        for used in outcome.unwritten {
            self.buffer.insert(used);
        }
        for reply in waiting {
            // The receiver may have been dropped.
            let _ = reply.send(outcome.result.clone());
        }
        self.is_flushing = false;
        if !self.waiting.is_empty() {
            self.flush(context);
        }
    }
}
