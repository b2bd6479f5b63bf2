//! Every query of `applications` and `api_keys`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::hosts::{ApplicationKind, NewApplication};
use crate::clock::Timestamp;
use crate::db::schema::{api_keys, applications};
use crate::db::{
    AnyConnection, ApiKeyId, ApplicationId, cached, first_rows, in_few_sizes, on_each,
    read_from_text,
};
use crate::error::{Error, Result};
use crate::listing::{Place, Way};

read_from_text!(ApplicationKind);

/// A client of the service, with its keys and its people.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = applications)]
pub struct Application {
    /// The application's id, which is the `aud` of tokens that are made for it.
    pub id: ApplicationId,
    /// Its name, which no other application has.
    pub name: String,
    /// Whether its keys also find the people of "Earlier".
    pub uses_earlier: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// What it is.
    pub kind: ApplicationKind,
    /// The hosts that it is reached at, separated by spaces.
    pub(super) hosts: String,
}

impl Application {
    /// Returns the hosts that it is reached at.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.split(' ').filter(|host| !host.is_empty())
    }
}

/// An API key without its secret.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys)]
pub struct ApiKey {
    /// The key's id, which is its `client_id`.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// The names of its scopes, separated by spaces.
    pub scopes: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// The application that has it.
    pub application_id: ApplicationId,
    /// From when on it authenticates nobody, if it expires.
    pub expires_at: Option<Timestamp>,
}

/// Inserts an application.
///
/// # Errors
/// [`Error::ApplicationExists`] when another one has the name.
pub(super) fn insert_application(c: &mut AnyConnection, row: &Application) -> Result<()> {
    let values = (
        applications::id.eq(row.id),
        applications::name.eq(&row.name),
        applications::uses_earlier.eq(row.uses_earlier),
        applications::created_at.eq(row.created_at),
        applications::kind.eq(row.kind.as_str()),
        applications::hosts.eq(&row.hosts),
    );
    let insert = diesel::insert_into(applications::table).values(values);
    unique_name(insert.execute(c).map_err(Error::from)).map(drop)
}

/// Returns the application with that id.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(crate) fn get_application(c: &mut AnyConnection, id: ApplicationId) -> Result<Application> {
    let row = applications::table.find(id);
    Ok(row.select(Application::as_select()).get_result(c)?)
}

/// Returns the application with that name.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(super) fn get_by_name(c: &mut AnyConnection, name: &str) -> Result<Application> {
    let row = applications::table.filter(applications::name.eq(name));
    Ok(row.select(Application::as_select()).get_result(c)?)
}

/// Lists the ids and names of these applications; those that don't exist are left out.
pub(super) fn list_names(
    c: &mut AnyConnection,
    ids: &[ApplicationId],
) -> Result<Vec<(ApplicationId, String)>> {
    let named = applications::table
        .filter(applications::id.eq_any(in_few_sizes(ids)))
        .select((applications::id, applications::name));
    Ok(on_each!(c, c => cached(named).load(c))?)
}

/// The SQL around bound hosts that computes whether an application is at one of them.
const POSTGRES_AT: [&str; 2] = ["string_to_array(hosts, ' ') && string_to_array(", ", ' ')"];
const SQLITE_AT: [&str; 2] = [
    "EXISTS (SELECT 1 FROM json_each(",
    ") WHERE instr(' ' || hosts || ' ', ' ' || value || ' '))",
];

/// The query of the first `$limit` applications for which that holds.
macro_rules! at_hosts {
    ($at:expr, $hosts:expr, $limit:expr) => {{
        let is_at = sql::<Bool>($at[0]).bind::<Text, _>($hosts).sql($at[1]);
        let there = applications::table.filter(is_at).order(applications::name);
        cached(first_rows(there.select(Application::as_select()), $limit))
    }};
}

/// Lists the first `limit` applications at one of these hosts, by their names.
pub(super) fn list_at_hosts(
    c: &mut AnyConnection,
    hosts: &[String],
    limit: u32,
) -> Result<Vec<Application>> {
    let list = serde_json::Value::from(hosts).to_string();
    Ok(match c {
        AnyConnection::Postgres(c) => at_hosts!(POSTGRES_AT, hosts.join(" "), limit).load(c)?,
        AnyConnection::Sqlite(c) => at_hosts!(SQLITE_AT, list, limit).load(c)?,
    })
}

/// Finds the id of the application with that id or name.
pub(crate) fn find_application_id(
    c: &mut AnyConnection,
    id_or_name: &str,
) -> Result<Option<ApplicationId>> {
    let ids = applications::table.select(applications::id);
    let found = match id_or_name.parse::<ApplicationId>() {
        Ok(id) => ids.filter(applications::id.eq(id)).get_result(c),
        Err(_) => ids.filter(applications::name.eq(id_or_name)).get_result(c),
    };
    Ok(found.optional()?)
}

/// Lists every application, ordered by name.
pub(super) fn list_applications(c: &mut AnyConnection) -> Result<Vec<Application>> {
    Ok(applications::table
        .order((applications::name, applications::id))
        .select(Application::as_select())
        .load(c)?)
}

/// Updates the name of an application. Returns how many rows changed.
///
/// # Errors
/// [`Error::ApplicationExists`] when another one has the name.
pub(super) fn rename(c: &mut AnyConnection, id: ApplicationId, name: &str) -> Result<usize> {
    let update = diesel::update(applications::table.find(id)).set(applications::name.eq(name));
    unique_name(update.execute(c).map_err(Error::from))
}

/// Updates the name, the kind and the hosts of an application. Returns how many rows changed.
///
/// # Errors
/// [`Error::ApplicationExists`] when another one has the name.
pub(super) fn update(
    c: &mut AnyConnection,
    id: ApplicationId,
    new: &NewApplication,
) -> Result<usize> {
    let changes = (
        applications::name.eq(new.name.as_str()),
        applications::kind.eq(new.kind.as_str()),
        applications::hosts.eq(new.hosts.join()),
    );
    let update = diesel::update(applications::table.find(id)).set(changes);
    unique_name(update.execute(c).map_err(Error::from))
}

/// Lists at most `limit` applications from a place on, by their names, in the order of the way.
pub(super) fn list_from(
    c: &mut AnyConnection,
    start: Option<&Place<String>>,
    limit: i64,
) -> Result<Vec<Application>> {
    let mut found = applications::table
        .limit(limit)
        .select(Application::as_select())
        .into_boxed();
    if let Some(Place { way, key }) = start {
        found = match way {
            Way::After => found.filter(applications::name.gt(key)),
            Way::From => found.filter(applications::name.ge(key)),
            Way::Before => found.filter(applications::name.lt(key)),
            Way::UpTo => found.filter(applications::name.le(key)),
        };
    }
    found = match start.is_none_or(Place::is_forward) {
        true => found.order(applications::name),
        false => found.order(applications::name.desc()),
    };
    Ok(found.load(c)?)
}

/// Counts applications, to `limit`.
pub(super) fn count(c: &mut AnyConnection, limit: i64) -> Result<usize> {
    let ids = applications::table.select(applications::id).limit(limit);
    let ids: Vec<ApplicationId> = ids.load(c)?;
    Ok(ids.len())
}

/// Lists the applications with these ids.
pub(crate) fn list_by_ids(
    c: &mut AnyConnection,
    ids: &[ApplicationId],
) -> Result<Vec<Application>> {
    Ok(applications::table
        .filter(applications::id.eq_any(ids))
        .select(Application::as_select())
        .load(c)?)
}

/// Lists at most `limit` keys of these applications, newest first.
pub(super) fn list_keys_of(
    c: &mut AnyConnection,
    ids: &[ApplicationId],
    limit: i64,
) -> Result<Vec<ApiKey>> {
    Ok(api_keys::table
        .filter(api_keys::application_id.eq_any(ids))
        .order(api_keys::id.desc())
        .limit(limit)
        .select(ApiKey::as_select())
        .load(c)?)
}

/// Deletes an application and those of its keys that are revoked or have expired. Returns how many
/// applications were deleted.
///
/// # Errors
/// [`Error::Reference`] when it has people, or keys in use.
pub(super) fn delete(c: &mut AnyConnection, id: ApplicationId, now: Timestamp) -> Result<usize> {
    let over = api_keys::table
        .filter(api_keys::application_id.eq(id))
        .filter(
            api_keys::revoked_at
                .is_not_null()
                .or(api_keys::expires_at.le(now)),
        );
    diesel::delete(over).execute(c)?;
    Ok(diesel::delete(applications::table.find(id)).execute(c)?)
}

/// Counts the keys of an application that are in use.
pub(super) fn count_keys_in_use(
    c: &mut AnyConnection,
    id: ApplicationId,
    now: Timestamp,
) -> Result<i64> {
    Ok(api_keys::table
        .filter(api_keys::application_id.eq(id))
        .filter(api_keys::revoked_at.is_null())
        .filter(
            api_keys::expires_at
                .is_null()
                .or(api_keys::expires_at.gt(now)),
        )
        .count()
        .get_result(c)?)
}

/// Inserts a key with the hash of its secret.
pub(super) fn insert_key(c: &mut AnyConnection, key: &ApiKey, secret_hash: &str) -> Result<()> {
    let row = (key, api_keys::secret_hash.eq(secret_hash));
    diesel::insert_into(api_keys::table)
        .values(row)
        .execute(c)?;
    Ok(())
}

/// Finds the key with this hash of its secret and its application, unless it is revoked or has
/// expired.
pub(super) fn find_in_use(
    c: &mut AnyConnection,
    secret_hash: &str,
    now: Timestamp,
) -> Result<Option<(Application, ApiKey)>> {
    let found = api_keys::table
        .inner_join(applications::table)
        .filter(api_keys::secret_hash.eq(secret_hash))
        .filter(api_keys::revoked_at.is_null())
        .filter(
            api_keys::expires_at
                .is_null()
                .or(api_keys::expires_at.gt(now)),
        )
        .select((Application::as_select(), ApiKey::as_select()))
        .get_result(c)
        .optional()?;
    Ok(found)
}

/// Finds a key, and keeps others from revoking it until the transaction ends: PostgreSQL locks it, and
/// SQLite has only one writer.
pub(super) fn find_locked_key(c: &mut AnyConnection, id: ApiKeyId) -> Result<Option<ApiKey>> {
    if let AnyConnection::Postgres(c) = c {
        let key = api_keys::table.find(id).select(api_keys::id);
        key.for_share().load::<ApiKeyId>(c)?;
    }
    find_key(c, id)
}

/// Locks a key until the transaction ends, also against [`find_locked_key`].
pub(super) fn lock_key(c: &mut AnyConnection, id: ApiKeyId) -> Result<()> {
    if let AnyConnection::Postgres(c) = c {
        api_keys::table
            .find(id)
            .select(api_keys::id)
            .for_update()
            .load::<ApiKeyId>(c)?;
    }
    Ok(())
}

/// Finds a key.
pub(crate) fn find_key(c: &mut AnyConnection, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let key = api_keys::table.find(id).select(ApiKey::as_select());
    Ok(key.get_result(c).optional()?)
}

/// Finds a key and its application.
pub(super) fn find_key_with_owner(
    c: &mut AnyConnection,
    id: ApiKeyId,
) -> Result<Option<(Application, ApiKey)>> {
    Ok(api_keys::table
        .inner_join(applications::table)
        .filter(api_keys::id.eq(id))
        .select((Application::as_select(), ApiKey::as_select()))
        .get_result(c)
        .optional()?)
}

/// Lists every key, newest first.
pub(super) fn list_keys(c: &mut AnyConnection) -> Result<Vec<ApiKey>> {
    Ok(api_keys::table
        .order(api_keys::id.desc())
        .select(ApiKey::as_select())
        .load(c)?)
}

/// Updates a key's last use. Returns how many rows changed.
pub(super) fn update_last_use(
    c: &mut AnyConnection,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<usize> {
    let key = api_keys::table.find(id);
    let used = api_keys::last_used_at.eq(now);
    let updated: Vec<ApiKeyId> =
        on_each!(c, c => cached(diesel::update(key).set(used).returning(api_keys::id)).load(c))?;
    Ok(updated.len())
}

/// Revokes a key that is not revoked. Returns how many rows changed.
pub(crate) fn revoke(c: &mut AnyConnection, id: ApiKeyId, now: Timestamp) -> Result<usize> {
    let in_use = api_keys::table
        .find(id)
        .filter(api_keys::revoked_at.is_null());
    Ok(diesel::update(in_use)
        .set(api_keys::revoked_at.eq(now))
        .execute(c)?)
}

/// Returns whether there is a key with that id that was revoked.
pub(super) fn is_revoked(c: &mut AnyConnection, id: ApiKeyId) -> Result<bool> {
    let revoked = api_keys::table
        .filter(api_keys::id.eq(id))
        .filter(api_keys::revoked_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(revoked)).get_result(c)?)
}

/// Turns a conflict into [`Error::ApplicationExists`]: the name is the only unique column that can
/// have one.
fn unique_name(result: Result<usize>) -> Result<usize> {
    match result {
        Err(Error::Conflict(_)) => Err(Error::ApplicationExists),
        result => result,
    }
}
