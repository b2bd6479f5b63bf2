//! `rollcall api-key`

use super::output::{message, print_line};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;

use super::domain::{Domain, block_on};
use super::error::{CliError, Result, about, invalid_or_service};
use crate::applications::{self, Expiry, KeyOwner, KeyState, Name, NewKey, Scope};
use crate::db::ApiKeyId;
use crate::error::Error;
use crate::events::Origin;
use crate::settings::Settings;

#[derive(Subcommand)]
pub(super) enum ApiKey {
    /// Make a key for an application; its secret is shown once
    Add(Add),
    /// List the keys
    List,
    /// End the use of a key
    Revoke {
        /// Which one
        id: ApiKeyId,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// Make an application of this name, and the key for it. With --application: the key's own name
    #[arg(long, required_unless_present = "application")]
    name: Option<String>,
    /// Make another key for this application, by its name or id: a new key has the same people
    #[arg(long, value_name = "APPLICATION")]
    application: Option<String>,
    /// What it may be used for: tokens (introspection and revocation of those that were made for the
    /// application), tokens:any (of every token), sessions (of people whom the application signs in
    /// itself), admin:read (what an administrator sees), admin:write (also ending anybody's sessions
    /// and disabling people); may be given several times
    #[arg(long = "scope", value_name = "SCOPE", default_value = "tokens")]
    scopes: Vec<Scope>,
    /// When it expires: after a span (90d), on a day (2027-01-01, in UTC), or never
    #[arg(long, value_name = "WHEN", default_value = "never")]
    expires: Expiry,
}

impl ApiKey {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let domain = Domain::open(settings)?;
        block_on(async {
            match self {
                Self::Add(add) => add.run(&domain).await,
                Self::List => list(&domain).await,
                Self::Revoke { id } => revoke(&domain, id).await,
            }
        })
    }
}

impl Add {
    async fn run(self, domain: &Domain) -> Result<()> {
        let name = self.name.as_deref().map(parse_name).transpose()?;
        let (owner, name) = match (self.application, name) {
            (None, None) => return Err(CliError::Invalid("name an application".into())),
            (None, Some(name)) => (KeyOwner::New(name), None),
            (Some(application), name) => {
                let found = domain.get_application(&application).await?;
                (KeyOwner::Existing(found.id), name)
            }
        };
        let new = NewKey {
            id: ApiKeyId::new(domain.clock.now()),
            owner: owner.clone(),
            name,
            scopes: self.scopes,
            expiry: self.expires,
        };
        let administers = new.administers();
        let (key, secret) = domain
            .accounts
            .create_key(new, Origin::default())
            .await
            .map_err(|err| refused(err, &owner))?;
        message!("Keep the secret; it is not shown again.");
        if administers {
            message!("Whoever has it reads everybody's sessions, and with admin:write ends them.");
        }
        print_line!("id\t{}\nsecret\t{}", key.id, secret.expose_secret())?;
        print_line!("application\t{}", key.application_id)?;
        Ok(())
    }
}

/// Parses the name of a key or an application from an argument.
pub(super) fn parse_name(text: &str) -> Result<Name> {
    text.parse().map_err(invalid_or_service)
}

fn refused(err: Error, owner: &KeyOwner) -> CliError {
    match (err, owner) {
        (Error::ApplicationExists, KeyOwner::New(name)) => CliError::Invalid(format!(
            "there is an application {:?} already; `--application` instead of `--name` makes another \
             key for it",
            name.as_str()
        )),
        (Error::NotFound, _) => CliError::Invalid(
            "that application has no keys; it is for people to be assigned".into(),
        ),
        (err, _) => invalid_or_service(err),
    }
}

async fn list(domain: &Domain) -> Result<()> {
    let now = domain.clock.now();
    let mut keys: Vec<(String, applications::ApiKey)> = Vec::new();
    for summary in domain.applications.list().await? {
        let name = summary.application.name;
        keys.extend(summary.keys.into_iter().map(|key| (name.clone(), key)));
    }
    keys.sort_by_key(|(_, key)| std::cmp::Reverse(key.id));
    for (application, key) in keys {
        let state = match key.state(now) {
            KeyState::InUse => "in use",
            KeyState::Expired => "expired",
            KeyState::Revoked => "revoked",
        };
        let used = key
            .last_used_at
            .map_or("never used".into(), |at| format!("used {at}"));
        let expires = key
            .expires_at
            .map_or("never expires".into(), |at| format!("expires {at}"));
        print_line!(
            "{}\t{}\t{}\t{state}\t{used}\t{expires}\t{application}",
            key.id,
            key.name,
            key.scopes
        )?;
    }
    Ok(())
}

async fn revoke(domain: &Domain, id: ApiKeyId) -> Result<()> {
    let revoked = domain.accounts.revoke_key(id, Origin::default()).await;
    revoked.map_err(about("key in use with the id", &id.to_string()))?;
    message!("The key is revoked.");
    Ok(())
}
