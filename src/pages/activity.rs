//! The section of `/account` that shows what happened to the account itself, with who did it and the
//! reason that an administrator stated.

use super::own_acts;
use super::words::{self, TimeView};
use crate::db::Db;
use crate::error::Result;
use crate::events::{self, Actor, Event};
use crate::http::reader_clock::ReaderClock;
use crate::people::User;

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
    /// The device that it was done from, where no session of theirs says it.
    pub(super) device: Option<String>,
    /// The person's own address, if they did it, or that of somebody who is not known.
    pub(super) address: Option<String>,
    /// When.
    pub(super) at: TimeView,
    /// Whether that was the last time of several.
    pub(super) is_last: bool,
}

/// Lists what happened to an account lately.
pub(super) async fn list(db: &Db, user: &User, clock: ReaderClock) -> Result<Vec<AccountEvent>> {
    let events = events::list_of_account(db, user.id, SHOWN).await?;
    let view = |event: Event| AccountEvent::new(event, user, clock);
    Ok(events.into_iter().map(view).collect())
}

impl AccountEvent {
    fn new(event: Event, user: &User, clock: ReaderClock) -> Self {
        let actor = event.actor();
        let is_shown = matches!(actor, Actor::Person | Actor::Unknown);
        let own = event.own_address().filter(|_| is_shown);
        let own_act = own_acts::describe(&event).filter(|_| actor == Actor::Person);
        Self {
            by: words::actor(actor).filter(|_| own_act.is_none() && !event.kind.is_refusal()),
            what: own_act.unwrap_or_else(|| words::account_event(&event)),
            address: own.map(|ip| words::address(ip, user.ip_retention)),
            at: words::event_time(&event, clock),
            is_last: event.times > 1,
            device: event.device,
            reason: event.stated_reason,
        }
    }
}
