//! Every query of `former_emails`: the addresses that people had before.

use diesel::prelude::*;
use strum::{EnumString, IntoStaticStr};

use super::lower;
use crate::clock::Timestamp;
use crate::db::schema::former_emails;
use crate::db::{AnyConnection, FormerEmailId, UserId, read_from_text};
use crate::error::Result;
use crate::people::values::Email;

/// Former addresses of a person that are read at most.
const MAX_FORMER: i64 = 1_000;

/// An address that a person had before. While its window is open, nobody else may use it, and it
/// can take the account back.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = former_emails)]
pub(crate) struct FormerEmail {
    pub(crate) id: FormerEmailId,
    pub(crate) user_id: UserId,
    pub(crate) email: String,
    /// When it had been verified; `None` for one from before addresses were verified.
    pub(crate) verified_at: Option<Timestamp>,
    /// When another address took its place.
    pub(crate) changed_at: Timestamp,
    /// When its window ends.
    pub(crate) expires_at: Timestamp,
    pub(crate) state: FormerState,
}

impl FormerEmail {
    /// Returns whether it can take the account back.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.state == FormerState::Open && self.expires_at > now
    }
}

/// The state of a former address. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum FormerState {
    /// It can take the account back until its window ends.
    Open,
    /// It can't any more: its owner confirmed the change or took the account back, or an
    /// administrator changed the address.
    Closed,
    /// An address from before it took the account back.
    Reported,
}

impl FormerState {
    /// Returns the text form.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

read_from_text!(FormerState);

/// Inserts a former address.
pub(crate) fn insert_former(c: &mut AnyConnection, former: &FormerEmail) -> Result<()> {
    let row = (
        former_emails::id.eq(former.id),
        former_emails::user_id.eq(former.user_id),
        former_emails::email.eq(&former.email),
        former_emails::verified_at.eq(former.verified_at),
        former_emails::changed_at.eq(former.changed_at),
        former_emails::expires_at.eq(former.expires_at),
        former_emails::state.eq(former.state.as_str()),
    );
    diesel::insert_into(former_emails::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Returns the former address with that id.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is none.
pub(crate) fn get_former(c: &mut AnyConnection, id: FormerEmailId) -> Result<FormerEmail> {
    Ok(former_emails::table
        .find(id)
        .select(FormerEmail::as_select())
        .get_result(c)?)
}

/// Lists a person's former addresses whose window is open, oldest first.
pub(crate) fn list_open_former(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<FormerEmail>> {
    Ok(former_emails::table
        .filter(former_emails::user_id.eq(user))
        .filter(former_emails::state.eq(FormerState::Open.as_str()))
        .filter(former_emails::expires_at.gt(now))
        .order((former_emails::changed_at, former_emails::id))
        .limit(MAX_FORMER)
        .select(FormerEmail::as_select())
        .load(c)?)
}

/// Finds the oldest of a person's former addresses whose window is open.
pub(crate) fn find_oldest_open_former(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Option<FormerEmail>> {
    Ok(list_open_former(c, user, now)?.into_iter().next())
}

/// Finds the former address that reserves `email` for somebody else than `except`.
pub(crate) fn find_reserving(
    c: &mut AnyConnection,
    email: &Email,
    except: Option<UserId>,
    now: Timestamp,
) -> Result<Option<FormerEmail>> {
    let mut reserving = former_emails::table
        .filter(lower(former_emails::email).eq(email.as_str()))
        .filter(former_emails::state.eq(FormerState::Open.as_str()))
        .filter(former_emails::expires_at.gt(now))
        .order((former_emails::changed_at, former_emails::id))
        .select(FormerEmail::as_select())
        .into_boxed();
    if let Some(except) = except {
        reserving = reserving.filter(former_emails::user_id.ne(except));
    }
    Ok(reserving.first(c).optional()?)
}

/// Updates the state of an open former address. Returns how many rows changed: 0 when it was not
/// open any more.
pub(crate) fn update_former_state(
    c: &mut AnyConnection,
    id: FormerEmailId,
    state: FormerState,
) -> Result<usize> {
    let open = former_emails::table
        .find(id)
        .filter(former_emails::state.eq(FormerState::Open.as_str()));
    Ok(diesel::update(open)
        .set(former_emails::state.eq(state.as_str()))
        .execute(c)?)
}

/// Closes every open former address of a person. Returns how many there were.
pub(crate) fn close_all(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    let open = former_emails::table
        .filter(former_emails::user_id.eq(user))
        .filter(former_emails::state.eq(FormerState::Open.as_str()));
    Ok(diesel::update(open)
        .set(former_emails::state.eq(FormerState::Closed.as_str()))
        .execute(c)?)
}

/// Deletes former addresses whose window ended by `before`, at most `limit`. Returns how many.
pub(crate) fn purge_former(c: &mut AnyConnection, before: Timestamp, limit: i64) -> Result<usize> {
    let old: Vec<FormerEmailId> = former_emails::table
        .filter(former_emails::expires_at.le(before))
        .order(former_emails::expires_at)
        .limit(limit)
        .select(former_emails::id)
        .load(c)?;
    let old = former_emails::table.filter(former_emails::id.eq_any(old));
    Ok(diesel::delete(old).execute(c)?)
}
