//! `rollcall user`

use std::io::BufRead;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::domain::{Domain, block_on, parse_email};
use super::error::Result;
use super::error::{CliError, invalid_or_service};
use super::output::{describe_ended, print_json};
use crate::alerts::AlertContext;
use crate::clock::{Clock, Timestamp};
use crate::db::UserId;
use crate::error::Error;
use crate::events::Origin;
use crate::keys::KeyRing;
use crate::mail::MessageLinks;
use crate::people::{self, EmailTrust, FullName, NewAccount, PlainPassword, Role};
use crate::settings::Settings;

#[derive(Subcommand)]
pub(super) enum User {
    /// Make an account
    Add(Add),
    /// List everybody
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a new password and end all of the person's sessions
    SetPassword(SetPassword),
    /// Vouch for a person's e-mail, as if they had verified it
    VerifyEmail(VerifyEmail),
    /// Give a person another e-mail, which counts as verified
    SetEmail {
        /// Whose
        #[arg(long)]
        email: String,
        /// The new e-mail
        #[arg(long)]
        to: String,
    },
    /// Print a link that sets a new password once, to hand over to somebody who forgot theirs
    ResetLink {
        /// Whose
        email: String,
    },
    /// Delete a person with all their sessions and what happened to them; not to be undone
    Delete {
        /// Whom
        #[arg(long)]
        email: String,
    },
    /// Bar somebody from signing in and end all their sessions
    Disable {
        /// Whom
        #[arg(long)]
        email: String,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// What they sign in with
    #[arg(long)]
    email: String,
    /// How they want to be called
    #[arg(long)]
    name: Option<String>,
    /// Make them an administrator
    #[arg(long)]
    admin: bool,
    /// Read the password from the first line of standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Args)]
pub(super) struct SetPassword {
    /// Whose
    #[arg(long)]
    email: String,
    /// Read the password from the first line of standard input
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct VerifyEmail {
    /// Whose
    email: Option<String>,
    /// Everybody's
    #[arg(long)]
    all: bool,
}

/// A person as `user list --json` prints them.
#[derive(Serialize)]
struct Row {
    id: UserId,
    email: String,
    email_verified: bool,
    stated_email: Option<String>,
    full_name: Option<String>,
    is_active: bool,
    is_admin: bool,
    created_at: Timestamp,
}

impl User {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let domain = Domain::open(settings)?;
        block_on(async {
            match self {
                Self::Add(add) => add.run(&domain).await,
                Self::List { json } => list(&domain, json).await,
                Self::SetPassword(set) => set.run(&domain).await,
                Self::VerifyEmail(verify) => verify.run(&domain).await,
                Self::SetEmail { email, to } => set_email(&domain, &email, &to).await,
                Self::ResetLink { email } => reset_link(&domain, settings, &email).await,
                Self::Delete { email } => delete(&domain, &email).await,
                Self::Disable { email } => disable(&domain, &email).await,
            }
        })
    }
}

impl Add {
    async fn run(self, domain: &Domain) -> Result<()> {
        let account = NewAccount {
            email: parse_email(&self.email)?,
            trust: EmailTrust::Vouched,
            full_name: FullName::parse(&self.name.unwrap_or_default())
                .map_err(invalid_or_service)?,
            password: password_from_stdin()?,
            role: if self.admin {
                Role::Admin
            } else {
                Role::Person
            },
        };
        let user = domain.people.create_user(account).await?;
        println!("{}", user.id);
        Ok(())
    }
}

impl SetPassword {
    async fn run(self, domain: &Domain) -> Result<()> {
        let user = domain.get_user(&self.email).await?;
        let hash = domain.people.hash_password(password_from_stdin()?).await?;
        let ended = domain
            .accounts
            .set_password(&user, hash, Origin::default(), AlertContext::command_line())
            .await?;
        eprintln!("The password is set. {}", describe_ended(ended.len()));
        Ok(())
    }
}

impl VerifyEmail {
    async fn run(self, domain: &Domain) -> Result<()> {
        let Some(email) = self.email else {
            let verified = domain.people.mark_all_emails_verified().await?;
            eprintln!("E-mails verified: {verified}.");
            return Ok(());
        };
        let user = domain.get_user(&email).await?;
        if user.is_external() {
            return Err(CliError::Invalid(
                "an application states this person's e-mail; it is never verified".into(),
            ));
        }
        domain.people.mark_email_verified(user.id).await?;
        eprintln!("{} is verified.", user.email);
        Ok(())
    }
}

async fn set_email(domain: &Domain, email: &str, to: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    let new = parse_email(to)?;
    domain
        .accounts
        .set_email(user.id, new.clone(), Origin::default())
        .await
        .map_err(invalid_or_service)?;
    eprintln!("{} signs in with {new} from now on.", user.email);
    Ok(())
}

async fn reset_link(domain: &Domain, settings: &Settings, email: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    let reset = match domain.accounts.create_reset(user.id).await {
        Err(Error::NotFound) => {
            return Err(CliError::Invalid(
                "no password opens this account: it is disabled, or an application authenticates \
                 the person"
                    .into(),
            ));
        }
        reset => reset?,
    };
    let origin = settings.origin(settings.listen);
    let keys = KeyRing::load(settings, Clock::system())?;
    let links = MessageLinks::new(&keys, origin.clone());
    println!("{}", links.reset_password(reset));
    if settings.public_url.is_none() {
        eprintln!("public_url is not set; the link assumes that the service is at {origin}.");
    }
    let lifetime = humantime::format_duration(settings.accounts.reset_lifetime);
    eprintln!(
        "It works once, for {lifetime}, and ends all sessions of {}.",
        user.email
    );
    Ok(())
}

async fn list(domain: &Domain, json: bool) -> Result<()> {
    let users = domain.people.list().await?;
    if json {
        return print_json(&users.into_iter().map(Row::from).collect::<Vec<_>>());
    }
    for user in users {
        let name = user.full_name.as_deref().unwrap_or("-");
        let role = if user.is_admin { "admin" } else { "person" };
        let state = if user.is_active { "active" } else { "disabled" };
        println!("{}\t{}\t{role}\t{state}\t{name}", user.id, user.email);
    }
    Ok(())
}

async fn delete(domain: &Domain, email: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    domain.accounts.delete(user.id).await?;
    eprintln!("{} is deleted.", user.email);
    Ok(())
}

async fn disable(domain: &Domain, email: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    let ended = domain.accounts.disable(user.id, Origin::default()).await?;
    eprintln!(
        "{} can't sign in any more. {}",
        user.email,
        describe_ended(ended.len())
    );
    Ok(())
}

fn password_from_stdin() -> Result<PlainPassword> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| CliError::Io {
            action: "the password could not be read",
            source,
        })?;
    PlainPassword::new("password", line.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(invalid_or_service)
}

impl From<people::User> for Row {
    fn from(user: people::User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified: user.email_verified_at.is_some(),
            stated_email: user.stated_email,
            full_name: user.full_name,
            is_active: user.is_active,
            is_admin: user.is_admin,
            created_at: user.created_at,
        }
    }
}
