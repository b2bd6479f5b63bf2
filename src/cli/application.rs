//! `rollcall application`

use clap::{Args, Subcommand};

use super::api_key::parse_name;
use super::domain::{Domain, block_on};
use super::error::{CliError, Result, about, invalid_or_service};
use super::output::{ListForm, ListOutput, message, print_line};
use crate::account::Assignment;
use crate::applications::{
    self, ApplicationKind, ApplicationRecord, Deletion, HostNames, NewApplication,
};
use crate::db::ApplicationId;
use crate::error::Error;
use crate::events::Origin;
use crate::listing::Limit;
use crate::people::Subject;
use crate::settings::Settings;

#[derive(Subcommand)]
pub(super) enum Application {
    /// List the applications with their keys in use and their people
    List {
        /// Print JSON: the list as the API has it
        #[arg(long)]
        json: bool,
    },
    /// Make an application without a key; `api-key add --name` makes one with a key
    Add {
        /// Its name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        facts: Facts,
    },
    /// Change what an application is, and the hosts that it is reached at
    Set {
        /// Which one, by its name or id
        application: String,
        #[command(flatten)]
        facts: Facts,
    },
    /// Give an application another name; its keys, people and id stay
    Rename {
        /// Which one, by its name or id
        application: String,
        /// The new name
        #[arg(long)]
        to: String,
    },
    /// Move people of "Earlier", from before there were applications, to the one that they are of
    Assign(Assign),
    /// Delete an application that has neither people nor keys in use
    Delete {
        /// Which one, by its name or id
        application: String,
    },
}

#[derive(Args)]
pub(super) struct Assign {
    #[command(flatten)]
    who: Who,
    /// The application, by its name or id
    #[arg(long, value_name = "APPLICATION")]
    to: String,
}

/// What an application is, and where.
#[derive(Args)]
pub(super) struct Facts {
    /// What it is: service (it has keys) or website (it stands behind forward-auth) [default: service]
    #[arg(long, value_name = "KIND")]
    kind: Option<ApplicationKind>,
    /// A host that it is reached at; may be given 20 times. `--host ""` removes all
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Who {
    /// The person with this subject
    #[arg(long)]
    subject: Option<String>,
    /// Everybody
    #[arg(long)]
    all: bool,
}

impl Application {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let domain = Domain::open(settings)?;
        block_on(async {
            match self {
                Self::List { json } => list(&domain, json).await,
                Self::Add { name, facts } => add(&domain, &name, facts).await,
                Self::Set { application, facts } => set(&domain, &application, facts).await,
                Self::Rename { application, to } => rename(&domain, &application, &to).await,
                Self::Assign(assign) => assign.run(&domain).await,
                Self::Delete { application } => delete(&domain, &application).await,
            }
        })
    }
}

impl Assign {
    async fn run(self, domain: &Domain) -> Result<()> {
        let to = domain.get_application(&self.to).await?;
        if to.id == ApplicationId::EARLIER {
            return Err(CliError::Invalid("they are there already".into()));
        }
        match self.who.subject {
            Some(subject) => assign_person(domain, &subject, &to).await,
            None => {
                let assignment = domain.accounts.assign_everybody(to.id).await?;
                print_assignment(&assignment, &to.name)
            }
        }
    }
}

async fn assign_person(domain: &Domain, text: &str, to: &applications::Application) -> Result<()> {
    let subject: Subject = text.parse().map_err(invalid_or_service)?;
    match domain.accounts.assign_person(subject, to.id).await {
        Err(Error::Conflict(_)) => Err(CliError::Invalid(format!(
            "{} has another person with the subject {text:?}; nothing was changed",
            to.name
        ))),
        assigned => {
            assigned.map_err(about("person in \"Earlier\" with the subject", text))?;
            message!("The person is moved to {}.", to.name);
            Ok(())
        }
    }
}

fn print_assignment(assignment: &Assignment, to: &str) -> Result<()> {
    message!("People moved to {to}: {}.", assignment.moved);
    if assignment.refused == 0 {
        return Ok(());
    }
    let subjects: Vec<String> = assignment
        .subjects
        .iter()
        .map(|subject| format!("{subject:?}"))
        .collect();
    Err(CliError::Invalid(format!(
        "{} stay in \"Earlier\", since {to} has other people with their subjects: {}{}",
        assignment.refused,
        subjects.join(", "),
        match usize::try_from(assignment.refused) {
            Ok(refused) if refused > subjects.len() => ", …",
            _ => "",
        }
    )))
}

async fn list(domain: &Domain, json: bool) -> Result<()> {
    let now = domain.clock.now();
    let form = match json {
        true => ListForm::Json,
        false => ListForm::Lines,
    };
    let mut output = ListOutput::begin(form);
    let mut start = None;
    loop {
        let page = domain
            .applications
            .list_page(start, Limit::default().get())
            .await?;
        for summary in page.items {
            output.item(&ApplicationRecord::new(summary, now), line)?;
        }
        start = page.next;
        if start.is_none() {
            break;
        }
    }
    output.end(None)
}

fn line(record: &ApplicationRecord) -> String {
    let more = if record.people.is_approximate() {
        "+"
    } else {
        ""
    };
    let (id, name, people) = (record.id, &record.name, record.people.number());
    let keys_in_use = record.keys_in_use;
    format!("{id}\t{name}\tkeys in use: {keys_in_use}\tpeople: {people}{more}")
}

async fn add(domain: &Domain, name: &str, facts: Facts) -> Result<()> {
    let new = NewApplication {
        name: parse_name(name)?,
        kind: facts.kind.unwrap_or_default(),
        hosts: facts.hosts()?,
    };
    let made = domain
        .accounts
        .create_application(new, Origin::default())
        .await?;
    print_line!("{}", made.id)?;
    Ok(())
}

async fn set(domain: &Domain, id_or_name: &str, facts: Facts) -> Result<()> {
    let application = domain.get_application(id_or_name).await?;
    let hosts = match facts.host.is_empty() {
        true => application.hosts().collect::<Vec<_>>().join(" "),
        false => facts.host.join(" "),
    };
    let new = NewApplication {
        name: parse_name(&application.name)?,
        kind: facts.kind.unwrap_or(application.kind),
        hosts: hosts.parse().map_err(invalid_or_service)?,
    };
    domain
        .accounts
        .update_application(application.id, new, Origin::default())
        .await
        .map_err(about("application", id_or_name))?;
    message!("{} is changed.", application.name);
    Ok(())
}

async fn rename(domain: &Domain, id_or_name: &str, to: &str) -> Result<()> {
    let application = domain.get_application(id_or_name).await?;
    if application.id == ApplicationId::EARLIER {
        return Err(CliError::Invalid(
            "\"Earlier\" keeps its name; assign its people instead".into(),
        ));
    }
    let name = parse_name(to)?;
    domain
        .applications
        .rename(application.id, name.clone())
        .await
        .map_err(about("application", id_or_name))?;
    message!("{} is {} now.", application.name, name.as_str());
    Ok(())
}

async fn delete(domain: &Domain, id_or_name: &str) -> Result<()> {
    let application = domain.get_application(id_or_name).await?;
    let name = &application.name;
    match domain
        .accounts
        .delete_application(application.id, Origin::default())
        .await?
    {
        Deletion::Deleted => message!("{name} is deleted."),
        Deletion::InUse { people, keys } => {
            return Err(CliError::Invalid(format!(
                "{name} is in use; people: {people}, keys in use: {keys}"
            )));
        }
    }
    Ok(())
}

impl Facts {
    fn hosts(&self) -> Result<HostNames> {
        self.host.join(" ").parse().map_err(invalid_or_service)
    }
}
