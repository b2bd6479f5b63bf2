//! The bounds of settings. The error for one that is out of them contains its key, its value and
//! what is allowed.

use std::fmt::Display;
use std::time::Duration;

use super::parse::format_span;
use super::sections::PasswordSettings;
use crate::error::{Error, Result};

pub(super) fn check_passwords(p: &PasswordSettings) -> Result<()> {
    at_least("passwords.parallelism", p.parallelism, 1)?;
    at_least("passwords.iterations", p.iterations, 1)?;
    let min_memory = p.parallelism.saturating_mul(8);
    at_least("passwords.memory_kib", p.memory_kib, min_memory)?;
    at_most("passwords.memory_kib", p.memory_kib, 16 * 1024 * 1024)?;
    at_least("passwords.threads", p.threads, 1)?;
    at_most("passwords.threads", p.threads, 1_024)?;
    at_least("passwords.queue", p.queue, 1)?;
    at_most("passwords.queue", p.queue, 1_000_000)
}

pub(super) fn at_least<N: PartialOrd + Display>(key: &str, value: N, min: N) -> Result<()> {
    match value >= min {
        true => Ok(()),
        false => Err(invalid(key, value, format!("{min} or more"))),
    }
}

pub(super) fn at_most<N: PartialOrd + Display>(key: &str, value: N, max: N) -> Result<()> {
    match value <= max {
        true => Ok(()),
        false => Err(invalid(key, value, format!("{max} or less"))),
    }
}

pub(super) fn span_at_least(key: &str, value: Duration, min: Duration) -> Result<()> {
    match value >= min {
        true => Ok(()),
        false => Err(invalid(
            key,
            format_span(value),
            format!("{} or more", format_span(min)),
        )),
    }
}

pub(super) fn invalid(key: &str, value: impl Display, allowed: impl Display) -> Error {
    Error::Configuration(
        format!("the configuration is wrong: {key} is {value}; allowed: {allowed}").into(),
    )
}
