//! Alerts: notices to a person, on their other devices and by e-mail, of what may be an intruder's
//! doing. An alert is raised in the transaction of what it reports, so neither exists without the
//! other.

mod context;
mod email;
mod evidence;
mod kind;
mod link_words;
mod mailing;
mod message_facts;
mod redaction;
pub(crate) mod store;

use std::time::Duration;

pub use self::context::{AdminAct, AlertContext};
pub use self::email::AlertMessages;
pub(crate) use self::email::{AlertedDevice, REASON_FORMER};
pub use self::evidence::{UseBefore, UseBeforeRecord, UseBeforeWords};
pub use self::kind::{AlertKind, AlertReview};
pub use self::redaction::Redaction;
pub(crate) use self::redaction::{redact_addresses, review};
pub use self::store::{Alert, ReportSteps, StepRecord};
pub(crate) use self::store::{Confirmation, Confirmer, EmailChange, Settlement};
use crate::clock::{Clock, Timestamp};
use crate::db::{AlertId, AnyConnection, Db, NodeLock, SessionId, UserId};
use crate::error::Result;
use crate::geo::Place;
use crate::mail;
use crate::people::User;
use crate::settings::Settings;

/// How long an alert can be confirmed or reported on a device.
const OPEN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long the messages to a recipient are counted; no limit is about a longer time.
const COUNT_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// The alerts of the service; clones share its database.
#[derive(Clone)]
pub struct Alerts {
    db: Db,
    clock: Clock,
    is_mailing: bool,
    retention: Duration,
    take_back_window: Duration,
    purge_batch: u32,
}

impl Alerts {
    /// Returns the alerts in `db`, sent by e-mail as well where the settings name an SMTP server.
    #[must_use]
    pub fn new(db: Db, clock: Clock, settings: &Settings) -> Self {
        Self {
            db,
            clock,
            is_mailing: settings.mail.sends_mail(),
            retention: settings.sessions.retention,
            take_back_window: settings.accounts.take_back_window,
            purge_batch: settings.jobs.sweep_batch,
        }
    }

    /// Returns whether messages are sent: whether an SMTP server is named.
    #[must_use]
    pub fn is_mailing(&self) -> bool {
        self.is_mailing
    }

    /// Raises an alert, as the last part of the transaction of what it reports, and queues the
    /// messages about it. `user` is the person from before what it reports.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub(crate) fn raise(
        &self,
        c: &mut AnyConnection,
        user: &User,
        (kind, context): (AlertKind, AlertContext),
        now: Timestamp,
    ) -> Result<()> {
        let alert = Alert::new(user, kind, with_own_name(c, user.id, context, now)?, now);
        store::insert(c, &alert)?;
        if kind == AlertKind::TokenReuse {
            // It says what the other one asked.
            redaction::replace(c, AlertKind::TwoPlaces, &alert)?;
        }
        match self.is_mailing {
            true => mailing::queue(c, &alert, now),
            false => Ok(()),
        }
    }

    /// Lists every alert of a person, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list(&self, user: UserId) -> Result<Vec<Alert>> {
        self.db.read(move |c| store::list_by_person(c, user)).await
    }

    /// Lists a person's alerts, newest first: those before the one with the id `before`, at most
    /// `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_before(
        &self,
        user: UserId,
        before: Option<AlertId>,
        limit: u32,
    ) -> Result<Vec<Alert>> {
        self.db
            .read(move |c| store::list_before(c, user, before, i64::from(limit)))
            .await
    }

    /// Lists a person's newest alerts, at most `limit`.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_newest(&self, user: UserId, limit: u32) -> Result<Vec<Alert>> {
        self.db
            .read(move |c| store::list_newest(c, user, i64::from(limit)))
            .await
    }

    /// Purges the messages that are past the retention of alerts: the links in them are void by
    /// then. Purges what limits them once it is a day old. Works as [`Alerts::purge`].
    ///
    /// # Errors
    /// As [`Alerts::purge`].
    pub async fn purge_messages(&self) -> Result<usize> {
        let now = self.clock.now();
        let before = now - self.retention - OPEN_FOR - self.take_back_window;
        let limit = i64::from(self.purge_batch);
        let messages = self
            .db
            .repeat_with_lock(NodeLock::Sweep, move |c| {
                mail::store::purge(c, before, limit)
            })
            .await?;
        let counts = self
            .db
            .repeat_with_lock(NodeLock::Sweep, move |c| {
                mail::store::purge_counts(c, now - COUNT_RETENTION, limit)
            })
            .await?;
        Ok(messages + counts)
    }

    /// Purges the alerts that are past their retention and can no longer be reviewed. Those of
    /// sessions that still exist stay, since they record that a session was reported. Works in
    /// batches, unless another node does. Returns how many were purged.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond; what
    /// was purged until then stays purged.
    pub async fn purge(&self) -> Result<usize> {
        let before = self.clock.now() - self.retention - OPEN_FOR - self.take_back_window;
        let limit = i64::from(self.purge_batch);
        self.db
            .repeat_with_lock(NodeLock::Sweep, move |c| store::purge(c, before, limit))
            .await
    }
}

/// Raises an alert that no message is sent about, as a part of the transaction of what it reports.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn raise_on_pages(
    c: &mut AnyConnection,
    user: &User,
    (kind, context): (AlertKind, AlertContext),
    now: Timestamp,
) -> Result<()> {
    let context = with_own_name(c, user.id, context, now)?;
    store::insert(c, &Alert::new(user, kind, context, now))
}

/// Returns the context of an alert by the label of its device while its session's own sign-in waits for an
/// answer: whoever that is may have stated another device's id or name.
fn with_own_name(
    c: &mut AnyConnection,
    user: UserId,
    context: AlertContext,
    now: Timestamp,
) -> Result<AlertContext> {
    let Some(session) = context
        .session
        .filter(|_| context.device_name != context.device_label)
    else {
        return Ok(context);
    };
    let unconfirmed = list_unconfirmed_sessions(c, user, now)?;
    Ok(match unconfirmed.contains(&session) {
        true => AlertContext {
            device_name: context.device_label.clone(),
            ..context
        },
        false => context,
    })
}

/// Lists a person's open alerts that can be confirmed or reported, newest first.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn list_open(c: &mut AnyConnection, user: UserId, now: Timestamp) -> Result<Vec<Alert>> {
    let mut open = list_unread(c, user, now)?;
    open.retain(|alert| !alert.kind.is_notice());
    Ok(open)
}

/// Lists a person's open alerts, newest first, notices among them.
///
/// # Errors
/// As [`list_open`].
pub(crate) fn list_unread(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<Alert>> {
    store::list_open(c, user, now - OPEN_FOR)
}

/// Lists the sessions that are the subject of a person's alerts about sign-ins that are open at `now`.
/// An alert that can't be read prevents no sign-in.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn list_unconfirmed_sessions(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<SessionId>> {
    store::list_unconfirmed_sessions(c, user, now - OPEN_FOR)
}

/// Finds the time of the first of a person's alerts about sign-ins that are open at `now`.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn find_first_unconfirmed(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let open = list_open(c, user, now)?;
    let sign_ins = open.iter().filter(|alert| alert.kind.is_sign_in());
    Ok(sign_ins.map(|alert| alert.at).min())
}

/// Returns whether a person reported a sign-in since the password was set: whoever it was may have read what a
/// session of the person can read, and may still know the password.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn has_reported_sign_in(c: &mut AnyConnection, user: &User) -> Result<bool> {
    store::has_reported_sign_in(c, user.id, user.password_changed_at)
}

/// Finds the time of the first of a person's alerts about sign-ins that are open at `now`, or were reported
/// since the password was set.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(crate) fn find_first_doubtful(
    c: &mut AnyConnection,
    user: &User,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    store::find_first_doubtful(c, user.id, (now - OPEN_FOR, user.password_changed_at))
}

impl Alert {
    fn new(user: &User, kind: AlertKind, context: AlertContext, now: Timestamp) -> Self {
        let AlertContext {
            session,
            device_name,
            device_label,
            device_kind,
            location,
            before,
            act,
        } = context;
        Self {
            id: AlertId::new(now),
            user_id: user.id,
            session_id: session,
            kind,
            email: user.email.clone(),
            device_name,
            device_kind,
            ip_address: location.ip,
            location_city: location.place.city,
            location_country: location.place.country,
            location_point: location.place.point,
            before: before
                .map(store::UseBeforeColumns::from)
                .unwrap_or_default(),
            settled_by: None,
            steps: ReportSteps::default(),
            at: now,
            answer: None,
            answered_at: None,
            act: act.as_ref().map(|act| act.kind),
            stated_reason: act.and_then(|act| act.reason),
            device_label: Some(device_label),
            redaction_due: false,
        }
    }

    /// Returns the label of the device, by what it states of itself, without its owner's name for it.
    /// That of an alert from before labels were stored may be such a name where a session ended.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        let is_label = !self.kind.is_end();
        let name = Some(self.device_name.as_str()).filter(|_| is_label);
        self.device_label.as_deref().or(name)
    }

    /// Returns when the person reported it, if they did.
    #[must_use]
    pub fn reported_at(&self) -> Option<Timestamp> {
        self.answered_at
            .filter(|_| self.answer == Some(AlertReview::Reported))
    }

    /// Returns the place where it happened.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            city: self.location_city.clone(),
            country: self.location_country.clone(),
            point: self.location_point,
        }
    }

    /// Returns whether it reports what the reader of a former address did.
    #[must_use]
    pub fn is_by_mailbox(&self) -> bool {
        self.session_id.is_none() && self.device_name.eq_ignore_ascii_case(context::MAILBOX)
    }

    /// Returns the use before the sign-in that it reports, if it says something about that.
    #[must_use]
    pub fn use_before(&self) -> Option<UseBefore> {
        self.before
            .get()
            .filter(|before| before.is_telling(self.at))
    }

    /// Returns the use before in words. Of a copied sign-in nobody knows which use was the copy's.
    #[must_use]
    pub fn use_before_words(&self) -> Option<UseBeforeWords> {
        let (before, there) = (self.use_before()?, self.place());
        Some(match self.kind {
            AlertKind::TokenReuse => before.words_of_either(self.at, &there),
            _ => before.words(self.at, &there),
        })
    }

    /// Returns what the person answered, and when, if they did.
    #[must_use]
    pub fn review(&self) -> Option<(AlertReview, Timestamp)> {
        self.answer.zip(self.answered_at)
    }

    /// Returns whether it has neither been confirmed nor reported, and no other one took its place.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.answered_at.is_none()
    }

    /// Returns whether another one took its place before anybody answered it.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        !self.is_open() && self.answer.is_none() && self.settled_by.is_some()
    }

    /// Returns whether it waits for an answer at `now`: whether it is open, and not too old.
    #[must_use]
    pub fn waits_at(&self, now: Timestamp) -> bool {
        self.is_open() && self.at >= now - OPEN_FOR
    }
}
