//! The authority of an administrator. That they had it when their request arrived says little: the
//! request may have waited, for a password to be hashed or for a lock. So whatever an administrator
//! does is done in a transaction that has an [`Authority`], which is found there, under locks.
//!
//! The locks are taken in the order of all: people, keys, jobs, sessions.

use super::{Sessions, store};
use crate::applications;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApiKeyId, ApplicationId, JobId, SessionId, UserId};
use crate::error::{Error, Failure, Result};
use crate::events::Origin;
use crate::people::{self, Role};

/// Who acts as an administrator: found to be one in this transaction, and to remain one until it ends.
pub(crate) struct Authority {
    origin: Origin,
}

/// Who wants to act.
enum Doer {
    /// A person, in a session of theirs.
    Person(UserId, SessionId),
    /// The key of an application.
    Key(ApplicationId, ApiKeyId),
    /// Whoever runs the command line, and so has the database anyway.
    Operator,
}

/// The sessions that an act ends, besides the doer's own that is locked with them.
enum Affected {
    Nobody,
    Person(UserId),
    Session(SessionId),
    /// None, but a job is stopped.
    Job(JobId),
    /// None, but a key is revoked, and the jobs that were ordered with it are stopped.
    Key(ApiKeyId),
}

impl Authority {
    /// Returns the authority of `origin` for what ends no sessions, as a part of a transaction.
    ///
    /// # Errors
    /// [`Error::NoAuthority`] when the person is no administrator any more, or their account is disabled;
    /// [`Error::Unauthenticated`] when their session has ended; [`Error::InvalidClient`] when the key
    /// was revoked or has expired.
    pub(crate) fn require(c: &mut AnyConnection, origin: &Origin, now: Timestamp) -> Result<Self> {
        Self::find(c, origin, &Affected::Nobody, now)
    }

    /// As [`Self::require`], for what may end the sessions of a person and stop what they ordered.
    ///
    /// # Errors
    /// As [`Self::require`].
    pub(crate) fn require_over(
        c: &mut AnyConnection,
        origin: &Origin,
        person: UserId,
        now: Timestamp,
    ) -> Result<Self> {
        Self::find(c, origin, &Affected::Person(person), now)
    }

    /// As [`Self::require`], for what ends one session.
    ///
    /// # Errors
    /// As [`Self::require`].
    pub(super) fn require_over_session(
        c: &mut AnyConnection,
        origin: &Origin,
        session: SessionId,
        now: Timestamp,
    ) -> Result<Self> {
        Self::find(c, origin, &Affected::Session(session), now)
    }

    /// As [`Self::require`], for what stops a job.
    ///
    /// # Errors
    /// As [`Self::require`].
    pub(super) fn require_over_job(
        c: &mut AnyConnection,
        origin: &Origin,
        job: JobId,
        now: Timestamp,
    ) -> Result<Self> {
        Self::find(c, origin, &Affected::Job(job), now)
    }

    /// As [`Self::require`], for what revokes a key and stops what was ordered with it.
    ///
    /// # Errors
    /// As [`Self::require`].
    pub(crate) fn require_over_key(
        c: &mut AnyConnection,
        origin: &Origin,
        key: ApiKeyId,
        now: Timestamp,
    ) -> Result<Self> {
        Self::find(c, origin, &Affected::Key(key), now)
    }

    /// Returns who acts, as the origin of events.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the same authority, without the session and the address in its events.
    pub(crate) fn without_location(self) -> Self {
        Self {
            origin: Origin {
                session: None,
                ip: None,
                ..self.origin
            },
        }
    }

    fn find(
        c: &mut AnyConnection,
        origin: &Origin,
        affected: &Affected,
        now: Timestamp,
    ) -> Result<Self> {
        let doer = Doer::of(origin)?;
        match doer {
            Doer::Person(by, _) => people::store::require_admin(c, by)?,
            Doer::Key(application, key) => {
                applications::require_admin_key(c, (application, key), now)?;
            }
            Doer::Operator => {}
        }
        match affected {
            Affected::Person(id) => store::lock_running_jobs_of(c, *id)?,
            Affected::Job(id) => store::lock_job(c, *id)?,
            Affected::Key(id) => {
                applications::lock_key(c, *id)?;
                store::lock_running_jobs_of_key(c, *id)?;
            }
            Affected::Nobody | Affected::Session(_) => {}
        }
        let own = match doer {
            Doer::Person(_, session) => Some(session),
            Doer::Key(..) | Doer::Operator => None,
        };
        lock_sessions(c, own, affected)?;
        if let Doer::Person(by, session) = doer {
            let live = store::find_live(c, by, session, now)?;
            live.ok_or(Error::Unauthenticated)?;
        }
        Ok(Self {
            origin: origin.clone(),
        })
    }
}

impl Doer {
    fn of(origin: &Origin) -> Result<Self> {
        match (origin.user, origin.session, origin.application, origin.key) {
            (Some(by), Some(session), None, None) => Ok(Self::Person(by, session)),
            (None, None, Some(application), Some(key)) => Ok(Self::Key(application, key)),
            (None, None, None, None) => Ok(Self::Operator),
            _ => Err(Error::Internal(Failure::because(
                "it is not known who acts as an administrator",
            ))),
        }
    }
}

impl Sessions {
    /// Verifies that whoever reads a long response may still do so: their session is live and they are
    /// at least `least`, or their key is in use and has the scope `admin:read`.
    ///
    /// # Errors
    /// As [`Authority::require`].
    pub async fn require_reader(&self, origin: &Origin, least: Role) -> Result<()> {
        let (doer, now) = (Doer::of(origin)?, self.clock.now());
        self.db
            .read(move |c| match doer {
                Doer::Person(by, session) => {
                    let live = store::find_live(c, by, session, now)?;
                    let (_, user) = live.ok_or(Error::Unauthenticated)?;
                    match user.role() >= least {
                        true => Ok(()),
                        false => Err(Error::NoAuthority),
                    }
                }
                Doer::Key(_, key) => applications::require_reading_key(c, key, now),
                Doer::Operator => Ok(()),
            })
            .await
    }
}

/// Locks the doer's session and those that are affected, in the order of their ids.
fn lock_sessions(c: &mut AnyConnection, own: Option<SessionId>, affected: &Affected) -> Result<()> {
    let mut sessions: Vec<SessionId> = own.into_iter().collect();
    match affected {
        Affected::Nobody | Affected::Job(_) | Affected::Key(_) => {}
        Affected::Person(id) => sessions.extend(store::list_unended_ids(c, *id)?),
        Affected::Session(id) => sessions.push(*id),
    }
    match sessions.is_empty() {
        true => Ok(()),
        false => store::lock_listed(c, &sessions),
    }
}
