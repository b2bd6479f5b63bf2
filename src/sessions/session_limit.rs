//! The maximum number of a person's live sessions, and which of them end for a new one beyond it.

use std::collections::HashSet;

use super::store::{self, Session, SessionEnd};
use super::values::EndedReason;
use super::waiting_sign_ins::WaitingSignIns;
use super::{list_on_reported, record_ended};
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
        _ => doubtful_first(c, created, &waiting, (ids.len(), now))?,
    };
    let end = SessionEnd {
        reason: REASON,
        by: Some(created.id),
        at: now,
    };
    let ended = store::end_several(c, owner, &ids, end)?;
    record_ended(c, &ended, REASON, origin, now)
}

/// Returns `count` of the person's live sessions other than the one just created, in the order in which they
/// end: those in doubt, compared with the recent ones as at a sign-in, then all others, each used longest ago
/// first.
fn doubtful_first(
    c: &mut AnyConnection,
    created: &Session,
    waiting: &WaitingSignIns,
    (count, now): (usize, Timestamp),
) -> Result<Vec<SessionId>> {
    let owner = created.user_id;
    let mut recent = store::list_compared(c, owner, None, waiting.first())?;
    let reported = list_on_reported(c, owner, &recent)?;
    recent.retain(|other| !reported.contains(&other.id));
    let mut live = store::list_live(c, owner, now)?;
    live.retain(|session| session.id != created.id);
    let in_doubt = live
        .iter()
        .filter(|session| waiting.doubts(session, &recent));
    let in_doubt: HashSet<SessionId> = in_doubt.map(|session| session.id).collect();
    live.sort_by_key(|session| {
        let is_certain = !in_doubt.contains(&session.id);
        (is_certain, session.last_used_at, session.id)
    });
    Ok(live.iter().take(count).map(|session| session.id).collect())
}
