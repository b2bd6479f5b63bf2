//! Accounts: the changes that concern a person, their sessions and their alerts together. Each is
//! one transaction.

mod alert_review;
mod closing;
mod credentials;
pub(crate) mod messages;
mod settings;

pub use self::alert_review::RevokeScope;
pub use self::messages::Messages;
use crate::alerts::Alerts;
use crate::clock::Clock;
use crate::db::Db;
use crate::sessions::Sessions;

/// The accounts of the service; clones share its database.
#[derive(Clone)]
pub struct Accounts {
    db: Db,
    clock: Clock,
    alerts: Alerts,
    sessions: Sessions,
}

impl Accounts {
    /// Returns the accounts in `db`, with their alerts and sessions.
    #[must_use]
    pub fn new(db: Db, clock: Clock, alerts: Alerts, sessions: Sessions) -> Self {
        Self {
            db,
            clock,
            alerts,
            sessions,
        }
    }
}
