//! Impossible travel that a person should know of, and that no alert tells them.

use std::time::Duration;

use super::{Accounts, Attention};
use crate::alerts::{self, Alert, AlertKind};
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::error::Result;
use crate::events::{self, Event, EventKind};
use crate::sessions::{RecordedTravel, Session};

/// How long impossible travel is news.
const NEWS_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Impossible travel of a session.
#[derive(Debug, Clone)]
pub struct SessionTravel {
    /// The session.
    pub session: SessionId,
    /// From where to where, in words, as the event has it.
    pub detail: String,
}

impl Accounts {
    /// Lists the impossible travels of these live sessions of a person, the last one of each, that are news:
    /// that happened within 30 days, and no alert covers it that was answered or is among those that need the
    /// person's attention. One from another device to the session's is none any more once no other device is
    /// signed in that was before.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub async fn list_travels(
        &self,
        owner: UserId,
        live: &[Session],
        attention: &Attention,
    ) -> Result<Vec<SessionTravel>> {
        let travelled = live.iter().filter(|session| session.has_impossible_travel);
        let ids: Vec<SessionId> = travelled.map(|session| session.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let since = self.clock.now() - NEWS_FOR;
        let (events, mut alerts) = self
            .db
            .read(move |c| {
                let kind = EventKind::ImpossibleTravel;
                let events = events::store::list_by_kind(c, owner, &ids, kind)?;
                Ok((events, alerts::store::list_of_sessions(c, owner, &ids)?))
            })
            .await?;
        // An alert that is open, and that this person can't answer here, says nothing here.
        alerts.retain(|alert| alert.review().is_some() || attention.covers(alert));
        let is_news = |session: &Session, event: &&Event| {
            event.session_id == Some(session.id)
                && event.at > since
                && !alerts
                    .iter()
                    .any(|alert| is_covered_by(alert, event, since))
                && has_both_ends(session, event, live)
        };
        let travel = |session: &Session| {
            let last = events.iter().rfind(|event| is_news(session, event))?;
            Some(SessionTravel {
                session: session.id,
                detail: last.detail.clone()?,
            })
        };
        Ok(live.iter().filter_map(travel).collect())
    }
}

/// Returns whether an alert about the session's sign-in, or about its use in two places, covers that it
/// travelled: whether it is open, not from before `since`, and says it, or was answered afterwards. One about a
/// sign-in with no impossible use before does not say what happened at it.
fn is_covered_by(alert: &Alert, event: &Event, since: Timestamp) -> bool {
    let is_travel = alert.kind.is_sign_in() || alert.kind == AlertKind::TwoPlaces;
    let is_about_it = alert.session_id == event.session_id && is_travel;
    let is_impossible = || alert.use_before().is_some_and(|it| it.is_impossible);
    let is_covered = match alert.review() {
        Some((_, answered_at)) => answered_at >= event.at,
        None if alert.at < since || alert.at > event.at => false,
        None => alert.kind == AlertKind::TwoPlaces || alert.at < event.at || is_impossible(),
    };
    is_about_it && is_covered
}

/// Returns whether the device that a session travelled from may be signed in still, if it was another one.
fn has_both_ends(session: &Session, event: &Event, live: &[Session]) -> bool {
    let detail = event.detail.as_deref().and_then(RecordedTravel::parse);
    let is_between_devices = detail.is_some_and(|travel| travel.device.is_some());
    let was_before =
        |other: &Session| !other.is_on_device_of(session) && other.created_at < event.at;
    !is_between_devices || live.iter().any(was_before)
}
