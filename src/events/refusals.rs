//! Refused requests of this node that are not recorded yet. Each is counted with those like it of the
//! same hour, in a buffer of bounded size, so that a flood of them neither fills the memory nor the
//! database: a few rows an hour, whoever sends how much.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::refusal::{PendingRefusal, Refusal};
use super::refusal_buffer::Buffer;
use crate::clock::Clock;
use crate::text;

/// The characters of a user agent that are buffered, as many as of a session are stored.
const AGENT_CHARS: usize = 500;

/// The buffer of refused requests; clones share it.
#[derive(Clone)]
pub struct Refusals {
    clock: Clock,
    buffer: Arc<Mutex<Buffer>>,
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
        let pending = self.lock().take();
        TakenRefusals {
            refusals: self.clone(),
            pending,
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
            buffer.put_back(pending);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::HashSet;
    use std::net::IpAddr;
    use std::time::Duration;

    use chrono::DateTime;

    use super::super::EventKind;
    use super::super::refusal::Source;
    use super::super::refusal_buffer::{Key, MOST_BY_UNKNOWN, MOST_FROM_WHEREVER, MOST_ON_OTHERS};
    use super::*;
    use crate::db::{SessionId, UserId};

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
        let most = MOST_ON_OTHERS + MOST_FROM_WHEREVER + MOST_BY_UNKNOWN + 1;
        assert_eq!(rows.len(), most);
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
        assert!(times(&of_first.cloned().collect::<Vec<_>>()) >= 9_000);
        let agents = pending.iter().flat_map(|it| &it.refusal.source);
        let agents = agents.flat_map(|source| &source.user_agent);
        assert_eq!(agents.map(String::len).max(), Some(AGENT_CHARS));
    }
}
