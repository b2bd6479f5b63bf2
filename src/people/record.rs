//! A person as programs read them: in the API of administrators and on the command line.

use serde::Serialize;

use super::store::User;
use super::values::{AccountState, Role};
use crate::clock::Timestamp;
use crate::db::{ApplicationId, UserId};

/// A person in JSON, as administrators see them: no hash and no address is in it.
#[derive(Debug, Clone, Serialize)]
pub struct UserRecord {
    /// Their id.
    pub id: UserId,
    /// The e-mail that they sign in with, or the one that their application states.
    pub email: Option<String>,
    /// Whether it was verified.
    pub email_verified: bool,
    /// The e-mail that their application states.
    pub stated_email: Option<String>,
    /// Their name.
    pub full_name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether that is to administer the service.
    pub is_admin: bool,
    /// Whether they can sign in.
    pub state: AccountState,
    /// Whether that is `active`.
    pub is_active: bool,
    /// Whether they were invited and have set no password yet.
    pub is_invited: bool,
    /// The application that authenticates them.
    pub application_id: Option<ApplicationId>,
    /// What their application calls them.
    pub subject: Option<String>,
    /// How many sessions of theirs are live.
    pub live_sessions: usize,
    /// When the account was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl UserRecord {
    /// Returns a person with so many live sessions.
    #[must_use]
    pub fn new(user: User, live_sessions: usize) -> Self {
        Self {
            id: user.id,
            email: user.known_email().map(str::to_owned),
            email_verified: user.email_verified_at.is_some(),
            role: user.role(),
            is_admin: user.is_admin,
            state: user.state(),
            is_active: user.is_active,
            is_invited: user.is_invited(),
            full_name: user.full_name,
            stated_email: user.stated_email,
            application_id: user.application_id,
            subject: user.external_subject,
            live_sessions,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
