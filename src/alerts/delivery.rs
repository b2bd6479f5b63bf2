//! Alerts by e-mail: a queue in the database, so that nobody who causes one waits for a mail server,
//! and none is lost by a restart. What can't be sent is tried again later; what may have been sent is
//! not sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::links::Links;
use super::store::queue::{self, Queued, State};
use super::{letter, store};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::Result;
use crate::mail::{Conversation, Fault, Letter, Mailer};

/// How long a node may take with a letter before another one tries: for the steps of a conversation,
/// each of which may take the mail server's time, and some more.
const LEASE_STEPS: u32 = 4;
const LEASE_MARGIN: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Sends the letters that wait; a clone is the same.
#[derive(Clone)]
pub struct Delivery {
    db: Db,
    clock: Clock,
    links: Arc<Links>,
    mailer: Arc<Mailer>,
    give_up_after: Duration,
    is_stopping: Arc<AtomicBool>,
}

/// What became of one letter.
enum Outcome {
    Sent,
    /// The server does not want it, now or ever.
    Refused(Fault),
    /// The server could not be spoken with.
    Down(Fault),
    /// The server has it and did not say whether it takes it.
    Unknown(Fault),
    /// Another node took it meanwhile.
    Lost,
}

impl Delivery {
    /// Sends the letters in `db` with `mailer`.
    pub fn new(
        db: Db,
        clock: Clock,
        links: Arc<Links>,
        mailer: Mailer,
        give_up_after: Duration,
    ) -> Self {
        Self {
            db,
            clock,
            links,
            mailer: Arc::new(mailer),
            give_up_after,
            is_stopping: Arc::default(),
        }
    }

    /// Takes up no other letter from now on.
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
    }

    /// Sends what is due, until nothing is or the server is down. Answers how many were sent.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn deliver_due(&self) -> Result<usize> {
        let mut sent = 0;
        let mut conversation = None;
        while let Some(mail) = self.claim().await? {
            let outcome = self.deliver(&mut conversation, &mail).await?;
            let is_down = matches!(outcome, Outcome::Down(_));
            sent += usize::from(matches!(outcome, Outcome::Sent));
            self.note(&mail, outcome).await?;
            if is_down {
                break;
            }
        }
        if let Some(conversation) = conversation {
            conversation.end().await;
        }
        Ok(sent)
    }

    async fn claim(&self) -> Result<Option<Queued>> {
        if self.is_stopping.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let now = self.clock.now();
        let lease = self.mailer.timeout() * LEASE_STEPS + LEASE_MARGIN;
        self.db
            .transaction(move |c| queue::claim(c, now, now + lease))
            .await
    }

    async fn letter(&self, mail: &Queued) -> Result<Letter> {
        let links = self.links.clone();
        let alert = mail.alert_id;
        self.db
            .read(move |c| letter::write(&store::by_id(c, alert)?, &links))
            .await
    }

    /// Speaks with the server. What it was given completely is never given again.
    async fn deliver(
        &self,
        conversation: &mut Option<Conversation>,
        mail: &Queued,
    ) -> Result<Outcome> {
        let letter = self.letter(mail).await?;
        let message = match self
            .mailer
            .message(mail.id, &mail.recipient, letter, mail.created_at)
        {
            Ok(message) => message,
            Err(fault) => return Ok(Outcome::Refused(fault)),
        };
        let mut speaking = match conversation.take() {
            Some(speaking) => speaking,
            None => match self.mailer.connect().await {
                Ok(speaking) => speaking,
                Err(fault) => return Ok(Outcome::Down(fault)),
            },
        };
        if let Err(fault) = speaking.announce(message.envelope()).await {
            return Ok(match fault.is_an_answer() {
                true => Outcome::Refused(fault),
                false => Outcome::Down(fault),
            });
        }
        if !self.hand_over(mail).await? {
            return Ok(Outcome::Lost);
        }
        match speaking.give(&message.formatted()).await {
            Ok(()) => {
                *conversation = Some(speaking);
                Ok(Outcome::Sent)
            }
            Err(fault) if fault.is_an_answer() => Ok(Outcome::Refused(fault)),
            Err(fault) => Ok(Outcome::Unknown(fault)),
        }
    }

    /// From here on the letter counts as sent unless the server says otherwise.
    async fn hand_over(&self, mail: &Queued) -> Result<bool> {
        let now = self.clock.now();
        let (id, attempts) = (mail.id, mail.attempts);
        self.db
            .write(move |c| queue::hand_over(c, id, attempts, now))
            .await
    }

    async fn note(&self, mail: &Queued, outcome: Outcome) -> Result<()> {
        let now = self.clock.now();
        let id = mail.id;
        let is_old = now.since(mail.created_at) >= self.give_up_after;
        let next = match outcome {
            Outcome::Lost => return Ok(()),
            Outcome::Sent => State::Sent,
            Outcome::Unknown(fault) => {
                tracing::warn!(mail = %id, %fault, "the mail server did not say whether it took a letter; it is not sent again");
                State::HandedOver
            }
            Outcome::Refused(fault) if fault.is_for_good() || is_old => {
                tracing::warn!(mail = %id, %fault, "the mail server refused a letter; it is given up");
                State::Failed
            }
            Outcome::Down(fault) if is_old => {
                tracing::warn!(mail = %id, %fault, "a letter could not be sent for too long; it is given up");
                State::Failed
            }
            Outcome::Refused(fault) | Outcome::Down(fault) => {
                tracing::warn!(mail = %id, %fault, "a letter could not be sent; it is tried again later");
                State::Waiting
            }
        };
        let due = now + pause(mail.attempts);
        let claim = (id, mail.attempts);
        self.db
            .write(move |c| queue::note(c, claim, next, due, now).map(drop))
            .await
    }
}

/// How long to wait after so many attempts: one minute, then twice as long each time.
fn pause(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or_default();
    FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(doublings.min(16)))
        .min(LONGEST_PAUSE)
}
