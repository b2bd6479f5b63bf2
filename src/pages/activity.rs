//! The section of `/account` that shows what happened to the account itself, with who did it and the
//! reason that an administrator stated.

use std::collections::HashSet;

use super::own_acts;
use super::words::{self, TimeView};
use crate::db::SessionId;
use crate::error::Result;
use crate::events::{self, Actor, Event};
use crate::http::app_state::AppState;
use crate::http::reader_clock::ReaderClock;
use crate::people::User;
use crate::sessions::Session;

/// Events shown, newest first: of what happened, and of tries that failed.
const SHOWN: (u32, u32) = (20, 5);

/// An event of an account, in words for its person.
pub(super) struct AccountEvent {
    /// What happened.
    pub(super) what: String,
    /// Who did it, if anybody whom that doesn't name.
    pub(super) by: Option<&'static str>,
    /// The reason that an administrator stated.
    pub(super) reason: Option<String>,
    /// The device that it was done from.
    pub(super) device: Option<String>,
    /// The person's own address, if they did it, or that of somebody who is not known.
    pub(super) address: Option<String>,
    /// When.
    pub(super) at: TimeView,
    /// Whether that was the last time of several.
    pub(super) is_last: bool,
}

/// Lists what happened to an account lately.
pub(super) async fn list(
    app: &AppState,
    (user, in_doubt): (&User, &HashSet<SessionId>),
    clock: ReaderClock,
) -> Result<Vec<AccountEvent>> {
    let events = events::list_of_account(&app.db, user.id, SHOWN).await?;
    let by = events.iter().filter_map(|event| event.by_session_id);
    let sessions = app.sessions.list_by_ids(user.id, by.collect()).await?;
    let reported = app
        .sessions
        .list_on_reported(user.id, sessions.clone())
        .await?;
    let doubtful = (&reported, in_doubt);
    let view = |event: &Event| AccountEvent::new(event, user, (&sessions, doubtful), clock);
    Ok(events.iter().map(view).collect())
}

impl AccountEvent {
    /// Returns an event that was done from one of the `sessions`, if from any. Their devices are called by what
    /// they state of themselves: names can be changed. What was done from one that the person `reported` was
    /// not done by them; what was from one that is in doubt may not have been.
    fn new(
        event: &Event,
        user: &User,
        (sessions, (reported, in_doubt)): (&[Session], (&HashSet<SessionId>, &HashSet<SessionId>)),
        clock: ReaderClock,
    ) -> Self {
        let actor = event.actor();
        let is_shown = matches!(actor, Actor::Person | Actor::Unknown);
        let own = event.own_address().filter(|_| is_shown);
        let is_reported = event.by_session_id.is_some_and(|by| reported.contains(&by));
        let is_in_doubt = event.by_session_id.is_some_and(|by| in_doubt.contains(&by));
        let is_own = actor == Actor::Person && !is_reported && !is_in_doubt;
        let own_act = own_acts::describe(event).filter(|_| is_own);
        let by = sessions
            .iter()
            .find(|it| Some(it.id) == event.by_session_id);
        let by = by.filter(|_| is_shown).map(Session::label);
        let stated = || {
            event
                .device
                .clone()
                .filter(|_| event.former_name().is_none())
        };
        Self {
            by: match is_reported {
                true => Some("on a device that you reported"),
                false if is_in_doubt => None,
                false => {
                    words::actor(actor).filter(|_| own_act.is_none() && !event.kind.is_refusal())
                }
            },
            what: own_act.unwrap_or_else(|| words::account_event(event)),
            address: own.map(|ip| words::address(ip, user.ip_retention)),
            at: words::event_time(event, clock),
            is_last: event.times > 1,
            device: by.or_else(stated),
            reason: event.stated_reason.clone(),
        }
    }
}
