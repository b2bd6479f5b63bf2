//! Numbers in words.

/// The number with its thousands separated: "8,412".
pub(super) use crate::text::thousands as number;

/// Returns an estimate with no more digits than it is worth: 16,866 is 17,000.
pub(super) fn rounded(n: u64) -> u64 {
    let unit = unit_of(n);
    n.saturating_add(unit / 2) / unit * unit
}

/// Returns a number that there are at least, with no more digits than it is worth: 6,952 is 6,900.
pub(super) fn at_least(n: u64) -> u64 {
    let unit = unit_of(n);
    n / unit * unit
}

/// Returns the unit of a number's second digit.
fn unit_of(n: u64) -> u64 {
    match n.checked_ilog10() {
        Some(digits @ 2..) => 10_u64.pow(digits - 1),
        _ => 1,
    }
}

/// Returns a number that may be negative: "−1,234".
pub(super) fn signed(n: i64) -> String {
    let sign = if n < 0 { "−" } else { "" };
    format!("{sign}{}", number(n.unsigned_abs()))
}

/// Returns a number of things whose plural ends in "s": "1 day", "8,412 sessions".
pub(super) fn counted(n: u64, unit: &str) -> String {
    match n {
        1 => format!("1 {unit}"),
        n => format!("{} {unit}s", number(n)),
    }
}

/// Returns a number of sessions: "1 session", "8,412 sessions".
pub(super) fn sessions(n: u64) -> String {
    counted(n, "session")
}

/// Returns a number of people: "1 person", "8,412 people".
pub(super) fn people(n: u64) -> String {
    match n {
        1 => "1 person".into(),
        n => format!("{} people", number(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(sessions(1), "1 session");
        assert_eq!(sessions(0), "0 sessions");
        assert_eq!(people(999), "999 people");
        assert_eq!(signed(-1_234), "−1,234");
        assert_eq!(signed(0), "0");
    }

    #[test]
    fn an_estimate_has_two_digits() {
        for (n, about, least) in [
            (0, 0, 0),
            (99, 99, 99),
            (996, 1_000, 990),
            (16_866, 17_000, 16_000),
            (18_374, 18_000, 18_000),
            (6_952, 7_000, 6_900),
        ] {
            assert_eq!((rounded(n), at_least(n)), (about, least));
        }
        assert!(rounded(u64::MAX) > u64::MAX / 2);
    }
}
