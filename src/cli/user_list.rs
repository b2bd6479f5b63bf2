//! `rollcall user list` and `rollcall user show`.

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use strum::VariantNames;

use super::domain::Domain;
use super::error::{Result, invalid_or_service};
use super::output::{email_or_subject, print_json};
use super::user_acts::Whom;
use crate::clock::Timestamp;
use crate::db::{ApplicationId, UserId};
use crate::error::{Error, Failure};
use crate::people::{self, PeopleFilter, PeopleQuery, Role, SearchText};

/// People read at once.
const PAGE: u32 = 200;

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
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A person as `user list --json` prints them.
#[derive(Serialize)]
struct Row {
    id: UserId,
    email: Option<String>,
    email_verified: bool,
    stated_email: Option<String>,
    application_id: Option<ApplicationId>,
    subject: Option<String>,
    full_name: Option<String>,
    role: Role,
    is_active: bool,
    is_admin: bool,
    is_invited: bool,
    created_at: Timestamp,
}

impl List {
    /// Prints the people page by page: never more than a page of them is in memory.
    pub(super) async fn run(self, domain: &Domain) -> Result<()> {
        let filter = self.filter(domain).await?;
        let mut output = Output::begin(self.json);
        let mut left = self.limit.unwrap_or(usize::MAX);
        let mut cursor = None;
        loop {
            let query = PeopleQuery {
                filter: filter.clone(),
                cursor,
                limit: PAGE,
            };
            let page = domain.people.search(query).await?;
            for user in page.people.into_iter().take(left) {
                left -= 1;
                output.print(user)?;
            }
            cursor = page.next;
            if cursor.is_none() || left == 0 {
                output.end();
                return Ok(());
            }
        }
    }

    async fn filter(&self, domain: &Domain) -> Result<PeopleFilter> {
        let application = match &self.application {
            Some(name) => Some(domain.get_application(name).await?.id),
            None => None,
        };
        let text = self.q.as_deref().unwrap_or_default();
        Ok(PeopleFilter {
            text: SearchText::parse(text).map_err(invalid_or_service)?,
            role: parse(self.role.as_deref())?,
            state: parse(self.state.as_deref())?,
            application,
            email: parse(self.email.as_deref())?,
        })
    }
}

/// The output of a list: a line for each person, or an array in JSON with a line for each.
enum Output {
    Lines,
    Json { printed: usize },
}

impl Output {
    fn begin(json: bool) -> Self {
        match json {
            true => {
                print!("[");
                Self::Json { printed: 0 }
            }
            false => Self::Lines,
        }
    }

    fn print(&mut self, user: people::User) -> Result<()> {
        match self {
            Self::Lines => print_line(&user),
            Self::Json { printed } => {
                let row = serde_json::to_string(&Row::from(user))
                    .map_err(|err| Error::Internal(Failure::new("a person is not JSON", err)))?;
                print!("{}{row}", if *printed == 0 { "\n  " } else { ",\n  " });
                *printed += 1;
            }
        }
        Ok(())
    }

    fn end(self) {
        match self {
            Self::Lines => {}
            Self::Json { printed: 0 } => println!("]"),
            Self::Json { .. } => println!("\n]"),
        }
    }
}

pub(super) async fn show(domain: &Domain, whom: &Whom, json: bool) -> Result<()> {
    let user = whom.get(domain).await?;
    match json {
        true => print_json(&Row::from(user)),
        false => {
            print_line(&user);
            Ok(())
        }
    }
}

fn print_line(user: &people::User) {
    let name = user.full_name.as_deref().unwrap_or("-");
    let (role, state) = (user.role().as_str(), user.state().as_str());
    let email = email_or_subject(user.known_email(), user.external_subject.as_deref());
    println!("{}\t{email}\t{role}\t{state}\t{name}", user.id);
}

fn parse<T: std::str::FromStr<Err = Error>>(text: Option<&str>) -> Result<Option<T>> {
    text.map(str::parse).transpose().map_err(invalid_or_service)
}

impl From<people::User> for Row {
    fn from(user: people::User) -> Self {
        Self {
            id: user.id,
            role: user.role(),
            is_invited: user.is_invited(),
            email: user.known_email().map(str::to_owned),
            email_verified: user.email_verified_at.is_some(),
            stated_email: user.stated_email,
            application_id: user.application_id,
            subject: user.external_subject,
            full_name: user.full_name,
            is_active: user.is_active,
            is_admin: user.is_admin,
            created_at: user.created_at,
        }
    }
}
