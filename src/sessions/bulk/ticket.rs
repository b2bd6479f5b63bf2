//! The ticket of an order: what its form has in it, so that sent again it is the same order.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::{OrderId, SessionId};
use crate::error::{Error, Result};
use crate::sessions::Sessions;
use crate::sessions::store::{self, BulkJob};

/// How long a form may be sent. After that, its page is to be read again.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The ticket of an order that may be made once. It is no secret: it counts in one session only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderTicket {
    pub(super) id: OrderId,
    /// The latest sign-in of a session that the order is for: when its page was made, or by a clock
    /// that is ahead the latest one before that.
    pub(super) until: Timestamp,
}

impl OrderTicket {
    /// Returns whether an order may still be made with it.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        now < self.until + LIFETIME
    }

    /// Returns the latest sign-in of a session that the order is for.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }
}

impl fmt::Display for OrderTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.until.timestamp_micros())
    }
}

impl FromStr for OrderTicket {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (id, micros) = text.split_once('.')?;
            Some(Self {
                id: id.parse().ok()?,
                until: Timestamp::clamped(micros.parse().ok()?),
            })
        };
        parse().ok_or_else(|| Error::field("order", "must be that of the page"))
    }
}

impl Sessions {
    /// Returns the ticket of an order that is made later, for sessions that are signed in by now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn issue_ticket(&self) -> Result<OrderTicket> {
        let now = self.clock.now();
        let latest = self.db.read(store::find_latest_sign_in).await?;
        Ok(OrderTicket {
            id: OrderId::new(now),
            until: latest.unwrap_or(now).max(now),
        })
    }

    /// Finds the job of the order that was made with a ticket, in the same session.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_ordered(
        &self,
        session: SessionId,
        ticket: OrderTicket,
    ) -> Result<Option<BulkJob>> {
        self.db
            .read(move |c| store::find_ordered(c, session, ticket.id))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_read_as_it_was_written() {
        let at = Timestamp::clamped(1_700_000_000_123_456);
        let ticket = OrderTicket {
            id: OrderId::new(at),
            until: at,
        };
        assert_eq!(ticket.to_string().parse::<OrderTicket>().unwrap(), ticket);
        for other in [
            "",
            ".",
            "x.1",
            &format!("{}", ticket.id),
            &format!("{}.x", ticket.id),
        ] {
            assert!(other.parse::<OrderTicket>().is_err(), "{other}");
        }
    }
}
