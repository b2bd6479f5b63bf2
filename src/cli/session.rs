//! `rollcall session`

use clap::Subcommand;

use super::domain::{Domain, block_on};
use super::error::Result;
use super::session_end::End;
use super::session_list::List;
use crate::settings::Settings;

#[derive(Subcommand)]
pub(super) enum Session {
    /// List sessions, those that are live unless something else is named
    List(Box<List>),
    /// End one session, those that the options find, or everybody's
    End(Box<End>),
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
