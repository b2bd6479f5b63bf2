//! The buffer of refusals: which of them have a row of their own in this hour.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ipnet::IpNet;

use super::refusal::{PendingRefusal, Refusal};
use crate::counters::hour_of;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::net::{SourceNetwork, network};

/// The rows of one hour about people by others, by whom it is not known, or by themselves.
pub(super) const MOST_ON_OTHERS: usize = 300;
pub(super) const MOST_BY_UNKNOWN: usize = 200;
const MOST_BY_THEMSELVES: usize = 100;
/// The rows of one hour that name a person whom others tried, and not from where.
pub(super) const MOST_FROM_WHEREVER: usize = 700;
/// The rows of one hour on one person, and as many again that name no network.
const MOST_OF_PERSON: usize = 20;
/// The rows of one hour from one network that name a person; and half as many that name none.
const MOST_OF_NETWORK: usize = 20;
/// As many of a wider network: a `/24` of IPv4, a `/48` of IPv6, which one client may have whole.
const MOST_OF_WIDER: usize = 60;
/// The rows that name a person alone, due to tries from one of these.
const MOST_VICTIMS_OF_WIDER: usize = 100;

/// The refusals of an hour.
#[derive(Default)]
pub(super) struct Buffer {
    hour: i32,
    /// The keys that have a row of their own in this hour, written or not.
    of_hour: HashSet<Key>,
    places: HashMap<Named, usize>,
    /// The rows on a person, with and without a network.
    of_person: HashMap<(UserId, bool), usize>,
    /// The rows from a network, with and without a person.
    of_network: HashMap<(SourceNetwork, bool), usize>,
    of_wider: HashMap<(IpNet, bool), usize>,
    /// The rows that name a person alone, due to a network.
    victims_of_wider: HashMap<IpNet, usize>,
    pending: HashMap<(i32, Key), PendingRefusal>,
}

impl Buffer {
    /// Counts a refusal, where it has or finds a place.
    pub(super) fn insert(&mut self, mut new: PendingRefusal) {
        let hour = hour_of(new.first_at);
        if hour > self.hour {
            self.begin(hour);
        }
        let key = self.admit(&mut new.refusal);
        self.add(key, new);
    }

    fn add(&mut self, key: Key, new: PendingRefusal) {
        self.pending
            .entry((hour_of(new.first_at), key))
            .and_modify(|pending| pending.add(&new))
            .or_insert(new);
    }

    /// Puts back what was taken. It has its row in its hour, whatever has come since.
    pub(super) fn put_back(&mut self, pending: PendingRefusal) {
        self.add(Key::of(&pending.refusal), pending);
    }

    /// Takes what is pending.
    pub(super) fn take(&mut self) -> Vec<PendingRefusal> {
        std::mem::take(&mut self.pending).into_values().collect()
    }

    fn begin(&mut self, hour: i32) {
        self.hour = hour;
        self.of_hour.clear();
        self.places.clear();
        self.of_person.clear();
        self.of_network.clear();
        self.of_wider.clear();
        self.victims_of_wider.clear();
    }

    /// Returns the key of a refusal. Where there is no place for another, it is counted with others: on
    /// the same person by whomever from wherever; else from the same network on whomever; or with all
    /// of its kind.
    fn admit(&mut self, refusal: &mut Refusal) -> Key {
        let fallbacks = match Key::of(refusal).named() {
            Named::Other => vec![refusal.on_person(), refusal.of_network()],
            _ => Vec::new(),
        };
        let wider = Key::of(refusal).of_wider().map(|(wider, _)| wider);
        for candidate in std::iter::once(refusal.clone()).chain(fallbacks) {
            let key = Key::of(&candidate);
            let is_known = self.of_hour.contains(&key);
            if is_known || (self.has_place(&key) && self.may_name(&key, wider)) {
                if !is_known && let (Named::Victim, Some(wider)) = (key.named(), wider) {
                    *self.victims_of_wider.entry(wider).or_default() += 1;
                }
                *refusal = candidate;
                self.remember(&key);
                return key;
            }
        }
        *refusal = refusal.of_network().on_person();
        Key::of(refusal)
    }

    /// Returns whether a row that names a person alone may be due to that network.
    fn may_name(&self, key: &Key, wider: Option<IpNet>) -> bool {
        let victims = wider.and_then(|wider| self.victims_of_wider.get(&wider));
        key.named() != Named::Victim || victims.is_none_or(|rows| *rows < MOST_VICTIMS_OF_WIDER)
    }

    fn is_full_of_person(&self, key: &Key) -> bool {
        let of_person = key.of_person().and_then(|of| self.of_person.get(&of));
        of_person.is_some_and(|rows| *rows >= MOST_OF_PERSON)
    }

    fn has_place(&self, key: &Key) -> bool {
        let named = key.named();
        let of_network = key.of_network().and_then(|of| self.of_network.get(&of));
        let of_wider = key.of_wider().and_then(|of| self.of_wider.get(&of));
        let (most_of_network, most_of_wider) = match key.user {
            Some(_) => (MOST_OF_NETWORK, MOST_OF_WIDER),
            None => (MOST_OF_NETWORK / 2, MOST_OF_WIDER / 2),
        };
        self.places.get(&named).copied().unwrap_or_default() < named.most()
            && !self.is_full_of_person(key)
            && of_network.copied().unwrap_or_default() < most_of_network
            && of_wider.copied().unwrap_or_default() < most_of_wider
    }

    fn remember(&mut self, key: &Key) {
        if !self.of_hour.insert(key.clone()) {
            return;
        }
        *self.places.entry(key.named()).or_default() += 1;
        if let Some(of) = key.of_person() {
            *self.of_person.entry(of).or_default() += 1;
        }
        if let Some(of) = key.of_network() {
            *self.of_network.entry(of).or_default() += 1;
        }
        if let Some(of) = key.of_wider() {
            *self.of_wider.entry(of).or_default() += 1;
        }
    }
}

/// What makes two refusals the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    kind: &'static str,
    detail: Cow<'static, str>,
    user: Option<UserId>,
    by: Option<(UserId, SessionId)>,
    application: Option<ApplicationId>,
    network: Option<SourceNetwork>,
}

/// What a row names. Each has places of its own, so that whoever fills those of one takes none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Named {
    /// A person, on whose account somebody else tried something, and from where.
    Other,
    /// That person alone.
    Victim,
    /// A person who is signed in, and did it themselves.
    Themselves,
    /// No person, but a network or an application.
    Unknown,
    /// Neither: of such rows there are as many as kinds and details, some hundred.
    Kind,
}

impl Named {
    /// Returns how many such rows one hour has at most.
    fn most(self) -> usize {
        match self {
            Self::Other => MOST_ON_OTHERS,
            Self::Victim => MOST_FROM_WHEREVER,
            Self::Themselves => MOST_BY_THEMSELVES,
            Self::Unknown => MOST_BY_UNKNOWN,
            Self::Kind => usize::MAX,
        }
    }
}

impl PendingRefusal {
    fn add(&mut self, other: &Self) {
        self.times = self.times.saturating_add(other.times);
        self.first_at = self.first_at.min(other.first_at);
        self.last_at = self.last_at.max(other.last_at);
    }
}

impl Key {
    fn named(&self) -> Named {
        match (self.user, self.by) {
            (Some(user), Some((by, _))) if user == by => Named::Themselves,
            (Some(_), None) if self.network.is_none() => Named::Victim,
            (Some(_), _) => Named::Other,
            (None, _) if self.network.is_some() || self.application.is_some() => Named::Unknown,
            (None, _) => Named::Kind,
        }
    }

    fn of_person(&self) -> Option<(UserId, bool)> {
        Some((self.user?, self.network.is_some()))
    }

    fn of_network(&self) -> Option<(SourceNetwork, bool)> {
        Some((self.network?, self.user.is_some()))
    }

    fn of_wider(&self) -> Option<(IpNet, bool)> {
        match self.network? {
            SourceNetwork::Net(net) => Some((network(net.addr()), self.user.is_some())),
            SourceNetwork::Unknown => None,
        }
    }

    /// Returns the key of a refusal.
    pub(super) fn of(refusal: &Refusal) -> Self {
        Self {
            kind: refusal.kind.as_str(),
            detail: refusal.detail.clone(),
            user: refusal.user,
            by: refusal.by,
            application: refusal.application,
            network: refusal
                .source
                .as_ref()
                .map(|source| SourceNetwork::of(source.ip)),
        }
    }
}
