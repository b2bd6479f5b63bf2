//! Refused requests of this node that are not recorded yet. Each is counted with those like it of the
//! same hour, in a buffer of bounded size, so that a flood of them neither fills the memory nor the
//! database: a few rows an hour, whoever sends how much.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::EventKind;
use crate::clock::{Clock, Timestamp};
use crate::counters::hour_of;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::net::SourceNetwork;
use crate::text;

/// The rows of one hour about people by others, by whom it is not known, or by themselves.
const MOST_ON_OTHERS: usize = 500;
const MOST_BY_UNKNOWN: usize = 200;
const MOST_BY_THEMSELVES: usize = 100;
/// The rows of one hour on one person, and as many again that name no network.
const MOST_OF_PERSON: usize = 20;
/// The rows of one hour from one network that name a person; and half as many that name none.
const MOST_OF_NETWORK: usize = 20;
/// The characters of a user agent that are buffered, as many as of a session are stored.
const AGENT_CHARS: usize = 500;

/// Where a request came from, as far as it states that.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The address, as trusted proxies report it.
    pub ip: Option<IpAddr>,
    /// The user agent.
    pub user_agent: Option<String>,
}

/// A request that was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What was refused.
    pub kind: EventKind,
    /// What the kind states of it: one of a few fixed words, or a route.
    pub detail: Cow<'static, str>,
    /// The person on whose account, if it is known.
    pub user: Option<UserId>,
    /// Who made it, if they are signed in: the person and the session.
    pub by: Option<(UserId, SessionId)>,
    /// The application with whose key it was made.
    pub application: Option<ApplicationId>,
    /// Where it came from. Without it, those from everywhere are counted together: what happens all
    /// the time.
    pub source: Option<Source>,
}

/// Refused requests that are counted together.
#[derive(Debug, Clone)]
pub struct PendingRefusal {
    /// The first of them.
    pub refusal: Refusal,
    /// When that was.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
    /// How many.
    pub times: u32,
}

/// The buffer of refused requests; clones share it.
#[derive(Clone)]
pub struct Refusals {
    clock: Clock,
    buffer: Arc<Mutex<Buffer>>,
}

/// What makes two refusals the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
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
    /// A person, on whose account somebody else tried something.
    Other,
    /// A person who is signed in, and did it themselves.
    Themselves,
    /// No person, but a network or an application.
    Unknown,
    /// Neither: of such rows there are as many as kinds and details, some hundred.
    Nothing,
}

/// The refusals of an hour.
#[derive(Default)]
struct Buffer {
    hour: i32,
    /// The keys that have a row of their own in this hour, written or not.
    of_hour: HashSet<Key>,
    places: HashMap<Named, usize>,
    /// The rows on a person, with and without a network.
    of_person: HashMap<(UserId, bool), usize>,
    /// The rows from a network, with and without a person.
    of_network: HashMap<(SourceNetwork, bool), usize>,
    pending: HashMap<(i32, Key), PendingRefusal>,
}

impl Refusals {
    /// Returns an empty buffer.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            buffer: Arc::default(),
        }
    }

    /// Counts a refused request, to be recorded.
    pub fn observe(&self, mut refusal: Refusal) {
        let now = self.clock.now();
        if let Some(source) = &mut refusal.source {
            source.user_agent = source
                .user_agent
                .as_deref()
                .map(|agent| text::truncate_chars(agent, AGENT_CHARS).to_owned());
        }
        self.lock().insert(PendingRefusal {
            refusal,
            first_at: now,
            last_at: now,
            times: 1,
        });
    }

    /// Takes what is not recorded yet. What is dropped of it before it was recorded is put back.
    #[must_use]
    pub fn take(&self) -> TakenRefusals {
        let pending = std::mem::take(&mut self.lock().pending);
        TakenRefusals {
            refusals: self.clone(),
            pending: pending.into_values().collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refusals that were taken to be recorded. They are put back when this is dropped, also by whoever stops
/// waiting, unless it was emptied.
pub struct TakenRefusals {
    refusals: Refusals,
    /// What is not recorded yet.
    pub pending: Vec<PendingRefusal>,
}

impl Drop for TakenRefusals {
    fn drop(&mut self) {
        let mut buffer = self.refusals.lock();
        for pending in self.pending.drain(..) {
            // It has its row in its hour, whatever has come since.
            buffer.add(Key::of(&pending.refusal), pending);
        }
    }
}

impl Buffer {
    fn insert(&mut self, mut new: PendingRefusal) {
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

    fn begin(&mut self, hour: i32) {
        self.hour = hour;
        self.of_hour.clear();
        self.places.clear();
        self.of_person.clear();
        self.of_network.clear();
    }

    /// Returns the key of a refusal. Where there is no place for another, it is counted with others: on
    /// the same person from wherever, if their places are taken; else from the same network on
    /// whomever; or with all of its kind.
    fn admit(&mut self, refusal: &mut Refusal) -> Key {
        let whole = Key::of(refusal);
        let less = match self.is_full_of_person(&whole) {
            true => refusal.from_wherever(),
            false => refusal.on_whomever(),
        };
        for candidate in [refusal.clone(), less] {
            let key = Key::of(&candidate);
            if self.of_hour.contains(&key) || self.has_place(&key) {
                *refusal = candidate;
                self.remember(&key);
                return key;
            }
        }
        *refusal = refusal.on_whomever().from_wherever();
        Key::of(refusal)
    }

    fn is_full_of_person(&self, key: &Key) -> bool {
        let of_person = key.of_person().and_then(|of| self.of_person.get(&of));
        of_person.is_some_and(|rows| *rows >= MOST_OF_PERSON)
    }

    fn has_place(&self, key: &Key) -> bool {
        let named = key.named();
        let of_network = key.of_network().and_then(|of| self.of_network.get(&of));
        let most_of_network = match key.user {
            Some(_) => MOST_OF_NETWORK,
            None => MOST_OF_NETWORK / 2,
        };
        self.places.get(&named).copied().unwrap_or_default() < named.most()
            && !self.is_full_of_person(key)
            && of_network.copied().unwrap_or_default() < most_of_network
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
    }
}

impl Named {
    /// Returns how many such rows one hour has at most.
    fn most(self) -> usize {
        match self {
            Self::Other => MOST_ON_OTHERS,
            Self::Themselves => MOST_BY_THEMSELVES,
            Self::Unknown => MOST_BY_UNKNOWN,
            Self::Nothing => usize::MAX,
        }
    }
}

impl Refusal {
    /// Returns the refusal without where it came from.
    fn from_wherever(&self) -> Self {
        Self {
            source: None,
            ..self.clone()
        }
    }

    /// Returns the refusal without whom it is about, and who made it.
    fn on_whomever(&self) -> Self {
        Self {
            user: None,
            by: None,
            application: None,
            ..self.clone()
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
            (Some(_), _) => Named::Other,
            (None, _) if self.network.is_some() || self.application.is_some() => Named::Unknown,
            (None, _) => Named::Nothing,
        }
    }

    fn of_person(&self) -> Option<(UserId, bool)> {
        Some((self.user?, self.network.is_some()))
    }

    fn of_network(&self) -> Option<(SourceNetwork, bool)> {
        Some((self.network?, self.user.is_some()))
    }

    fn of(refusal: &Refusal) -> Self {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use chrono::DateTime;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn refusals() -> (Clock, Refusals) {
        let start = DateTime::parse_from_rfc3339("2031-05-17T08:30:00Z").unwrap();
        let clock = Clock::fixed(start.to_utc());
        (clock.clone(), Refusals::new(clock))
    }

    fn refusal(user: Option<u32>, network: u32) -> Refusal {
        let user = user.map(|n| {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&n.to_be_bytes());
            UserId::from_bytes(bytes)
        });
        Refusal {
            kind: EventKind::SignInFailed,
            detail: Cow::Borrowed(""),
            user,
            by: None,
            application: None,
            source: Some(Source {
                ip: Some(IpAddr::V4(network.into())),
                user_agent: Some("x".repeat(10_000)),
            }),
        }
    }

    fn times(pending: &[PendingRefusal]) -> u32 {
        pending.iter().map(|pending| pending.times).sum()
    }

    #[test]
    fn like_ones_of_an_hour_are_counted_together() {
        let (clock, refusals) = refusals();
        for _ in 0..7 {
            refusals.observe(refusal(Some(1), 1));
            clock.advance(Duration::from_secs(60));
        }
        refusals.observe(refusal(Some(1), 2));
        let mut taken = refusals.take();
        let pending = &mut taken.pending;
        pending.sort_by_key(|pending| pending.times);
        let counted: Vec<_> = pending.iter().map(|pending| pending.times).collect();
        assert_eq!(counted, [1, 7]);
        assert_eq!(pending[1].last_at.since(pending[1].first_at).as_secs(), 360);
        clock.advance(HOUR);
        refusals.observe(refusal(Some(1), 1));
        // Nobody recorded them.
        drop(taken);
        assert_eq!(refusals.take().pending.len(), 3);
    }

    /// Takes what is pending as recorded.
    fn record(refusals: &Refusals) -> Vec<PendingRefusal> {
        std::mem::take(&mut refusals.take().pending)
    }

    #[test]
    fn a_flood_from_everywhere_on_everybody_is_a_bounded_number_of_rows() {
        let (_, refusals) = refusals();
        let mut rows = HashSet::new();
        let mut counted = 0;
        for n in 0..100_000 {
            refusals.observe(refusal(Some(n), n));
            refusals.observe(refusal(None, n));
            if n % 1_000 == 0 {
                let pending = record(&refusals);
                counted += times(&pending);
                rows.extend(pending.iter().map(|it| Key::of(&it.refusal)));
            }
        }
        let pending = record(&refusals);
        rows.extend(pending.iter().map(|it| Key::of(&it.refusal)));
        assert_eq!(counted + times(&pending), 200_000);
        assert_eq!(rows.len(), MOST_ON_OTHERS + MOST_BY_UNKNOWN + 1);
    }

    #[test]
    fn whoever_is_signed_in_takes_no_place_of_others() {
        let (_, refusals) = refusals();
        for session in 0..500u32 {
            let mut own = refusal(Some(1), session);
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&session.to_be_bytes());
            own.by = own.user.map(|user| (user, SessionId::from_bytes(bytes)));
            own.detail = format!("/route/{}", session % 150).into();
            refusals.observe(own);
        }
        let victim = refusal(Some(50_000), 88_888);
        refusals.observe(victim.clone());
        let pending = record(&refusals);
        assert_eq!(times(&pending), 501);
        assert!(pending.len() < 250, "{}", pending.len());
        let whole = |it: &&PendingRefusal| Key::of(&it.refusal) == Key::of(&victim);
        assert_eq!(pending.iter().filter(whole).count(), 1);
    }

    #[test]
    fn a_few_networks_take_no_place_of_others() {
        let (_, refusals) = refusals();
        for n in 0..20_000u32 {
            refusals.observe(refusal(Some(n), n % 4));
            let mut nameless = refusal(None, n % 4);
            nameless.detail = format!("/route/{}", n % 150).into();
            refusals.observe(nameless);
        }
        for network in 0..10_000 {
            refusals.observe(refusal(Some(1), network));
        }
        let (victim, unknown) = (refusal(Some(50_000), 88_888), refusal(None, 99_999));
        refusals.observe(victim.clone());
        refusals.observe(unknown.clone());
        let pending = record(&refusals);
        for expected in [victim, unknown] {
            let whole = |it: &&PendingRefusal| Key::of(&it.refusal) == Key::of(&expected);
            assert_eq!(pending.iter().filter(whole).count(), 1, "{expected:?}");
        }
        // The person who is attacked from everywhere is named still.
        let of_first = pending
            .iter()
            .filter(|it| it.refusal.user == refusal(Some(1), 1).user);
        assert!(times(&of_first.cloned().collect::<Vec<_>>()) >= 10_000);
        let agents = pending.iter().flat_map(|it| &it.refusal.source);
        let agents = agents.flat_map(|source| &source.user_agent);
        assert_eq!(agents.map(String::len).max(), Some(AGENT_CHARS));
    }
}
