//! The commands of `rollcall user` that change what one person may do.

use clap::Args;
use clap::builder::PossibleValuesParser;
use strum::VariantNames;

use super::domain::{Domain, parse_email};
use super::error::{CliError, Result, about, invalid_or_service};
use super::output::{describe_ended, message, print_line, write_bytes};
use crate::account::{Administered, Invitation, InvitationLink};
use crate::clock::Clock;
use crate::db::{ResetId, UserId};
use crate::error::Error;
use crate::events::Origin;
use crate::keys::KeyRing;
use crate::mail::MessageLinks;
use crate::people::{FullName, Invitee, Role, User};
use crate::settings::Settings;

/// The person whom a command concerns.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whom {
    /// Whom, by their e-mail
    #[arg(long)]
    email: Option<String>,
    /// Whom, by their id
    #[arg(long)]
    id: Option<UserId>,
}

#[derive(Args)]
pub(super) struct Invite {
    /// What they will sign in with
    #[arg(long)]
    email: String,
    /// How they are called
    #[arg(long)]
    name: Option<String>,
    /// What they may do
    #[arg(long, default_value = "person", value_parser = PossibleValuesParser::new(Role::VARIANTS))]
    role: String,
}

#[derive(Args)]
pub(super) struct SetRole {
    #[command(flatten)]
    whom: Whom,
    /// What they may do from now on
    #[arg(long, value_parser = PossibleValuesParser::new(Role::VARIANTS))]
    role: String,
    /// Why; they see it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Whom {
    /// Returns the person.
    pub(super) async fn get(&self, domain: &Domain) -> Result<User> {
        match (&self.email, self.id) {
            (Some(email), _) => domain.get_user(email).await,
            (None, Some(id)) => {
                let found = domain.people.get(id).await;
                found.map_err(about("person with the id", &id.to_string()))
            }
            (None, None) => Err(CliError::Invalid(
                "name a person, with --email or --id".into(),
            )),
        }
    }
}

impl Invite {
    pub(super) async fn run(self, domain: &Domain, settings: &Settings) -> Result<()> {
        let invitee = Invitee {
            email: parse_email(&self.email)?,
            full_name: FullName::parse(&self.name.unwrap_or_default())
                .map_err(invalid_or_service)?,
            role: self.role.parse().map_err(invalid_or_service)?,
        };
        let invitation = invite(domain, invitee).await?;
        if let InvitationLink::HandOver(reset) = invitation.link {
            print_link(settings, reset)?;
        }
        let lifetime = humantime::format_duration(crate::account::INVITATION_LIFETIME);
        let email = &invitation.user.email;
        match invitation.link {
            InvitationLink::Sent => {
                message!("{email} is sent a link, which works once, for {lifetime}.");
            }
            InvitationLink::HandOver(_) => {
                message!(
                    "It works once, for {lifetime}. No mail is sent: hand it over to {email}."
                );
            }
        }
        Ok(())
    }
}

/// Invites a person, again if they were invited before and have set no password yet.
async fn invite(domain: &Domain, invitee: Invitee) -> Result<Invitation> {
    let (accounts, email) = (&domain.accounts, invitee.email.clone());
    match accounts.invite(invitee, Origin::default()).await {
        Err(Error::EmailTaken) => {}
        invitation => return invitation.map_err(invalid_or_service),
    }
    let holder = domain.people.get_by_email(email).await;
    match holder {
        Ok(user) if user.is_invited() && user.is_active => {
            Ok(accounts.invite_again(user.id, Origin::default()).await?)
        }
        _ => Err(Error::EmailTaken.into()),
    }
}

impl SetRole {
    pub(super) async fn run(self, domain: &Domain) -> Result<()> {
        let user = self.whom.get(domain).await?;
        let role: Role = self.role.parse().map_err(invalid_or_service)?;
        let outcome = domain
            .accounts
            .set_role(user.id, role, origin(self.reason)?)
            .await
            .map_err(in_full)?;
        let is_now = match role {
            Role::Admin => "an administrator",
            Role::Auditor => "an auditor",
            Role::Person => "neither administrator nor auditor",
        };
        match outcome {
            Administered::Done { .. } => message!("{} is {is_now} now.", name(&user)),
            Administered::Unchanged => message!("{} is {is_now} already.", name(&user)),
        }
        Ok(())
    }
}

pub(super) async fn set_name(domain: &Domain, whom: &Whom, text: &str) -> Result<()> {
    let user = whom.get(domain).await?;
    let full_name = FullName::parse(text).map_err(invalid_or_service)?;
    domain
        .accounts
        .admin_set_name(user.id, full_name, Origin::default())
        .await?;
    message!("The name of {} is set.", name(&user));
    Ok(())
}

pub(super) async fn export(domain: &Domain, whom: &Whom) -> Result<()> {
    let user = whom.get(domain).await?;
    let mut export = domain
        .accounts
        .admin_export(user.id, Origin::default())
        .await?;
    while let Some(part) = export.next_part().await? {
        write_bytes(&part)?;
    }
    write_bytes(b"\n")
}

pub(super) async fn delete(domain: &Domain, whom: &Whom, reason: Option<String>) -> Result<()> {
    let user = whom.get(domain).await?;
    domain
        .accounts
        .admin_delete(user.id, origin(reason)?)
        .await
        .map_err(in_full)?;
    message!("{} is deleted.", name(&user));
    Ok(())
}

pub(super) async fn disable(domain: &Domain, whom: &Whom, reason: Option<String>) -> Result<()> {
    let user = whom.get(domain).await?;
    let outcome = domain
        .accounts
        .disable(user.id, origin(reason)?)
        .await
        .map_err(in_full)?;
    match outcome {
        Administered::Done { ended } => message!(
            "{} can't sign in any more. {}",
            name(&user),
            describe_ended(ended)
        ),
        Administered::Unchanged => message!("{} was disabled before.", name(&user)),
    }
    Ok(())
}

pub(super) async fn enable(domain: &Domain, whom: &Whom, reason: Option<String>) -> Result<()> {
    let user = whom.get(domain).await?;
    let outcome = domain.accounts.enable(user.id, origin(reason)?).await?;
    match outcome {
        Administered::Done { .. } => message!("{} can sign in again.", name(&user)),
        Administered::Unchanged => message!("{} was not disabled.", name(&user)),
    }
    Ok(())
}

pub(super) async fn lift_delay(domain: &Domain, whom: &Whom, reason: Option<String>) -> Result<()> {
    let user = whom.get(domain).await?;
    let lifted = domain.accounts.lift_delay(user.id, origin(reason)?).await?;
    match lifted {
        Administered::Done { .. } => eprintln!("{} can try again at once.", name(&user)),
        Administered::Unchanged => eprintln!("{} had no wrong passwords.", name(&user)),
    }
    Ok(())
}

/// Prints a link that sets a password.
pub(super) fn print_link(settings: &Settings, reset: ResetId) -> Result<()> {
    let origin = settings.origin(settings.listen);
    let keys = KeyRing::load(settings, Clock::system())?;
    let links = MessageLinks::new(&keys, origin.clone());
    print_line!("{}", links.reset_password(reset))?;
    if settings.public_url.is_none() {
        message!("public_url is not set; the link assumes that the service is at {origin}.");
    }
    Ok(())
}

/// Returns the command line as the origin of events, with the reason stated there.
fn origin(reason: Option<String>) -> Result<Origin> {
    let Some(reason) = reason else {
        return Ok(Origin::default());
    };
    let reason = reason.parse().map_err(invalid_or_service)?;
    Ok(Origin::default().with_reason(reason))
}

/// Translates an error of an act, with what to do about the last administrator.
fn in_full(err: Error) -> CliError {
    match err {
        Error::LastAdmin => CliError::Invalid(format!("{}. {}", err.title(), err.detail())),
        err => invalid_or_service(err),
    }
}

fn name(user: &User) -> &str {
    user.external_subject
        .as_deref()
        .unwrap_or_else(|| user.shown_email())
}
