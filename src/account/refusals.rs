//! Recording refused requests in the security log, and in the counters of the overview.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::counters::{self, HourlyCounts, Metric, hour_of};
use crate::db::{AnyConnection, Db, UserId};
use crate::error::{Chain, Error, Failure, Result};
use crate::events::{self, EventKind, NewEvent, Origin, PendingRefusal, Refusal, Refusals, Source};
use crate::net::{IpRetention, SourceNetwork};
use crate::people;
use crate::text;
use crate::user_agent::{ClientHints, ParserThread, device_label};

/// How long a reader of the log waits for what was refused last.
const READER_PATIENCE: Duration = Duration::from_secs(1);
/// The characters of a device's name that are stored.
const DEVICE_CHARS: usize = 255;

/// Records the refusals of this node; clones share its buffer.
#[derive(Clone)]
pub struct RefusalRecorder {
    db: Db,
    refusals: Refusals,
    parser: ParserThread,
    /// Held while the buffer is written, so that who waits for it reads what was taken before.
    writing: Arc<Mutex<()>>,
}

/// A refusal that is to be recorded, with the name of the device.
struct Named {
    pending: PendingRefusal,
    device: Option<String>,
}

impl RefusalRecorder {
    /// Returns the recorder of what `refusals` has.
    #[must_use]
    pub fn new(db: Db, refusals: Refusals, parser: ParserThread) -> Self {
        Self {
            db,
            refusals,
            parser,
            writing: Arc::default(),
        }
    }

    /// Counts a refused request, to be recorded within a second.
    pub fn observe(&self, refusal: Refusal) {
        self.refusals.observe(refusal);
    }

    /// Records what was refused until now. Returns how many rows that are. It goes on when whoever waits
    /// for it is gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; it stays
    /// buffered. [`Error::Internal`] when it stopped short; it stays buffered
    /// as well.
    pub async fn record(&self) -> Result<usize> {
        let recorder = self.clone();
        let recorded = tokio::spawn(async move { recorder.record_taken().await });
        recorded
            .await
            .map_err(|err| Error::Internal(Failure::new("recording refusals stopped", err)))?
    }

    /// Records what was refused until now, before somebody reads the log, unless that takes too long.
    /// When the database doesn't respond, that is logged.
    pub async fn record_before_reading(&self) {
        if let Ok(Err(err)) = timeout(READER_PATIENCE, self.record()).await {
            tracing::warn!(error = %Chain(&err), "refused requests could not be recorded; they stay buffered");
        }
    }

    async fn record_taken(self) -> Result<usize> {
        let _writing = self.writing.lock().await;
        let mut taken = self.refusals.take();
        if taken.pending.is_empty() {
            return Ok(0);
        }
        let mut named = Vec::with_capacity(taken.pending.len());
        for pending in taken.pending.iter().cloned() {
            let device = self.name_device(pending.refusal.source.as_ref()).await;
            named.push(Named { pending, device });
        }
        let (rows, later) = self.db.transaction(move |c| record(c, named)).await?;
        // What waits for somebody whose row is locked is put back.
        taken.pending = later;
        Ok(rows)
    }

    async fn name_device(&self, source: Option<&Source>) -> Option<String> {
        let agent = source?.user_agent.as_deref()?;
        let facts = self.parser.parse(agent, ClientHints::default()).await;
        let label = device_label(&facts);
        Some(text::truncate_chars(&label, DEVICE_CHARS).to_owned())
    }
}

/// Records refusals, as a part of a transaction. Returns how many rows that are, and what is left for
/// later: somebody is changing the account of whom it is about.
fn record(c: &mut AnyConnection, named: Vec<Named>) -> Result<(usize, Vec<PendingRefusal>)> {
    let mut people: Vec<UserId> = named.iter().flat_map(Named::people).collect();
    people.sort_unstable();
    people.dedup();
    let retention = people::store::share_ip_retention(c, &people)?;
    people.retain(|user| !retention.contains_key(user));
    let locked = people::store::list_existing(c, &people)?;
    let is_locked = |named: &Named| named.people().any(|user| locked.contains(&user));
    let (later, now): (Vec<Named>, Vec<Named>) = named.into_iter().partition(is_locked);
    let rows: Vec<NewEvent> = now
        .into_iter()
        .map(|named| event(named, &retention))
        .collect();
    events::record_events(c, &rows)?;
    counters::add_hourly(c, &count(&rows))?;
    let later = later.into_iter().map(|named| named.pending).collect();
    Ok((rows.len(), later))
}

impl Named {
    /// Returns whom it is about, and who made it.
    fn people(&self) -> impl Iterator<Item = UserId> {
        let Refusal { user, by, .. } = &self.pending.refusal;
        [*user, by.map(|(user, _)| user)].into_iter().flatten()
    }
}

/// Returns the event of a refusal. Its address is redacted by the retention of everybody concerned; of
/// a deleted person nothing but the id is stored.
fn event(named: Named, retention: &HashMap<UserId, IpRetention>) -> NewEvent {
    let Named { pending, device } = named;
    let PendingRefusal {
        refusal,
        first_at,
        last_at,
        times,
    } = pending;
    let concerned = [refusal.user, refusal.by.map(|(user, _)| user)];
    let concerned = concerned.into_iter().flatten();
    let of = |user: UserId| retention.get(&user).copied();
    let is_gone = concerned.clone().any(|user| of(user).is_none());
    let ip = refusal.source.and_then(|source| source.ip);
    let ip = ip.and_then(|ip| {
        concerned
            .clone()
            .try_fold(ip.to_string(), |ip, user| of(user)?.redact(&ip))
    });
    // The browser that sent a form that may be forged belongs to its victim, not to its maker.
    let by = refusal
        .by
        .filter(|_| refusal.kind != EventKind::FormRefused);
    let origin = Origin {
        user: by.map(|(user, _)| user),
        session: by.map(|(_, session)| session),
        application: refusal.application,
        ip,
        ..Origin::default()
    };
    let session = refusal
        .by
        .filter(|(user, _)| refusal.user == Some(*user))
        .map(|(_, session)| session);
    NewEvent::for_refusal((refusal.user, session), refusal.kind, &origin, first_at)
        .with_detail(refusal.detail)
        .with_device(device.filter(|_| !is_gone))
        .counted_until((times, last_at))
}

/// Returns the network of an address as text: an IPv4 address is one by itself.
fn network_of(ip: &str) -> String {
    match SourceNetwork::of(ip.parse().ok()) {
        SourceNetwork::Net(IpNet::V6(network)) => network.to_string(),
        SourceNetwork::Net(IpNet::V4(_)) | SourceNetwork::Unknown => ip.to_owned(),
    }
}

/// Returns how often each kind was refused in each hour; and which accounts and networks were throttled.
fn count(rows: &[NewEvent]) -> HourlyCounts {
    let mut counts = HourlyCounts::new();
    for row in rows {
        let (hour, times) = (hour_of(row.at()), i64::from(row.times()));
        let mut add = |metric, label: String| {
            *counts.entry((hour, metric, label)).or_default() += times;
        };
        add(Metric::Refusal, row.kind().as_str().to_owned());
        if row.kind() == EventKind::Throttled {
            if let Some(user) = row.user() {
                add(Metric::ThrottledAccount, user.to_string());
            }
            if let Some(ip) = row.ip() {
                add(Metric::ThrottledNetwork, network_of(ip));
            }
        }
    }
    counts
}
