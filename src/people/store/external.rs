//! Queries of people whom applications authenticate.

use std::collections::HashMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::User;
use crate::clock::Timestamp;
use crate::db::schema::users;
use crate::db::{AnyConnection, ApplicationId, UserId, on_each};
use crate::error::Result;
use crate::people::values::{Realm, Subject};

/// Finds the person with `subject` in a realm; one of the application itself comes before one of
/// "Earlier". One statement, whoever else has that subject.
pub(in crate::people) fn find_by_subject(
    c: &mut AnyConnection,
    subject: &Subject,
    realm: Realm,
) -> Result<Option<User>> {
    let mut found = users::table
        .filter(users::application_id.eq_any(realm.applications()))
        .filter(users::external_subject.eq(subject.as_str()))
        .select(User::as_select())
        .load(c)?;
    found.sort_by_key(|user| user.application_id != Some(realm.own));
    Ok(found.into_iter().next())
}

/// Returns whether a person is of a realm.
pub(in crate::people) fn is_in_realm(
    c: &mut AnyConnection,
    id: UserId,
    realm: Realm,
) -> Result<bool> {
    let person = users::table
        .find(id)
        .filter(users::application_id.eq_any(realm.applications()))
        .filter(users::external_subject.is_not_null());
    Ok(diesel::select(exists(person)).get_result(c)?)
}

/// Returns the application that authenticates a person, if one does.
///
/// # Errors
/// [`Error::NotFound`](crate::Error::NotFound) when there is no such person.
pub(crate) fn get_application_of(
    c: &mut AnyConnection,
    id: UserId,
) -> Result<Option<ApplicationId>> {
    let person = users::table.find(id).select(users::application_id);
    Ok(person.get_result(c)?)
}

/// The people with one stated e-mail who can be dealt with together.
pub(crate) const MAX_STATED_ALIKE: usize = 100;

/// Lists the people for whom an application states that e-mail, in lower case; at most one more than
/// [`MAX_STATED_ALIKE`].
pub(crate) fn list_by_stated_email(c: &mut AnyConnection, email: &str) -> Result<Vec<UserId>> {
    const LIMIT: i64 = MAX_STATED_ALIKE as i64 + 1;

    Ok(users::table
        .filter(users::stated_email.eq(email))
        .order(users::id)
        .limit(LIMIT)
        .select(users::id)
        .load(c)?)
}

/// Counts the people of each application that has any.
pub(crate) fn count_by_application(c: &mut AnyConnection) -> Result<HashMap<ApplicationId, i64>> {
    let counts: Vec<(Option<ApplicationId>, i64)> = users::table
        .filter(users::application_id.is_not_null())
        .group_by(users::application_id)
        .select((users::application_id, diesel::dsl::count_star()))
        .load(c)?;
    let counts = counts.into_iter();
    Ok(counts.filter_map(|(id, n)| Some((id?, n))).collect())
}

/// Counts the people of an application.
pub(crate) fn count_of_application(c: &mut AnyConnection, id: ApplicationId) -> Result<i64> {
    Ok(users::table
        .filter(users::application_id.eq(id))
        .count()
        .get_result(c)?)
}

/// Counts the people of an application, to at most `limit`.
pub(crate) fn count_of_application_to(
    c: &mut AnyConnection,
    id: ApplicationId,
    limit: i64,
) -> Result<usize> {
    let people: Vec<UserId> = users::table
        .filter(users::application_id.eq(id))
        .limit(limit)
        .select(users::id)
        .load(c)?;
    Ok(people.len())
}

/// Finds the person of "Earlier" with `subject`.
pub(crate) fn find_earlier(c: &mut AnyConnection, subject: &Subject) -> Result<Option<UserId>> {
    Ok(users::table
        .filter(users::application_id.eq(ApplicationId::EARLIER))
        .filter(users::external_subject.eq(subject.as_str()))
        .select(users::id)
        .get_result(c)
        .optional()?)
}

diesel::alias!(users as others: OthersAlias);

/// Lists people of "Earlier", at most `limit` and ordered by their subjects, except those whose
/// subject somebody of the application `to` has.
pub(crate) fn list_unclaimed(
    c: &mut AnyConnection,
    to: ApplicationId,
    limit: i64,
) -> Result<Vec<UserId>> {
    let namesake = others
        .filter(others.field(users::application_id).eq(to))
        .filter(
            others
                .field(users::external_subject)
                .eq(users::external_subject),
        );
    let unclaimed = users::table
        .filter(users::application_id.eq(ApplicationId::EARLIER))
        .filter(not(exists(namesake)))
        .order(users::external_subject)
        .limit(limit)
        .select(users::id);
    Ok(on_each!(c, c => unclaimed.load(c))?)
}

/// Moves those of `ids` who are of "Earlier" to an application. Returns who they are.
///
/// # Errors
/// [`Error::Conflict`](crate::Error::Conflict) when the application has a person with one of the
/// subjects.
pub(crate) fn assign(
    c: &mut AnyConnection,
    ids: &[UserId],
    to: ApplicationId,
    now: Timestamp,
) -> Result<Vec<UserId>> {
    let people = users::table
        .filter(users::id.eq_any(ids))
        .filter(users::application_id.eq(ApplicationId::EARLIER));
    let changes = (users::application_id.eq(to), users::updated_at.eq(now));
    let moved = on_each!(c, c => diesel::update(people)
        .set(changes)
        .returning(users::id)
        .load(c))?;
    Ok(moved)
}

/// Lists at most `limit` subjects of people in "Earlier", ordered.
pub(crate) fn list_earlier_subjects(c: &mut AnyConnection, limit: i64) -> Result<Vec<String>> {
    let subjects: Vec<Option<String>> = users::table
        .filter(users::application_id.eq(ApplicationId::EARLIER))
        .order(users::external_subject)
        .limit(limit)
        .select(users::external_subject)
        .load(c)?;
    Ok(subjects.into_iter().flatten().collect())
}
