//! Idle limits: what a person's choice and the exemption of a device make of the limits of live
//! sessions. A change that would end sessions at once is saved only once it was confirmed.

use std::collections::HashSet;
use std::time::Duration;

use super::Sessions;
use super::end::record_ended;
use super::policy::Policy;
use super::store::{self, Session, SessionEnd};
use super::values::{EndedReason, SessionPersistence};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::devices::{self, WhenUnused};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin, Setting};
use crate::people::{self, IdleLimit, User};

/// The idle limit of sessions on an exempt device, in seconds. No other session has it: it is longer
/// than any absolute limit, so that only that one applies.
pub(super) const EXEMPT_SECONDS: i32 = i32::MAX;
/// The same as a span.
pub(super) const EXEMPT: Duration = Duration::from_secs(EXEMPT_SECONDS.unsigned_abs() as u64);

/// Lists the sessions of a person that are in doubt.
pub(crate) type ListInDoubt =
    fn(&mut AnyConnection, UserId, Timestamp) -> Result<HashSet<SessionId>>;

/// Whether the sessions that a change ends were shown to whoever makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// They were not: nothing may end.
    Missing,
    /// They were, on a page of that time. What would not have ended then was not shown.
    Given(Timestamp),
}

impl Confirmation {
    /// Returns whether a session was shown that a limit of `seconds` ends.
    fn covers(self, session: &Session, seconds: i32) -> bool {
        match self {
            Self::Missing => false,
            Self::Given(shown) => session.expiry_with_limit(seconds) <= shown,
        }
    }
}

/// The outcome of a change of idle limits.
#[derive(Debug)]
pub enum IdleChange {
    /// It is saved. These sessions have ended by it, and these are still live.
    Saved {
        /// The sessions that have ended.
        ended: Vec<Session>,
        /// The person's other live sessions.
        live: Vec<Session>,
    },
    /// Nothing is saved, since sessions would end that were not confirmed.
    Unconfirmed {
        /// The sessions that would end.
        ending: Vec<Session>,
        /// The person's other live sessions.
        live: Vec<Session>,
    },
}

/// The idle limits of the service, of which people choose stricter ones.
#[derive(Debug, Clone, Copy)]
pub struct IdleLimits {
    standard: Duration,
    remembered: Duration,
}

impl IdleLimits {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            standard: policy.longest_idle(SessionPersistence::Standard),
            remembered: policy.longest_idle(SessionPersistence::Remembered),
        }
    }

    /// Returns the idle limit of a session: the service's, or the stricter one its owner chose.
    #[must_use]
    pub fn limit(self, persistence: SessionPersistence, chosen: Option<IdleLimit>) -> Duration {
        let idle = match persistence {
            SessionPersistence::Standard => self.standard,
            SessionPersistence::Remembered => self.remembered,
        };
        chosen.map_or(idle, |chosen| idle.min(chosen.span()))
    }

    /// Returns whether a choice lets sessions live longer without use than another one does.
    #[must_use]
    pub fn is_longer(self, chosen: Option<IdleLimit>, than: Option<IdleLimit>) -> bool {
        let kinds = [SessionPersistence::Standard, SessionPersistence::Remembered];
        let longer = |kind| self.limit(kind, chosen) > self.limit(kind, than);
        kinds.into_iter().any(longer)
    }

    /// Returns the idle limit of a session that is there, on a device that is not exempt.
    #[must_use]
    pub fn limit_of(self, session: &Session, chosen: Option<IdleLimit>) -> Duration {
        let persistence = match session.is_remembered {
            true => SessionPersistence::Remembered,
            false => SessionPersistence::Standard,
        };
        self.limit(persistence, chosen)
    }

    /// Returns whether a choice ends a live session at `at`, which is on a device that is not exempt.
    #[must_use]
    pub fn would_end(self, session: &Session, chosen: Option<IdleLimit>, at: Timestamp) -> bool {
        session.expiry_with_limit(self.seconds(session, chosen)) <= at
    }

    pub(super) fn seconds(self, session: &Session, chosen: Option<IdleLimit>) -> i32 {
        let seconds = self.limit_of(session, chosen).as_secs();
        i32::try_from(seconds).map_or(EXEMPT_SECONDS - 1, |seconds| {
            seconds.min(EXEMPT_SECONDS - 1)
        })
    }
}

/// A change of the idle limits of a person's live sessions.
pub(crate) struct IdleUpdate<'a> {
    pub(crate) owner: UserId,
    pub(crate) limits: IdleLimits,
    /// The limit that the person chose.
    pub(crate) chosen: Option<IdleLimit>,
    pub(crate) confirmation: Confirmation,
    pub(crate) origin: &'a Origin,
    pub(crate) at: Timestamp,
}

impl Sessions {
    /// Returns the idle limits of the service.
    #[must_use]
    pub fn idle_limits(&self) -> IdleLimits {
        IdleLimits::new(&self.policy)
    }

    /// Updates what becomes of the device that the session `id` is on when it is not used: of its
    /// live sessions, and of later ones. Those that are in doubt, by `list_in_doubt`, never become exempt.
    ///
    /// # Errors
    /// [`Error::NotFound`] when `owner` has no such session, or it is on no known device;
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub(crate) async fn update_when_unused(
        &self,
        (owner, id): (UserId, SessionId),
        (when_unused, list_in_doubt): (WhenUnused, ListInDoubt),
        confirmation: Confirmation,
        origin: Origin,
    ) -> Result<IdleChange> {
        // Expiry is computed from the rows, which lack the last uses that are still buffered.
        self.flush_last_uses().await?;
        let (at, limits) = (self.clock.now(), self.idle_limits());
        self.db
            .transaction(move |c| {
                let user = people::store::lock(c, owner)?;
                let session = store::find(c, owner, id)?.ok_or(Error::NotFound)?;
                let device = session.device_id.ok_or(Error::NotFound)?;
                // The device row before the session rows: the lock order of a sign-in.
                if !devices::store::lock(c, owner, &device)? {
                    return Err(Error::NotFound);
                }
                let update = IdleUpdate {
                    owner,
                    limits,
                    chosen: user.idle_limit(),
                    confirmation,
                    origin: &origin,
                    at,
                };
                let in_doubt = match when_unused {
                    WhenUnused::StaysSignedIn => list_in_doubt(c, owner, at)?,
                    WhenUnused::SignsOut => HashSet::new(),
                };
                let outcome = update.run_on_device(c, &device, when_unused, &in_doubt)?;
                if let IdleChange::Saved { .. } = outcome
                    && devices::store::update_when_unused(c, owner, &device, when_unused)? > 0
                {
                    record(c, (owner, id), when_unused, &origin, at)?;
                }
                Ok(outcome)
            })
            .await
    }
}

/// Ends the exemption of a device that may be somebody else's, as a part of a transaction: its
/// sessions that are unused for longer than the idle limit end. The caller has locked the person.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn end_exemption(
    c: &mut AnyConnection,
    user: &User,
    device: &str,
    limits: IdleLimits,
    at: Timestamp,
) -> Result<()> {
    const ENDED: WhenUnused = WhenUnused::SignsOut;

    devices::store::update_when_unused(c, user.id, device, ENDED)?;
    let update = IdleUpdate {
        owner: user.id,
        limits,
        chosen: user.idle_limit(),
        confirmation: Confirmation::Given(at),
        origin: &Origin::default(),
        at,
    };
    update
        .run_on_device(c, device, ENDED, &HashSet::new())
        .map(drop)
}

impl IdleUpdate<'_> {
    /// Applies the limit that the person chose to their sessions, except those on exempt devices.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub(crate) fn run(&self, c: &mut AnyConnection) -> Result<IdleChange> {
        self.apply(c, |session| match session.is_idle_exempt() {
            true => None,
            false => Some(self.limits.seconds(session, self.chosen)),
        })
    }

    fn run_on_device(
        &self,
        c: &mut AnyConnection,
        device: &str,
        when_unused: WhenUnused,
        in_doubt: &HashSet<SessionId>,
    ) -> Result<IdleChange> {
        self.apply(c, |session| {
            let is_on_it = session.device_id.as_deref() == Some(device);
            (is_on_it && !in_doubt.contains(&session.id)).then(|| match when_unused {
                WhenUnused::StaysSignedIn => EXEMPT_SECONDS,
                WhenUnused::SignsOut => self.limits.seconds(session, self.chosen),
            })
        })
    }

    /// Gives the live sessions the idle limit in seconds that `limit` returns; `None` leaves one.
    fn apply(
        &self,
        c: &mut AnyConnection,
        limit: impl Fn(&Session) -> Option<i32>,
    ) -> Result<IdleChange> {
        store::lock_live(c, self.owner)?;
        let live = store::list_live(c, self.owner, self.at)?;
        let changes: Vec<(SessionId, i32)> = live
            .iter()
            .filter_map(|session| Some((session.id, limit(session)?)))
            .collect();
        let ends = |session: &Session| {
            let change = changes.iter().find(|(id, _)| *id == session.id);
            change.is_some_and(|(_, seconds)| session.expiry_with_limit(*seconds) <= self.at)
        };
        let (ending, live): (Vec<Session>, Vec<Session>) = live.into_iter().partition(ends);
        let is_shown = |session: &Session| {
            let change = changes.iter().find(|(id, _)| *id == session.id);
            change.is_some_and(|(_, seconds)| self.confirmation.covers(session, *seconds))
        };
        if !ending.iter().all(is_shown) {
            return Ok(IdleChange::Unconfirmed { ending, live });
        }
        let ended = self.end(c, &ending)?;
        for seconds in distinct(changes.iter().map(|(_, seconds)| *seconds)) {
            let same = changes.iter().filter(|(_, limit)| *limit == seconds);
            let ids: Vec<SessionId> = same.map(|(id, _)| *id).collect();
            store::update_idle_limit(c, self.owner, &ids, seconds, self.at)?;
        }
        Ok(IdleChange::Saved { ended, live })
    }

    fn end(&self, c: &mut AnyConnection, ending: &[Session]) -> Result<Vec<Session>> {
        const REASON: EndedReason = EndedReason::Expired;

        let ids: Vec<SessionId> = ending.iter().map(|session| session.id).collect();
        let end = SessionEnd::by(self.origin, REASON, self.at);
        let ended = store::end_several(c, self.owner, &ids, end)?;
        record_ended(c, &ended, REASON, self.origin, self.at)?;
        Ok(ended)
    }
}

/// Exempts the live sessions on exempt `devices` of a person from the idle limit, except those that are in
/// doubt, as a part of a transaction in which they are locked.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn exempt_sessions(
    c: &mut AnyConnection,
    (owner, devices): (UserId, &[String]),
    in_doubt: &HashSet<SessionId>,
    at: Timestamp,
) -> Result<()> {
    let is_due = |session: &Session| {
        let device = session.device_id.as_ref();
        device.is_some_and(|device| devices.contains(device))
            && !session.is_idle_exempt()
            && !in_doubt.contains(&session.id)
    };
    let live = store::list_live(c, owner, at)?;
    let due: Vec<SessionId> = (live.iter().filter(|it| is_due(it)))
        .map(|session| session.id)
        .collect();
    match due.is_empty() {
        true => Ok(()),
        false => store::update_idle_limit(c, owner, &due, EXEMPT_SECONDS, at).map(drop),
    }
}

fn distinct(seconds: impl Iterator<Item = i32>) -> Vec<i32> {
    let mut distinct: Vec<i32> = seconds.collect();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Records that the person changed what becomes of the device of a session.
fn record(
    c: &mut AnyConnection,
    (owner, id): (UserId, SessionId),
    when_unused: WhenUnused,
    origin: &Origin,
    at: Timestamp,
) -> Result<()> {
    let setting = match when_unused {
        WhenUnused::StaysSignedIn => Setting::IdleExempt,
        WhenUnused::SignsOut => Setting::IdleExemptionEnded,
    };
    let event = NewEvent::for_session(owner, id, EventKind::SettingChanged, origin, at)
        .with_detail(setting.as_str());
    events::record_rare_event(c, event)
}
