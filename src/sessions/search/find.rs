//! Pages of the sessions that satisfy a filter.

use std::time::Duration;

use super::criteria::{Position, WalkOrder};
use super::cursor::{Direction, SearchCursor};
use super::deadline::Deadline;
use super::filter::{SessionFilter, SessionSort, StateFilter};
use super::resolve::resolve;
use super::walk::{Walk, Walked};
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::Result;
use crate::people::User;
use crate::sessions::store::search as store;
use crate::sessions::{Session, Sessions};

/// How long a page of a search may take, as a rule.
pub const SEARCH_BUDGET: Duration = Duration::from_secs(5);

/// A search among all people's sessions.
#[derive(Debug, Clone)]
pub struct SearchQuery {
    /// Which sessions.
    pub filter: SessionFilter,
    /// In which order.
    pub sort: SessionSort,
    /// The page; the first one if there is none.
    pub cursor: Option<SearchCursor>,
    /// The sessions of a page, at most.
    pub limit: u32,
    /// The longest time to search before the page has what was found until then.
    pub budget: Duration,
}

/// A session and its owner.
#[derive(Debug, Clone)]
pub struct FoundSession {
    /// The session.
    pub session: Session,
    /// Its owner.
    pub owner: User,
}

impl FoundSession {
    /// Returns its state, by the name of a filter: `live` or `ended`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.session.is_live(now) {
            true => StateFilter::Live.into(),
            false => StateFilter::Ended.into(),
        }
    }

    /// Returns the address to show to others than its owner: as much as the owner's IP retention
    /// allows.
    #[must_use]
    pub fn shown_ip(&self) -> Option<String> {
        let ip = self.session.ip_address.as_deref()?;
        self.owner.ip_retention.redact(ip)
    }
}

/// A page of a search.
#[derive(Debug, Default)]
pub struct SearchPage {
    /// The sessions, in order.
    pub found: Vec<FoundSession>,
    /// The page after this one, if there is one.
    pub next: Option<SearchCursor>,
    /// The page before this one, if there may be one.
    pub previous: Option<SearchCursor>,
    /// Whether the budget was over before the page was full: the search goes on with `next`, or with
    /// `previous` where the page was a previous one.
    pub is_partial: bool,
}

impl Sessions {
    /// Finds a page of the sessions that satisfy a filter. Each statement reads a bounded number of
    /// rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchPage> {
        let deadline = Deadline::after(query.budget);
        let now = self.clock.now();
        let since = query.cursor.map_or(now, |cursor| cursor.since);
        let order = walk_order(&query);
        let start = query.cursor.map(|cursor| cursor.position);
        let filter = query.filter.at(since);
        let needed = query.limit as usize;
        let walk = self.db.search(move |c| {
            let criteria = resolve(c, &filter, now)?;
            let mut walk = criteria
                .map(|criteria| Walk::new(c, criteria, order, start, needed))
                .transpose()?;
            if let Some(walk) = &mut walk {
                walk.step(c)?;
            }
            Ok(walk)
        });
        let Some(walk) = walk.await? else {
            return Ok(SearchPage::default());
        };
        let walk = self.walk(walk, &deadline).await?;
        let walked = walk.finish();
        let found = self
            .find_all(&walked.found, query.filter.state(), now)
            .await?;
        Ok(page(&query, found, &walked, since))
    }

    /// Finds a session of anybody, live or ended, with its owner.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn find_any(&self, id: SessionId) -> Result<Option<FoundSession>> {
        let found = self.db.read(move |c| store::find_with_owner(c, id)).await?;
        Ok(found.map(FoundSession::from))
    }

    /// Walks to the end or until the time is over, with a connection for each step.
    pub(super) async fn walk(&self, mut walk: Walk, deadline: &Deadline) -> Result<Walk> {
        while !(walk.is_over() || walk.has_begun() && deadline.is_over()) {
            let step = self.db.search(move |c| {
                walk.step(c)?;
                Ok(walk)
            });
            walk = step.await?;
        }
        Ok(walk)
    }

    /// Finds the sessions at these positions, except those that have left the state meanwhile.
    pub(super) async fn find_all(
        &self,
        positions: &[Position],
        state: StateFilter,
        now: Timestamp,
    ) -> Result<Vec<FoundSession>> {
        let ids: Vec<SessionId> = positions.iter().map(|position| position.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.db.search(move |c| {
            let mut found = store::find_with_owners(c, &ids)?;
            Ok(ids
                .into_iter()
                .filter_map(|id| found.remove(&id))
                .map(FoundSession::from)
                .collect())
        });
        let mut found: Vec<FoundSession> = found.await?;
        found.retain(|found| match state {
            StateFilter::Live => found.session.is_live(now),
            StateFilter::Ended => !found.session.is_active,
            StateFilter::Any => true,
        });
        Ok(found)
    }
}

impl From<(Session, User)> for FoundSession {
    fn from((session, owner): (Session, User)) -> Self {
        Self { session, owner }
    }
}

/// Returns the order of the walk to a page: backwards to a previous one.
fn walk_order(query: &SearchQuery) -> WalkOrder {
    let is_back = is_back(query);
    WalkOrder {
        key: query.sort.key,
        descending: query.sort.descending != is_back,
    }
}

fn is_back(query: &SearchQuery) -> bool {
    let direction = query.cursor.map(|cursor| cursor.direction);
    direction == Some(Direction::Previous)
}

/// Returns the page with the sessions that a walk found.
fn page(
    query: &SearchQuery,
    mut found: Vec<FoundSession>,
    walked: &Walked,
    since: Timestamp,
) -> SearchPage {
    let cursor = |direction: Direction| {
        move |position: Position| SearchCursor {
            direction,
            position,
            since,
        }
    };
    let is_back = is_back(query);
    // The way back begins before what was found; where nothing was, before where the walk began.
    let start = query.cursor.map(|cursor| cursor.position);
    let from_start = start.map(|start| walk_order(query).reversed().before(start));
    let back = walked.found.first().copied().or(from_start);
    let back = back.filter(|_| query.cursor.is_some());
    let (next, previous) = match is_back {
        true => (back, walked.rest),
        false => (walked.rest, back),
    };
    if is_back {
        found.reverse();
    }
    SearchPage {
        found,
        next: next.map(cursor(Direction::Next)),
        previous: previous.map(cursor(Direction::Previous)),
        is_partial: walked.rest.is_some() && !walked.has_more,
    }
}
