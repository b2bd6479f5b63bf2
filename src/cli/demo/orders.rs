//! What the sample administrator ended in bulk: one order that is done, and one that was stopped.

use super::people::PEOPLE;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::events::Origin;
use crate::sessions::Sessions;
use crate::sessions::bulk::{EndOrder, OwnSessions, Repetition, Selection};
use crate::sessions::search::SessionFilter;

/// An order, `ago` minutes before now, for the sessions in a country that none of the sample people
/// is in.
pub(super) struct SampleOrder {
    pub(super) ago: u32,
    country: &'static str,
    reason: &'static str,
    outcome: Outcome,
}

enum Outcome {
    Done,
    /// Stopped after the first batch.
    Stopped,
}

const DAY: u32 = 24 * 60;

/// The orders.
pub(super) static ORDERS: [SampleOrder; 2] = [
    SampleOrder {
        ago: 3 * DAY,
        country: "United States",
        reason: "The office in Chicago has closed. Its devices were handed in.",
        outcome: Outcome::Done,
    },
    SampleOrder {
        ago: 100,
        country: "Germany",
        reason: "Everybody in Berlin signs in again after the network was rebuilt.",
        outcome: Outcome::Stopped,
    },
];

/// Returns the place of the person among the sample people who makes the orders.
pub(super) fn administrator() -> usize {
    let is_admin = |person: &super::people::Person| person.role == crate::people::Role::Admin;
    PEOPLE.iter().position(is_admin).unwrap_or_default()
}

impl SampleOrder {
    /// Makes the order at `now`. It is for sessions that have not been used since.
    pub(super) async fn run(
        &self,
        sessions: &Sessions,
        origin: Origin,
        now: Timestamp,
    ) -> Result<()> {
        let used_to = now.to_rfc3339();
        let pairs = [("country", self.country), ("used_to", used_to.as_str())];
        let order = EndOrder {
            selection: Selection::matching(&SessionFilter::parse(pairs)?, now)?,
            own: OwnSessions::LeftOut,
            repetition: Repetition::Another,
            origin: origin.clone().with_reason(self.reason.parse()?),
        };
        match self.outcome {
            Outcome::Done => {
                sessions.order_end(order).await?;
                while sessions.run_bulk_jobs().await? > 0 {}
            }
            Outcome::Stopped => {
                let ordered = sessions.create_job(order).await?;
                sessions.run_bulk_batch(ordered.job.id).await?;
                sessions.stop_bulk_job(ordered.job.id, origin).await?;
            }
        }
        Ok(())
    }
}
