//! `rollcall event`

use std::time::Duration;

use clap::{Args, Subcommand};

use super::domain::{Domain, block_on};
use super::error::{CliError, Result, invalid_or_service};
use super::output::{message, print_json_line, print_line};
use crate::account::{EventFilter, EventFollower, EventLogQuery, EventRecord};
use crate::error::Chain;
use crate::settings::Settings;
use crate::text;

/// The events that one query reads.
const PAGE: u32 = 500;
/// The events before it that following begins with.
const BEFORE_FOLLOWING: u32 = 10;
/// The pause between two polls.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How much later than its time an event may be committed, besides what the sweep records: another
/// node's clock, a slow transaction.
const OVERLAP: Duration = Duration::from_secs(30);

#[derive(Subcommand)]
pub(super) enum Event {
    /// List what happened to accounts and sessions, newest first
    List(List),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most so many [default: 1000; with --follow: 10 before the new ones]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Print the last ones, oldest first, then each new one, until interrupted
    #[arg(long)]
    follow: bool,
    /// Print JSON, an object on each line
    #[arg(long)]
    json: bool,
}

/// Which events. Those that satisfy every option that is there.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Which events")]
struct FilterArgs {
    /// On whom, by e-mail or id
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// By whom, by e-mail or id
    #[arg(long, value_name = "EMAIL")]
    by: Option<String>,
    /// By which application's key, by name or id
    #[arg(long, value_name = "APPLICATION")]
    application: Option<String>,
    /// What happened: signed_in, ended, password_changed …
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// On which session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// By which bulk job
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// From which address, or its network: 203.0.113.0/24
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// At this time or later: 2026-11-01, a time of RFC 3339, or 90d for so long ago
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// A text in the detail or in the stated reason
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
}

impl Event {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let Self::List(list) = self;
        let domain = Domain::open(settings)?;
        // The sweep records the end of an expired session with the time at which it expired.
        let overlap = settings.jobs.sweep_interval.saturating_mul(2);
        let overlap = overlap.saturating_add(OVERLAP);
        block_on(async {
            match list.follow {
                true => list.follow(&domain, overlap).await,
                false => list.print(&domain).await,
            }
        })
    }
}

impl List {
    async fn print(&self, domain: &Domain) -> Result<()> {
        let mut missing = self.limit.unwrap_or(1_000);
        let mut query = EventLogQuery {
            filter: domain.accounts.fix_times(&self.filter.parse()?),
            cursor: None,
            limit: 0,
        };
        while missing > 0 {
            query.limit = missing.min(PAGE);
            let page = domain.accounts.search_events(&query).await?;
            for logged in page.events {
                missing = missing.saturating_sub(1);
                self.print_event(EventRecord::from(logged))?;
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        Ok(())
    }

    async fn follow(&self, domain: &Domain, overlap: Duration) -> Result<()> {
        let filter = self.filter.parse()?;
        let accounts = domain.accounts.clone();
        let mut follower = EventFollower::begin(accounts, filter.clone(), overlap).await?;
        let limit = self.limit.unwrap_or(BEFORE_FOLLOWING);
        for logged in list_last(domain, filter, limit.min(PAGE)).await? {
            follower.mark_known(logged.id);
            self.print_event(logged)?;
        }
        loop {
            match follower.poll().await {
                Ok(new) => {
                    for logged in new {
                        self.print_event(EventRecord::from(logged))?;
                    }
                }
                Err(err) => {
                    message!("rollcall: {}; trying again", Chain(&err));
                }
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    fn print_event(&self, record: EventRecord) -> Result<()> {
        match self.json {
            true => print_json_line(&record),
            false => print_line!("{}", describe(&record)),
        }
    }
}

impl FilterArgs {
    fn parse(&self) -> Result<EventFilter> {
        let given = [
            ("user", &self.user),
            ("by", &self.by),
            ("application", &self.application),
            ("kind", &self.kind),
            ("session", &self.session),
            ("job", &self.job),
            ("ip", &self.ip),
            ("from", &self.from),
            ("to", &self.to),
            ("q", &self.q),
        ];
        let pairs = given
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        // An option without a value would find every event.
        if let Some((name, _)) = pairs
            .clone()
            .find(|(_, value)| text::clean(value).is_empty())
        {
            return Err(CliError::Invalid(format!("{name}: must not be empty")));
        }
        EventFilter::parse(pairs).map_err(invalid_or_service)
    }
}

/// Returns the last events, oldest first.
async fn list_last(domain: &Domain, filter: EventFilter, limit: u32) -> Result<Vec<EventRecord>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let query = EventLogQuery {
        filter,
        cursor: None,
        limit,
    };
    let page = domain.accounts.search_events(&query).await?;
    let newest_first = page.events.into_iter().map(EventRecord::from);
    Ok(newest_first.rev().collect())
}

/// Returns the event as a line of columns, separated by tabs.
fn describe(record: &EventRecord) -> String {
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let user_id = record.user_id.map(|id| id.to_string());
    let by = record
        .by_email
        .as_deref()
        .or(record.by_application.as_deref());
    let by = match (by, record.by_user_id, record.by_application_id) {
        (Some(by), ..) => by.to_owned(),
        (None, Some(id), _) => id.to_string(),
        (None, None, Some(id)) => id.to_string(),
        (None, None, None) => record.actor.unnamed().into(),
    };
    [
        record.at.to_string(),
        match record.times {
            1 => record.kind.to_owned(),
            times => format!("{} (x{times})", record.kind),
        },
        or_dash(record.user_email.as_deref().or(user_id.as_deref())),
        or_dash(record.device_name.as_deref()),
        format!("by {by}"),
        or_dash(record.ip_address.as_deref()),
        or_dash(record.detail.as_deref()),
        or_dash(record.stated_reason.as_deref()),
    ]
    .join("\t")
}
