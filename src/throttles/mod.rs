//! How many tries are allowed: of passwords, and of what sends mail or creates accounts. Three layers
//! each have to allow one: the network and the node, in memory; and what it is counted by, its
//! [`Lane`], in the database, for all nodes. It is taken *before* the password is hashed, and given
//! back when that is right; a request whose client is gone gives nothing back.
//!
//! Whoever proves to have been signed in as the person has a lane of their own, and needs neither
//! network nor node: so strangers who guess never lock the owner out. What sends mail has networks and a
//! node of its own, so that no flood of passwords stops who has forgotten theirs.

mod allowance;
mod delay;
mod in_flight;
mod lane;
mod purpose;
mod requester;
mod store;
mod taken;

use std::time::Duration;

use self::allowance::{Allowances, Rate};
use self::delay::Delays;
use self::in_flight::InFlight;
use self::lane::Memory;
pub use self::lane::{AddressDigest, AddressKey, Lane};
pub use self::purpose::{Purpose, RefusalReason};
pub use self::requester::{KnownDevice, KnownPerson, LiveSession, MAX_PEOPLE, Requester};
use self::store::Try;
pub use self::taken::Taken;
use crate::clock::Clock;
use crate::db::{AnyConnection, Db, NodeLock, SessionId, UserId};
use crate::error::Result;
use crate::events::Refusals;
use crate::net::SourceNetwork;
use crate::settings::ThrottleSettings;

/// How long the failures of a lane are stored after its last try, unless it is a session's.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// How long the failures of a session are stored: longer than browsers store its cookie.
const SESSION_RETENTION: Duration = Duration::from_secs(401 * 24 * 60 * 60);
/// How far the clocks of nodes may be apart. A try that seems to have been later still was dated by a
/// clock that was set back since, and delays nobody.
const MAX_SKEW: Duration = Duration::from_secs(60);
/// The rows that there are about at most, apart from those of sessions.
const MOST_ROWS: i64 = 1 << 18;
/// The rows that one transaction purges at most.
const PURGE_BATCH: i64 = 500;

/// The throttles of this node; clones share them.
#[derive(Clone)]
pub struct Throttles {
    db: Db,
    clock: Clock,
    addresses: AddressKey,
    delays: Delays,
    passwords: Layers,
    mails: Layers,
    /// Of the uses of genuine links, by the person whom they are about.
    links: Allowances<UserId>,
    in_flight: InFlight,
    /// Where every try that failed or was refused is recorded.
    refusals: Refusals,
}

/// The allowances of each network and of the node.
#[derive(Clone)]
struct Layers {
    networks: Allowances<SourceNetwork>,
    node: Allowances<()>,
}

impl Throttles {
    /// Returns the throttles of a node, with full allowances.
    #[must_use]
    pub fn new(
        (db, clock): (Db, Clock),
        addresses: AddressKey,
        refusals: Refusals,
        settings: &ThrottleSettings,
    ) -> Self {
        let most = settings.max_networks;
        let passwords = Rate {
            burst: settings.network_burst,
            interval: settings.network_interval,
        };
        let mails = Rate {
            burst: settings.mail_burst,
            interval: settings.mail_interval,
        };
        let node = Rate {
            burst: settings.node_burst,
            interval: settings.node_interval,
        };
        let layers = |network| Layers {
            networks: Allowances::new(network, most, clock.clone()),
            node: Allowances::new(node, 1, clock.clone()),
        };
        Self {
            addresses,
            refusals,
            delays: Delays {
                free_failures: i32::try_from(settings.free_failures).unwrap_or(i32::MAX),
            },
            passwords: layers(passwords),
            mails: layers(mails),
            links: Allowances::new(passwords, most, clock.clone()),
            in_flight: InFlight::new(settings.free_failures),
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
        let decided = match self.find_place(&mut taken).await {
            true => self.take_in_lane(&taken).await,
            false => Ok(Err(Duration::ZERO)),
        };
        match decided {
            Ok(Ok(failures)) => {
                taken.failures = failures;
                Ok(taken)
            }
            Ok(Err(wait)) => {
                self.refund_node(&taken);
                Err(taken.refused(RefusalReason::Delay, wait))
            }
            Err(err) => {
                self.refund_allowance(&taken);
                taken.is_decided = true;
                Err(err)
            }
        }
    }

    /// Counts a request that sends mail or creates an account, or a use of a link. It is never given
    /// back.
    ///
    /// # Errors
    /// As [`Throttles::take`].
    pub async fn count(&self, purpose: Purpose, requester: &Requester, lane: Lane) -> Result<()> {
        let mut taken = self.take(purpose, requester, lane).await?;
        taken.is_decided = true;
        Ok(())
    }

    /// Takes from the allowances of the network and of the node.
    fn take_allowance(&self, taken: &Taken) -> Result<(), (RefusalReason, Duration)> {
        if let Lane::Link(user) = taken.lane {
            let taken = self.links.take(&user);
            return taken.map_err(|wait| (RefusalReason::Delay, wait));
        }
        if taken.lane.is_proven() {
            return Ok(());
        }
        let Layers { networks, node } = self.layers(taken.purpose);
        // First, so that no network is remembered for a try that the node refuses.
        node.take(&()).map_err(|wait| (RefusalReason::Node, wait))?;
        networks.take(&taken.requester.network).map_err(|wait| {
            node.refund(&());
            (RefusalReason::Network, wait)
        })
    }

    fn refund_allowance(&self, taken: &Taken) {
        if !taken.lane.is_proven() {
            let layers = self.layers(taken.purpose);
            layers.networks.refund(&taken.requester.network);
            layers.node.refund(&());
        }
    }

    /// Gives the node's back after a try that a lane refused: a network that tries on during a delay
    /// uses up its own allowance, and not that of everybody.
    fn refund_node(&self, taken: &Taken) {
        if !taken.lane.is_proven() {
            self.layers(taken.purpose).node.refund(&());
        }
    }

    fn layers(&self, purpose: Purpose) -> &Layers {
        match purpose.sends_mail() {
            true => &self.mails,
            false => &self.passwords,
        }
    }

    /// Waits for a place among the tries of its lane. Returns whether it got one.
    async fn find_place(&self, taken: &mut Taken) -> bool {
        let Some(key) = taken.lane.key() else {
            return true;
        };
        taken.place = self.in_flight.enter(key).await;
        taken.place.is_some()
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
            latest: now + MAX_SKEW,
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

    /// Returns whether a lane of a person has so many failures that the next try may have to wait.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn has_delay(&self, user: UserId) -> Result<bool> {
        let least = self.delays.free_failures;
        self.db
            .read(move |c| store::has_failures(c, user, least))
            .await
    }

    /// Lists those of these people who may have to wait before their next try. The caller bounds their
    /// number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_delayed(&self, users: Vec<UserId>) -> Result<Vec<UserId>> {
        let least = self.delays.free_failures;
        match users.is_empty() {
            true => Ok(users),
            false => {
                self.db
                    .read(move |c| store::list_with_failures(c, &users, least))
                    .await
            }
        }
    }

    /// Purges failures that are forgotten, unless another node does, and forgets networks that have
    /// their whole allowance again. Returns how many rows were deleted.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn purge(&self) -> Result<usize> {
        self.passwords.networks.forget_full();
        self.mails.networks.forget_full();
        self.links.forget_full();
        let now = self.clock.now();
        let (before, sessions_before) = (now - RETENTION, now - SESSION_RETENTION);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| {
                store::purge(c, before, sessions_before, (MOST_ROWS, PURGE_BATCH))
            })
            .await
    }
}

/// Forgets the failures of sessions that are purged, as a part of a transaction.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn forget_sessions(c: &mut AnyConnection, ids: &[SessionId]) -> Result<usize> {
    let keys: Vec<String> = ids
        .iter()
        .copied()
        .flat_map(lane::keys_of_session)
        .collect();
    store::delete_several(c, &keys)
}

/// Lifts every delay of a person, as a part of a transaction. Returns how many of their lanes had
/// failures.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn lift(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    store::delete_of_user(c, user)
}
