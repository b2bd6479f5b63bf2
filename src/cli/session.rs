//! `rollcall session`

use clap::{Args, Subcommand};
use serde::Serialize;

use super::domain::{Domain, block_on};
use super::error::Result;
use super::output::print_json;
use super::session_end::End;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::people::User;
use crate::sessions;
use crate::settings::Settings;
use crate::user_agent::DeviceKind;

#[derive(Subcommand)]
pub(super) enum Session {
    /// List live sessions, newest use first
    List(List),
    /// End one session, those that the options find, or everybody's
    End(Box<End>),
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
