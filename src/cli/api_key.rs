//! `rollcall api-key`

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;

use super::domain::{Domain, block_on};
use super::error::Result;
use super::error::about;
use crate::applications::Scope;
use crate::db::ApiKeyId;
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
    /// Which application it is for
    #[arg(long)]
    name: String,
    /// What it may be used for: tokens (introspection and revocation), sessions (of people whom the
    /// application signs in itself); may be given twice
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
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
        let (key, secret) = domain
            .api_keys
            .create_key(&self.name, &self.scopes)
            .await
            .map_err(about("name", &self.name))?;
        eprintln!("Keep the secret; it is not shown again.");
        println!("id\t{}\nsecret\t{}", key.id, secret.expose_secret());
        Ok(())
    }
}

async fn list(domain: &Domain) -> Result<()> {
    for key in domain.api_keys.list_keys().await? {
        let state = if key.revoked_at.is_some() {
            "revoked"
        } else {
            "in use"
        };
        let used = key
            .last_used_at
            .map_or("never used".into(), |at| format!("used {at}"));
        println!("{}\t{}\t{}\t{state}\t{used}", key.id, key.name, key.scopes);
    }
    Ok(())
}

async fn revoke(domain: &Domain, id: ApiKeyId) -> Result<()> {
    let revoked = domain.api_keys.revoke_key(id).await;
    revoked.map_err(about("key in use with the id", &id.to_string()))?;
    eprintln!("The key is revoked.");
    Ok(())
}
