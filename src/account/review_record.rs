//! The record of a review of an alert.

use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::Result;
use crate::events::{self, EventKind, NewEvent, Origin};

/// A review that confirms an alert, as it is recorded.
pub(super) const CONFIRMED: &str = "confirmed";
/// One that reports it.
pub(super) const REPORTED: &str = "reported";

/// Records what a person did about an alert, so that every open page of theirs shows it. What can be
/// repeated is counted.
pub(super) fn record_review(
    c: &mut AnyConnection,
    owner: UserId,
    what: &'static str,
    origin: &Origin,
    at: Timestamp,
) -> Result<()> {
    let event = NewEvent::for_person(owner, EventKind::AlertReviewed, origin, at);
    events::record_events(c, &[event.with_detail(what).counted()])
}
