//! The impossible travels that *Your devices* shows.

use std::collections::HashMap;

use super::device_views::ImpossibleTravels;
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::Result;
use crate::events::{self, Event, EventKind};
use crate::http::app_state::AppState;
use crate::sessions::Session;

/// Returns the impossible travels recorded for these sessions, without those that the person has confirmed
/// since.
///
/// # Errors
/// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
pub(super) async fn load(app: &AppState, live: &[Session]) -> Result<ImpossibleTravels> {
    const KIND: EventKind = EventKind::ImpossibleTravel;

    let travelled = || live.iter().filter(|session| session.has_impossible_travel);
    let Some(owner) = travelled().next().map(|session| session.user_id) else {
        return Ok(ImpossibleTravels(HashMap::new()));
    };
    let ids: Vec<SessionId> = travelled().map(|session| session.id).collect();
    let confirmed = app.alerts.list_confirmed(owner, ids.clone()).await?;
    let events = events::list_by_kind(&app.db, owner, ids, KIND).await?;
    let is_confirmed = |id: SessionId, at: Timestamp| {
        let mut its = confirmed.iter().filter(|(session, _)| *session == id);
        its.any(|(_, confirmed_at)| *confirmed_at >= at)
    };
    let travel = |event: Event| {
        let session = event.session_id?;
        let detail = event.detail.filter(|_| !is_confirmed(session, event.at));
        Some((session, detail?))
    };
    Ok(ImpossibleTravels(
        events.into_iter().filter_map(travel).collect(),
    ))
}
