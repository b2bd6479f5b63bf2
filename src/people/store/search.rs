//! The queries of `users` by which administrators find people. Each reads at most as many rows as
//! its limit, through an index.

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::{User, lower};
use crate::clock::Timestamp;
use crate::db::schema::users;
use crate::db::{AnyConnection, ApplicationId, UserId};
use crate::error::Result;
use crate::text::escape_like;

/// The last character there is: what begins with a text comes before that text and this character.
const LAST_CHARACTER: char = char::MAX;

diesel::define_sql_function! {
    /// The database's `lower`, of a column that may be empty.
    #[sql_name = "lower"]
    fn lower_of_optional(text: Nullable<Text>) -> Nullable<Text>;
}

/// What a search compares of a person.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub(in crate::people) struct Candidate {
    pub(in crate::people) id: UserId,
    pub(in crate::people) email: String,
    pub(in crate::people) stated_email: Option<String>,
    pub(in crate::people) full_name: Option<String>,
    pub(in crate::people) external_subject: Option<String>,
    pub(in crate::people) application_id: Option<ApplicationId>,
    pub(in crate::people) email_verified_at: Option<Timestamp>,
    pub(in crate::people) is_active: bool,
    pub(in crate::people) is_admin: bool,
    pub(in crate::people) is_auditor: bool,
}

/// The people whom a scan goes through. Each has an index in the order of the ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::people) enum Driver {
    Everybody,
    Admins,
    Auditors,
    OfApplication(ApplicationId),
    Disabled,
    Unverified,
}

/// Where a scan begins, and which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::people) enum Scan {
    /// To older ones, from the newest.
    FromNewest,
    /// To older ones, after this one.
    OlderThan(UserId),
    /// To older ones, beginning with this one.
    OlderFrom(UserId),
    /// To newer ones, after this one.
    NewerThan(UserId),
    /// To newer ones, beginning with this one.
    NewerFrom(UserId),
}

/// Lists at most `limit` people of `driver`, in the order of the scan.
pub(in crate::people) fn scan(
    c: &mut AnyConnection,
    driver: Driver,
    scan: Scan,
    limit: i64,
) -> Result<Vec<Candidate>> {
    let mut people = users::table
        .limit(limit)
        .select(Candidate::as_select())
        .into_boxed();
    people = match driver {
        Driver::Everybody => people,
        Driver::Admins => people.filter(users::is_admin),
        Driver::Auditors => people.filter(users::is_auditor),
        Driver::OfApplication(id) => people.filter(users::application_id.eq(id)),
        Driver::Disabled => people.filter(not(users::is_active)),
        Driver::Unverified => people
            .filter(users::email_verified_at.is_null())
            .filter(users::external_subject.is_null()),
    };
    people = match scan {
        Scan::FromNewest => people,
        Scan::OlderThan(id) => people.filter(users::id.lt(id)),
        Scan::OlderFrom(id) => people.filter(users::id.le(id)),
        Scan::NewerThan(id) => people.filter(users::id.gt(id)),
        Scan::NewerFrom(id) => people.filter(users::id.ge(id)),
    };
    people = match scan {
        Scan::FromNewest | Scan::OlderThan(_) | Scan::OlderFrom(_) => {
            people.order(users::id.desc())
        }
        Scan::NewerThan(_) | Scan::NewerFrom(_) => people.order(users::id),
    };
    Ok(people.load(c)?)
}

/// Lists people in one column of whom the text in lower case begins with `$text`. PostgreSQL uses
/// the index for a pattern, SQLite for a range.
macro_rules! list_by_beginning {
    ($c:expr, $column:expr, $text:expr, $limit:expr) => {
        match $c {
            AnyConnection::Postgres(c) => users::table
                .filter($column.like(format!("{}%", escape_like($text))))
                .limit($limit)
                .select(Candidate::as_select())
                .load(c)?,
            AnyConnection::Sqlite(c) => users::table
                .filter($column.ge($text))
                .filter($column.lt(format!("{}{LAST_CHARACTER}", $text)))
                .limit($limit)
                .select(Candidate::as_select())
                .load(c)?,
        }
    };
}

/// Lists the people whose e-mail, stated e-mail, name or subject begins with `text`, which is in
/// lower case: at most `limit` by each.
pub(in crate::people) fn list_by_prefix(
    c: &mut AnyConnection,
    text: &str,
    limit: i64,
) -> Result<[Vec<Candidate>; 4]> {
    let name = lower_of_optional(users::full_name);
    let (email, stated) = (lower(users::email), lower_of_optional(users::stated_email));
    let subject = lower_of_optional(users::external_subject);
    Ok([
        list_by_beginning!(c, email, text, limit),
        list_by_beginning!(c, stated, text, limit),
        list_by_beginning!(c, name, text, limit),
        list_by_beginning!(c, subject, text, limit),
    ])
}

/// Returns those of `ids` that exist.
pub(in crate::people) fn list(c: &mut AnyConnection, ids: &[UserId]) -> Result<Vec<User>> {
    Ok(users::table
        .filter(users::id.eq_any(ids))
        .select(User::as_select())
        .load(c)?)
}
