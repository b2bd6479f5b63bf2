//! `rollcall session list`

use clap::Args;
use clap::builder::PossibleValuesParser;
use strum::VariantNames;

use super::domain::Domain;
use super::error::{Result, invalid_or_service};
use super::output::{ListForm, ListOutput, Paging};
use super::session_filter::FilterArgs;
use crate::listing::Limit;
use crate::people::known_by;
use crate::sessions::EndedReason;
use crate::sessions::search::{SearchCursor, SearchQuery, SessionRecord, SessionSort};

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
    /// At most so many; where there are more, the cursor of the next ones is printed
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Go on from a list with the same filter and order, at the cursor that it ended with
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    cursor: Option<String>,
    /// All of them, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Print JSON: an array of sessions as the API has them; with --all, an object on each line
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, domain: &Domain) -> Result<()> {
        let query = self.query()?;
        let form = match (self.json, self.all) {
            (true, false) => ListForm::Json,
            (true, true) => ListForm::JsonLines,
            (false, _) => ListForm::Lines,
        };
        let mut output = ListOutput::begin(form);
        let next = self.print_pages(domain, query, &mut output).await?;
        output.end(next.as_deref())
    }

    fn query(&self) -> Result<SearchQuery> {
        let filter = self.filter.filter(self.reason.as_deref())?;
        let sort = self.sort.as_deref().unwrap_or_default();
        let sort = SessionSort::parse(sort, filter.state()).map_err(invalid_or_service)?;
        let cursor = self.cursor.as_deref().unwrap_or_default();
        let cursor = SearchCursor::parse(cursor, &filter, sort).map_err(invalid_or_service)?;
        Ok(SearchQuery {
            cursor,
            ..SearchQuery::first(filter, sort, Limit::MAX)
        })
    }

    async fn print_pages(
        &self,
        domain: &Domain,
        mut query: SearchQuery,
        output: &mut ListOutput,
    ) -> Result<Option<String>> {
        let (filter, sort) = (query.filter.clone(), query.sort);
        let mut paging = Paging::begin(if self.all { u64::MAX } else { self.limit });
        while let Some(limit) = paging.limit() {
            query.limit = limit;
            let page = domain.sessions.search(query.clone()).await?;
            query.cursor = page.next;
            paging.turn(page.found.len(), page.next.is_some());
            let now = domain.clock.now();
            for found in page.found {
                let name = found.session.display_name();
                let record = SessionRecord::new(found, None, now);
                output.item(&record, |record| line(record, &name))?;
            }
        }
        Ok(query.cursor.map(|cursor| cursor.encode(&filter, sort)))
    }
}

fn line(record: &SessionRecord, name: &str) -> String {
    let owner = &record.owner;
    let email = known_by(owner.email.as_deref(), owner.subject.as_deref());
    let ip = record.ip_address.as_deref().unwrap_or("-");
    format!(
        "{}\t{email}\t{}\t{ip}\t{name}",
        record.id, record.last_used_at
    )
}
