//! The actor that owns the buffer of last uses. It is fed by messages, and goes on when whoever sent
//! them is gone: a request that is cut off loses no use of another one.

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use tokio::sync::oneshot;

use crate::db::Db;
use crate::error::Result;
use crate::sessions::{
    FlushLastUses, LastUseBuffer, LastUses, RecordLastUse, WriteOutcome, write_last_uses,
};

/// Messages that may wait for the actor. A use that finds the mailbox full is written at once.
const MAILBOX_CAPACITY: usize = 4_096;

struct LastUseWriter {
    db: Db,
    buffer: LastUseBuffer,
    /// Whether a flush is in progress.
    is_flushing: bool,
    /// Those who asked for a flush since the one in progress began. Each is a request or a job that
    /// waits, so there are no more of them than connections.
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
        self.waiting.push(reply);
        if !self.is_flushing {
            self.flush(context);
        }
    }
}

impl LastUseWriter {
    /// Writes what is buffered now, then notifies those who are waiting now. Uses and flushes that
    /// come meanwhile are for the next flush.
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
            // Whoever asked may be gone.
            let _ = reply.send(outcome.result.clone());
        }
        self.is_flushing = false;
        if !self.waiting.is_empty() {
            self.flush(context);
        }
    }
}
