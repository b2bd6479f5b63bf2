//! Managing applications: listing, renaming and deleting them, and assigning the people of
//! "Earlier".

use std::collections::HashMap;

use super::Applications;
use super::store::{self, ApiKey, Application};
use super::values::Name;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApplicationId};
use crate::error::{Error, Result};
use crate::people::{Subject, store as people};

/// The most subjects that an [`Assignment`] names.
const NAMED_SUBJECTS: i64 = 20;

/// An application with what belongs to it.
#[derive(Debug, Clone)]
pub struct ApplicationSummary {
    /// The application.
    pub application: Application,
    /// Its keys, revoked and expired ones included, newest first.
    pub keys: Vec<ApiKey>,
    /// How many people it has.
    pub people: i64,
}

/// What became of a request to delete an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is deleted, with its keys.
    Deleted,
    /// Nothing has changed: it has people, or keys in use.
    InUse {
        /// How many people.
        people: i64,
        /// How many keys in use.
        keys: i64,
    },
}

/// What became of a request to assign everybody of "Earlier".
#[derive(Debug, Clone)]
pub struct Assignment {
    /// How many were moved.
    pub moved: usize,
    /// How many stay, because the application has people with the same subjects.
    pub refused: i64,
    /// The first of those subjects.
    pub subjects: Vec<String>,
}

impl Applications {
    /// Lists every application with its keys, ordered by name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list(&self) -> Result<Vec<ApplicationSummary>> {
        self.db.read(list).await
    }

    /// Lists every application without its keys, ordered by name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_applications(&self) -> Result<Vec<Application>> {
        self.db.read(store::list_applications).await
    }

    /// Returns the names of these applications; those that don't exist are left out. The caller bounds
    /// their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_names(
        &self,
        ids: Vec<ApplicationId>,
    ) -> Result<HashMap<ApplicationId, String>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let names = self.db.read(move |c| store::list_names(c, &ids)).await?;
        Ok(names.into_iter().collect())
    }

    /// Returns the application with that id or name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn get(&self, id_or_name: &str) -> Result<Application> {
        if let Ok(id) = id_or_name.parse() {
            return self.db.read(move |c| store::get_application(c, id)).await;
        }
        let name: Option<Name> = id_or_name.parse().ok();
        let name = name.filter(|name| name.as_str() == id_or_name);
        let name = name.ok_or(Error::NotFound)?;
        self.db
            .read(move |c| store::get_by_name(c, name.as_str()))
            .await
    }

    /// Returns the application that a client wants a token for, by its id or its name.
    ///
    /// # Errors
    /// [`Error::InvalidTarget`] when there is none, or it is "Earlier", which has no keys.
    pub async fn get_audience(&self, id_or_name: &str) -> Result<ApplicationId> {
        match self.get(id_or_name).await {
            Ok(found) if found.id != ApplicationId::EARLIER => Ok(found.id),
            Ok(_) | Err(Error::NotFound) => Err(Error::InvalidTarget),
            Err(err) => Err(err),
        }
    }

    /// Creates an application without keys.
    ///
    /// # Errors
    /// [`Error::ApplicationExists`] when another one has the name.
    pub async fn create_application(&self, name: Name) -> Result<Application> {
        let now = self.clock.now();
        self.db
            .write(move |c| super::create_application(c, &name, now))
            .await
    }

    /// Updates the name of an application.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such application, or it is "Earlier", which stays what it
    /// is; [`Error::ApplicationExists`] when another one has the name.
    pub async fn rename(&self, id: ApplicationId, name: Name) -> Result<()> {
        if id == ApplicationId::EARLIER {
            return Err(Error::NotFound);
        }
        let renamed = self.db.write(move |c| store::rename(c, id, name.as_str()));
        match renamed.await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    /// Deletes an application and its keys, unless it has people or keys in use.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such application.
    pub async fn delete(&self, id: ApplicationId) -> Result<Deletion> {
        let now = self.clock.now();
        let work = move |c: &mut AnyConnection| match store::delete(c, id, now)? {
            0 => Err(Error::NotFound),
            _ => Ok(Deletion::Deleted),
        };
        match self.db.transaction(work).await {
            // What refers to it stops the deletion, also if it came this moment.
            Err(Error::Reference(_)) => self.db.read(move |c| count_uses(c, id, now)).await,
            deleted => deleted,
        }
    }

    /// Counts the people of "Earlier", who wait to be assigned.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn count_earlier(&self) -> Result<i64> {
        self.db
            .read(|c| people::count_of_application(c, ApplicationId::EARLIER))
            .await
    }

    /// Moves the person of "Earlier" with that subject to an application.
    ///
    /// # Errors
    /// [`Error::NotFound`] when "Earlier" has no such person; [`Error::Conflict`] when the
    /// application has one.
    pub async fn assign_person(&self, subject: Subject, to: ApplicationId) -> Result<()> {
        let now = self.clock.now();
        let moved = self
            .db
            .write(move |c| people::assign_subject(c, &subject, to, now))
            .await?;
        match moved {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    /// Moves everybody of "Earlier" to an application, except those whose subject it has already.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Conflict`] when a person
    /// with one of the subjects was created meanwhile. Then nothing has changed.
    pub async fn assign_everybody(&self, to: ApplicationId) -> Result<Assignment> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                Ok(Assignment {
                    moved: people::assign_unclaimed(c, to, now)?,
                    refused: people::count_of_application(c, ApplicationId::EARLIER)?,
                    subjects: people::list_earlier_subjects(c, NAMED_SUBJECTS)?,
                })
            })
            .await
    }
}

fn count_uses(c: &mut AnyConnection, id: ApplicationId, now: Timestamp) -> Result<Deletion> {
    Ok(Deletion::InUse {
        people: people::count_of_application(c, id)?,
        keys: store::count_keys_in_use(c, id, now)?,
    })
}

fn list(c: &mut AnyConnection) -> Result<Vec<ApplicationSummary>> {
    let people = people::count_by_application(c)?;
    let mut keys: HashMap<ApplicationId, Vec<ApiKey>> = HashMap::new();
    for key in store::list_keys(c)? {
        keys.entry(key.application_id).or_default().push(key);
    }
    let summary = |application: Application| ApplicationSummary {
        keys: keys.remove(&application.id).unwrap_or_default(),
        people: people.get(&application.id).copied().unwrap_or_default(),
        application,
    };
    let applications = store::list_applications(c)?;
    Ok(applications.into_iter().map(summary).collect())
}
