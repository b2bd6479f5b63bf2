//! Summaries of the sessions of single people, for lists of people and for what is about to end.

use std::collections::{HashMap, HashSet};

use super::{Session, Sessions, store};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::Result;

/// Live sessions of one person that a summary counts at most.
const MAX_COUNTED: usize = 1_000;
/// Ended sessions of one person among which the last sign-in is found, those that ended last.
const MAX_ENDED: i64 = 20;

/// The sessions of a person in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionSummary {
    /// How many are live.
    pub sessions: usize,
    /// On how many devices.
    pub devices: usize,
    /// Whether there are more than were counted.
    pub has_more: bool,
    /// The last sign-in, among the live sessions and the twenty that ended last.
    pub last_sign_in: Option<Timestamp>,
}

impl Sessions {
    /// Summarizes the sessions of each of these people.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn summarize(&self, people: Vec<UserId>) -> Result<HashMap<UserId, SessionSummary>> {
        let now = self.clock.now();
        self.db
            .read(move |c| {
                let mut summaries = HashMap::with_capacity(people.len());
                for id in people {
                    summaries.insert(id, summarize(c, id, now)?);
                }
                Ok(summaries)
            })
            .await
    }

    /// Lists a person's live sessions, newest use first, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_newest_live(&self, owner: UserId, limit: u32) -> Result<Vec<Session>> {
        let now = self.clock.now();
        self.db
            .read(move |c| store::list_newest_live(c, owner, now, i64::from(limit)))
            .await
    }
}

fn summarize(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<SessionSummary> {
    let mut active = store::list_active_sign_ins(c, user, MAX_COUNTED as i64 + 1)?;
    let has_more = active.len() > MAX_COUNTED;
    active.truncate(MAX_COUNTED);
    let ended = store::list_ended_sign_ins(c, user, MAX_ENDED)?;
    let last_sign_in = active.iter().map(|(_, at, _)| *at).chain(ended).max();
    let is_live = |expires: Timestamp| expires > now;
    let live = active.iter().filter(|(_, _, expires)| is_live(*expires));
    let devices: Vec<Option<&str>> = live.map(|(id, ..)| id.as_deref()).collect();
    let ids: HashSet<&str> = devices.iter().copied().flatten().collect();
    // Each session without a device id is a device of its own.
    let without_id = devices.iter().filter(|id| id.is_none()).count();
    Ok(SessionSummary {
        sessions: devices.len(),
        devices: ids.len() + without_id,
        has_more,
        last_sign_in,
    })
}
