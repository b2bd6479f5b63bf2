//! The applications that sessions reached: recorded, and listed.

use serde::Serialize;

use super::application_use::Due;
use super::store::{self, ApplicationRow};
use super::used_application::{ApplicationUse, ReachedAs, UsedApplication};
use super::{Session, Sessions};
use crate::applications::Directory;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApplicationId, SessionId, UserId};
use crate::error::{Chain, Error, Failure, Result};

/// The most rows that are read at once, those with the latest uses.
const MAX_LISTED: u32 = 2_000;

/// An application that a session reached, as programs read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionApplication {
    /// The session.
    #[serde(skip)]
    pub session_id: SessionId,
    /// As what it was reached.
    pub kind: ReachedAs,
    /// The application's name, or the host where no application has it; `None` when the application was
    /// deleted.
    pub name: Option<String>,
    /// The host, where it was reached at one.
    pub host: Option<String>,
    /// The application, if it is a registered one.
    pub application_id: Option<ApplicationId>,
    /// When it was last used; may lag by a minute and the flush interval.
    pub last_used_at: Timestamp,
}

impl Sessions {
    /// Records that a request of a live session reached an application. It is written by a flush; where
    /// that is not possible, it is logged: the request is answered all the same.
    pub async fn record_application(&self, session: &Session, application: UsedApplication) {
        let used = ApplicationUse {
            session_id: session.id,
            user_id: session.user_id,
            application,
            at: self.clock.now(),
        };
        if let Err(err) = self.application_uses.record(used).await {
            tracing::warn!(session = %session.id, error = %Chain(&err), "the use of an application could not be recorded");
        }
    }

    /// Writes the buffered uses of applications that are due. Returns how many rows changed. It goes on
    /// when whoever waits for it is gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond, and [`Error::Internal`] when writing
    /// stopped short; the uses stay in the buffer.
    pub async fn flush_application_uses(&self, due: Due) -> Result<usize> {
        let (uses, now) = (self.application_uses.clone(), self.clock.now());
        tokio::spawn(uses.flush(now, due))
            .await
            .map_err(|err| Error::Internal(Failure::new("writing stopped short", err)))?
    }

    /// Lists the applications that these sessions of `owner` reached, the latest use first: of each
    /// session at most 50, and 2,000 in all.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_applications(
        &self,
        owner: UserId,
        ids: Vec<SessionId>,
    ) -> Result<Vec<SessionApplication>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.db.read(move |c| list(c, owner, &ids)).await
    }
}

fn list(
    c: &mut AnyConnection,
    owner: UserId,
    ids: &[SessionId],
) -> Result<Vec<SessionApplication>> {
    let rows = store::list_applications(c, owner, ids, MAX_LISTED)?;
    let (hosts, others): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row.kind == ReachedAs::Host);
    let hosts: Vec<String> = hosts.into_iter().map(|row| row.name.clone()).collect();
    let applications = others.into_iter().filter_map(|row| row.name.parse().ok());
    let directory = Directory::load(c, applications.collect(), &hosts)?;
    Ok(rows
        .into_iter()
        .map(|row| SessionApplication::new(row, &directory))
        .collect())
}

impl SessionApplication {
    fn new(row: ApplicationRow, directory: &Directory) -> Self {
        let (host, application_id) = match row.kind {
            ReachedAs::Host => (Some(row.name.clone()), directory.at_host(&row.name)),
            ReachedAs::Client | ReachedAs::Audience => (None, row.name.parse().ok()),
        };
        let name = application_id.and_then(|id| directory.name(id));
        Self {
            session_id: row.session_id,
            kind: row.kind,
            name: name.map(str::to_owned).or_else(|| host.clone()),
            host,
            application_id,
            last_used_at: row.last_used_at,
        }
    }
}
