//! The statements that an application's connections execute, and those that are compiled for it, as
//! Diesel reports them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

use super::database::Database;

/// What the connections to a watched database have executed since it was read last.
static EXECUTED: Mutex<Option<HashMap<String, Vec<Statement>>>> = Mutex::new(None);

/// A statement that was executed.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: String,
    /// Whether it was compiled for this execution.
    pub is_compiled_anew: bool,
}

/// The statements of the connections to one database, which are opened after this.
pub struct Statements {
    database: String,
}

impl Statements {
    pub fn watch(database: &Database) -> Self {
        let database = match database.postgres_name() {
            Some(name) => name.to_owned(),
            None => database.folder().to_str().expect("UTF-8").to_owned(),
        };
        executed()
            .get_or_insert_default()
            .insert(database.clone(), Vec::new());
        set_default_instrumentation(|| Some(Box::<Recorder>::default())).expect("a recorder");
        Self { database }
    }

    /// Returns those executed since the last call.
    pub fn take(&self) -> Vec<Statement> {
        let mut executed = executed();
        let of_all = executed.get_or_insert_default();
        std::mem::take(of_all.get_mut(&self.database).expect("it is watched"))
    }
}

/// Records the statements of one connection, if its database is watched.
#[derive(Default)]
struct Recorder {
    database: Option<String>,
    stored: HashSet<String>,
    /// The statement that Diesel just stored, before its first execution.
    is_new: bool,
}

impl Instrumentation for Recorder {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => {
                let mut watched = executed();
                let mut databases = watched.get_or_insert_default().keys();
                self.database = databases.find(|name| url.contains(name.as_str())).cloned();
            }
            InstrumentationEvent::CacheQuery { sql, .. } => {
                self.is_new = true;
                self.stored.insert(sql.to_owned());
            }
            InstrumentationEvent::FinishQuery { query, .. } => {
                // What has no parameters, such as `BEGIN`, is no statement of a store.
                if let Some((sql, _)) = query.to_string().split_once(" -- binds: ") {
                    self.record(sql);
                }
                self.is_new = false;
            }
            _ => {}
        }
    }
}

impl Recorder {
    fn record(&self, sql: &str) {
        let Some(database) = &self.database else {
            return;
        };
        let mut executed = executed();
        if let Some(statements) = executed.get_or_insert_default().get_mut(database) {
            statements.push(Statement {
                sql: sql.to_owned(),
                is_compiled_anew: self.is_new || !self.stored.contains(sql),
            });
        }
    }
}

fn executed() -> MutexGuard<'static, Option<HashMap<String, Vec<Statement>>>> {
    EXECUTED.lock().unwrap_or_else(PoisonError::into_inner)
}
