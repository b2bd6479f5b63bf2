//! `rollcall session`

use clap::{Args, Subcommand};
use serde::Serialize;

use super::domain::{Domain, block_on};
use super::error::Result;
use super::error::{CliError, about};
use super::output::{describe_ended, print_json};
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::events::Origin;
use crate::people::User;
use crate::sessions::{self, EndOutcome, EndedReason};
use crate::settings::Settings;
use crate::user_agent::DeviceKind;

#[derive(Subcommand)]
pub(super) enum Session {
    /// List live sessions, newest use first
    List(List),
    /// End one session, all of a person's, or everybody's
    End(End),
}

#[derive(Args)]
pub(super) struct List {
    /// Only this person's
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
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

/// A session as `session list --json` prints it.
#[derive(Serialize)]
struct Row {
    id: SessionId,
    user_id: UserId,
    email: String,
    device_name: String,
    device_kind: DeviceKind,
    ip_address: Option<String>,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    created_at: Timestamp,
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

impl List {
    async fn run(self, domain: &Domain) -> Result<()> {
        let mut rows = match &self.user {
            None => domain
                .sessions
                .list_all_live(self.limit)
                .await?
                .into_iter()
                .map(Row::from)
                .collect(),
            Some(email) => list_by_person(domain, email).await?,
        };
        rows.truncate(self.limit as usize);
        if self.json {
            return print_json(&rows);
        }
        for row in rows {
            let ip = row.ip_address.as_deref().unwrap_or("-");
            println!(
                "{}\t{}\t{}\t{ip}\t{}",
                row.id, row.email, row.last_used_at, row.device_name
            );
        }
        Ok(())
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

async fn list_by_person(domain: &Domain, email: &str) -> Result<Vec<Row>> {
    let user = domain.get_user(email).await?;
    let live = domain.sessions.list_live(user.id).await?;
    Ok(live
        .into_iter()
        .map(|session| Row::from((session, user.clone())))
        .collect())
}

impl From<(sessions::Session, User)> for Row {
    fn from((session, user): (sessions::Session, User)) -> Self {
        Self {
            device_name: session.display_name(),
            id: session.id,
            user_id: user.id,
            email: user.email,
            device_kind: session.device_kind,
            ip_address: session.ip_address,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            created_at: session.created_at,
        }
    }
}
