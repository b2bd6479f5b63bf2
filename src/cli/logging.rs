//! The destination and the format of log lines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::error::Chain;
use crate::server::panics::log_panics;
use crate::settings::{LogFormat, LogSettings};

/// Starts logging to standard error, panics included. A second call has no effect.
pub(super) fn start(settings: &LogSettings) {
    let filter = EnvFilter::new(filter(&settings.filter));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = match settings.format {
        LogFormat::Human => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    match started {
        Ok(()) => log_panics(),
        Err(err) => tracing::debug!(error = %Chain(&*err), "logging had started before"),
    }
}

/// Returns the directives of the setting, with the messages of `actix-http` off unless they are
/// named: it logs every malformed request and every lost connection as an error of the service.
fn filter(setting: &str) -> String {
    match setting.contains("actix_http") {
        true => setting.to_owned(),
        false => format!("{setting},actix_http=off"),
    }
}
