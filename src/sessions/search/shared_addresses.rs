//! The addresses that many people use: an office, a proxy that is not trusted, or somebody with many
//! people's passwords.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::Result;
use crate::sessions::{Sessions, store};

/// The live sessions that are counted at most: those used last.
const SCANNED: i64 = 10_000;
/// The addresses that are returned at most.
const LISTED: usize = 200;
/// The people from whom on an address is shared by many.
const MANY: usize = 5;

/// An address that many people use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedAddress {
    /// The address as it is stored: a shortened one stands for its network.
    pub ip: String,
    /// How many people use it.
    pub people: usize,
    /// How many of their sessions were last used from it.
    pub sessions: usize,
}

/// The addresses that at least five people use.
#[derive(Debug, Clone)]
pub struct SharedAddresses {
    /// The addresses, the one with the most people first; at most 200.
    pub addresses: Vec<SharedAddress>,
    /// How many sessions were counted.
    pub scanned: usize,
    /// Whether there are more live sessions, which were not counted.
    pub is_bounded: bool,
}

impl Sessions {
    /// Lists the addresses that at least five people use, of the 10,000 live sessions used last, as
    /// far as their owners want them stored.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_shared_addresses(&self) -> Result<SharedAddresses> {
        let now = self.clock.now();
        self.db.search(move |c| list(c, now)).await
    }
}

/// The sessions at each address, by person.
type Users = HashMap<UserId, usize>;

fn list(c: &mut AnyConnection, now: Timestamp) -> Result<SharedAddresses> {
    let found = store::list_newest_addresses(c, SCANNED)?;
    let is_bounded = found.len() as i64 == SCANNED;
    let mut scanned = 0;
    let mut by_ip: HashMap<String, Users> = HashMap::new();
    for found in found.into_iter().filter(|found| found.expires_at > now) {
        scanned += 1;
        if let Some(ip) = found.known_ip() {
            *by_ip
                .entry(ip)
                .or_default()
                .entry(found.user_id)
                .or_default() += 1;
        }
    }
    by_ip.retain(|_, users| users.len() >= MANY);
    let mut addresses: Vec<SharedAddress> = by_ip
        .into_iter()
        .map(|(ip, users)| SharedAddress {
            ip,
            people: users.len(),
            sessions: users.values().sum(),
        })
        .collect();
    addresses.sort_by(|a, b| {
        let key = |address: &SharedAddress| Reverse((address.people, address.sessions));
        key(a).cmp(&key(b)).then_with(|| a.ip.cmp(&b.ip))
    });
    addresses.truncate(LISTED);
    Ok(SharedAddresses {
        addresses,
        scanned,
        is_bounded,
    })
}
