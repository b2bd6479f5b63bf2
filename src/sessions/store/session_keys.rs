//! Every query of `session_keys`: the keys that browsers made for their sessions.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::{session_keys, user_sessions, users};
use crate::db::{AnyConnection, SessionId, UserId, cached, on_each};
use crate::error::Result;
use crate::people::User;
use crate::sessions::Session;

/// The key of a session.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = session_keys)]
pub(in crate::sessions) struct SessionKey {
    /// The compressed point.
    pub(in crate::sessions) public_key: Vec<u8>,
    /// When it was registered.
    pub(in crate::sessions) registered_at: Timestamp,
    /// When a request brought the bound cookie first, if one did.
    pub(in crate::sessions) seen_at: Option<Timestamp>,
    /// When the challenge was made that was proved last.
    pub(in crate::sessions) proved_at: Timestamp,
    /// When that was proved first.
    pub(in crate::sessions) renewed_at: Timestamp,
    /// When it was last noted that the session was used without the key.
    pub(in crate::sessions) noted_at: Option<Timestamp>,
    /// When the person was last alerted of that.
    pub(in crate::sessions) alerted_at: Option<Timestamp>,
}

/// A key to be stored.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = session_keys)]
pub(in crate::sessions) struct NewSessionKey {
    pub(in crate::sessions) session_id: SessionId,
    pub(in crate::sessions) user_id: UserId,
    pub(in crate::sessions) public_key: Vec<u8>,
    pub(in crate::sessions) registered_at: Timestamp,
    pub(in crate::sessions) proved_at: Timestamp,
    pub(in crate::sessions) renewed_at: Timestamp,
}

/// A live session with its active owner and its key, if it has one.
pub(in crate::sessions) type LiveWithKey = (Session, User, Option<SessionKey>);

/// Finds a live session with its active owner and its key. Every authenticated request runs this query.
pub(in crate::sessions) fn find_live_with_key(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
    now: Timestamp,
) -> Result<Option<LiveWithKey>> {
    let live = user_sessions::table
        .inner_join(users::table)
        .left_join(session_keys::table)
        .filter(user_sessions::user_id.eq(user))
        .filter(user_sessions::id.eq(id))
        .filter(user_sessions::is_active)
        .filter(user_sessions::expires_at.gt(now))
        .filter(users::is_active.eq(true));
    let found = on_each!(c, c => live
        .select((
            Session::as_select(),
            User::as_select(),
            Option::<SessionKey>::as_select(),
        ))
        .get_result(c)
        .optional())?;
    Ok(found)
}

/// Finds the key of a session.
pub(in crate::sessions) fn find_key(
    c: &mut AnyConnection,
    user: UserId,
    id: SessionId,
) -> Result<Option<SessionKey>> {
    Ok(session_keys::table
        .filter(session_keys::user_id.eq(user))
        .filter(session_keys::session_id.eq(id))
        .select(SessionKey::as_select())
        .get_result(c)
        .optional()?)
}

/// Inserts the key of a session, unless it has one. Returns whether it did.
pub(in crate::sessions) fn insert_key(c: &mut AnyConnection, key: &NewSessionKey) -> Result<bool> {
    let row = diesel::insert_into(session_keys::table)
        .values(key)
        .on_conflict_do_nothing();
    let inserted = on_each!(c, c => row.execute(c))?;
    Ok(inserted > 0)
}

/// Replaces the key of a session that no request has brought a bound cookie of. Returns whether it did.
pub(in crate::sessions) fn replace_unseen_key(
    c: &mut AnyConnection,
    key: &NewSessionKey,
) -> Result<bool> {
    use session_keys::dsl;

    let unseen = dsl::session_keys
        .filter(dsl::user_id.eq(key.user_id))
        .filter(dsl::session_id.eq(key.session_id))
        .filter(dsl::seen_at.is_null());
    let changes = (
        dsl::public_key.eq(&key.public_key),
        dsl::registered_at.eq(key.registered_at),
        dsl::proved_at.eq(key.proved_at),
        dsl::renewed_at.eq(key.renewed_at),
    );
    Ok(diesel::update(unseen).set(changes).execute(c)? > 0)
}

/// Records that a request brought the bound cookie of a session first, for this key. Returns whether it was
/// the first one.
pub(in crate::sessions) fn mark_key_seen(
    c: &mut AnyConnection,
    (user, id): (UserId, SessionId),
    public_key: &[u8],
    now: Timestamp,
) -> Result<bool> {
    use session_keys::dsl;

    let unseen = dsl::session_keys
        .filter(dsl::user_id.eq(user))
        .filter(dsl::session_id.eq(id))
        .filter(dsl::public_key.eq(public_key))
        .filter(dsl::seen_at.is_null());
    let marked = diesel::update(unseen)
        .set(dsl::seen_at.eq(now))
        .execute(c)?;
    Ok(marked > 0)
}

/// Stores since when a session is bound; `None` if it is not any more.
pub(in crate::sessions) fn update_bound_at(
    c: &mut AnyConnection,
    (user, id): (UserId, SessionId),
    bound_at: Option<Timestamp>,
) -> Result<()> {
    use user_sessions::dsl;

    let own = dsl::user_sessions
        .filter(dsl::user_id.eq(user))
        .filter(dsl::id.eq(id));
    diesel::update(own)
        .set(dsl::bound_at.eq(bound_at))
        .execute(c)?;
    Ok(())
}

/// Records at `now` when the challenge was made that this key has proved, unless that or a newer one was proved
/// before.
pub(in crate::sessions) fn record_proof(
    c: &mut AnyConnection,
    (user, id): (UserId, SessionId),
    public_key: &[u8],
    challenged_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    use session_keys::dsl;

    let proved = dsl::session_keys
        .filter(dsl::user_id.eq(user))
        .filter(dsl::session_id.eq(id))
        .filter(dsl::public_key.eq(public_key))
        .filter(dsl::proved_at.lt(challenged_at));
    let changes = (dsl::proved_at.eq(challenged_at), dsl::renewed_at.eq(now));
    on_each!(c, c => cached(diesel::update(proved).set(changes).returning(dsl::session_id))
        .get_result::<SessionId>(c)
        .optional())?;
    Ok(())
}

/// Records that it is noted at `now` that a session was used without its key, unless it was after `since`.
/// Returns whether it did.
pub(in crate::sessions) fn mark_noted(
    c: &mut AnyConnection,
    (user, id): (UserId, SessionId),
    since: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    use session_keys::dsl;

    let due = dsl::session_keys
        .filter(dsl::user_id.eq(user))
        .filter(dsl::session_id.eq(id))
        .filter(dsl::noted_at.is_null().or(dsl::noted_at.le(since)));
    let marked = diesel::update(due).set(dsl::noted_at.eq(now)).execute(c)?;
    Ok(marked > 0)
}

/// Records that the person is alerted at `now` of a copy of a session, unless they were after `since`. Returns
/// whether it did.
pub(in crate::sessions) fn mark_alerted(
    c: &mut AnyConnection,
    (user, id): (UserId, SessionId),
    since: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    use session_keys::dsl;

    let due = dsl::session_keys
        .filter(dsl::user_id.eq(user))
        .filter(dsl::session_id.eq(id))
        .filter(dsl::alerted_at.is_null().or(dsl::alerted_at.le(since)));
    let marked = diesel::update(due)
        .set(dsl::alerted_at.eq(now))
        .execute(c)?;
    Ok(marked > 0)
}
