//! The `rollcall` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    rollcall::cli::run()
}
