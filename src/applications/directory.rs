//! Names of applications, by their ids and by the hosts that they are reached at.

use std::collections::HashMap;

use super::store::{self, Application};
use crate::db::{AnyConnection, ApplicationId};
use crate::error::Result;

/// The most applications at the hosts that are looked up. Beyond, a host has no name.
const MAX_AT_HOSTS: u32 = 1_000;

/// The names of some applications.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    names: HashMap<ApplicationId, String>,
    hosts: HashMap<String, ApplicationId>,
}

impl Directory {
    /// Loads the names of the applications with these ids, whose number the caller bounds, and of those
    /// that have these hosts.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable) when the database doesn't respond.
    pub(crate) fn load(
        c: &mut AnyConnection,
        mut ids: Vec<ApplicationId>,
        hosts: &[String],
    ) -> Result<Self> {
        let mut directory = Self::default();
        if !hosts.is_empty() {
            for application in store::list_at_hosts(c, hosts, MAX_AT_HOSTS)? {
                directory.add_hosts(application, hosts);
            }
        }
        ids.sort_unstable();
        ids.dedup();
        if !ids.is_empty() {
            directory.names.extend(store::list_names(c, &ids)?);
        }
        Ok(directory)
    }

    fn add_hosts(&mut self, application: Application, hosts: &[String]) {
        let mut is_named = false;
        for host in application.hosts() {
            if hosts.iter().any(|other| other == host) && !self.hosts.contains_key(host) {
                self.hosts.insert(host.to_owned(), application.id);
                is_named = true;
            }
        }
        if is_named {
            self.names.insert(application.id, application.name);
        }
    }

    /// Returns the name of an application; `None` when it doesn't exist.
    pub(crate) fn name(&self, id: ApplicationId) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    /// Returns the application that is reached at `host`, the first by name if several are.
    pub(crate) fn at_host(&self, host: &str) -> Option<ApplicationId> {
        self.hosts.get(host).copied()
    }
}
