//! A database for one test, which is dropped when the test ends.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    sql_query,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::template;

/// A migrated database of either kind, of nobody yet.
pub struct Database {
    kind: Kind,
    /// Contains the SQLite file, and what the application stores beside its database.
    folder: TempDir,
}

enum Kind {
    Sqlite,
    Postgres { name: String },
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

impl Database {
    pub fn sqlite() -> Self {
        let database = Self {
            kind: Kind::Sqlite,
            folder: folder(),
        };
        template::write_sqlite(Path::new(&database.sqlite_path()));
        database
    }

    pub fn postgres() -> Self {
        let name = format!("test_{}", Uuid::new_v4().simple());
        template::create_postgres(&name);
        Self {
            kind: Kind::Postgres { name },
            folder: folder(),
        }
    }

    /// Empties the database, as it is before the first migration: of SQLite, there is no file.
    #[must_use]
    pub fn emptied(self) -> Self {
        match &self.kind {
            Kind::Sqlite => fs::remove_file(self.sqlite_path()).expect("the file"),
            Kind::Postgres { name } => {
                on_server(&format!("DROP DATABASE {name}"));
                on_server(&format!("CREATE DATABASE {name}"));
            }
        }
        self
    }

    pub fn url(&self) -> String {
        match &self.kind {
            Kind::Sqlite => format!("sqlite:{}", self.sqlite_path()),
            Kind::Postgres { name } => postgres_url(name),
        }
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Returns the name in PostgreSQL; `None` for an SQLite file.
    pub fn postgres_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Sqlite => None,
            Kind::Postgres { name } => Some(name),
        }
    }

    /// Runs SQL that both databases understand.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.on(|c| c.batch_execute(sql), |c| c.batch_execute(sql));
    }

    /// Runs SQL in a transaction that stays open.
    #[track_caller]
    pub fn begin(&self, sql: &str) -> OpenTransaction {
        let mut open = match &self.kind {
            Kind::Sqlite => OpenTransaction::Sqlite(Box::new(self.sqlite_connection())),
            Kind::Postgres { name } => {
                OpenTransaction::Postgres(Box::new(connect(&postgres_url(name))))
            }
        };
        open.run(&format!("BEGIN; {sql}"));
        open
    }

    /// Returns the number that the query names `value`.
    #[track_caller]
    pub fn number(&self, sql: &str) -> i64 {
        let row: NumberRow = self.on(
            |c| sql_query(sql).get_result(c),
            |c| sql_query(sql).get_result(c),
        );
        row.value
    }

    /// Returns the texts in the column `value`, row by row.
    #[track_caller]
    pub fn texts(&self, sql: &str) -> Vec<Option<String>> {
        let rows: Vec<TextRow> = self.on(|c| sql_query(sql).load(c), |c| sql_query(sql).load(c));
        rows.into_iter().map(|row| row.value).collect()
    }

    /// Returns a column of the only session, as text.
    #[track_caller]
    pub fn of_the_session(&self, column: &str) -> Option<String> {
        let rows = self.texts(&format!(
            "SELECT CAST({column} AS TEXT) AS value FROM user_sessions"
        ));
        assert_eq!(rows.len(), 1, "expected one session, found {}", rows.len());
        rows.into_iter().next().flatten()
    }

    /// Returns how many sessions meet the condition.
    #[track_caller]
    pub fn sessions_where(&self, condition: &str) -> i64 {
        self.number(&format!(
            "SELECT count(*) AS value FROM user_sessions WHERE {condition}"
        ))
    }

    /// Returns an id in the notation of the database.
    pub fn id(&self, id: &str) -> String {
        match &self.kind {
            Kind::Sqlite => format!("X'{}'", id.replace('-', "")),
            Kind::Postgres { .. } => format!("'{id}'::uuid"),
        }
    }

    /// Returns an expression for a new random id, and one for a new random text.
    pub fn random_id_and_text(&self) -> (&'static str, &'static str) {
        match &self.kind {
            Kind::Sqlite => ("randomblob(16)", "hex(randomblob(16))"),
            Kind::Postgres { .. } => ("gen_random_uuid()", "gen_random_uuid()::text"),
        }
    }

    /// Opens another connection to the SQLite file.
    pub fn sqlite_connection(&self) -> SqliteConnection {
        let mut connection =
            SqliteConnection::establish(&self.sqlite_path()).expect("the SQLite file opens");
        connection
            .batch_execute("PRAGMA busy_timeout = 5000")
            .expect("a pragma");
        connection
    }

    fn sqlite_path(&self) -> String {
        self.folder
            .path()
            .join("rollcall.db")
            .to_str()
            .expect("a UTF-8 path")
            .to_owned()
    }

    #[track_caller]
    fn on<T>(
        &self,
        sqlite: impl FnOnce(&mut SqliteConnection) -> diesel::QueryResult<T>,
        postgres: impl FnOnce(&mut PgConnection) -> diesel::QueryResult<T>,
    ) -> T {
        match &self.kind {
            Kind::Sqlite => sqlite(&mut self.sqlite_connection()),
            Kind::Postgres { name } => postgres(&mut connect(&postgres_url(name))),
        }
        .unwrap_or_else(|error| panic!("the test's own SQL failed: {error}"))
    }
}

/// A transaction that is not committed yet.
pub enum OpenTransaction {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl OpenTransaction {
    pub fn commit(mut self) {
        self.run("COMMIT");
    }

    #[track_caller]
    fn run(&mut self, sql: &str) {
        match self {
            Self::Sqlite(c) => c.batch_execute(sql),
            Self::Postgres(c) => c.batch_execute(sql),
        }
        .expect("the test's own SQL");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Kind::Postgres { name } = &self.kind {
            on_server(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// Runs SQL on the server's default database, not on a test's.
pub fn on_server(sql: &str) {
    let outcome = try_on_server(sql);
    // A second panic while a test fails would hide the first.
    if let (Err(error), false) = (outcome, std::thread::panicking()) {
        panic!("PostgreSQL refused `{sql}`: {error}");
    }
}

/// Runs SQL on the server's default database, which may refuse it.
pub fn try_on_server(sql: &str) -> QueryResult<()> {
    connect(&server()).batch_execute(sql)
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap_or_else(|error| panic!("cannot connect to {url}: {error}"))
}

fn server() -> String {
    std::env::var("ROLLCALL_TEST_POSTGRES").expect(
        "ROLLCALL_TEST_POSTGRES is not set. `scripts/test` starts a private PostgreSQL and sets it; \
         or set it to a server where databases may be made: postgres://postgres@127.0.0.1:5432/postgres",
    )
}

pub fn postgres_url(name: &str) -> String {
    let mut url = url::Url::parse(&server()).expect("ROLLCALL_TEST_POSTGRES is a URL");
    url.set_path(name);
    url.into()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}
