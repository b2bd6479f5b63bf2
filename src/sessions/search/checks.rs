//! What is checked of a filter beyond each of its parts: whether they can be true together.

use crate::error::FieldError;
use crate::listing::TimeBound;

/// Returns the name of a kind of device, which may also be called as the pages call it.
pub(super) fn kind_name(value: &str) -> &str {
    const OTHERS: [(&str, &str); 5] = [
        ("computer", "desktop"),
        ("television", "tv"),
        ("games console", "console"),
        ("not known", "unknown"),
        ("unknown kind", "unknown"),
    ];

    let found = OTHERS
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(value));
    found.map_or(value, |(_, name)| name)
}

/// A range of times: the name of its end, its beginning and its end.
pub(super) type Range = (&'static str, Option<TimeBound>, Option<TimeBound>);

/// Returns an error for the end of each range in which no time can be.
pub(super) fn reversed(ranges: [Range; 2]) -> Vec<FieldError> {
    let checked = ranges.into_iter();
    checked
        .filter_map(|(name, from, to)| TimeBound::check_range(name, (from, to)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_begins_before_it_ends() {
        let bound = |text: &str| text.parse::<TimeBound>().unwrap();
        for (from, to, is_empty) in [
            ("2026-11-01", "2026-11-08", false),
            ("2026-11-08", "2026-11-01", true),
            ("2026-11-01", "2026-11-01", true),
            ("30d", "7d", false),
            ("7d", "30d", true),
            ("2026-11-01", "7d", false),
        ] {
            let range = |name| (name, Some(bound(from)), Some(bound(to)));
            let errors = reversed([range("opened_to"), ("used_to", None, None)]);
            assert_eq!(!errors.is_empty(), is_empty, "{from} {to}");
        }
    }

    #[test]
    fn a_kind_is_also_called_as_the_pages_call_it() {
        for (name, kind) in [
            ("Computer", "desktop"),
            ("games console", "console"),
            ("tv", "tv"),
        ] {
            assert_eq!(kind_name(name), kind);
        }
    }
}
