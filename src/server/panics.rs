//! Panics: each is one line of the log, and counts.

use std::any::Any;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::text;

/// Characters of a panic's text in the log.
const MAX_TEXT: usize = 300;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Has every panic of the process logged, in place of the text of several lines on standard error.
/// While a request is handled, the line has its span, on whichever thread that is.
pub fn log_panics() {
    panic::set_hook(Box::new(log));
}

/// Returns how many panics were logged.
pub(super) fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

fn log(info: &PanicHookInfo<'_>) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    let thread = thread::current();
    let location = info.location().map(ToString::to_string);
    // As values of text, so that they are quoted.
    tracing::error!(
        text = text::truncate_chars(text_of(info.payload()), MAX_TEXT),
        location = location.as_deref().unwrap_or("unknown"),
        thread = thread.name().unwrap_or("unnamed"),
        "a panic"
    );
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    literal.or(formatted).unwrap_or("(no text)")
}
