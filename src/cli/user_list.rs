//! `rollcall user list` and `rollcall user show`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use strum::VariantNames;

use super::domain::Domain;
use super::error::{CliError, Result, invalid_or_service};
use super::output::{ListForm, ListOutput, Paging, print_json, print_line};
use super::user_acts::Whom;
use crate::people::{
    NamedPeopleFilter, PeopleCursor, PeopleFilter, PeopleQuery, Role, User, UserRecord, known_by,
};

#[derive(Args)]
pub(super) struct List {
    /// Only those whose e-mail, name or subject contains it, or whose id it is
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Only those who may do that
    #[arg(long, value_parser = PossibleValuesParser::new(Role::VARIANTS))]
    role: Option<String>,
    /// Only those who can sign in, or can't
    #[arg(long, value_parser = ["active", "disabled"])]
    state: Option<String>,
    /// Only those whom this application authenticates, by its name or id
    #[arg(long)]
    application: Option<String>,
    /// Only those whose e-mail was verified, or was not
    #[arg(long, value_parser = ["verified", "unverified"])]
    email: Option<String>,
    /// At most so many; where there are more, the cursor of the next ones is printed [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Go on from a list with the same filter, at the cursor that it ended with
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    cursor: Option<String>,
    /// Print JSON: an array of people as the API has them
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, domain: &Domain) -> Result<()> {
        let form = match self.json {
            true => ListForm::Json,
            false => ListForm::Lines,
        };
        let named = self.named().map_err(invalid_or_service)?;
        let Some(filter) = domain.applications.resolve(named).await? else {
            return Err(no_application(self.application.as_deref()));
        };
        let cursor = self.cursor.as_deref().map(|text| filter.parse_cursor(text));
        let cursor = cursor.transpose().map_err(invalid_or_service)?;
        let mut output = ListOutput::begin(form);
        let places = (filter, cursor);
        let next = self.print_pages(domain, places, &mut output).await?;
        output.end(next.as_deref())
    }

    fn named(&self) -> crate::error::Result<NamedPeopleFilter> {
        let parts = [
            ("q", &self.q),
            ("role", &self.role),
            ("state", &self.state),
            ("application", &self.application),
            ("email", &self.email),
        ];
        let parts = parts.into_iter();
        let given = parts.filter_map(|(name, value)| Some((name, value.as_deref()?)));
        NamedPeopleFilter::parse(given).map(|(filter, _)| filter)
    }

    async fn print_pages(
        &self,
        domain: &Domain,
        (filter, mut cursor): (PeopleFilter, Option<PeopleCursor>),
        output: &mut ListOutput,
    ) -> Result<Option<String>> {
        let mut paging = Paging::begin(self.limit.unwrap_or(u64::MAX));
        while let Some(limit) = paging.limit() {
            let query = PeopleQuery {
                filter: filter.clone(),
                cursor,
                limit,
            };
            let page = domain.people.search(query).await?;
            cursor = page.next;
            paging.turn(page.people.len(), cursor.is_some());
            for record in records(domain, page.people).await? {
                output.item(&record, line)?;
            }
        }
        Ok(cursor.map(|cursor| filter.encode(&cursor)))
    }
}

fn no_application(text: Option<&str>) -> CliError {
    let text = text.unwrap_or_default();
    CliError::Invalid(format!("there is no application {text}"))
}

pub(super) async fn show(domain: &Domain, whom: &Whom, json: bool) -> Result<()> {
    let user = whom.get(domain).await?;
    for record in records(domain, vec![user]).await? {
        match json {
            true => print_json(&record)?,
            false => print_line!("{}", line(&record))?,
        }
    }
    Ok(())
}

async fn records(domain: &Domain, people: Vec<User>) -> Result<Vec<UserRecord>> {
    let ids = people.iter().map(|user| user.id).collect();
    let live = domain.sessions.count_live_by_person(ids).await?;
    let record = |user: User| {
        let count = live.get(&user.id).copied().unwrap_or_default();
        UserRecord::new(user, count)
    };
    Ok(people.into_iter().map(record).collect())
}

fn line(record: &UserRecord) -> String {
    let name = record.full_name.as_deref().unwrap_or("-");
    let (role, state) = (record.role.as_str(), record.state.as_str());
    let email = known_by(record.email.as_deref(), record.subject.as_deref());
    format!("{}\t{email}\t{role}\t{state}\t{name}", record.id)
}
