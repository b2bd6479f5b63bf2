//! What became of alerts: of the sessions that they are about, and by which review they were settled.

use std::collections::HashMap;

use super::Accounts;
use super::device_names::load_doubts;
use super::earlier_reports::{EarlierReport, find_earlier_reports};
use crate::alerts::{self, Alert, AlertReview};
use crate::clock::Timestamp;
use crate::db::{AlertId, AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::events::{self, EventKind};
use crate::sessions::{self, Session, is_from_before_elsewhere, is_same_device};

/// An alert, and what became of it.
#[derive(Debug, Clone)]
pub struct AlertDetails {
    /// The alert.
    pub alert: Alert,
    /// The session that it is about, unless that was purged.
    pub session: Option<Session>,
    /// Impossible travel of that session since the alert, in words.
    pub later_travel: Option<String>,
    /// The alert whose review settled this one, unless it is this one.
    pub settled_by: Option<Alert>,
    /// Whether a session is live on the device that it is about; the person's own sessions of which a sign-in
    /// only stated the device are none.
    pub is_signed_in: bool,
    /// What the device of that session is called in the list of devices, if it is there.
    pub listed_as: Option<String>,
    /// Whether every such session is from after the alert.
    pub is_signed_in_again: bool,
    /// What its person had reported before that session began.
    pub earlier_report: Option<EarlierReport>,
}

/// What the review of an alert did.
#[derive(Debug, Clone)]
pub struct ReviewOutcome {
    /// The alert, and the session that it is about.
    pub details: AlertDetails,
    /// The sessions that a report ended.
    pub ended: Vec<Session>,
    /// The other alerts that the report settled.
    pub others: Vec<Alert>,
    /// Whether the report cancelled a pending change of the e-mail.
    pub is_change_cancelled: bool,
    /// Whether the alert is about a change of the e-mail, which was changed again since.
    pub is_email_changed_since: bool,
    /// The live sessions of the person, the first of each device being the one that it is shown by.
    pub live: Vec<Session>,
}

impl AlertDetails {
    /// Returns whether the device that it is about is signed out: every session on it has ended, in
    /// whatever way.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.alert.session_id.is_some() && !self.is_signed_in
    }
}

impl ReviewOutcome {
    /// Returns whether the report ended a session on the device that the alert is about.
    #[must_use]
    pub fn has_ended_subject(&self) -> bool {
        let is_on_it = |subject: &Session| {
            self.ended
                .iter()
                .any(|ended| ended.is_on_device_of(subject))
        };
        self.details.session.as_ref().is_some_and(is_on_it)
    }

    /// Returns whether the device that the alert is about is signed in now.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.details.is_signed_in
    }
}

impl Accounts {
    /// Returns alerts of a person with what became of them, in their order. The caller bounds their
    /// number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn describe_alerts(
        &self,
        owner: UserId,
        alerts: Vec<Alert>,
    ) -> Result<Vec<AlertDetails>> {
        let now = self.clock.now();
        match alerts.is_empty() {
            true => Ok(Vec::new()),
            false => {
                self.db
                    .read(move |c| {
                        let live = list_live(c, owner, &alerts, now)?;
                        describe(c, owner, alerts, &live)
                    })
                    .await
            }
        }
    }

    /// Returns alerts as [`Accounts::describe_alerts`] does, of a person whose live sessions are loaded, by the
    /// names of their devices.
    ///
    /// # Errors
    /// As [`Accounts::describe_alerts`].
    pub async fn describe_alerts_among(
        &self,
        owner: UserId,
        alerts: Vec<Alert>,
        live: Vec<Session>,
    ) -> Result<Vec<AlertDetails>> {
        match alerts.is_empty() {
            true => Ok(Vec::new()),
            false => {
                self.db
                    .read(move |c| describe(c, owner, alerts, &live))
                    .await
            }
        }
    }

    /// Returns those of a person's alerts that have these ids, open or not, with what became of them. The
    /// caller bounds their number.
    ///
    /// # Errors
    /// As [`Accounts::describe_alerts`].
    pub async fn describe_by_ids(
        &self,
        owner: UserId,
        ids: Vec<AlertId>,
    ) -> Result<Vec<AlertDetails>> {
        let now = self.clock.now();
        self.db
            .read(move |c| {
                let found = alerts::store::list_by_ids(c, owner, &ids)?;
                let live = list_live(c, owner, &found, now)?;
                describe(c, owner, found, &live)
            })
            .await
    }

    /// Finds what the review of one of a person's alerts did, from the rows as they are now. `None`
    /// while it is not reviewed.
    ///
    /// # Errors
    /// As [`Accounts::describe_alerts`].
    pub async fn find_review(&self, owner: UserId, id: AlertId) -> Result<Option<ReviewOutcome>> {
        let now = self.clock.now();
        self.db
            .read(move |c| {
                let found = alerts::store::list_by_ids(c, owner, &[id])?;
                let live = sessions::store::list_live(c, owner, now)?;
                let live = load_doubts(c, owner, now)?.ordered(live);
                let Some(details) = describe(c, owner, found, &live)?.pop() else {
                    return Ok(None);
                };
                let Some((review, at)) = details.alert.review() else {
                    return Ok(None);
                };
                let (ended, others) = match review {
                    AlertReview::Confirmed => (Vec::new(), Vec::new()),
                    AlertReview::Reported => (
                        sessions::store::list_ended_at(c, owner, at)?,
                        list_settled_by(c, &details.alert)?,
                    ),
                };
                let changed = &details.alert;
                let is_email_changed_since = changed.kind.is_email_change()
                    && alerts::store::list_email_changes(c, owner)?
                        .iter()
                        .any(|change| change.at > changed.at);
                let cancelled = EventKind::EmailChangeCancelled;
                let is_change_cancelled = review == AlertReview::Reported
                    && events::store::list_times(c, owner, cancelled)?.contains(&at);
                Ok(Some(ReviewOutcome {
                    is_change_cancelled,
                    details,
                    ended,
                    others,
                    is_email_changed_since,
                    live,
                }))
            })
            .await
    }

    /// Returns whether another alert has taken the place of one of a person's alerts.
    ///
    /// # Errors
    /// As [`Accounts::describe_alerts`].
    pub async fn is_replaced(&self, owner: UserId, id: AlertId) -> Result<bool> {
        let find = move |c: &mut AnyConnection| alerts::store::list_by_ids(c, owner, &[id]);
        let found = self.db.read(find).await?;
        Ok(found.iter().any(Alert::is_replaced))
    }
}

/// Lists the other alerts that the report of an alert settled.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) fn list_settled_by(c: &mut AnyConnection, alert: &Alert) -> Result<Vec<Alert>> {
    let Some(at) = alert.reported_at() else {
        return Ok(Vec::new());
    };
    let mut settled = alerts::store::list_reported_between(c, alert.user_id, (at, at))?;
    settled.retain(|other| other.settled_by == Some(alert.id) && other.id != alert.id);
    Ok(settled)
}

/// Lists the live sessions of a person, if one of these alerts is about a session, by the names of their devices.
fn list_live(
    c: &mut AnyConnection,
    owner: UserId,
    alerts: &[Alert],
    now: Timestamp,
) -> Result<Vec<Session>> {
    match alerts.iter().any(|alert| alert.session_id.is_some()) {
        true => {
            let live = sessions::store::list_live(c, owner, now)?;
            Ok(load_doubts(c, owner, now)?.ordered(live))
        }
        false => Ok(Vec::new()),
    }
}

fn describe(
    c: &mut AnyConnection,
    owner: UserId,
    alerts: Vec<Alert>,
    live: &[Session],
) -> Result<Vec<AlertDetails>> {
    let found = Found::load(c, owner, &alerts, live)?;
    Ok(alerts.into_iter().map(|it| found.details(it)).collect())
}

/// What the details of alerts are worked out from.
struct Found<'a> {
    subjects: Vec<Session>,
    travels: Vec<(SessionId, Timestamp, String)>,
    settling: Vec<Alert>,
    live: &'a [Session],
    earlier: HashMap<SessionId, EarlierReport>,
}

impl<'a> Found<'a> {
    fn load(
        c: &mut AnyConnection,
        owner: UserId,
        alerts: &[Alert],
        live: &'a [Session],
    ) -> Result<Self> {
        let ids: Vec<SessionId> = alerts.iter().filter_map(|alert| alert.session_id).collect();
        let subjects = match ids.is_empty() {
            true => Vec::new(),
            false => sessions::store::list_own_by_ids(c, owner, &ids)?,
        };
        let by_others = |alert: &Alert| alert.settled_by.filter(|by| *by != alert.id);
        let others: Vec<AlertId> = alerts.iter().filter_map(by_others).collect();
        Ok(Self {
            travels: list_travels(c, owner, &subjects)?,
            settling: match others.is_empty() {
                true => Vec::new(),
                false => alerts::store::list_by_ids(c, owner, &others)?,
            },
            live,
            earlier: match alerts.iter().any(|alert| alert.kind.is_sign_in()) {
                true => find_earlier_reports(c, owner, &subjects)?,
                false => HashMap::new(),
            },
            subjects,
        })
    }

    fn details(&self, alert: Alert) -> AlertDetails {
        let is_its = |session: &&Session| alert.session_id == Some(session.id);
        let subject = self.subjects.iter().find(is_its);
        let live = subject.map_or_else(Vec::new, |subject| self.list_live_on(&alert, subject));
        AlertDetails {
            session: subject.cloned(),
            is_signed_in: !live.is_empty(),
            is_signed_in_again: !live.is_empty() && live.iter().all(|it| it.created_at > alert.at),
            listed_as: subject.and_then(|subject| self.find_name(subject)),
            later_travel: self
                .travels
                .iter()
                .find(|(session, at, _)| alert.session_id == Some(*session) && *at > alert.at)
                .map(|(.., travel)| travel.clone()),
            settled_by: self
                .settling
                .iter()
                .find(|other| alert.settled_by == Some(other.id) && other.id != alert.id)
                .cloned(),
            earlier_report: alert
                .session_id
                .and_then(|id| self.earlier.get(&id).copied()),
            alert,
        }
    }
}

impl Found<'_> {
    /// Lists the live sessions on the device of an alert's session.
    fn list_live_on(&self, alert: &Alert, subject: &Session) -> Vec<&Session> {
        let is_its = |live: &&Session| {
            let is_before = alert.kind.is_sign_in() && live.created_at < alert.at;
            let is_other = !is_same_device(live, subject) || is_from_before_elsewhere(live, alert);
            live.id == subject.id || (live.is_on_device_of(subject) && !(is_before && is_other))
        };
        self.live.iter().filter(is_its).collect()
    }

    /// Returns what the device of an alert's session is called in the list of devices, if it is signed in.
    fn find_name(&self, subject: &Session) -> Option<String> {
        let mut on_it = self.live.iter().filter(|it| it.is_on_device_of(subject));
        on_it.next().map(Session::display_name)
    }
}

/// Lists the impossible travels of these sessions, newest first.
fn list_travels(
    c: &mut AnyConnection,
    owner: UserId,
    sessions: &[Session],
) -> Result<Vec<(SessionId, Timestamp, String)>> {
    let travelled: Vec<SessionId> = sessions
        .iter()
        .filter(|session| session.has_impossible_travel)
        .map(|session| session.id)
        .collect();
    if travelled.is_empty() {
        return Ok(Vec::new());
    }
    let events = events::store::list_by_kind(c, owner, &travelled, EventKind::ImpossibleTravel)?;
    let travel = |event: events::Event| Some((event.session_id?, event.at, event.detail?));
    Ok(events.into_iter().rev().filter_map(travel).collect())
}
