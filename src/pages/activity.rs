//! The section of `/account` that shows what happened to the account itself, with who did it and the
//! reason that an administrator stated.

use super::words::{self, TimeView};
use crate::db::Db;
use crate::error::Result;
use crate::events::{self, Actor, Event};
use crate::people::User;

/// Events shown, newest first.
const SHOWN: u32 = 20;

/// An event of an account, in words for its person.
pub(super) struct AccountEvent {
    /// What happened.
    pub(super) what: String,
    /// Who did it, if anybody.
    pub(super) by: Option<&'static str>,
    /// The reason that an administrator stated.
    pub(super) reason: Option<String>,
    /// The person's own address, if they did it.
    pub(super) address: Option<String>,
    /// When.
    pub(super) at: TimeView,
}

/// Lists what happened to an account lately.
pub(super) async fn list(db: &Db, user: &User) -> Result<Vec<AccountEvent>> {
    let events = events::list_of_account(db, user.id, SHOWN).await?;
    let view = |event: Event| AccountEvent::new(event, user);
    Ok(events.into_iter().map(view).collect())
}

impl AccountEvent {
    fn new(event: Event, user: &User) -> Self {
        let actor = event.actor();
        let own = event.own_address().filter(|_| actor == Actor::Person);
        Self {
            what: words::account_event(event.kind, event.detail.as_deref().unwrap_or_default()),
            by: words::actor(actor),
            address: own.map(|ip| words::address(ip, user.ip_retention)),
            at: TimeView::exact(event.at),
            reason: event.stated_reason,
        }
    }
}
