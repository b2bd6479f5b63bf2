//! An event as programs read it: in the API, in exports and on the command line.

use serde::Serialize;

use super::LoggedEvent;
use crate::applications::Application;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, EventId, JobId, SessionId, UserId};
use crate::events::Actor;
use crate::people::User;
use crate::sessions::Session;

/// An event in JSON, and a line of a CSV file. What doesn't exist any more has only its id.
#[derive(Debug, Clone, Serialize)]
pub struct EventRecord {
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: &'static str,
    /// What the kind states of it: a reason, a new name.
    pub detail: Option<String>,
    /// On whom, if that is known.
    pub user_id: Option<UserId>,
    /// Their e-mail, if it is known.
    pub user_email: Option<String>,
    /// On which session.
    pub session_id: Option<SessionId>,
    /// The name of its device; without a session, of the one that the request came from.
    pub device_name: Option<String>,
    /// By whom: a person, an administrator, an application, the service itself, or nobody known. Where the first
    /// two are named by nobody's id, it was done on the command line.
    pub actor: Actor,
    /// By whom, if a person did it.
    pub by_user_id: Option<UserId>,
    /// Their e-mail.
    pub by_email: Option<String>,
    /// From which session.
    pub by_session_id: Option<SessionId>,
    /// By which application's key.
    pub by_application_id: Option<ApplicationId>,
    /// The application's name.
    pub by_application: Option<String>,
    /// From where.
    pub ip_address: Option<String>,
    /// The reason that an administrator stated.
    pub stated_reason: Option<String>,
    /// By which bulk job.
    pub job_id: Option<JobId>,
    /// How often it happened, within the hour of `at`: more than once only what is counted.
    pub times: i32,
    /// When it happened last, if it is counted.
    pub last_at: Option<Timestamp>,
}

impl From<LoggedEvent> for EventRecord {
    fn from(logged: LoggedEvent) -> Self {
        let LoggedEvent {
            event,
            owner,
            session,
            by,
            application,
        } = logged;
        let actor = event.actor();
        let named = event.former_name().map(str::to_owned);
        let now_named = session.as_ref().map(Session::display_name);
        let device_name = named.or(now_named).or_else(|| event.device.clone());
        let email = |user: User| user.known_email().map(str::to_owned);
        Self {
            id: event.id,
            at: event.at,
            kind: event.kind.as_str(),
            detail: event.detail,
            user_id: event.user_id,
            user_email: owner.and_then(email),
            session_id: event.session_id,
            device_name,
            actor,
            by_user_id: event.by_user_id,
            by_email: by.and_then(email),
            by_session_id: event.by_session_id,
            by_application_id: event.by_application_id,
            by_application: application.map(|Application { name, .. }| name),
            ip_address: event.ip_address,
            stated_reason: event.stated_reason,
            job_id: event.job_id,
            times: event.times,
            last_at: event.last_at,
        }
    }
}
