//! The command line: one file per command. Results go to standard output, everything else to
//! standard error; the exit status is 0 for success, 1 for failure, 2 for wrong usage. Success is also
//! that the reader of the output has read enough.

#![allow(
    clippy::doc_markdown,
    reason = "doc comments of arguments are the help text, which is not Markdown"
)]

mod api_key;
mod application;
mod config;
mod demo;
mod device;
mod domain;
mod error;
mod event;
mod key;
mod logging;
mod migrate;
mod output;
mod recount;
mod serve;
mod session;
mod session_end;
mod session_filter;
mod session_list;
mod user;
mod user_acts;
mod user_list;

use self::output::message;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::error::Result;
use crate::error::Chain;
use crate::settings::{Overrides, Settings};

/// Every person sees where they are signed in, and signs any device out.
#[derive(Parser)]
#[command(name = "rollcall", version, about, long_about = None, propagate_version = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Try it:       rollcall demo
For real:     rollcall serve      (prints a link that makes the first administrator)

Settings come from rollcall.toml, then from ROLLCALL_* variables and DATABASE_URL, then from the
options; the later one wins. A setting of a section has two underscores in its variable:
ROLLCALL_SESSIONS__IDLE_LIMIT=12h. `rollcall config` prints what is in force.";

/// Options that every command takes.
#[derive(Args)]
struct Common {
    /// Read settings from FILE [default: rollcall.toml, if it is there]
    #[arg(long, value_name = "FILE", global = true, env = "ROLLCALL_CONFIG")]
    config: Option<PathBuf>,
    /// Use this database: sqlite:PATH or postgres://USER@HOST/NAME [default: sqlite:rollcall.db]
    #[arg(long, value_name = "URL", global = true)]
    database: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::Serve),
    /// Run the service on a throw-away database full of sample people
    Demo(demo::Demo),
    /// Bring the database to this version's schema
    Migrate,
    /// Add, invite, list and disable people, and change what they may do
    #[command(subcommand)]
    User(user::User),
    /// List and end sessions
    #[command(subcommand)]
    Session(session::Session),
    /// List what happened to accounts and sessions
    #[command(subcommand)]
    Event(event::Event),
    /// List, add, rename and delete applications, and assign people to them
    #[command(subcommand)]
    Application(application::Application),
    /// Make, list and revoke the keys of applications
    #[command(subcommand)]
    ApiKey(api_key::ApiKey),
    /// List, rotate and revoke the keys of the service
    #[command(subcommand)]
    Key(key::Key),
    /// Tell what user agents say of their devices
    #[command(subcommand)]
    Device(device::Device),
    /// Count the sessions of the overview anew, as after rows were loaded in bulk
    Recount,
    /// Print the settings in force, without secrets
    Config,
}

/// Runs the command that the process's arguments name. Wrong usage ends the process with status 2.
#[must_use]
pub fn run() -> ExitCode {
    let Cli { common, command } = Cli::parse();
    match dispatch(common, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) if err.is_closed_output() => ExitCode::SUCCESS,
        Err(err) => {
            message!("rollcall: {}", Chain(&err));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(common: Common, command: Command) -> Result<()> {
    match command {
        Command::Serve(serve) => serve.run(common),
        Command::Demo(demo) => demo.run(common),
        Command::Migrate => migrate::run(&common.settings()?),
        Command::User(user) => user.run(&common.settings()?),
        Command::Session(session) => session.run(&common.settings()?),
        Command::Event(event) => event.run(&common.settings()?),
        Command::Application(application) => application.run(&common.settings()?),
        Command::ApiKey(key) => key.run(&common.settings()?),
        Command::Key(key) => key.run(&common.settings()?),
        Command::Device(device) => device.run(&common.settings()?),
        Command::Recount => recount::run(&common.settings()?),
        Command::Config => config::run(&common.settings()?),
    }
}

impl Common {
    fn overrides(self) -> Overrides {
        Overrides {
            file: self.config,
            database_url: self.database,
            listen: None,
        }
    }

    fn settings(self) -> Result<Settings> {
        Ok(Settings::load(self.overrides())?)
    }
}
