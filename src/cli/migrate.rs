//! `rollcall migrate`

use super::error::Result;
use super::output::{message, print_line};
use crate::db::migrate;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<()> {
    message!("Migrating {} …", settings.database_url);
    let applied = migrate::run(&settings.database_url)?;
    for name in &applied {
        print_line!("{name}")?;
    }
    match applied.len() {
        0 => message!("Nothing to do."),
        n => message!("Done: {n} applied."),
    }
    Ok(())
}
