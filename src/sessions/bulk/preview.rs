//! What an order would end: counted before anybody decides.

use std::collections::HashSet;
use std::time::Duration;

use super::selection::{OwnSessions, Selection};
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::people::User;
use crate::sessions::Sessions;
use crate::sessions::search::{IdBatch, SessionFilter, list_ids_after};
use crate::sessions::store::{self, Session};

/// Sessions counted one by one; of more, the number is approximate.
const MAX_COUNTED: usize = 10_000;
/// Ids that one query lists.
const CHUNK: i64 = 1_000;
/// How long is counted; what was found until then is said to be a part.
const BUDGET: Duration = Duration::from_secs(3);
/// Sessions that are named.
const MAX_NAMED: usize = 20;

/// What an order would end.
#[derive(Debug, Default)]
pub struct EndPreview {
    /// The live sessions, those of the caller included.
    pub sessions: u64,
    /// Their owners.
    pub people: u64,
    /// Those that are the caller's own.
    pub own: u64,
    /// Of listed ones, those that have ended before.
    pub already_over: u64,
    /// Listed ids that no session has.
    pub unknown: u64,
    /// Of those that have ended before, the caller's own.
    own_over: u64,
    /// Whether all were counted. Otherwise there are at least so many people, and about so many
    /// sessions.
    pub is_exact: bool,
    /// The first of them, with their owners.
    pub named: Vec<(Session, User)>,
}

/// The sessions and people found so far.
#[derive(Default)]
struct Count {
    sessions: usize,
    own: usize,
    over: usize,
    own_over: usize,
    people: HashSet<UserId>,
    first: Vec<SessionId>,
}

impl Count {
    fn add(&mut self, owners: &[(SessionId, UserId, bool)], caller: Option<UserId>) {
        for (id, owner, is_live) in owners {
            let is_own = usize::from(Some(*owner) == caller);
            if !is_live {
                self.over += 1;
                self.own_over += is_own;
                continue;
            }
            self.sessions += 1;
            self.own += is_own;
            self.people.insert(*owner);
            if self.first.len() < MAX_NAMED {
                self.first.push(*id);
            }
        }
    }
}

impl EndPreview {
    /// Returns how many sessions an order considers: those that it ends, and of listed ones those that
    /// are over or unknown.
    pub(super) fn considered(&self, own: OwnSessions) -> i64 {
        let all = self.sessions + self.already_over + self.unknown;
        let left_out = match own {
            OwnSessions::Included => 0,
            OwnSessions::LeftOut => self.own + self.own_over,
        };
        i64::try_from(all.saturating_sub(left_out)).unwrap_or(i64::MAX)
    }
}

impl Sessions {
    /// Counts the sessions that an order would end, and changes nothing. `caller` is the person who
    /// would order it, if it is one.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the order would be refused: when the filter names
    /// a person or an application that there is not, or several people with too many sessions;
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn preview_end(
        &self,
        selection: &Selection,
        caller: Option<UserId>,
    ) -> Result<EndPreview> {
        let selection = self.with_ids(selection.clone()).await?;
        self.count_for(&selection, caller).await
    }

    /// As [`Self::preview_end`], for a selection by ids.
    pub(super) async fn count_for(
        &self,
        selection: &Selection,
        caller: Option<UserId>,
    ) -> Result<EndPreview> {
        // What is used just now may not be one of the unused ones.
        self.flush_last_uses().await?;
        let (count, is_exact) = match selection {
            Selection::Listed(ids) => (self.count_listed(ids.clone(), caller).await?, true),
            Selection::Matching(filter) => self.count_live_matching(filter, caller).await?,
        };
        // What a filter finds exists.
        let unknown = match selection {
            Selection::Listed(ids) => ids.len() - count.sessions - count.over,
            Selection::Matching(_) => 0,
        };
        let mut preview = EndPreview {
            sessions: count.sessions as u64,
            people: count.people.len() as u64,
            own: count.own as u64,
            already_over: count.over as u64,
            unknown: unknown as u64,
            own_over: count.own_over as u64,
            is_exact,
            named: self
                .db
                .read(move |c| store::list_with_owners(c, &count.first))
                .await?,
        };
        if let (false, Selection::Matching(filter)) = (is_exact, selection) {
            self.complete(&mut preview, filter, caller).await?;
        }
        Ok(preview)
    }

    /// Returns whether an order would end a session: whether one is live that is not left out with
    /// those of `except`. Where searching for one takes long, it is taken to be so.
    ///
    /// # Errors
    /// As [`Self::preview_end`].
    pub async fn would_end(&self, selection: &Selection, except: Option<UserId>) -> Result<bool> {
        self.flush_last_uses().await?;
        let now = self.clock.now();
        let mut after: Option<(Timestamp, SessionId)> = None;
        loop {
            let selection = selection.clone();
            let (position, owners) = self
                .db
                .read(move |c| match &selection {
                    Selection::Listed(ids) => Ok((None, store::list_owners(c, ids, now)?)),
                    Selection::Matching(filter) => {
                        let IdBatch { sessions, position } =
                            list_ids_after(c, filter, after, now, CHUNK)?;
                        Ok((position, store::list_owners(c, &sessions, now)?))
                    }
                })
                .await?;
            let is_ended = |(_, owner, is_live): &(SessionId, UserId, bool)| {
                *is_live && Some(*owner) != except
            };
            let is_late = self.clock.now().since(now) >= BUDGET;
            if owners.iter().any(is_ended) || (is_late && position.is_some()) {
                return Ok(true);
            }
            after = position;
            if after.is_none() {
                return Ok(false);
            }
        }
    }

    async fn count_listed(&self, ids: Vec<SessionId>, caller: Option<UserId>) -> Result<Count> {
        let now = self.clock.now();
        let owners = self
            .db
            .read(move |c| store::list_owners(c, &ids, now))
            .await?;
        let mut count = Count::default();
        count.add(&owners, caller);
        Ok(count)
    }

    /// Counts the sessions that `filter` finds, and returns whether that was all.
    async fn count_live_matching(
        &self,
        filter: &SessionFilter,
        caller: Option<UserId>,
    ) -> Result<(Count, bool)> {
        let now = self.clock.now();
        let mut count = Count::default();
        let mut after: Option<(Timestamp, SessionId)> = None;
        loop {
            let filter = filter.clone();
            let (position, owners) = self
                .db
                .search(move |c| {
                    let IdBatch { sessions, position } =
                        list_ids_after(c, &filter, after, now, CHUNK)?;
                    Ok((position, store::list_owners(c, &sessions, now)?))
                })
                .await?;
            count.add(&owners, caller);
            if position.is_none() {
                return Ok((count, true));
            }
            after = position;
            let is_late = self.clock.now().since(now) >= BUDGET;
            if is_late || count.sessions >= MAX_COUNTED {
                return Ok((count, false));
            }
        }
    }

    /// Completes a preview for which too many sessions were found.
    async fn complete(
        &self,
        preview: &mut EndPreview,
        filter: &SessionFilter,
        caller: Option<UserId>,
    ) -> Result<()> {
        let total = self.count_matching(filter).await?.number();
        preview.sessions = preview.sessions.max(total);
        if let (Some(caller), None) = (caller, &filter.user) {
            let own = SessionFilter {
                user: Some(caller.to_string()),
                ..filter.clone()
            };
            let (count, _) = self.count_live_matching(&own, Some(caller)).await?;
            preview.own = preview.own.max(count.own as u64);
        }
        Ok(())
    }
}
