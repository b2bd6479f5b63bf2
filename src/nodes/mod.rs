//! The nodes that run on this database. Each writes a heartbeat, with what its jobs did last and do
//! next; one that stops cleanly deletes its row.

mod reports;
mod store;

use std::net::SocketAddr;
use std::time::Duration;

use rustix::system::uname;

pub use self::reports::{JobReport, JobReports, Outcome};
use crate::clock::{Clock, Timestamp};
use crate::db::{Db, NodeId};
use crate::error::Result;
use crate::text;

/// How often a node writes its heartbeat.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// How long after its last heartbeat a node counts as alive.
const ALIVE_FOR: Duration = Duration::from_secs(60);
/// How long the row of a node that did not stop cleanly is stored.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// The nodes that one reading lists at most.
const MAX_NODES: i64 = 100;
/// The characters of a name.
const NAME_LIMIT: usize = 255;

/// A node that is alive.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id, which each start makes anew.
    pub id: NodeId,
    /// The name of its host.
    pub name: String,
    /// The version that it runs.
    pub version: String,
    /// The address that it listens at.
    pub listen: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it wrote its last heartbeat.
    pub seen_at: Timestamp,
    /// By how much the database's clock is ahead of its own, in milliseconds.
    pub clock_offset_ms: i64,
    /// What its jobs did last and do next.
    pub jobs: Vec<JobReport>,
}

/// This node's heartbeat.
#[derive(Clone)]
pub struct Heartbeat {
    db: Db,
    clock: Clock,
    id: NodeId,
    name: String,
    listen: String,
    started_at: Timestamp,
    reports: JobReports,
}

impl Heartbeat {
    /// Returns the heartbeat of a node that listens at `listen` and starts now.
    #[must_use]
    pub fn new(db: Db, clock: Clock, listen: SocketAddr, reports: JobReports) -> Self {
        let started_at = clock.now();
        let host = text::clean(&uname().nodename().to_string_lossy());
        Self {
            db,
            id: NodeId::new(started_at),
            name: text::truncate_chars(&host, NAME_LIMIT).to_owned(),
            listen: listen.to_string(),
            started_at,
            clock,
            reports,
        }
    }

    /// Writes the heartbeat, and purges the rows of nodes that are long gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn beat(&self) -> Result<()> {
        let now = self.clock.now();
        let node = Node {
            id: self.id,
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            listen: self.listen.clone(),
            started_at: self.started_at,
            seen_at: now,
            clock_offset_ms: self.clock.correction() / 1_000,
            jobs: self.reports.list(),
        };
        self.db
            .transaction(move |c| {
                store::insert_or_update(c, &node)?;
                store::purge(c, now - RETENTION)
            })
            .await?;
        Ok(())
    }

    /// Deletes the node's row, as the last heartbeat of a clean stop.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn end(&self) -> Result<()> {
        let id = self.id;
        self.db.write(move |c| store::delete(c, id)).await?;
        Ok(())
    }
}

/// Lists the nodes that are alive at `now`, oldest first, at most a hundred, as a part of a snapshot.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn list_alive(c: &mut crate::db::AnyConnection, now: Timestamp) -> Result<Vec<Node>> {
    store::list_seen_since(c, now - ALIVE_FOR, MAX_NODES)
}
