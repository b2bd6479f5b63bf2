//! `rollcall user`

use std::io::BufRead;

use clap::{Args, Subcommand};

use super::domain::{Domain, block_on, parse_email};
use super::error::{CliError, Result, invalid_or_service};
use super::output::{describe_ended, message, print_line};
use super::user_acts::{
    Invite, SetRole, Whom, delete, disable, enable, export, lift_delay, print_link, set_name,
};
use super::user_list::{List, show};
use crate::alerts::AlertContext;
use crate::error::Error;
use crate::events::{EventKind, Origin};
use crate::people::{EmailTrust, FullName, HashRequester, NewAccount, NewPassword, Role};
use crate::settings::Settings;

#[derive(Subcommand)]
pub(super) enum User {
    /// Make an account
    Add(Add),
    /// Invite somebody, who sets the password themselves by a link; or invite them again
    Invite(Invite),
    /// List people, newest first
    List(List),
    /// Show one person
    Show {
        #[command(flatten)]
        whom: Whom,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a person another name
    SetName {
        #[command(flatten)]
        whom: Whom,
        /// How they are called; empty for no name
        #[arg(long)]
        name: String,
    },
    /// Change what a person may do
    SetRole(SetRole),
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
    /// Print everything stored about a person, as JSON
    Export {
        #[command(flatten)]
        whom: Whom,
    },
    /// Delete a person with all their sessions and what happened to them; not to be undone
    Delete {
        #[command(flatten)]
        whom: Whom,
        /// Why; it is recorded with the deletion
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Bar somebody from signing in and end all their sessions
    Disable {
        #[command(flatten)]
        whom: Whom,
        /// Why; they see it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let somebody try again at once who has to wait after wrong passwords
    LiftDelay {
        #[command(flatten)]
        whom: Whom,
        /// Why; they see it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let somebody sign in again who was disabled
    Enable {
        #[command(flatten)]
        whom: Whom,
        /// Why; they see it
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
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
    #[arg(long, conflicts_with = "auditor")]
    admin: bool,
    /// Make them an auditor, who sees what administrators see and changes nothing
    #[arg(long)]
    auditor: bool,
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

impl User {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let domain = Domain::open(settings)?;
        block_on(async {
            match self {
                Self::Add(add) => add.run(&domain).await,
                Self::Invite(invite) => invite.run(&domain, settings).await,
                Self::List(list) => list.run(&domain).await,
                Self::Show { whom, json } => show(&domain, &whom, json).await,
                Self::SetName { whom, name } => set_name(&domain, &whom, &name).await,
                Self::SetRole(set) => set.run(&domain).await,
                Self::SetPassword(set) => set.run(&domain).await,
                Self::VerifyEmail(verify) => verify.run(&domain).await,
                Self::SetEmail { email, to } => set_email(&domain, &email, &to).await,
                Self::ResetLink { email } => reset_link(&domain, settings, &email).await,
                Self::Export { whom } => export(&domain, &whom).await,
                Self::Delete { whom, reason } => delete(&domain, &whom, reason).await,
                Self::Disable { whom, reason } => disable(&domain, &whom, reason).await,
                Self::LiftDelay { whom, reason } => lift_delay(&domain, &whom, reason).await,
                Self::Enable { whom, reason } => enable(&domain, &whom, reason).await,
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
            role: match (self.admin, self.auditor) {
                (true, _) => Role::Admin,
                (false, true) => Role::Auditor,
                (false, false) => Role::Person,
            },
        };
        let hash = domain
            .people
            .hash_first_password(HashRequester::Service, &account)
            .await
            .map_err(invalid_or_service)?;
        let user = domain
            .accounts
            .create_account(account, hash, Origin::default())
            .await?;
        print_line!("{}", user.id)?;
        Ok(())
    }
}

impl SetPassword {
    async fn run(self, domain: &Domain) -> Result<()> {
        let user = domain.get_user(&self.email).await?;
        let hash = domain
            .people
            .hash_new_password(HashRequester::Service, &user, password_from_stdin()?)
            .await
            .map_err(invalid_or_service)?;
        let origin = Origin::default();
        let context = AlertContext::administrator(EventKind::PasswordChanged, &origin);
        let ended = domain
            .accounts
            .set_password(&user, hash, origin, context)
            .await?;
        message!("The password is set. {}", describe_ended(ended.len()));
        Ok(())
    }
}

impl VerifyEmail {
    async fn run(self, domain: &Domain) -> Result<()> {
        let Some(email) = self.email else {
            let verified = domain.people.mark_all_emails_verified().await?;
            message!("E-mails verified: {verified}.");
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
        message!("{} is verified.", user.email);
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
    message!("{} signs in with {new} from now on.", user.email);
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
    print_link(settings, reset)?;
    let lifetime = humantime::format_duration(settings.accounts.reset_lifetime);
    message!(
        "It works once, for {lifetime}, and ends all sessions of {}.",
        user.email
    );
    Ok(())
}

fn password_from_stdin() -> Result<NewPassword> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| CliError::Io {
            action: "the password could not be read",
            source,
        })?;
    NewPassword::new("password", line.trim_end_matches(['\r', '\n']).to_owned())
        .map_err(invalid_or_service)
}
