//! `rollcall config`

use super::error::Result;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<()> {
    print!("{}", settings.to_toml()?);
    Ok(())
}
