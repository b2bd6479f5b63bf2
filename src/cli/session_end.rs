//! `rollcall session end`: one session, those that the filter options find, or everybody's.

use std::time::Duration;

use clap::Args;
use tokio::time::sleep;

use super::domain::Domain;
use super::error::{CliError, Result, about, invalid_or_service};
use super::output::{describe_ended, message, print_json};
use super::session_filter::{FilterArgs, OPTIONS};
use crate::db::{JobId, SessionId, UserId};
use crate::error::Chain;
use crate::events::{Origin, StatedReason};
use crate::people::User;
use crate::sessions::bulk::{
    BatchOutcome, BulkState, EndOrder, EndPreview, EndRecord, Ordered, OwnSessions, Repetition,
    Selection,
};
use crate::sessions::search::SessionFilter;
use crate::sessions::{EndOutcome, EndedReason};

/// The pause before a batch is tried again, and while a node runs one.
const PAUSE: Duration = Duration::from_millis(500);
/// Attempts in a row to run a batch. After that the job is left to the nodes.
const MAX_ATTEMPTS: u32 = 10;
/// Batches between two messages about the progress.
const BATCHES_PER_MESSAGE: u32 = 10;

#[derive(Args)]
#[group(id = "end", skip)]
#[command(group(clap::ArgGroup::new("which").required(true).multiple(true).args(["id", "all"]).args(OPTIONS)))]
pub(super) struct End {
    /// The session
    #[arg(conflicts_with_all = ["all", "filter"])]
    id: Option<SessionId>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Everybody's, as after restoring a backup: sessions that ended since then are live in it
    #[arg(long, conflicts_with = "filter")]
    all: bool,
    /// Why; the owners see it [default: no reason]
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// End them [default: only count them, unless it is one session]
    #[arg(long, conflicts_with = "id")]
    yes: bool,
    /// Print JSON, as the API has it
    #[arg(long)]
    json: bool,
}

impl End {
    pub(super) async fn run(self, domain: &Domain) -> Result<()> {
        let origin = self.origin()?;
        if let Some(id) = self.id {
            return self.end_one(domain, id, origin).await;
        }
        if let Some(name) = self.filter.only_user() {
            let user = find_user(domain, name).await?;
            return self.end_of_person(domain, &user, origin).await;
        }
        let filter = self.filter.filter(None)?;
        let selection =
            Selection::matching(&filter, domain.clock.now()).map_err(invalid_or_service)?;
        let preview = domain.sessions.preview_end(&selection, None).await?;
        if !self.is_to_end(&preview) {
            return self.print_preview(&preview);
        }
        if self.all {
            domain.accounts.cancel_all_changes().await?;
        }
        let order = EndOrder {
            selection,
            own: OwnSessions::Included,
            repetition: Repetition::Another,
            origin,
        };
        self.print_job(run_order(domain, order).await?)
    }

    fn origin(&self) -> Result<Origin> {
        let reason: Option<StatedReason> = match &self.reason {
            Some(reason) => Some(reason.parse().map_err(invalid_or_service)?),
            None => None,
        };
        Ok(Origin {
            reason,
            ..Origin::default()
        })
    }

    /// Returns whether they are ended without another word: more than one only with `--yes`, and with
    /// `--all` none without.
    fn is_to_end(&self, preview: &EndPreview) -> bool {
        self.yes || (!self.all && preview.is_exact && preview.sessions == 1)
    }

    async fn end_one(&self, domain: &Domain, id: SessionId, origin: Origin) -> Result<()> {
        let owner = domain
            .sessions
            .get_owner(id)
            .await
            .map_err(about("session", &id.to_string()))?;
        let outcome = domain
            .sessions
            .end_session(owner, id, EndedReason::Admin, origin)
            .await?;
        if self.json {
            return print_json(&match outcome {
                EndOutcome::Ended(_) => EndRecord::done(1, 0),
                EndOutcome::AlreadyEnded(_) => EndRecord::done(0, 1),
            });
        }
        match outcome {
            EndOutcome::Ended(session) => message!("{} is signed out.", session.display_name()),
            EndOutcome::AlreadyEnded(session) => {
                message!("{} had been signed out before.", session.display_name());
            }
        }
        Ok(())
    }

    /// Ends all sessions of a person, together with what else may give somebody access.
    async fn end_of_person(&self, domain: &Domain, user: &User, origin: Origin) -> Result<()> {
        let filter = SessionFilter {
            user: Some(user.id.to_string()),
            ..SessionFilter::default()
        };
        let selection = Selection::matching(&filter, domain.clock.now())?;
        let preview = domain.sessions.preview_end(&selection, None).await?;
        if !self.is_to_end(&preview) {
            return self.print_preview(&preview);
        }
        let ended = domain
            .accounts
            .sign_out_everywhere(user.id, EndedReason::Admin, origin)
            .await?;
        if self.json {
            return print_json(&EndRecord::done(ended.len() as u64, 0));
        }
        message!("{}", describe_ended(ended.len()));
        Ok(())
    }

    fn print_preview(&self, preview: &EndPreview) -> Result<()> {
        if self.json {
            return print_json(&EndRecord::dry_run(preview));
        }
        let people = match preview.people {
            1 => "1 person".to_owned(),
            people => format!("{people} people"),
        };
        match (self.all, preview.sessions, preview.is_exact) {
            (_, 0, _) if self.yes => message!("No session was live."),
            (_, 0, _) => message!("No session is live."),
            (true, 1, _) => message!("1 session is live. To end it, add --yes."),
            (true, live, true) => message!("{live} sessions are live. To end them, add --yes."),
            (true, live, false) => {
                message!("About {live} sessions are live. To end them, add --yes.");
            }
            (false, n, true) => {
                message!("{n} sessions of {people} match. To end them, add --yes.");
            }
            (false, n, false) => {
                message!("About {n} sessions of at least {people} match. To end them, add --yes.");
            }
        }
        Ok(())
    }

    fn print_job(&self, ordered: Ordered) -> Result<()> {
        let job = ordered.job.clone();
        if self.json {
            print_json(&EndRecord::ordered(ordered)?)?;
        } else {
            message!(
                "{}",
                describe_ended(usize::try_from(job.ended).unwrap_or_default())
            );
        }
        match (job.state, job.failed) {
            (BulkState::Stopped, _) => Err(CliError::Invalid(match &job.stop_reason {
                Some(reason) => format!("the job was stopped: {reason}"),
                None => "the job was stopped".into(),
            })),
            (BulkState::Failed, _) => Err(CliError::Invalid(format!(
                "the job could not go on: {}",
                job.last_error.as_deref().unwrap_or("unknown")
            ))),
            (_, 0) => Ok(()),
            (_, failed) => Err(CliError::Invalid(format!(
                "{failed} could not be ended: {}",
                job.last_error.as_deref().unwrap_or("unknown")
            ))),
        }
    }
}

/// Stores the order, and works it off. If this process ends before, a node goes on.
async fn run_order(domain: &Domain, order: EndOrder) -> Result<Ordered> {
    let Ordered { job, preview } = domain.sessions.create_job(order).await?;
    let (mut batches, mut attempts) = (0, 0);
    loop {
        match domain.sessions.run_bulk_batch(job.id).await {
            Ok(BatchOutcome::More) => {
                (batches, attempts) = (batches + 1, 0);
                if batches % BATCHES_PER_MESSAGE == 0 {
                    print_progress(domain, job.id).await?;
                }
            }
            Ok(BatchOutcome::Over | BatchOutcome::Elsewhere) => {
                let job = domain.sessions.get_bulk_job(job.id).await?;
                if job.state != BulkState::Running {
                    return Ok(Ordered { job, preview });
                }
                sleep(PAUSE).await;
            }
            Err(err) if attempts < MAX_ATTEMPTS => {
                attempts += 1;
                message!("rollcall: {}; trying again", Chain(&err));
                sleep(PAUSE).await;
            }
            Err(err) => {
                message!("The job {} is left to the nodes.", job.id);
                return Err(err.into());
            }
        }
    }
}

async fn print_progress(domain: &Domain, id: JobId) -> Result<()> {
    let job = domain.sessions.get_bulk_job(id).await?;
    let about = if job.is_total_exact { "" } else { "about " };
    message!("{} of {about}{} are ended …", job.ended, job.total);
    Ok(())
}

/// Finds a person by their e-mail or id.
async fn find_user(domain: &Domain, name: &str) -> Result<User> {
    match name.parse::<UserId>() {
        Ok(id) => {
            let found = domain.people.get(id).await;
            found.map_err(about("person with the id", name))
        }
        Err(_) => domain.get_user(name).await,
    }
}
