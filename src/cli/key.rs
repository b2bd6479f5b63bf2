//! `rollcall key`

use clap::Subcommand;

use super::error::Result;
use crate::clock::Clock;
use crate::settings::Settings;
use crate::tokens::Keys;

#[derive(Subcommand)]
pub(super) enum Key {
    /// Add a signing key, which signs from now on; the old one verifies until its tokens are over
    Rotate,
}

impl Key {
    pub(super) fn run(self, settings: &Settings) -> Result<()> {
        let Self::Rotate = self;
        let keys = Keys::rotate(settings, Clock::system().now())?;
        eprintln!(
            "A new key signs access tokens; running servers use it within 5 seconds. Keys in use: {keys}."
        );
        Ok(())
    }
}
