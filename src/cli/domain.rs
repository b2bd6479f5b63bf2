//! The domain, put together for a command that works on the database itself.

use std::future::Future;

use crate::alerts::Alerts;
use crate::api_keys::ApiKeys;
use crate::clock::Clock;
use crate::db::{Db, migrate};
use crate::error::{Error, Result};
use crate::people::{Hasher, People};
use crate::sessions::Sessions;
use crate::settings::Settings;

pub(super) struct Domain {
    pub(super) api_keys: ApiKeys,
    pub(super) people: People,
    pub(super) sessions: Sessions,
}

impl Domain {
    /// Opens the database, migrated.
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        migrate::run(&settings.database_url)?;
        let db = Db::new(&settings.database_url, &settings.database);
        let clock = Clock::system();
        let api_keys = ApiKeys::new(db.clone(), clock.clone());
        let people = People::new(db.clone(), clock.clone(), Hasher::new(&settings.passwords)?);
        let sessions = Sessions::new(
            db.clone(),
            clock.clone(),
            Alerts::new(db, clock, &settings.mail),
            &settings.sessions,
            &settings.tokens,
            &settings.jobs,
        );
        Ok(Self {
            api_keys,
            people,
            sessions,
        })
    }
}

/// Runs `work` to its end in an actix system.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}

/// Says what was not found, for the person at the terminal.
pub(super) fn named(what: &str, name: &str) -> impl FnOnce(Error) -> Error {
    let message = format!("there is no {what} {name}");
    move |fault| match fault {
        Error::NotFound => Error::Startup(message),
        Error::Invalid(fields) => Error::Startup(Error::Invalid(fields).detail()),
        other => other,
    }
}
