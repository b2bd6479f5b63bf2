//! The values of the terms with times.

use std::time::Duration;

use crate::listing::TimeBound;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// What is wrong with a value that states no times.
pub(super) const NOT_A_TIME: &str =
    "must be a span (<30d, >90d), a day (2026-11-01) or two times (2026-11-01..2026-11-08)";

/// Parses the value of a term with times: the earliest and the one that all are before.
pub(super) fn parse_times(text: &str) -> Option<(Option<TimeBound>, Option<TimeBound>)> {
    let bound = |text: &str| text.trim().parse::<TimeBound>().ok();
    if let Some(less) = text.strip_prefix('<') {
        return Some(match bound(less)? {
            age @ TimeBound::Ago(_) => (Some(age), None),
            time @ TimeBound::At(_) => (None, Some(time)),
        });
    }
    if let Some(more) = text.strip_prefix('>') {
        return Some(match bound(more)? {
            age @ TimeBound::Ago(_) => (None, Some(age)),
            time @ TimeBound::At(_) => (Some(time), None),
        });
    }
    if let Some((from, to)) = text.split_once("..") {
        let optional = |text: &str| match text.trim() {
            "" => Some(None),
            text => bound(text).map(Some),
        };
        let (from, to) = (optional(from)?, optional(to)?);
        return (from.is_some() || to.is_some()).then_some((from, to));
    }
    match bound(text)? {
        TimeBound::At(day) if !text.contains(':') => {
            Some((Some(TimeBound::At(day)), Some(TimeBound::At(day + DAY))))
        }
        TimeBound::At(_) => None,
        age @ TimeBound::Ago(_) => Some((Some(age), None)),
    }
}

pub(super) fn format_times(from: Option<TimeBound>, to: Option<TimeBound>) -> Option<String> {
    let text = |bound: Option<TimeBound>| bound.map(|bound| bound.to_string()).unwrap_or_default();
    match (from, to) {
        (None, None) => None,
        (Some(TimeBound::Ago(_)), None) => Some(format!("<{}", text(from))),
        (None, Some(TimeBound::Ago(_))) => Some(format!(">{}", text(to))),
        (from, to) => Some(format!("{}..{}", text(from), text(to))),
    }
}
