//! Prints results to standard output.

use serde::Serialize;

use super::error::Result;
use crate::error::{Error, Failure};

/// Prints `value` as JSON, for programs.
pub(super) fn print_json<T: Serialize>(value: &T) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|err| Error::Internal(Failure::new("the result is not JSON", err)))?;
    println!("{text}");
    Ok(())
}
