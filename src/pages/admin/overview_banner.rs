//! The banner of the overview: what is odd, in words.

use std::time::Duration;

use url::form_urlencoded::Serializer;

use super::quantity::{number, signed};
use crate::clock::Timestamp;
use crate::http::reader_clock::ReaderClock;
use crate::overview::{MAX_MESSAGES, Oddity};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Something odd, as the banner says it.
pub struct OddityView {
    /// What is odd, and what to do.
    pub words: String,
    /// Where to see more: a path and the words of the link.
    pub link: Option<(String, String)>,
}

/// Returns the list of sessions with these filters.
pub(super) fn sessions(pairs: &[(&str, &str)]) -> String {
    list("/admin/sessions", pairs)
}

/// Returns the list of events with these filters.
pub(super) fn events(pairs: &[(&str, &str)]) -> String {
    list("/admin/events", pairs)
}

fn list(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

/// Returns the words about something odd.
pub fn oddity(oddity: &Oddity, clock: ReaderClock) -> OddityView {
    let (words, link) = match oddity {
        Oddity::SharedAddress {
            ip,
            percent,
            compared,
        } => {
            let compared = number(*compared as u64);
            let words = format!(
                "{percent} % of sessions share {ip} (of the newest {compared}). Check the trusted proxies: \
                 it may be the address of a proxy in front, which the setting trusted_proxies has to name; \
                 the README has it under “Behind nginx”."
            );
            let link = (sessions(&[("ip", ip)]), "Show the sessions".to_owned());
            (words, Some(link))
        }
        Oddity::ClockOff { node, offset_ms } => {
            let words = format!(
                "The clock of {node} is {} than the database’s. Times are corrected by that; set the machine’s clock.",
                offset_words(*offset_ms)
            );
            (words, None)
        }
        Oddity::DifferentVersions(versions) => {
            let words = format!(
                "The nodes run different versions: {}. Update those that are older.",
                versions.join(", ")
            );
            (words, None)
        }
        Oddity::MailFailing { failed, retried } => (mail_words(*failed, *retried), None),
        Oddity::FailedTries { from, tries, usual } => failed_tries(*from, (*tries, *usual), clock),
    };
    OddityView { words, link }
}

/// Returns the words about an hour with far more failed tries than usual, and the list of these.
fn failed_tries(
    from: Timestamp,
    (tries, usual): (i64, i64),
    clock: ReaderClock,
) -> (String, Option<(String, String)>) {
    let to = from + HOUR;
    let words = format!(
        "{} attempts failed or were throttled from {} to {}; a usual hour has {}. Somebody may be \
         guessing passwords.",
        signed(tries),
        clock.zone.local(from).format("%H:%M"),
        clock.zone.time_of_day(to),
        signed(usual)
    );
    let time = |at: Timestamp| at.format("%Y-%m-%dT%H:00:00Z").to_string();
    let list = events(&[
        ("kind", "failed_tries"),
        ("from", &time(from)),
        ("to", &time(to)),
    ]);
    (words, Some((list, "Show these attempts".to_owned())))
}

fn mail_words(failed: usize, retried: usize) -> String {
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("given up within a day: {}", describe_count(failed)));
    }
    if retried > 0 {
        parts.push(format!(
            "tried three times or more and waiting: {}",
            describe_count(retried)
        ));
    }
    format!(
        "The mail server does not accept messages ({}). The log says why.",
        parts.join("; ")
    )
}

/// Returns by how much a node's clock differs: the offset is how far the database's is ahead.
fn offset_words(offset_ms: i64) -> String {
    let tenths = offset_ms.unsigned_abs() / 100;
    let direction = if offset_ms > 0 { "earlier" } else { "later" };
    format!("{}.{} seconds {direction}", tenths / 10, tenths % 10)
}

/// Returns a number of messages, which are counted up to [`MAX_MESSAGES`].
pub(super) fn describe_count(n: usize) -> String {
    match n {
        n if n > MAX_MESSAGES => format!("more than {}", number(MAX_MESSAGES as u64)),
        n => number(n as u64),
    }
}
