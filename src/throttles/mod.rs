//! How many tries are allowed: of passwords, and of what sends mail or creates accounts. Three layers
//! each have to allow one: the network and the node, in memory; and what it is counted by, its
//! [`Lane`], in the database, for all nodes. It is taken *before* the password is hashed, and given
//! back when that is right; a request whose client is gone gives nothing back.
//!
//! Whoever proves to have been signed in as the person has a lane of their own, and needs neither
//! network nor node: so strangers who guess never lock the owner out.

mod allowance;
mod delay;
mod lane;
mod purpose;
mod requester;
mod store;
mod taken;

use std::time::Duration;

use self::allowance::{Allowances, Rate};
use self::delay::Delays;
use self::lane::Memory;
pub use self::lane::{AddressDigest, AddressKey, Lane};
pub use self::purpose::{Purpose, Refusal, RefusalReason};
pub use self::requester::{KnownDevice, KnownPerson, LiveSession, MAX_PEOPLE, Requester};
use self::store::Try;
pub use self::taken::Taken;
use crate::clock::Clock;
use crate::db::{AnyConnection, Db, NodeLock, UserId};
use crate::error::Result;
use crate::net::SourceNetwork;
use crate::settings::ThrottleSettings;

/// How long the failures of a lane are stored after its last try, unless it is a session's.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the failures of a session are stored: longer than browsers store its cookie.
const SESSION_RETENTION: Duration = Duration::from_secs(401 * 24 * 60 * 60);
/// The rows that one transaction purges at most.
const PURGE_BATCH: i64 = 500;

/// The throttles of this node; clones share them.
#[derive(Clone)]
pub struct Throttles {
    db: Db,
    clock: Clock,
    addresses: AddressKey,
    delays: Delays,
    passwords: Allowances<SourceNetwork>,
    mails: Allowances<SourceNetwork>,
    node: Allowances<()>,
}

impl Throttles {
    /// Returns the throttles of a node, with full allowances.
    #[must_use]
    pub fn new(db: Db, clock: Clock, addresses: AddressKey, settings: &ThrottleSettings) -> Self {
        let allowances = |burst, interval| {
            let rate = Rate { burst, interval };
            Allowances::new(rate, settings.max_networks, clock.clone())
        };
        let node = Rate {
            burst: settings.node_burst,
            interval: settings.node_interval,
        };
        Self {
            addresses,
            delays: Delays {
                free_failures: i32::try_from(settings.free_failures).unwrap_or(i32::MAX),
            },
            passwords: allowances(settings.network_burst, settings.network_interval),
            mails: allowances(settings.mail_burst, settings.mail_interval),
            node: Allowances::new(node, 1, clock.clone()),
            db,
            clock,
        }
    }

    /// Returns the digest of an address, for a [`Lane`].
    #[must_use]
    pub fn digest(&self, email: &str) -> AddressDigest {
        self.addresses.digest(email)
    }

    /// Takes a try. It counts as a failure until it is given back.
    ///
    /// # Errors
    /// [`Error::TooManyTries`](crate::Error::TooManyTries) when one of the layers allows none now;
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn take(&self, purpose: Purpose, requester: &Requester, lane: Lane) -> Result<Taken> {
        let mut taken = Taken::new(self.clone(), purpose, requester.clone(), lane);
        if let Err((reason, wait)) = self.take_allowance(&taken) {
            return Err(taken.refused(reason, wait));
        }
        match self.take_in_lane(&taken).await? {
            Ok(failures) => {
                taken.failures = failures;
                Ok(taken)
            }
            Err(wait) => Err(taken.refused(RefusalReason::Delay, wait)),
        }
    }

    /// Counts a request that sends mail or creates an account, or a use of a link. It is never given
    /// back.
    ///
    /// # Errors
    /// As [`Throttles::take`].
    pub async fn count(&self, purpose: Purpose, requester: &Requester, lane: Lane) -> Result<()> {
        self.take(purpose, requester, lane).await.map(drop)
    }

    /// Takes from the allowances of the network and of the node.
    fn take_allowance(&self, taken: &Taken) -> Result<(), (RefusalReason, Duration)> {
        if taken.lane.is_proven() {
            return Ok(());
        }
        let networks = self.networks(taken.purpose);
        networks
            .take(&taken.requester.network)
            .map_err(|wait| (RefusalReason::Network, wait))?;
        self.node.take(&()).map_err(|wait| {
            networks.refund(&taken.requester.network);
            (RefusalReason::Node, wait)
        })
    }

    fn refund_allowance(&self, taken: &Taken) {
        if !taken.lane.is_proven() {
            self.networks(taken.purpose)
                .refund(&taken.requester.network);
            self.node.refund(&());
        }
    }

    fn networks(&self, purpose: Purpose) -> &Allowances<SourceNetwork> {
        match purpose.sends_mail() {
            true => &self.mails,
            false => &self.passwords,
        }
    }

    /// Counts the try in its lane. Returns the failures with it, or how long to wait.
    async fn take_in_lane(&self, taken: &Taken) -> Result<Result<u32, Duration>> {
        let Some(key) = taken.lane.key() else {
            return Ok(Ok(0));
        };
        let now = self.clock.now();
        let attempt = Try {
            key,
            user: taken.lane.user(),
            at: now,
            forgotten_at: match taken.lane.memory() {
                Memory::Quiet(span) => now - span,
                Memory::Session => now - SESSION_RETENTION,
            },
            free_failures: self.delays.free_failures,
            deadlines: self.delays.deadlines(now),
        };
        let delays = self.delays;
        self.db
            .write(move |c| {
                if let Some(failures) = store::take(c, &attempt)? {
                    return Ok(Ok(u32::try_from(failures).unwrap_or_default()));
                }
                let found = store::find(c, &attempt.key)?;
                // Without failures by now, whoever comes again gets in.
                let wait = found.map(|found| {
                    let over = found.last_at + delays.after(found.count);
                    over.since(now)
                });
                Ok(Err(wait.unwrap_or_default()))
            })
            .await
    }

    /// Returns whether a lane of a person has failures.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn has_failures(&self, user: UserId) -> Result<bool> {
        self.db.read(move |c| store::has_failures(c, user)).await
    }

    /// Purges failures that are forgotten, unless another node does, and forgets networks that have
    /// their whole allowance again. Returns how many rows were deleted.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn purge(&self) -> Result<usize> {
        self.passwords.forget_full();
        self.mails.forget_full();
        let now = self.clock.now();
        let (before, sessions_before) = (now - RETENTION, now - SESSION_RETENTION);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| {
                store::purge(c, before, sessions_before, PURGE_BATCH)
            })
            .await
    }
}

/// Lifts every delay of a person, as a part of a transaction. Returns how many of their lanes had
/// failures.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn lift(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    store::delete_of_user(c, user)
}
