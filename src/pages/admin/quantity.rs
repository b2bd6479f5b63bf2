//! Numbers of sessions and people in words.

/// Returns a number with its thousands apart: "8,412".
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut parts: Vec<&str> = Vec::new();
    let mut end = digits.len();
    while end > 3 {
        parts.push(&digits[end - 3..end]);
        end -= 3;
    }
    parts.push(&digits[..end]);
    parts.reverse();
    parts.join(",")
}

/// Returns a number of sessions: "1 session", "8,412 sessions".
pub(super) fn sessions(n: u64) -> String {
    match n {
        1 => "1 session".into(),
        n => format!("{} sessions", number(n)),
    }
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
        assert_eq!(number(1_000), "1,000");
        assert_eq!(number(61_000_000), "61,000,000");
    }
}
