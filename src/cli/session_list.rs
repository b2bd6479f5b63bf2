//! `rollcall session list`

use std::io::{self, StdoutLock, Write, stdout};

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use serde_json::ser::PrettyFormatter;
use strum::VariantNames;

use super::domain::Domain;
use super::error::{CliError, Result, invalid_or_service};
use super::output::email_or_subject;
use super::session_filter::FilterArgs;
use crate::clock::Timestamp;
use crate::db::{SessionId, UserId};
use crate::sessions::EndedReason;
use crate::sessions::search::{FoundSession, MAX_SEARCH_LIMIT, SearchQuery, SessionSort};
use crate::user_agent::DeviceKind;

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    filter: FilterArgs,
    /// Why they ended; finds ended ones unless --state says otherwise
    #[arg(
        long,
        value_name = "REASON",
        help_heading = "Which sessions",
        value_parser = PossibleValuesParser::new(EndedReason::VARIANTS)
    )]
    reason: Option<String>,
    /// Sort by used, opened or ended; with - in front, the latest first
    /// [default: -used, or -ended with --state ended]
    #[arg(
        long,
        value_name = "KEY",
        allow_hyphen_values = true,
        verbatim_doc_comment
    )]
    sort: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    limit: u64,
    /// All of them, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Print JSON; with --all, an object on each line
    #[arg(long)]
    json: bool,
}

/// A session as `--json` prints it.
#[derive(Serialize)]
struct Row {
    id: SessionId,
    user_id: UserId,
    email: Option<String>,
    subject: Option<String>,
    device_name: String,
    device_kind: DeviceKind,
    browser: Option<String>,
    os: Option<String>,
    ip_address: Option<String>,
    location_city: Option<String>,
    location_country: Option<String>,
    last_used_at: Timestamp,
    expires_at: Timestamp,
    created_at: Timestamp,
    state: &'static str,
    ended_at: Option<Timestamp>,
    ended_reason: Option<EndedReason>,
}

impl List {
    pub(super) async fn run(self, domain: &Domain) -> Result<()> {
        let filter = self.filter.filter(self.reason.as_deref())?;
        let sort = self.sort.as_deref().unwrap_or_default();
        let sort = SessionSort::parse(sort, filter.state()).map_err(invalid_or_service)?;
        let first = SearchQuery::first(filter, sort, MAX_SEARCH_LIMIT);
        let most = if self.all { u64::MAX } else { self.limit };
        let output = stdout().lock();
        match (self.json, self.all) {
            (true, false) => {
                let indented = PrettyFormatter::new();
                let mut json = serde_json::Serializer::with_formatter(output, indented);
                let mut list = json.serialize_seq(None).map_err(not_written)?;
                let print = |row: Row| list.serialize_element(&row).map_err(not_written);
                for_each(domain, first, most, print).await?;
                list.end().map_err(not_written)?;
                println!();
                Ok(())
            }
            (true, true) => for_each(domain, first, most, lines(output)).await,
            (false, _) => for_each(domain, first, most, texts(output)).await,
        }
    }
}

/// Calls `print` with each session of a search, at most `most`, which are read page by page.
async fn for_each(
    domain: &Domain,
    mut query: SearchQuery,
    most: u64,
    mut print: impl FnMut(Row) -> Result<()>,
) -> Result<()> {
    let mut rest = most;
    while rest > 0 {
        let page_limit = u64::from(MAX_SEARCH_LIMIT).min(rest);
        query.limit = u32::try_from(page_limit).unwrap_or(MAX_SEARCH_LIMIT);
        let page = domain.sessions.search(query.clone()).await?;
        let now = domain.clock.now();
        rest -= page.found.len() as u64;
        for found in page.found {
            print(Row::new(found, now))?;
        }
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    Ok(())
}

fn lines(mut output: StdoutLock<'static>) -> impl FnMut(Row) -> Result<()> {
    move |row| {
        serde_json::to_writer(&mut output, &row).map_err(not_written)?;
        output.write_all(b"\n").map_err(not_written)
    }
}

fn texts(mut output: StdoutLock<'static>) -> impl FnMut(Row) -> Result<()> {
    move |row| {
        let ip = row.ip_address.as_deref().unwrap_or("-");
        let email = email_or_subject(row.email.as_deref(), row.subject.as_deref());
        let (id, name) = (row.id, row.device_name);
        writeln!(output, "{id}\t{email}\t{}\t{ip}\t{name}", row.last_used_at).map_err(not_written)
    }
}

fn not_written(err: impl Into<io::Error>) -> CliError {
    CliError::Io {
        action: "the sessions could not be written",
        source: err.into(),
    }
}

impl Row {
    fn new(found: FoundSession, now: Timestamp) -> Self {
        let (state, ip_address) = (found.state(now), found.shown_ip());
        let FoundSession { session, owner } = found;
        Self {
            state,
            ip_address,
            device_name: session.display_name(),
            id: session.id,
            user_id: owner.id,
            email: owner.known_email().map(str::to_owned),
            subject: owner.external_subject,
            device_kind: session.device_kind,
            browser: session.browser,
            os: session.os,
            location_city: session.location_city,
            location_country: session.location_country,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            created_at: session.created_at,
            ended_at: session.ended_at,
            ended_reason: session.ended_reason,
        }
    }
}
