//! The domain, assembled for commands that work on the database without a server.

use std::future::Future;

use super::error::{Result, about, invalid_or_service};
use crate::account::Accounts;
use crate::alerts::Alerts;
use crate::applications::{Application, Applications};
use crate::clock::Clock;
use crate::db::{Db, migrate};
use crate::events::Refusals;
use crate::overview::Overview;
use crate::people::{Email, Hasher, People, User};
use crate::sessions::{LastUses, NetworkKey, Sessions};
use crate::settings::Settings;
use crate::throttles::{AddressKey, Throttles};

pub(super) struct Domain {
    pub(super) accounts: Accounts,
    pub(super) alerts: Alerts,
    pub(super) applications: Applications,
    pub(super) clock: Clock,
    pub(super) overview: Overview,
    pub(super) people: People,
    pub(super) sessions: Sessions,
}

impl Domain {
    /// Migrates the database, and assembles the domain over it, with a clock that is corrected by
    /// the database's on PostgreSQL.
    pub(super) fn open(settings: &Settings) -> Result<Self> {
        migrate::run(&settings.database_url)?;
        let clock = Clock::system();
        let db = Db::new(&settings.database_url, &settings.database);
        block_on(db.correct_clock(&clock))?;
        Self::assemble(settings, &clock)
    }

    /// Assembles the domain over a migrated database.
    pub(super) fn assemble(settings: &Settings, clock: &Clock) -> Result<Self> {
        let db = Db::new(&settings.database_url, &settings.database);
        let alerts = Alerts::new(db.clone(), clock.clone(), settings);
        let sessions = Sessions::new(
            db.clone(),
            clock.clone(),
            alerts.clone(),
            LastUses::unbuffered(db.clone()),
            NetworkKey::none(),
            (&settings.sessions, &settings.tokens, &settings.jobs),
        );
        let hasher = Hasher::new(&settings.passwords)?;
        let throttles = Throttles::new(
            (db.clone(), clock.clone()),
            AddressKey::none(),
            // Nobody is refused here.
            Refusals::new(clock.clone()),
            &settings.throttles,
        );
        Ok(Self {
            accounts: Accounts::new(
                db.clone(),
                clock.clone(),
                alerts.clone(),
                sessions.clone(),
                &settings.accounts,
            ),
            alerts,
            applications: Applications::new(db.clone(), clock.clone()),
            clock: clock.clone(),
            overview: Overview::new(db.clone(), clock.clone()),
            people: People::new(db, clock.clone(), hasher, throttles, settings),
            sessions,
        })
    }

    /// Returns the person with that e-mail.
    pub(super) async fn get_user(&self, email: &str) -> Result<User> {
        let found = self.people.get_by_email(parse_email(email)?).await;
        found.map_err(about("person with the e-mail", email))
    }

    /// Returns the application with that id or name.
    pub(super) async fn get_application(&self, id_or_name: &str) -> Result<Application> {
        let found = self.applications.get(id_or_name).await;
        found.map_err(about("application", id_or_name))
    }
}

/// Parses an e-mail from an argument.
pub(super) fn parse_email(text: &str) -> Result<Email> {
    text.parse().map_err(invalid_or_service)
}

/// Runs `work` to completion in a new actix system.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}
