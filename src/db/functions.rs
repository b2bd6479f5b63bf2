//! The SQL functions of our own, which both databases have.

use diesel::sql_types::{Nullable, Text};
use diesel::{QueryResult, SqliteConnection};

diesel::define_sql_function! {
    /// Returns a text in lower case, to compare texts without regard to case. PostgreSQL has it from
    /// a migration; SQLite's own `lower` knows no letters but those of ASCII.
    fn folded(text: Nullable<Text>) -> Nullable<Text>;
}

/// Returns the key of the network that an address is shortened to, in SQL: `$column` is that of the
/// address's own key, as text. [`IpRetention`](crate::net::IpRetention) shortens to /24 and /48.
macro_rules! network_key {
    ($column:literal) => {
        diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Text>>(concat!(
            "CASE WHEN length(",
            $column,
            ") = 9 THEN substr(",
            $column,
            ", 1, 7) || '00' ELSE substr(",
            $column,
            ", 1, 13) || '00000000000000000000' END"
        ))
    };
}
pub(crate) use network_key;

/// Returns the condition that the key of an address is in an
/// [`IpKeyRange`](crate::net::IpKeyRange), as the boxed type `$condition`.
macro_rules! is_in_range {
    ($key:expr, $range:expr, $condition:ty) => {{
        let from = $key.ge($range.first.clone());
        let to = $key.le($range.last.clone());
        match $range.except.clone() {
            Some(except) => Box::new(from.and(to).and($key.ne(except))) as $condition,
            None => Box::new(from.and(to)),
        }
    }};
}
pub(crate) use is_in_range;

/// Adds the functions to a connection to SQLite.
///
/// # Errors
/// Those of SQLite.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    let lower = |text: Option<String>| text.map(|text| text.to_lowercase());
    folded_utils::register_impl(connection, lower)
}
