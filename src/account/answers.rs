//! What answers to alerts did, for whoever opens the link in a message about them later.

use super::Accounts;
use super::alert_details::AlertDetails;
use crate::alerts::{Alert, AlertReview};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId, UserId};
use crate::error::Result;
use crate::events::{self, EventKind};
use crate::sessions::{self, Session};

/// What answers to alerts of one person did, and which sessions are live since.
#[derive(Debug)]
pub struct AnswerActs {
    /// The sessions that the answered alerts are about.
    subjects: Vec<Session>,
    /// The sessions that the reports ended.
    ended: Vec<Session>,
    live: Vec<Session>,
    /// When the account was taken back, newest first.
    taken_back: Vec<Timestamp>,
}

impl Accounts {
    /// Returns what the answers to these alerts did. The caller bounds their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_answer_acts(
        &self,
        owner: UserId,
        alerts: &[AlertDetails],
    ) -> Result<AnswerActs> {
        let now = self.clock.now();
        let reviewed: Vec<Alert> = alerts.iter().map(|it| it.reviewed().clone()).collect();
        self.db
            .read(move |c| AnswerActs::load(c, owner, &reviewed, now))
            .await
    }
}

impl AlertDetails {
    /// Returns the alert whose answer settled this one: itself, or another.
    #[must_use]
    pub fn reviewed(&self) -> &Alert {
        self.settled_by.as_ref().unwrap_or(&self.alert)
    }
}

impl AnswerActs {
    fn load(
        c: &mut AnyConnection,
        owner: UserId,
        reviewed: &[Alert],
        now: Timestamp,
    ) -> Result<Self> {
        let ids: Vec<SessionId> = reviewed.iter().filter_map(|it| it.session_id).collect();
        let reviews = reviewed.iter().filter_map(Alert::review);
        let reported = reviews.filter(|(review, _)| *review == AlertReview::Reported);
        let mut times: Vec<Timestamp> = reported.map(|(_, at)| at).collect();
        times.sort_unstable();
        times.dedup();
        let mut ended = Vec::new();
        for at in times {
            ended.extend(sessions::store::list_ended_at(c, owner, at)?);
        }
        Ok(Self {
            subjects: match ids.is_empty() {
                true => Vec::new(),
                false => sessions::store::list_own_by_ids(c, owner, &ids)?,
            },
            ended,
            live: sessions::store::list_live(c, owner, now)?,
            taken_back: events::store::list_times(c, owner, EventKind::TakenBack)?,
        })
    }

    /// Returns the sessions that a report ended at `at`.
    pub fn ended_at(&self, at: Timestamp) -> impl Iterator<Item = &Session> {
        let ended = self.ended.iter();
        ended.filter(move |session| session.ended_at == Some(at))
    }

    /// Returns when the account was taken back last, if it was.
    #[must_use]
    pub fn taken_back_last(&self) -> Option<Timestamp> {
        self.taken_back.first().copied()
    }

    /// Returns whether the account was taken back at `at`.
    #[must_use]
    pub fn is_taken_back_at(&self, at: Timestamp) -> bool {
        self.taken_back.contains(&at)
    }

    /// Returns whether it was taken back at `at` in no session, but by a link.
    #[must_use]
    pub fn is_taken_back_by_link(&self, at: Timestamp) -> bool {
        self.is_taken_back_at(at) && self.ended_at(at).all(|it| it.ended_by.is_none())
    }

    /// Returns whether a session that is live on the device of this one began before `at`.
    #[must_use]
    pub fn has_stayed(&self, session: &Session, at: Timestamp) -> bool {
        let mut live = self.live.iter();
        live.any(|it| it.is_on_device_of(session) && it.created_at < at)
    }

    /// Returns whether the device of an alert was signed in when that was answered, at `at`.
    #[must_use]
    pub fn was_live(&self, alert: &Alert, at: Timestamp) -> bool {
        let mut subjects = self.subjects.iter();
        let Some(subject) = subjects.find(|it| alert.session_id == Some(it.id)) else {
            return false;
        };
        let is_its = |ended: &Session| ended.is_on_device_of(subject);
        subject.ended_at >= Some(at)
            || self.has_stayed(subject, at)
            || self.ended_at(at).any(is_its)
    }
}
