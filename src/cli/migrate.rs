//! `rollcall migrate`

use super::error::Result;
use crate::db::migrate;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<()> {
    eprintln!("Migrating {} …", settings.database_url);
    let applied = migrate::run(&settings.database_url)?;
    for name in &applied {
        println!("{name}");
    }
    match applied.len() {
        0 => eprintln!("Nothing to do."),
        n => eprintln!("Done: {n} applied."),
    }
    Ok(())
}
