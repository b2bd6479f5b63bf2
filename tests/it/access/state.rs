//! All that a refused request must leave as it is: every row of the database, except what counts
//! tries, uses and figures.

use std::collections::BTreeSet;

use crate::support::database::Database;

/// What counts tries and figures, what was used before and is written later, and the log of what happened,
/// which refusals may add to.
const TABLES_LEFT_OUT: [&str; 9] = [
    "__diesel_schema_migrations",
    "account_throttles",
    "count_deltas",
    "hourly_counts",
    "live_counts",
    "live_people_counts",
    "nodes",
    "session_applications",
    "session_events",
];
/// When and from where something was used.
const COLUMNS_LEFT_OUT: [&str; 9] = [
    "expires_at",
    "ip_address",
    "ip_key",
    "is_token_used",
    "last_seen_at",
    "last_used_at",
    "last_used_bucket",
    "sweep_at",
    "updated_at",
];

/// Reads the rows.
pub struct State {
    sql: String,
}

impl State {
    /// Returns what reads the tables that `database` has now: a new one is among them.
    pub fn new(database: &Database) -> Self {
        let list = match database.postgres_name() {
            Some(_) => "SELECT tablename AS value FROM pg_tables WHERE schemaname = 'public'",
            None => "SELECT name AS value FROM sqlite_master WHERE type = 'table'",
        };
        let tables: Vec<String> = database.texts(list).into_iter().flatten().collect();
        let tables = tables
            .iter()
            .filter(|table| !TABLES_LEFT_OUT.contains(&table.as_str()));
        let parts: Vec<String> = tables.map(|table| rows_of(database, table)).collect();
        assert!(parts.len() > 10, "only {} tables", parts.len());
        Self {
            sql: parts.join(" UNION ALL "),
        }
    }

    /// Returns every row, as text with its table before it.
    pub fn read(&self, database: &Database) -> BTreeSet<String> {
        database.texts(&self.sql).into_iter().flatten().collect()
    }
}

fn rows_of(database: &Database, table: &str) -> String {
    let quote = match database.postgres_name() {
        Some(_) => "quote_nullable",
        None => "quote",
    };
    let columns = columns(database, table);
    let compared = columns
        .iter()
        .filter(|column| !COLUMNS_LEFT_OUT.contains(&column.as_str()));
    let parts: Vec<String> = compared
        .map(|column| format!("' {column}=' || {quote}({column})"))
        .collect();
    format!(
        "SELECT '{table}:' || {} AS value FROM {table}",
        parts.join(" || ")
    )
}

/// Returns the columns of a table.
pub fn columns(database: &Database, table: &str) -> Vec<String> {
    let sql = match database.postgres_name() {
        Some(_) => format!(
            "SELECT CAST(column_name AS TEXT) AS value FROM information_schema.columns
             WHERE table_name = '{table}' AND table_schema = 'public'"
        ),
        None => format!("SELECT name AS value FROM pragma_table_info('{table}')"),
    };
    let columns: Vec<String> = database.texts(&sql).into_iter().flatten().collect();
    assert!(!columns.is_empty(), "no table {table}");
    columns
}

/// Returns an id as it stands in the text of a row.
pub fn id_in_row(database: &Database, id: &str) -> String {
    match database.postgres_name() {
        Some(_) => id.to_owned(),
        None => id.replace('-', "").to_uppercase(),
    }
}
