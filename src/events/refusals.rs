//! Refused requests of this node that are not recorded yet. Each is counted with those like it of the
//! same hour, in a buffer of bounded size, so that a flood of them neither fills the memory nor the
//! database: a few rows an hour, whoever sends how much.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::EventKind;
use crate::clock::{Clock, Timestamp};
use crate::counters::hour_of;
use crate::db::{ApplicationId, SessionId, UserId};
use crate::net::SourceNetwork;
use crate::text;

/// The rows of one hour that name a person; and as many that name none.
const MOST_OF_HOUR: usize = 200;
/// The rows of one hour about one person. Beyond, no network is named.
const MOST_OF_PERSON: usize = 20;
/// The rows of one hour from one network. Beyond, no person is named.
const MOST_OF_NETWORK: usize = 50;
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    kind: &'static str,
    detail: Cow<'static, str>,
    user: Option<UserId>,
    by: Option<(UserId, SessionId)>,
    application: Option<ApplicationId>,
    network: Option<SourceNetwork>,
}

/// The refusals of an hour. Of the details there are some hundred, so of keys with neither a person
/// nor a network as well.
#[derive(Default)]
struct Buffer {
    hour: i32,
    /// The keys that have a row of their own in this hour, written or not.
    of_hour: HashMap<Key, ()>,
    people: usize,
    of_person: HashMap<UserId, usize>,
    of_network: HashMap<SourceNetwork, usize>,
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

    /// Takes what is not recorded yet.
    #[must_use]
    pub fn take(&self) -> Vec<PendingRefusal> {
        std::mem::take(&mut self.lock().pending)
            .into_values()
            .collect()
    }

    /// Puts back what could not be recorded.
    pub fn put_back(&self, pending: Vec<PendingRefusal>) {
        let mut buffer = self.lock();
        for pending in pending {
            buffer.insert(pending);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    fn insert(&mut self, mut new: PendingRefusal) {
        let hour = hour_of(new.first_at);
        if hour > self.hour {
            self.begin(hour);
        }
        let key = self.admit(&mut new.refusal);
        self.pending
            .entry((hour, key))
            .and_modify(|pending| pending.add(&new))
            .or_insert(new);
    }

    fn begin(&mut self, hour: i32) {
        self.hour = hour;
        self.of_hour.clear();
        self.people = 0;
        self.of_person.clear();
        self.of_network.clear();
    }

    /// Returns the key of a refusal. Where there is no place for another, it is counted with others,
    /// and no longer says on whom or from where.
    fn admit(&mut self, refusal: &mut Refusal) -> Key {
        let whole = Key::of(refusal);
        if self.of_hour.contains_key(&whole) {
            return whole;
        }
        let count = |of: Option<&usize>| of.copied().unwrap_or_default();
        let of_person = count(refusal.user.and_then(|user| self.of_person.get(&user)));
        if of_person >= MOST_OF_PERSON {
            refusal.source = None;
        }
        let of_network = count(whole.network.and_then(|of| self.of_network.get(&of)));
        if of_network >= MOST_OF_NETWORK {
            (refusal.user, refusal.by) = (None, None);
        }
        let named = match refusal.user {
            Some(_) => self.people,
            None => self.of_hour.len() - self.people,
        };
        if named >= MOST_OF_HOUR {
            (refusal.user, refusal.by, refusal.source) = (None, None, None);
            refusal.application = None;
        }
        let key = Key::of(refusal);
        self.remember(&key);
        key
    }

    fn remember(&mut self, key: &Key) {
        if self.of_hour.insert(key.clone(), ()).is_some() {
            return;
        }
        if let Some(user) = key.user {
            self.people += 1;
            *self.of_person.entry(user).or_default() += 1;
        }
        if let Some(network) = key.network {
            *self.of_network.entry(network).or_default() += 1;
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
        let mut pending = refusals.take();
        pending.sort_by_key(|pending| pending.times);
        let counted: Vec<_> = pending.iter().map(|pending| pending.times).collect();
        assert_eq!(counted, [1, 7]);
        assert_eq!(pending[1].last_at.since(pending[1].first_at).as_secs(), 360);
        clock.advance(HOUR);
        refusals.observe(refusal(Some(1), 1));
        refusals.put_back(pending);
        assert_eq!(refusals.take().len(), 3);
    }

    #[test]
    fn a_flood_from_everywhere_on_everybody_is_a_bounded_number_of_rows() {
        let (_, refusals) = refusals();
        let mut rows = HashSet::new();
        for n in 0..200_000 {
            refusals.observe(refusal(Some(n), n));
            refusals.observe(refusal(None, n));
            if n % 1_000 == 0 {
                rows.extend(refusals.take().iter().map(|it| Key::of(&it.refusal)));
            }
        }
        let pending = refusals.take();
        rows.extend(pending.iter().map(|it| Key::of(&it.refusal)));
        assert_eq!(rows.len(), 2 * MOST_OF_HOUR + 1);
        assert!(pending.iter().all(|it| it.refusal.source.is_none()));
    }

    #[test]
    fn nobody_uses_up_the_rows_that_others_need() {
        let (_, refusals) = refusals();
        for network in 0..10_000 {
            refusals.observe(refusal(Some(1), network));
        }
        for user in 0..10_000 {
            refusals.observe(refusal(Some(user), 77_777));
        }
        refusals.observe(refusal(Some(50_000), 88_888));
        let pending = refusals.take();
        assert_eq!(times(&pending), 20_001);
        assert!(pending.len() < 100, "{}", pending.len());
        let last = refusal(Some(50_000), 88_888);
        assert!(pending.iter().any(|it| it.refusal.user == last.user));
        let longest = pending.iter().flat_map(|it| &it.refusal.source);
        let agents = longest.flat_map(|source| &source.user_agent);
        assert_eq!(agents.map(String::len).max(), Some(AGENT_CHARS));
    }
}
