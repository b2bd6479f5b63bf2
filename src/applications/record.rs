//! An application as programs read it: in the API of administrators and on the command line.

use serde::Serialize;

use super::client::KeyState;
use super::manage::{ApplicationSummary, MAX_COUNTED_PEOPLE};
use super::store::ApiKey;
use crate::clock::Timestamp;
use crate::db::{ApiKeyId, ApplicationId};
use crate::listing::MatchCount;

/// An application in JSON, without secrets.
#[derive(Debug, Clone, Serialize)]
pub struct ApplicationRecord {
    /// Its id.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// The hosts that it is reached at.
    pub hosts: Vec<String>,
    /// Whether its keys also find the people of "Earlier".
    pub uses_earlier: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many people it has.
    pub people: MatchCount,
    /// The number of its keys that are neither revoked nor expired.
    pub keys_in_use: usize,
    /// Its keys, revoked and expired ones included, newest first.
    pub keys: Vec<KeyRecord>,
}

/// An API key in JSON.
#[derive(Debug, Clone, Serialize)]
pub struct KeyRecord {
    /// Its id, which is its `client_id`.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// From when on it authenticates nobody, if it expires.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl ApplicationRecord {
    /// Returns an application as it is at `now`.
    #[must_use]
    pub fn new(summary: ApplicationSummary, now: Timestamp) -> Self {
        let ApplicationSummary {
            application,
            keys,
            people,
        } = summary;
        let count = |number: i64| usize::try_from(number).unwrap_or_default();
        Self {
            hosts: application.hosts().map(str::to_owned).collect(),
            id: application.id,
            name: application.name,
            kind: application.kind.as_str(),
            uses_earlier: application.uses_earlier,
            created_at: application.created_at,
            people: MatchCount::up_to(count(MAX_COUNTED_PEOPLE), count(people)),
            keys_in_use: keys
                .iter()
                .filter(|key| key.state(now) == KeyState::InUse)
                .count(),
            keys: keys.into_iter().map(KeyRecord::from).collect(),
        }
    }
}

impl From<ApiKey> for KeyRecord {
    fn from(key: ApiKey) -> Self {
        Self {
            scopes: key.scopes.split(' ').map(str::to_owned).collect(),
            id: key.id,
            name: key.name,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}
