//! `rollcall session`

use clap::{Args, Subcommand};

use super::domain::{Domain, block_on};
use super::error::Result;
use super::error::{CliError, about};
use super::output::describe_ended;
use super::session_list::List;
use crate::db::SessionId;
use crate::events::Origin;
use crate::sessions::{EndOutcome, EndedReason};
use crate::settings::Settings;

#[derive(Subcommand)]
pub(super) enum Session {
    /// List sessions, those that are live unless something else is named
    List(List),
    /// End one session, all of a person's, or everybody's
    End(End),
}

#[derive(Args)]
pub(super) struct End {
    #[command(flatten)]
    which: Which,
    /// With --all: end them. Without it, only their number is printed
    #[arg(long, conflicts_with_all = ["id", "user"])]
    yes: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The session
    id: Option<SessionId>,
    /// All of this person's
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Everybody's, as after restoring a backup: sessions that ended since then are live in it
    #[arg(long)]
    all: bool,
}

impl Session {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let domain = Domain::open(settings)?;
        block_on(async {
            match self {
                Self::List(list) => list.run(&domain).await,
                Self::End(end) => end.run(&domain).await,
            }
        })
    }
}

impl End {
    async fn run(self, domain: &Domain) -> Result<()> {
        match self.which {
            Which { id: Some(id), .. } => end_one(domain, id).await,
            Which {
                user: Some(email), ..
            } => end_all(domain, &email).await,
            Which { all: true, .. } if self.yes => end_everybody(domain).await,
            Which { all: true, .. } => count(domain).await,
            Which { .. } => Err(CliError::Invalid(
                "name a session, a person with --user, or everybody with --all".into(),
            )),
        }
    }
}

async fn count(domain: &Domain) -> Result<()> {
    match domain.sessions.count_live().await? {
        0 => eprintln!("No session is live."),
        1 => eprintln!("1 session is live. To end it, add --yes."),
        live => eprintln!("{live} sessions are live. To end them, add --yes."),
    }
    Ok(())
}

async fn end_everybody(domain: &Domain) -> Result<()> {
    let ended = domain
        .sessions
        .end_everybody(EndedReason::Admin, Origin::default())
        .await?;
    eprintln!("{}", describe_ended(ended));
    Ok(())
}

async fn end_one(domain: &Domain, id: SessionId) -> Result<()> {
    let owner = domain
        .sessions
        .get_owner(id)
        .await
        .map_err(about("session", &id.to_string()))?;
    match domain
        .sessions
        .end_session(owner, id, EndedReason::Admin, Origin::default())
        .await?
    {
        EndOutcome::Ended(session) => eprintln!("{} is signed out.", session.display_name()),
        EndOutcome::AlreadyEnded(session) => {
            eprintln!("{} had been signed out before.", session.display_name());
        }
    }
    Ok(())
}

async fn end_all(domain: &Domain, email: &str) -> Result<()> {
    let user = domain.get_user(email).await?;
    let ended = domain
        .accounts
        .sign_out_everywhere(user.id, EndedReason::Admin, Origin::default())
        .await?;
    eprintln!("{}", describe_ended(ended.len()));
    Ok(())
}
