//! The maximum number of a person's live sessions, and which of them end for a new one beyond it.

use std::collections::HashSet;

use super::record_ended;
use super::store::{self, Session, SessionEnd};
use super::values::EndedReason;
use super::waiting_sign_ins::WaitingSignIns;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, SessionId};
use crate::error::Result;
use crate::events::Origin;

/// Ends sessions of the owner of `created` if there are more than `max`: those used longest ago. While a sign-in
/// waits for an answer, those end first that are in doubt for it: whoever has the password can't sign the person out by signing in often.
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
    let waiting = WaitingSignIns::load(c, owner, now)?;
    let ids = match waiting.count() {
        0 => ids,
        _ => doubtful_first(
            store::list_live(c, owner, now)?,
            created,
            &waiting,
            ids.len(),
        ),
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
/// those in doubt, then all others, each used longest ago first.
fn doubtful_first(
    mut live: Vec<Session>,
    created: &Session,
    waiting: &WaitingSignIns,
    count: usize,
) -> Vec<SessionId> {
    live.retain(|session| session.id != created.id);
    let in_doubt = live.iter().filter(|session| waiting.doubts(session, &live));
    let in_doubt: HashSet<SessionId> = in_doubt.map(|session| session.id).collect();
    live.sort_by_key(|session| {
        let is_certain = !in_doubt.contains(&session.id);
        (is_certain, session.last_used_at, session.id)
    });
    live.iter().take(count).map(|session| session.id).collect()
}
