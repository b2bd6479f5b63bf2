//! Delivers the messages in the queue. The queue is in the database, so no request waits for the
//! SMTP server and no restart loses a message. A message that could not be sent is retried later;
//! one that may have been sent is not sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::store::{self, MessageState, QueuedMessage};
use super::{EmailMessage, MailError, Mailer, SmtpSession};
use crate::clock::Clock;
use crate::db::{AnyConnection, Db};
use crate::error::{Chain, Error, Result};

/// Steps of an SMTP session per message, each of which may take up to the server's time limit. The
/// claim of a node that takes longer expires, and another node may claim the message.
const LEASE_STEPS: u32 = 4;
/// Added to the time of those steps.
const LEASE_MARGIN: Duration = Duration::from_secs(60);
/// The wait after the first failed attempt; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(60);
/// The longest wait between two attempts.
const MAX_RETRY: Duration = Duration::from_secs(60 * 60);

/// Renders the messages in the queue, whose rows have no content.
pub trait MessageSource: Send + Sync {
    /// Returns the message; `None` when what it is about is gone, so that it isn't sent.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be rendered.
    fn render(&self, c: &mut AnyConnection, queued: &QueuedMessage)
    -> Result<Option<EmailMessage>>;
}

/// The delivery of queued messages; clones share its state.
#[derive(Clone)]
pub struct Delivery {
    db: Db,
    clock: Clock,
    messages: Arc<dyn MessageSource>,
    mailer: Arc<Mailer>,
    give_up_after: Duration,
    is_stopping: Arc<AtomicBool>,
}

/// The result of one attempt to send a message.
enum Attempt {
    Sent,
    /// The server refused the message.
    Refused(MailError),
    /// The server could not be reached.
    Unreachable(MailError),
    /// The server got the content, but its response is missing.
    Unknown(MailError),
    /// Another node claimed the message meanwhile.
    Lost,
    /// What the message is about is gone.
    Void,
    /// It can't be rendered.
    Unrenderable(Error),
}

impl Delivery {
    /// Returns the delivery of the messages queued in `db` through `mailer`. A message that still
    /// fails `give_up_after` its creation is given up.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Clock,
        messages: Arc<dyn MessageSource>,
        mailer: Mailer,
        give_up_after: Duration,
    ) -> Self {
        Self {
            db,
            clock,
            messages,
            mailer: Arc::new(mailer),
            give_up_after,
            is_stopping: Arc::default(),
        }
    }

    /// Stops claiming messages; the one in progress is finished.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    /// Sends the messages that are due, until none is or the server can't be reached. Returns how
    /// many were sent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond. The
    /// message in progress stays in the queue.
    pub async fn send_due(&self) -> Result<usize> {
        let mut sent = 0;
        let mut session = None;
        while let Some(queued) = self.claim().await? {
            let attempt = self.send(&mut session, &queued).await?;
            let is_unreachable = matches!(attempt, Attempt::Unreachable(_));
            sent += usize::from(matches!(attempt, Attempt::Sent));
            self.record(&queued, attempt).await?;
            if is_unreachable {
                break;
            }
        }
        if let Some(session) = session {
            session.quit().await;
        }
        Ok(sent)
    }

    async fn claim(&self) -> Result<Option<QueuedMessage>> {
        if self.is_stopping.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let now = self.clock.now();
        let lease = self
            .mailer
            .timeout()
            .saturating_mul(LEASE_STEPS)
            .saturating_add(LEASE_MARGIN);
        self.db
            .transaction(move |c| store::claim_due(c, now, now + lease))
            .await
    }

    /// Renders and addresses a message, or returns the attempt that failed by that.
    async fn prepare(
        &self,
        queued: &QueuedMessage,
    ) -> Result<std::result::Result<lettre::Message, Attempt>> {
        let (messages, rendered) = (self.messages.clone(), queued.clone());
        let rendered = self.db.read(move |c| messages.render(c, &rendered)).await;
        let message = match rendered {
            Ok(Some(message)) => message,
            Ok(None) | Err(Error::NotFound) => return Ok(Err(Attempt::Void)),
            // The database doesn't respond: that is about every message.
            Err(err @ (Error::Unavailable(_) | Error::Disconnected(_))) => return Err(err),
            Err(err) => return Ok(Err(Attempt::Unrenderable(err))),
        };
        let at = queued.created_at;
        let addressed = self
            .mailer
            .address(queued.id, &queued.recipient, message, at);
        Ok(addressed.map_err(Attempt::Refused))
    }

    /// Sends one message, reusing `session` if there is one. The message is marked as handed over
    /// before its content is sent, so that content the server may have accepted is never sent
    /// again.
    async fn send(
        &self,
        session: &mut Option<SmtpSession>,
        queued: &QueuedMessage,
    ) -> Result<Attempt> {
        let message = match self.prepare(queued).await? {
            Ok(message) => message,
            Err(attempt) => return Ok(attempt),
        };
        let mut open = match session.take() {
            Some(open) => open,
            None => match self.mailer.connect().await {
                Ok(open) => open,
                Err(err) => return Ok(Attempt::Unreachable(err)),
            },
        };
        if let Err(err) = open.send_envelope(message.envelope()).await {
            return Ok(match err.is_response() {
                true => Attempt::Refused(err),
                false => Attempt::Unreachable(err),
            });
        }
        if !self.mark_handed_over(queued).await? {
            return Ok(Attempt::Lost);
        }
        match open.send_content(&message.formatted()).await {
            Ok(()) => {
                *session = Some(open);
                Ok(Attempt::Sent)
            }
            Err(err) if err.is_response() => Ok(Attempt::Refused(err)),
            Err(err) => Ok(Attempt::Unknown(err)),
        }
    }

    /// Marks a message as handed over: from then on it counts as sent unless the server refuses it.
    /// Returns `false` when another node has claimed it.
    async fn mark_handed_over(&self, queued: &QueuedMessage) -> Result<bool> {
        let now = self.clock.now();
        let (id, attempts) = (queued.id, queued.attempts);
        self.db
            .write(move |c| store::mark_handed_over(c, id, attempts, now))
            .await
    }

    async fn record(&self, queued: &QueuedMessage, attempt: Attempt) -> Result<()> {
        let now = self.clock.now();
        let is_overdue = now.since(queued.created_at) >= self.give_up_after;
        let Some(state) = next_state(queued, attempt, is_overdue) else {
            return Ok(());
        };
        let due = now + retry_delay(queued.attempts);
        let claim = (queued.id, queued.attempts);
        self.db
            .transaction(move |c| {
                let updated = store::update_state(c, claim, state, due, now)?;
                // What was never sent holds no other back.
                if updated == 1 && matches!(state, MessageState::Void | MessageState::Failed) {
                    store::uncount(c, claim.0)?;
                }
                Ok(())
            })
            .await
    }
}

/// Returns the state of a message after an attempt, and logs a failed one; `None` when another node
/// has claimed the message.
fn next_state(queued: &QueuedMessage, attempt: Attempt, is_overdue: bool) -> Option<MessageState> {
    let (state, err, outcome) = match attempt {
        Attempt::Lost => return None,
        Attempt::Sent => return Some(MessageState::Sent),
        Attempt::Void => return Some(MessageState::Void),
        Attempt::Unrenderable(err) => return Some(unrenderable(queued, &err, is_overdue)),
        Attempt::Unknown(err) => (
            MessageState::HandedOver,
            err,
            "the mail server did not say whether it accepted a message; it is not sent again",
        ),
        Attempt::Refused(err) if err.is_permanent() || is_overdue => (
            MessageState::Failed,
            err,
            "the mail server refused a message; it is given up",
        ),
        Attempt::Unreachable(err) if is_overdue => (
            MessageState::Failed,
            err,
            "a message could not be sent for too long; it is given up",
        ),
        Attempt::Refused(err) | Attempt::Unreachable(err) => (
            MessageState::Waiting,
            err,
            "a message could not be sent; it is tried again later",
        ),
    };
    // Logged in quotes, since the error's sources may contain text from the server.
    let error = Chain(&err).to_string();
    tracing::warn!(message_id = %queued.id, ?error, outcome, "a message was not sent for certain");
    Some(state)
}

/// Returns the state of a message that could not be rendered. Logged at the first attempt and when
/// it is given up, not at each one.
fn unrenderable(queued: &QueuedMessage, err: &Error, is_overdue: bool) -> MessageState {
    if queued.attempts == 1 || is_overdue {
        let error = Chain(err).to_string();
        tracing::error!(message_id = %queued.id, ?error, is_given_up = is_overdue, "a message could not be rendered");
    }
    match is_overdue {
        true => MessageState::Failed,
        false => MessageState::Waiting,
    }
}

/// Returns the wait after `attempts` attempts: one minute, doubled with each further attempt, at
/// most one hour.
fn retry_delay(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or_default();
    FIRST_RETRY
        .saturating_mul(2_u32.saturating_pow(doublings.min(16)))
        .min(MAX_RETRY)
}
