//! The SQL functions of our own, which both databases have.

use diesel::sql_types::{Nullable, Text};
use diesel::{QueryResult, SqliteConnection};

diesel::define_sql_function! {
    /// Returns a text in lower case, to compare texts without regard to case. PostgreSQL has it from
    /// a migration; SQLite's own `lower` knows no letters but those of ASCII.
    fn folded(text: Nullable<Text>) -> Nullable<Text>;
}

/// Adds the functions to a connection to SQLite.
///
/// # Errors
/// Those of SQLite.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    let lower = |text: Option<String>| text.map(|text| text.to_lowercase());
    folded_utils::register_impl(connection, lower)
}
