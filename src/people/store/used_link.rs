//! Every query of `used_links`: what links in messages did, for whoever opens one again.

use diesel::prelude::*;
use strum::{EnumString, IntoStaticStr};

use crate::clock::Timestamp;
use crate::db::schema::used_links;
use crate::db::{AnyConnection, LinkId, read_from_text};
use crate::error::Result;

/// A link that was used.
#[derive(Debug, Clone, Copy, Queryable, Selectable)]
#[diesel(table_name = used_links)]
pub struct UsedLink {
    /// What it did.
    pub act: LinkAct,
    /// When.
    pub used_at: Timestamp,
}

/// What a link did. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum LinkAct {
    /// It set a password.
    PasswordSet,
    /// It set the first password of somebody who was invited.
    FirstPasswordSet,
    /// It verified the e-mail of an account.
    EmailVerified,
    /// It gave an account another e-mail.
    EmailChanged,
    /// Its reader did not want their address to be the new e-mail of an account.
    ChangeDeclined,
    /// Its reader did not want the account, which was deleted.
    AccountDeclined,
    /// Its reader did not want the account, which sends them nothing since.
    AddressDeclined,
    /// Its reader confirmed at a former address that its change was their own.
    ChangeConfirmed,
}

read_from_text!(LinkAct);

/// Records what a link did.
pub(crate) fn record_used_link(
    c: &mut AnyConnection,
    id: LinkId,
    act: LinkAct,
    now: Timestamp,
) -> Result<()> {
    let act: &str = act.into();
    let row = (
        used_links::id.eq(id),
        used_links::act.eq(act),
        used_links::used_at.eq(now),
    );
    diesel::delete(used_links::table.find(id)).execute(c)?;
    diesel::insert_into(used_links::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Finds what a link did, if it was used.
pub(crate) fn find_used_link(c: &mut AnyConnection, id: LinkId) -> Result<Option<UsedLink>> {
    Ok(used_links::table
        .find(id)
        .select(UsedLink::as_select())
        .get_result(c)
        .optional()?)
}

/// Deletes links that were used by `before`, at most `limit`. Returns how many.
pub(crate) fn purge_used_links(
    c: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<usize> {
    let old: Vec<LinkId> = used_links::table
        .filter(used_links::used_at.le(before))
        .order(used_links::used_at)
        .limit(limit)
        .select(used_links::id)
        .load(c)?;
    let old = used_links::table.filter(used_links::id.eq_any(old));
    Ok(diesel::delete(old).execute(c)?)
}
