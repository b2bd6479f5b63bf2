//! The maximum number of a person's live sessions, and which of them end for a new one beyond it.

use super::new_sign_in::is_same_network;
use super::record_ended;
use super::store::{self, Session, SessionEnd};
use super::values::EndedReason;
use crate::alerts;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId};
use crate::error::Result;
use crate::events::Origin;

/// Ends sessions of the owner of `created` if there are more than `max`: those used longest ago. While an
/// alert about a sign-in waits for an answer, those end first that came since, from a network where the
/// person was not signed in before: whoever has the password can't sign the person out by signing in often.
pub(super) fn end_beyond_limit(
    c: &mut AnyConnection,
    created: &Session,
    max: u32,
    origin: &Origin,
    now: Timestamp,
) -> Result<()> {
    const REASON: EndedReason = EndedReason::Limit;

    let owner = created.user_id;
    let ids = store::list_beyond_limit(c, owner, created.id, max, now)?;
    if ids.is_empty() {
        return Ok(());
    }
    let ids = match alerts::find_first_unconfirmed(c, owner, now)? {
        Some(first) => doubtful_first(store::list_live(c, owner, now)?, created, first, ids.len()),
        None => ids,
    };
    let end = SessionEnd {
        reason: REASON,
        by: Some(created.id),
        at: now,
    };
    let ended = store::end_several(c, owner, &ids, end)?;
    record_ended(c, &ended, REASON, origin, now)
}

/// Returns `count` of the `live` sessions other than the one just created, in the order in which they end:
/// those since `first`, the time of the first alert, from a network of none before; then all others, each
/// used longest ago first.
fn doubtful_first(
    mut live: Vec<Session>,
    created: &Session,
    first: Timestamp,
    count: usize,
) -> Vec<SessionId> {
    live.retain(|session| session.id != created.id);
    let (before, since): (Vec<&Session>, Vec<&Session>) =
        live.iter().partition(|session| session.created_at < first);
    let is_near = |session: &Session| before.iter().any(|known| is_same_network(session, known));
    let doubtful = since.iter().filter(|session| !is_near(session));
    let doubtful: Vec<SessionId> = doubtful.map(|session| session.id).collect();
    live.sort_by_key(|session| {
        let is_doubtful = doubtful.contains(&session.id);
        (!is_doubtful, session.last_used_at, session.id)
    });
    live.iter().take(count).map(|session| session.id).collect()
}
