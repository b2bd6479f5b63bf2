//! `rollcall user`

use std::io::BufRead;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::domain::{Domain, block_on, parse_email};
use super::error::Result;
use super::error::{CliError, invalid_or_service};
use super::output::{describe_ended, print_json};
use crate::account::Administered;
use crate::alerts::AlertContext;
use crate::clock::{Clock, Timestamp};
use crate::db::{ApplicationId, UserId};
use crate::error::Error;
use crate::events::Origin;
use crate::keys::KeyRing;
use crate::mail::MessageLinks;
use crate::people::{
    self, EmailTrust, FullName, NewAccount, PeopleFilter, PeopleQuery, PlainPassword, Role,
};
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
    application_id: Option<ApplicationId>,
    subject: Option<String>,
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
        let hash = domain
            .people
            .hash_password(account.password.clone())
            .await?;
        let user = domain
            .accounts
            .create_account(account, hash, Origin::default())
            .await?;
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
        domain
            .accounts
            .vouch_email(user.id, Origin::default())
            .await
            .map_err(invalid_or_service)?;
        eprintln!("{} is verified.", user.email);
        Ok(())
    }
}

async fn set_email(domain: &Domain, email: &str, to: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    let new = parse_email(to)?;
    domain
        .accounts
        .admin_set_email(user.id, new.clone(), Origin::default())
        .await
        .map_err(invalid_or_service)?;
    eprintln!("{} signs in with {new} from now on.", user.email);
    Ok(())
}

async fn reset_link(domain: &Domain, settings: &Settings, email: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    let reset = match domain
        .accounts
        .create_reset(user.id, Origin::default())
        .await
    {
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

/// People read at once.
const PAGE: u32 = 200;

async fn list(domain: &Domain, json: bool) -> Result<()> {
    let mut cursor = None;
    let mut all = Vec::new();
    loop {
        let query = PeopleQuery {
            filter: PeopleFilter::default(),
            cursor,
            limit: PAGE,
        };
        let page = domain.people.search(query).await?;
        all.extend(page.people);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        return print_json(&all.into_iter().map(Row::from).collect::<Vec<_>>());
    }
    for user in all {
        let name = user.full_name.as_deref().unwrap_or("-");
        let (role, state) = (user.role().as_str(), user.state().as_str());
        println!("{}\t{}\t{role}\t{state}\t{name}", user.id, user.email);
    }
    Ok(())
}

async fn delete(domain: &Domain, email: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    domain
        .accounts
        .admin_delete(user.id, Origin::default())
        .await?;
    eprintln!("{} is deleted.", user.email);
    Ok(())
}

async fn disable(domain: &Domain, email: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    let outcome = domain.accounts.disable(user.id, Origin::default()).await?;
    match outcome {
        Administered::Done { ended } => eprintln!(
            "{} can't sign in any more. {}",
            user.email,
            describe_ended(ended)
        ),
        Administered::Unchanged => eprintln!("{} is disabled already.", user.email),
    }
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
            application_id: user.application_id,
            subject: user.external_subject,
            full_name: user.full_name,
            is_active: user.is_active,
            is_admin: user.is_admin,
            created_at: user.created_at,
        }
    }
}
