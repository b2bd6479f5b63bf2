//! The form for a new API key.

use serde::Deserialize;

use super::fields::Choice;
use crate::applications::{ApplicationSummary, Expiry, KeyOwner, NewKey, Scope};
use crate::clock::Timestamp;
use crate::db::{ApiKeyId, ApplicationId};
use crate::text;

/// What a key may be used for: the field, and its words.
const SCOPES: [(Scope, &str, &str); 5] = [
    (
        Scope::Tokens,
        "tokens",
        "Introspecting and revoking tokens issued for the application",
    ),
    (
        Scope::TokensAny,
        "tokens_any",
        "Introspecting and revoking every token",
    ),
    (
        Scope::Sessions,
        "sessions",
        "Opening, refreshing and ending sessions of people whom the application signs in itself",
    ),
    (
        Scope::AdminRead,
        "admin_read",
        "Reading everybody’s sessions and what happened, as an administrator does",
    ),
    (
        Scope::AdminWrite,
        "admin_write",
        "Ending anybody’s sessions and disabling people",
    ),
];
/// When a key may expire: the value of the field, and its words.
const EXPIRIES: [(&str, &str); 4] = [
    ("never", "never"),
    ("30d", "in 30 days"),
    ("90d", "in 90 days"),
    ("365d", "in a year"),
];

/// The form of `POST /admin/api-keys`.
#[derive(Deserialize, Default)]
pub struct NewKeyForm {
    /// The id that the key gets.
    key: Option<ApiKeyId>,
    #[serde(default)]
    application: String,
    #[serde(default)]
    name: String,
    tokens: Option<String>,
    tokens_any: Option<String>,
    sessions: Option<String>,
    admin_read: Option<String>,
    admin_write: Option<String>,
    #[serde(default)]
    expires: String,
}

/// The form for a new key, as it was filled in.
pub(super) struct KeyFormView {
    /// The id that the key gets.
    pub(super) id: ApiKeyId,
    pub(super) applications: Vec<Choice>,
    pub(super) name: String,
    pub(super) scopes: Vec<Choice>,
    pub(super) expiries: Vec<Choice>,
}

impl NewKeyForm {
    /// Returns the key that the form describes, or what has to be filled in otherwise.
    pub(super) fn parse(&self, now: Timestamp) -> Result<NewKey, &'static str> {
        const NAME: &str =
            "Give the application a name of at most 255 characters. An id can’t be a name.";
        const APPLICATION: &str = "Choose an application from the list.";

        let is_new = self.application.is_empty();
        let name = match text::clean(&self.name).as_str() {
            "" if !is_new => None,
            name => Some(name.parse().map_err(|_| NAME)?),
        };
        let (owner, name) = match (is_new, name) {
            (true, Some(name)) => (KeyOwner::New(name), None),
            (true, None) => return Err(NAME),
            (false, name) => {
                let id = self.application.parse().map_err(|_| APPLICATION)?;
                (KeyOwner::Existing(id), name)
            }
        };
        let chosen = SCOPES.iter().filter(|(scope, ..)| self.has(*scope));
        let scopes: Vec<Scope> = chosen.map(|(scope, ..)| *scope).collect();
        if scopes.is_empty() {
            return Err("Choose at least one scope.");
        }
        Ok(NewKey {
            id: self.id(now),
            owner,
            name,
            scopes,
            expiry: self.expiry()?,
        })
    }

    /// Returns the id that the key gets, whatever else the form says.
    pub(super) fn id(&self, now: Timestamp) -> ApiKeyId {
        self.key.unwrap_or_else(|| ApiKeyId::new(now))
    }

    fn has(&self, scope: Scope) -> bool {
        match scope {
            Scope::Tokens => self.tokens.is_some(),
            Scope::TokensAny => self.tokens_any.is_some(),
            Scope::Sessions => self.sessions.is_some(),
            Scope::AdminRead => self.admin_read.is_some(),
            Scope::AdminWrite => self.admin_write.is_some(),
        }
    }

    fn expiry(&self) -> Result<Expiry, &'static str> {
        let chosen = match self.expires.as_str() {
            "" => return Ok(Expiry::Never),
            chosen => EXPIRIES.iter().find(|(value, _)| *value == chosen),
        };
        chosen
            .and_then(|(value, _)| value.parse().ok())
            .ok_or("Choose when the key expires.")
    }
}

impl KeyFormView {
    /// Returns the form for a key of one of `applications`, or of a new one.
    pub(super) fn new(
        form: &NewKeyForm,
        applications: &[ApplicationSummary],
        now: Timestamp,
    ) -> Self {
        let applications = applications.iter().map(|summary| &summary.application);
        let with_keys = applications.filter(|application| application.id != ApplicationId::EARLIER);
        Self {
            id: form.id(now),
            applications: with_keys
                .map(|application| {
                    let id = application.id.to_string();
                    Choice::new(&id, &application.name, id == form.application)
                })
                .collect(),
            name: form.name.clone(),
            scopes: SCOPES
                .iter()
                .map(|(scope, field, words)| Choice::new(field, words, form.has(*scope)))
                .collect(),
            expiries: EXPIRIES
                .iter()
                .map(|(value, words)| Choice::new(value, words, *value == form.expires))
                .collect(),
        }
    }
}
