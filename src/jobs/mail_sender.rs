//! Sends the letters that are due. A mail server that is down is met again at the next interval.

use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use crate::alerts::Delivery;
use crate::error::Result;

/// Asks for one round.
#[derive(Message)]
#[rtype(result = "Result<usize>")]
pub(super) struct Deliver;

/// Asks for the end: answered when the letter under way has come to its own.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Finish;

pub(super) struct MailSender {
    delivery: Delivery,
    interval: Duration,
}

impl MailSender {
    pub(super) fn new(delivery: Delivery, interval: Duration) -> Self {
        Self { delivery, interval }
    }
}

impl Actor for MailSender {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.interval, |_, context| context.notify(Deliver));
    }
}

impl Handler<Deliver> for MailSender {
    /// One round at a time.
    type Result = AtomicResponse<Self, Result<usize>>;

    fn handle(&mut self, _: Deliver, _: &mut Self::Context) -> Self::Result {
        let delivery = self.delivery.clone();
        AtomicResponse::new(Box::pin(
            async move { deliver(&delivery).await }
                .into_actor(self)
                .map(|sent, _, _| sent),
        ))
    }
}

impl Handler<Finish> for MailSender {
    type Result = ();

    fn handle(&mut self, _: Finish, _: &mut Self::Context) {}
}

async fn deliver(delivery: &Delivery) -> Result<usize> {
    let sent = delivery.deliver_due().await;
    match &sent {
        Ok(0) => {}
        Ok(letters) => tracing::info!(letters, "alerts sent by e-mail"),
        Err(fault) => tracing::warn!(%fault, "alerts could not be sent; they wait"),
    }
    sent
}
