//! How the service is doing: what administrators see first. One reading is one snapshot of the
//! database and only bounded queries, however many sessions there are:
//!
//! - the counters: up to 5,000 pending deltas, 1,000 labels of each dimension, and the hours of 30
//!   days (720 of sign-ins, 720 for each reason and each kind of alert);
//! - the owners of up to 10,001 live sessions; where there are more, the number of people that
//!   [`Overview::count_people`] found in the background;
//! - the refused requests of 30 days by hour and kind, up to 4,320 figures; how many accounts and networks
//!   were throttled in each hour and on each day, for which each node stores a few hundred of an hour at
//!   most; and the ten of each with the most tries, the accounts with their people;
//! - the addresses of the newest 1,000 sessions;
//! - up to 1,001 waiting messages, and as many that were given up within a day;
//! - up to 100 nodes.

mod counted;
mod figures;
mod mail_figures;
mod oddities;
mod refusals;

use std::time::Duration;

pub use self::counted::LabelCount;
use self::counted::Span;
pub use self::figures::{Breakdown, Figures, PeopleCount};
pub use self::mail_figures::{MAX_MESSAGES, MailFigures};
pub use self::oddities::Oddity;
pub use self::refusals::{RefusalFigures, RefusalPeriod, ThrottledAccount};
use crate::clock::{Clock, TimeZone};
use crate::counters::{self, CountedPeople, Counts, Dimension};
use crate::db::{AnyConnection, Db, NodeLock};
use crate::error::Result;
use crate::{alerts, mail, nodes, sessions};

/// The live sessions up to which people are counted for each reading.
const MANY_SESSIONS: i64 = 10_000;
/// The newest sessions whose addresses are compared.
const NEWEST: i64 = 1_000;
/// The deltas that one transaction adds up.
const ADD_UP_BATCH: i64 = 5_000;
/// The sessions that one step of counting people reads.
const PEOPLE_STEP: i64 = 10_000;
/// How long a message that was given up is news.
const FAILED_SINCE: Duration = Duration::from_secs(24 * 60 * 60);
/// How often an attempt to rebuild the counters is made, while something else changes their totals.
const REBUILD_ATTEMPTS: u32 = 5;
const REBUILD_PAUSE: Duration = Duration::from_millis(200);

/// The overview; clones share its database.
#[derive(Clone)]
pub struct Overview {
    db: Db,
    clock: Clock,
}

impl Overview {
    /// Returns the overview of `db`.
    #[must_use]
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Reads the figures; days are those of the zone.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn read(&self, zone: TimeZone) -> Result<Figures> {
        let span = Span::new(self.clock.now(), zone);
        self.db.read_snapshot(move |c| read(c, &span)).await
    }

    /// Reads what was refused alone; days are those of the zone.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn read_refusals(&self, zone: TimeZone) -> Result<RefusalFigures> {
        let span = Span::new(self.clock.now(), zone);
        let read = move |c: &mut AnyConnection| refusals::read(c, &span);
        let (refusals, _) = self.db.read_snapshot(read).await?;
        Ok(refusals)
    }

    /// Adds what happened to the counters' totals, in batches, and purges figures past their
    /// retention, unless another node does so. Returns how many changes were added.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what was
    /// added until then stays added.
    pub async fn add_up(&self) -> Result<usize> {
        let now = self.clock.now();
        let added = self
            .db
            .repeat_with_lock(NodeLock::Counters, |c| counters::add_up(c, ADD_UP_BATCH))
            .await?;
        self.db
            .transaction_with_lock(NodeLock::Counters, move |c| counters::purge(c, now))
            .await?;
        Ok(added)
    }

    /// Counts the people with live sessions in steps, where there are too many to count them for each
    /// reading, and no node has begun to do so within ten minutes. Returns whether it did.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; the number
    /// of last time stays.
    pub async fn count_people(&self) -> Result<bool> {
        let now = self.clock.now();
        let since = counters::hour_of(now);
        let counts = self
            .db
            .read_snapshot(move |c| counters::read(c, since))
            .await?;
        if live(&counts) <= MANY_SESSIONS {
            return Ok(false);
        }
        let claim = move |c: &mut AnyConnection| counters::claim_people(c, now);
        if !self.db.write(claim).await? {
            return Ok(false);
        }
        let (mut total, mut last) = (0, None);
        loop {
            let mut owners = self
                .db
                .read(move |c| sessions::store::list_owners_after(c, last, PEOPLE_STEP))
                .await?;
            let Some(next) = owners.last().copied() else {
                break;
            };
            // In the order of their ids, so those of one person stand together.
            owners.dedup();
            total += i64::try_from(owners.len()).unwrap_or(i64::MAX);
            last = Some(next);
        }
        let counted = CountedPeople { total, at: now };
        self.db
            .write(move |c| counters::record_people(c, counted))
            .await?;
        Ok(true)
    }

    /// Rebuilds the counters from the rows that there are, as after rows were loaded in bulk without
    /// the triggers. Reads the whole tables; what happens meanwhile is counted as well. Returns how
    /// many sessions are live; `None` while another node changes the totals all the time.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; then
    /// nothing has changed.
    pub async fn rebuild(&self) -> Result<Option<i64>> {
        for _ in 1..REBUILD_ATTEMPTS {
            if let Ok(Some(live)) = self.try_rebuild().await {
                return Ok(Some(live));
            }
            // It is no rule of the service, so it is not the clock's time.
            tokio::time::sleep(REBUILD_PAUSE).await;
        }
        self.try_rebuild().await
    }

    async fn try_rebuild(&self) -> Result<Option<i64>> {
        self.db
            .snapshot_with_lock(NodeLock::Counters, |c| {
                let live = sessions::store::count_by_dimension(c)?;
                let mut hourly = sessions::store::count_by_hour(c)?;
                hourly.extend(alerts::store::count_by_hour(c)?);
                counters::replace(c, &live, &hourly)?;
                Ok(live.get(&(Dimension::All, String::new())).copied())
            })
            .await
            .map(|rebuilt| rebuilt.map(Option::unwrap_or_default))
    }
}

fn live(counts: &Counts) -> i64 {
    let all = (Dimension::All, String::new());
    counts.live.get(&all).copied().unwrap_or_default()
}

/// Counts the people with live sessions, unless there are too many sessions.
fn count_people(c: &mut AnyConnection) -> Result<PeopleCount> {
    let mut owners = sessions::store::list_owners_after(c, None, MANY_SESSIONS + 1)?;
    if i64::try_from(owners.len()).is_ok_and(|sessions| sessions > MANY_SESSIONS) {
        let counted = counters::find_people(c)?;
        return Ok(counted.map_or(PeopleCount::Unknown, PeopleCount::Earlier));
    }
    owners.dedup();
    Ok(PeopleCount::Now(
        i64::try_from(owners.len()).unwrap_or(i64::MAX),
    ))
}

fn read(c: &mut AnyConnection, span: &Span) -> Result<Figures> {
    let now = span.now;
    let counts = counters::read(c, span.first_hour())?;
    let live = live(&counts);
    let people = count_people(c)?;
    let newest = sessions::store::list_latest_sign_ins(c, NEWEST)?;
    let limit = i64::try_from(MAX_MESSAGES + 1).unwrap_or(i64::MAX);
    let mail = MailFigures::new(
        &mail::store::list_waiting(c, limit)?,
        &mail::store::list_failed(c, now - FAILED_SINCE, limit)?,
    );
    let nodes = nodes::list_alive(c, now)?;
    let (refusals, odd_refusals) = refusals::read(c, span)?;
    let mut oddities = oddities::find(&newest, &nodes, &mail);
    oddities.extend(odd_refusals);
    Ok(Figures::new(
        span,
        &counts,
        live,
        people,
        refusals,
        mail,
        (nodes, oddities),
    ))
}
