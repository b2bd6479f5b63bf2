//! `rollcall recount`

use super::domain::{Domain, block_on};
use super::error::{CliError, Result};
use super::output::message;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<()> {
    let domain = Domain::open(settings)?;
    match block_on(domain.overview.rebuild())? {
        Some(1) => message!("Done: 1 session is live."),
        Some(live) => message!("Done: {live} sessions are live."),
        None => {
            return Err(CliError::Invalid(
                "a node adds up the counters at this moment; try again".into(),
            ));
        }
    }
    Ok(())
}
