//! Recording refused requests in the security log, and in the counters of the overview.

use std::collections::HashMap;
use std::sync::Arc;

use ipnet::IpNet;
use tokio::sync::Mutex;

use crate::counters::{self, HourlyCounts, Metric, hour_of};
use crate::db::{AnyConnection, Db, UserId};
use crate::error::{Chain, Result};
use crate::events::{self, EventKind, NewEvent, Origin, PendingRefusal, Refusal, Refusals, Source};
use crate::net::{IpRetention, SourceNetwork};
use crate::people;
use crate::text;
use crate::user_agent::{ClientHints, ParserThread, device_label};

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

    /// Records what was refused until now. Returns how many rows that are.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; it stays
    /// buffered.
    pub async fn record(&self) -> Result<usize> {
        let _writing = self.writing.lock().await;
        let pending = self.refusals.take();
        if pending.is_empty() {
            return Ok(0);
        }
        let mut named = Vec::with_capacity(pending.len());
        for pending in pending.iter().cloned() {
            let device = self.name_device(pending.refusal.source.as_ref()).await;
            named.push(Named { pending, device });
        }
        let written = self.db.transaction(move |c| record(c, named)).await;
        if written.is_err() {
            self.refusals.put_back(pending);
        }
        written
    }

    /// Records what was refused until now, before somebody reads the log. When the database doesn't
    /// respond, that is logged.
    pub async fn record_before_reading(&self) {
        if let Err(err) = self.record().await {
            tracing::warn!(error = %Chain(&err), "refused requests could not be recorded; they stay buffered");
        }
    }

    async fn name_device(&self, source: Option<&Source>) -> Option<String> {
        let agent = source?.user_agent.as_deref()?;
        let facts = self.parser.parse(agent, ClientHints::default()).await;
        let label = device_label(&facts);
        Some(text::truncate_chars(&label, DEVICE_CHARS).to_owned())
    }
}

/// Records refusals, as a part of a transaction.
fn record(c: &mut AnyConnection, named: Vec<Named>) -> Result<usize> {
    let retention = lock_people(c, &named)?;
    let rows: Vec<NewEvent> = named
        .into_iter()
        .map(|named| event(named, &retention))
        .collect();
    events::record_events(c, &rows)?;
    counters::add_hourly(c, &count(&rows))?;
    Ok(rows.len())
}

/// Returns the IP retention of everybody whom the refusals are about, or who made them; of those who
/// are deleted there is none. They stay until the transaction ends.
fn lock_people(c: &mut AnyConnection, named: &[Named]) -> Result<HashMap<UserId, IpRetention>> {
    let refusals = named.iter().map(|named| &named.pending.refusal);
    let mut people: Vec<UserId> = refusals
        .flat_map(|refusal| [refusal.user, refusal.by.map(|(user, _)| user)])
        .flatten()
        .collect();
    people.sort_unstable();
    people.dedup();
    people::store::share_ip_retention(c, &people)
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
    let origin = Origin {
        user: refusal.by.map(|(user, _)| user),
        session: refusal.by.map(|(_, session)| session),
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
