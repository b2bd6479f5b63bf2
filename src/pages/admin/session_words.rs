//! The wording of the administrator's pages about sessions.

use super::quantity::{self, number};
use crate::events::{Event, EventKind};
use crate::pages::{travel_views, words};
use crate::sessions::search::{BoundFilter, Mark, MatchCount, SessionSort, SortKey};
use crate::sessions::{EndedReason, OpenedVia, Session};
use crate::user_agent::DeviceKind;

/// Returns a count of sessions: "8,412", "about 61,000".
pub(super) fn matches(count: MatchCount) -> String {
    match count {
        MatchCount::Exactly(n) => number(n),
        // None was in the sample that the estimate is from.
        MatchCount::About(0) => "at most a few".into(),
        MatchCount::About(1..10) => "few".into(),
        MatchCount::About(n) => format!("about {}", number(quantity::rounded(n))),
    }
}

/// Returns how many sessions match: "8,412 sessions match".
pub(super) fn matching_sessions(count: MatchCount) -> String {
    match count {
        MatchCount::Exactly(0) => "No session matches".into(),
        MatchCount::Exactly(1) => "1 session matches".into(),
        MatchCount::Exactly(n) => format!("{} sessions match", number(n)),
        MatchCount::About(0) => "At most a few sessions match".into(),
        MatchCount::About(1..10) => "Few sessions match".into(),
        MatchCount::About(n) => format!("About {} sessions match", number(quantity::rounded(n))),
    }
}

/// Returns the order of a list.
pub(super) fn order(sort: SessionSort) -> &'static str {
    match (sort.key, sort.descending) {
        (SortKey::Used, true) => "Last used first (to within ten minutes)",
        (SortKey::Used, false) => "Longest unused first (to within ten minutes)",
        (SortKey::Opened, true) => "Newest sign-in first",
        (SortKey::Opened, false) => "Oldest sign-in first",
        (SortKey::Ended, true) => "Newest end first",
        (SortKey::Ended, false) => "Oldest end first",
    }
}

/// Returns why a session ended.
pub(super) fn reason(reason: EndedReason) -> &'static str {
    match reason {
        EndedReason::SignedOut => "Signed out on the device",
        EndedReason::SignedOutRemotely => "Signed out from another device",
        EndedReason::Admin => "Ended by an administrator",
        EndedReason::Expired => "Expired",
        EndedReason::ReuseDetected => "Token reuse",
        EndedReason::WrongPasswords => "Ten wrong passwords",
        EndedReason::PasswordChanged => "Password changed",
        EndedReason::AccountDisabled => "Account disabled",
        EndedReason::Replaced => "Replaced by a new sign-in",
        EndedReason::Limit => "Too many sessions",
    }
}

/// Returns that a session ended, and why, if that is known.
pub(super) fn end(ended: Option<EndedReason>) -> String {
    let words = match ended {
        None => "Ended",
        Some(EndedReason::ReuseDetected) => "Ended after token reuse",
        Some(EndedReason::PasswordChanged) => "Ended when the password was changed",
        Some(EndedReason::AccountDisabled) => "Ended when the account was disabled",
        Some(EndedReason::Limit) => "Ended, since there were too many sessions",
        Some(ended) => reason(ended),
    };
    words.into()
}

/// Returns the kind of a device.
pub(in crate::pages) fn kind(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Phone => "Phone",
        DeviceKind::Tablet => "Tablet",
        DeviceKind::Desktop => "Computer",
        DeviceKind::Tv => "Television",
        DeviceKind::Console => "Games console",
        DeviceKind::Watch => "Watch",
        DeviceKind::Car => "Car",
        DeviceKind::Speaker => "Speaker",
        DeviceKind::Bot => "Bot",
        DeviceKind::Program => "Program",
        DeviceKind::Unknown => "Unknown kind",
    }
}

/// Returns what is unusual about a session.
pub(super) fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::CountryChanged => "Country changed",
        Mark::ImpossibleTravel => "Impossible travel",
    }
}

/// Returns whether sessions are bound to their browser.
pub(super) fn bound(bound: BoundFilter) -> &'static str {
    match bound {
        BoundFilter::Yes => "Bound",
        BoundFilter::No => "Not bound",
    }
}

/// Returns what is unusual about this session.
pub(super) fn marks(session: &Session) -> Vec<&'static str> {
    let marks = [
        (session.has_changed_country, Mark::CountryChanged),
        (session.has_impossible_travel, Mark::ImpossibleTravel),
    ];
    let marked = marks.into_iter().filter(|(is_so, _)| *is_so);
    marked.map(|(_, kind)| mark(kind)).collect()
}

/// Returns how a session was opened; `application` is the name of the one that did.
pub(super) fn opened_via(via: OpenedVia, application: Option<&str>) -> String {
    match (via, application) {
        (OpenedVia::Browser, _) => "With a password, in the browser".into(),
        (OpenedVia::Api, _) => "With a password, through the API".into(),
        (OpenedVia::Application, Some(name)) => format!("By the application {name}"),
        (OpenedVia::Application, None) => "By an application".into(),
    }
}

/// Returns what happened.
pub(super) fn event(event: &Event) -> String {
    let detail = event.detail.as_deref().unwrap_or_default();
    match event.kind {
        EventKind::SignedIn => "Signed in".into(),
        EventKind::Refreshed => "Used from a new address".into(),
        EventKind::Renamed => words::renamed(event),
        // Which one follows.
        EventKind::Ended if event.by_application_id.is_some() => "Ended by an application".into(),
        EventKind::Ended => end(detail.parse().ok()),
        EventKind::ImpossibleTravel => travel_views::entry_of_person(detail),
        EventKind::Bound => "Bound to its browser".into(),
        EventKind::UsedWithoutKey => "Used without its key".into(),
        kind => sentence(kind.as_str()),
    }
}

/// Returns the name of a kind as words: "Password changed".
fn sentence(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut chars = words.chars();
    let first: String = chars
        .next()
        .map(char::to_uppercase)
        .into_iter()
        .flatten()
        .collect();
    first + chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_says_so() {
        for (count, words) in [
            (MatchCount::Exactly(0), "No session matches"),
            (MatchCount::Exactly(1), "1 session matches"),
            (MatchCount::Exactly(8_412), "8,412 sessions match"),
            (MatchCount::About(61_432), "About 61,000 sessions match"),
            (MatchCount::About(1), "Few sessions match"),
            (MatchCount::About(0), "At most a few sessions match"),
        ] {
            assert_eq!(matching_sessions(count), words);
        }
        assert_eq!(matches(MatchCount::About(61_000)), "about 61,000");
    }
}
