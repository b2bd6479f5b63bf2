//! `rollcall demo`: the service on a throw-away database, with sample people who have been using
//! it for months.

mod applications;
mod crowd;
mod history;
mod intruder;
mod orders;
mod people;
mod refusals;

use super::output::{message, print_line};
use clap::Args;

use self::crowd::CrowdSize;
use self::intruder::Intruder;
use self::people::{PEOPLE, Person};
use super::domain::block_on;
use super::error::{CliError, Result};
use super::{Common, logging};
use crate::clock::Clock;
use crate::db::migrate;
use crate::keys;
use crate::people::NewPassword;
use crate::server::{self, Server, Termination};
use crate::settings::{DatabaseUrl, Overrides, Settings};
use crate::text;

/// The number of random bytes in the sample people's password.
const PASSWORD_BYTES: usize = 9;

#[derive(Args)]
pub(super) struct Demo {
    /// Serve at this address and port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

impl Demo {
    pub(super) fn run(self, common: Common) -> Result<()> {
        let folder = tempfile::Builder::new()
            .prefix("rollcall-demo-")
            .tempdir()
            .map_err(|source| CliError::Io {
                action: "no temporary folder can be created",
                source,
            })?;
        let mut settings = Settings::load(Overrides {
            listen: self.listen,
            ..common.overrides()
        })?;
        settings.database_url = DatabaseUrl::Sqlite(folder.path().join("rollcall.db"));
        settings.secrets_file = None;
        settings.sign_up = true;
        // The sample people have no mailboxes.
        settings.mail.host = None;
        logging::start(&settings.log);
        // The folder is deleted when this returns.
        block_on(demo(settings))
    }
}

async fn demo(settings: Settings) -> Result<()> {
    message!("Filling {} with sample people …", settings.database_url);
    migrate::run(&settings.database_url)?;
    let clock = Clock::system();
    // Random at every run: a demo that a network can reach admits only people who can see its
    // output.
    let text = text::random::<PASSWORD_BYTES>()?;
    let password = NewPassword::new("password", text.clone())?;
    let crowd = history::generate(&settings, &password).await?;

    // The server creates no keys for a database that has sessions already.
    keys::create(&settings, clock.now())?;
    let termination = Termination::listen()?;
    let server = start(settings.clone(), clock, &password).await?;
    prepare(&server, &settings).await?;
    introduce(server.url(), &text, &crowd)?;
    let app = server.shared_app();
    actix_web::rt::spawn(async move { Intruder::default().run(&app).await });
    Ok(server.run_until(termination).await?)
}

/// Starts the service. Visitors of this machine sign in with one click; where a network can reach it,
/// they need the password, which the terminal shows.
async fn start(settings: Settings, clock: Clock, password: &NewPassword) -> Result<Server> {
    let sample = |person: &Person| person.sample(password);
    let offered = PEOPLE.iter().filter(|_| settings.is_for_this_machine());
    let people = offered.map(sample).collect::<crate::error::Result<_>>()?;
    Ok(server::start_demo(settings, clock, people).await?)
}

/// Adds to the sample people what the running service writes: figures, and refused requests.
async fn prepare(server: &Server, settings: &Settings) -> Result<()> {
    let app = server.app();
    server.jobs().sweep().await?;
    app.overview.add_up().await?;
    refusals::generate(settings, &app.people, Clock::system().now()).await?;
    let guessed = PEOPLE[refusals::GUESSED].email.parse()?;
    let guessed = app.people.get_by_email(guessed).await?;
    refusals::guess(&app.throttles, guessed.id).await
}

/// Prints who can sign in, and what there is to see.
fn introduce(url: &str, password: &str, crowd: &CrowdSize) -> Result<()> {
    print_line!("\nRollcall is at {url}\n\nSign in as any of these; the password is the same:")?;
    for person in &PEOPLE {
        print_line!("  {:<20} {password}   {}", person.email, person.about)?;
    }
    print_line!(
        "\nA moment after you sign in as {}, a stranger does, too. Open Your devices to see it.",
        PEOPLE[0].email
    )?;
    print_line!("{crowd}")?;
    print_line!("The administrator and the auditor start at {url}/admin.")?;
    print_line!("Stop it with Ctrl-C: that deletes all of it.")
}
