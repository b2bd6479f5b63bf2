//! Every query of `email_verifications`: the one open verification link of each person.

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::{email_verifications, users};
use crate::db::{AnyConnection, UserId, VerificationId};
use crate::error::Result;

/// An address to be verified by a link: the person's own, or the one that they want to change to.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = email_verifications)]
pub(crate) struct EmailVerification {
    pub(crate) id: VerificationId,
    pub(crate) user_id: UserId,
    pub(crate) email: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Inserts a verification in place of the person's former one.
pub(crate) fn replace_verification(
    c: &mut AnyConnection,
    verification: &EmailVerification,
) -> Result<()> {
    let row = (
        email_verifications::id.eq(verification.id),
        email_verifications::user_id.eq(verification.user_id),
        email_verifications::email.eq(&verification.email),
        email_verifications::created_at.eq(verification.created_at),
        email_verifications::expires_at.eq(verification.expires_at),
    );
    delete_verifications(c, verification.user_id)?;
    diesel::insert_into(email_verifications::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Finds the verification with that id, unless it has expired.
pub(crate) fn find_verification(
    c: &mut AnyConnection,
    id: VerificationId,
    now: Timestamp,
) -> Result<Option<EmailVerification>> {
    Ok(email_verifications::table
        .find(id)
        .filter(email_verifications::expires_at.gt(now))
        .select(EmailVerification::as_select())
        .get_result(c)
        .optional()?)
}

/// Finds a person's open verification.
pub(crate) fn find_verification_by_person(
    c: &mut AnyConnection,
    user: UserId,
    now: Timestamp,
) -> Result<Option<EmailVerification>> {
    Ok(email_verifications::table
        .filter(email_verifications::user_id.eq(user))
        .filter(email_verifications::expires_at.gt(now))
        .select(EmailVerification::as_select())
        .get_result(c)
        .optional()?)
}

/// Deletes a verification. Returns how many rows were deleted: 0 when it was used or cancelled
/// before.
pub(crate) fn delete_verification(c: &mut AnyConnection, id: VerificationId) -> Result<usize> {
    Ok(diesel::delete(email_verifications::table.find(id)).execute(c)?)
}

/// Deletes a person's verification, unless it is about `email`.
pub(crate) fn delete_verifications_except(
    c: &mut AnyConnection,
    user: UserId,
    email: &str,
) -> Result<usize> {
    let other = email_verifications::table
        .filter(email_verifications::user_id.eq(user))
        .filter(email_verifications::email.ne(email));
    Ok(diesel::delete(other).execute(c)?)
}

/// Deletes every pending change of e-mail: the verifications that are not of a person's own.
/// Returns how many.
pub(crate) fn delete_all_changes(c: &mut AnyConnection) -> Result<usize> {
    let own = users::table
        .filter(users::id.eq(email_verifications::user_id))
        .filter(users::email.eq(email_verifications::email));
    let changes: Vec<VerificationId> = email_verifications::table
        .filter(not(exists(own)))
        .select(email_verifications::id)
        .load(c)?;
    let changes = email_verifications::table.filter(email_verifications::id.eq_any(changes));
    Ok(diesel::delete(changes).execute(c)?)
}

/// Deletes a person's verification, if there is one.
pub(crate) fn delete_verifications(c: &mut AnyConnection, user: UserId) -> Result<usize> {
    let own = email_verifications::table.filter(email_verifications::user_id.eq(user));
    Ok(diesel::delete(own).execute(c)?)
}

/// Deletes verifications that have expired by `before`, at most `limit`. Returns how many.
pub(crate) fn purge_verifications(
    c: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<usize> {
    let old: Vec<VerificationId> = email_verifications::table
        .filter(email_verifications::expires_at.le(before))
        .order(email_verifications::expires_at)
        .limit(limit)
        .select(email_verifications::id)
        .load(c)?;
    let old = email_verifications::table.filter(email_verifications::id.eq_any(old));
    Ok(diesel::delete(old).execute(c)?)
}
