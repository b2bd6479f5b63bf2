//! Managing applications: listing, changing and deleting them.

use std::collections::HashMap;

use super::Applications;
use super::hosts::NewApplication;
use super::store::{self, ApiKey, Application};
use super::values::Name;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApplicationId};
use crate::error::{Error, Result};
use crate::listing::{MatchCount, Page, Place};
use crate::people::{NamedPeopleFilter, PeopleFilter, store as people};

/// The number to which the people of an application are counted for a page.
pub const MAX_COUNTED_PEOPLE: i64 = 10_000;
/// The number to which applications are counted.
const MAX_COUNTED: usize = 10_000;
/// The most keys of all applications on a page, the newest ones.
const MAX_KEYS: i64 = 2_000;

/// An application with what belongs to it.
#[derive(Debug, Clone)]
pub struct ApplicationSummary {
    /// The application.
    pub application: Application,
    /// Its keys, revoked and expired ones included, newest first.
    pub keys: Vec<ApiKey>,
    /// How many people it has; on a page, one more than the most that are counted stands for more.
    pub people: i64,
}

/// A page of applications, ordered by their names.
pub type ApplicationPage = Page<ApplicationSummary, String>;

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

impl Applications {
    /// Lists every application with its keys, ordered by name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list(&self) -> Result<Vec<ApplicationSummary>> {
        self.db.read(list).await
    }

    /// Lists the first applications by their names, at most `limit`, without their keys.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_first(&self, limit: i64) -> Result<Vec<Application>> {
        self.db
            .read(move |c| store::list_from(c, None, limit))
            .await
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

    /// Lists a page of applications, ordered by name. Their people are counted to
    /// [`MAX_COUNTED_PEOPLE`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_page(
        &self,
        start: Option<Place<String>>,
        limit: u32,
    ) -> Result<ApplicationPage> {
        self.db
            .read(move |c| {
                let found = store::list_from(c, start.as_ref(), i64::from(limit) + 1)?;
                let name = |found: &Application| found.name.clone();
                let page = Page::cut(found, limit as usize, start.as_ref(), name);
                Ok(Page {
                    items: summarize(c, page.items)?,
                    next: page.next,
                    previous: page.previous,
                })
            })
            .await
    }

    /// Counts the applications, to 10,000.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn count(&self) -> Result<MatchCount> {
        let limit = MAX_COUNTED as i64 + 1;
        let counted = self.db.read(move |c| store::count(c, limit)).await?;
        Ok(MatchCount::up_to(MAX_COUNTED, counted))
    }

    /// Returns the filter of people with the application that it names; `None` when there is none, so
    /// that it finds nobody.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn resolve(&self, filter: NamedPeopleFilter) -> Result<Option<PeopleFilter>> {
        let Some(text) = filter.application().map(str::to_owned) else {
            return Ok(filter.resolved(None));
        };
        let found = self
            .db
            .read(move |c| store::find_application_id(c, &text))
            .await?;
        Ok(filter.resolved(found))
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
}

/// Returns the applications with what belongs to them, in the same order.
fn summarize(
    c: &mut AnyConnection,
    applications: Vec<Application>,
) -> Result<Vec<ApplicationSummary>> {
    let ids: Vec<ApplicationId> = applications.iter().map(|found| found.id).collect();
    let mut keys: HashMap<ApplicationId, Vec<ApiKey>> = HashMap::new();
    for key in store::list_keys_of(c, &ids, MAX_KEYS)? {
        keys.entry(key.application_id).or_default().push(key);
    }
    let mut summaries = Vec::with_capacity(applications.len());
    for application in applications {
        let limit = MAX_COUNTED_PEOPLE + 1;
        let people = people::count_of_application_to(c, application.id, limit)?;
        summaries.push(ApplicationSummary {
            keys: keys.remove(&application.id).unwrap_or_default(),
            people: i64::try_from(people).unwrap_or(limit),
            application,
        });
    }
    Ok(summaries)
}

/// Updates the name, the kind and the hosts of an application, as a part of a transaction.
///
/// # Errors
/// [`Error::NotFound`] when there is no such application, or it is "Earlier", which stays what it is;
/// [`Error::ApplicationExists`] when another one has the name.
pub(crate) fn update_application(
    c: &mut AnyConnection,
    id: ApplicationId,
    new: &NewApplication,
) -> Result<()> {
    if id == ApplicationId::EARLIER {
        return Err(Error::NotFound);
    }
    match store::update(c, id, new)? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Deletes an application and its keys, as a part of a transaction.
///
/// # Errors
/// [`Error::NotFound`] when there is no such application; [`Error::Reference`] when it has people or
/// keys in use.
pub(crate) fn delete_application(
    c: &mut AnyConnection,
    id: ApplicationId,
    now: Timestamp,
) -> Result<()> {
    match store::delete(c, id, now)? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Counts what an application that can't be deleted is in use by.
///
/// # Errors
/// [`Error::Unavailable`] when the database doesn't respond.
pub(crate) fn count_uses(
    c: &mut AnyConnection,
    id: ApplicationId,
    now: Timestamp,
) -> Result<Deletion> {
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
