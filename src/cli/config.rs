//! `rollcall config`

use super::error::Result;
use super::output::print_line;
use crate::settings::Settings;

pub(super) fn run(settings: &Settings) -> Result<()> {
    print_line!("{}", settings.to_toml()?.trim_end())
}
