//! The recent rotations of a session's refresh token. They are stored as text of fixed width,
//! newest first, so that the statement that rotates can append to it and trim it.

use super::network::{DIGEST_CHARS, NetworkDigest};
use super::values::Jti;
use crate::clock::Timestamp;

/// The most rotations stored; older ones are dropped.
pub(super) const MAX_ROTATIONS: usize = 8;
/// The digits of a counter.
pub(super) const COUNTER_CHARS: usize = 10;
/// The digits of a time in microseconds since the Unix epoch.
pub(super) const TIME_CHARS: usize = 16;
/// The characters of a spent JTI that are stored. Sixteen times eight are more than enough to tell
/// one token from another.
pub(super) const JTI_CHARS: usize = 12;
/// Pads a JTI that is shorter. No JTI of the service contains it.
pub(super) const JTI_PADDING: char = '.';
/// The characters of one rotation.
pub(super) const ENTRY_CHARS: usize = COUNTER_CHARS + TIME_CHARS + DIGEST_CHARS + JTI_CHARS;
/// The most characters of the whole text.
pub(super) const MAX_CHARS: usize = MAX_ROTATIONS * ENTRY_CHARS;

/// One rotation: the spent token, and when and from which network it was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rotation {
    /// The counter of the spent token.
    pub(super) counter: i32,
    /// When it was spent.
    pub(super) at: Timestamp,
    /// The network that it was spent from.
    pub(super) network: NetworkDigest,
    /// The start of its JTI.
    jti: String,
}

/// The recent rotations, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RecentRotations(Vec<Rotation>);

impl Rotation {
    /// Returns the rotation that spent the token with this counter and JTI.
    pub(super) fn new(counter: i32, jti: &Jti, at: Timestamp, network: NetworkDigest) -> Self {
        Self {
            counter: counter.max(0),
            at,
            network,
            jti: jti_start(jti),
        }
    }

    fn parse(entry: &[char]) -> Option<Self> {
        let text = |range: std::ops::Range<usize>| -> Option<String> {
            Some(entry.get(range)?.iter().collect())
        };
        let time = COUNTER_CHARS + TIME_CHARS;
        let network = time + DIGEST_CHARS;
        let micros = text(COUNTER_CHARS..time)?.parse().ok()?;
        Some(Self {
            counter: text(0..COUNTER_CHARS)?.parse().ok()?,
            at: Timestamp::from_micros(micros)?,
            network: NetworkDigest::stored(text(time..network)?),
            jti: text(network..ENTRY_CHARS)?,
        })
    }

    fn format(&self) -> String {
        let Self {
            counter,
            at,
            network,
            jti,
        } = self;
        format!(
            "{counter:0COUNTER_CHARS$}{}{jti}",
            format_stamp(*at, network)
        )
    }
}

impl RecentRotations {
    /// Parses the stored text. An entry that can't be read is left out.
    pub(super) fn parse(text: &str) -> Self {
        let chars: Vec<char> = text.chars().take(MAX_CHARS).collect();
        Self(
            chars
                .chunks_exact(ENTRY_CHARS)
                .filter_map(Rotation::parse)
                .collect(),
        )
    }

    /// Returns the list without the rotations before `start`.
    pub(super) fn since(mut self, start: Timestamp) -> Self {
        self.0.retain(|rotation| rotation.at >= start);
        self
    }

    /// Returns the text to store.
    pub(super) fn format(&self) -> String {
        self.0.iter().map(Rotation::format).collect()
    }

    /// Returns the list with a newer rotation, and at most [`MAX_ROTATIONS`] in all.
    pub(super) fn with(mut self, newest: Rotation) -> Self {
        self.0.insert(0, newest);
        self.0.truncate(MAX_ROTATIONS);
        self
    }

    /// Finds the newest rotation that spent the token with this counter and JTI.
    pub(super) fn find(&self, counter: i32, jti: &Jti) -> Option<&Rotation> {
        let start = jti_start(jti);
        self.0
            .iter()
            .find(|rotation| rotation.counter == counter && rotation.jti == start)
    }

    /// Returns whether one of them spent the token with this JTI.
    pub(super) fn contains(&self, jti: &Jti) -> bool {
        let start = jti_start(jti);
        self.0.iter().any(|rotation| rotation.jti == start)
    }
}

/// Returns the middle of an entry: when and from where a token was spent. The statement that
/// rotates puts the counter before it and the JTI behind it, both from the row.
pub(super) fn format_stamp(at: Timestamp, network: &NetworkDigest) -> String {
    format!("{}{network}", format_time(at))
}

/// Returns a time in the fixed width of an entry.
pub(super) fn format_time(at: Timestamp) -> String {
    // Times before 1970 or after 2286 don't fit the width, and don't occur.
    let micros = at.timestamp_micros().clamp(0, 9_999_999_999_999_999);
    format!("{micros:0TIME_CHARS$}")
}

fn jti_start(jti: &Jti) -> String {
    let padding = std::iter::repeat(JTI_PADDING);
    jti.as_str()
        .chars()
        .chain(padding)
        .take(JTI_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn rotation() -> impl Strategy<Value = Rotation> {
        let network = prop_oneof![
            Just(NetworkDigest::unknown()),
            "[46][A-Za-z0-9_-]{13}".prop_map(NetworkDigest::stored),
        ];
        (
            0..=i32::MAX,
            0..=9_999_999_999_999_999_i64,
            network,
            "\\PC{0,40}",
        )
            .prop_map(|(counter, micros, network, jti)| {
                let at = Timestamp::from_micros(micros).unwrap();
                Rotation::new(counter, &Jti::claimed(jti), at, network)
            })
    }

    proptest! {
        #[test]
        fn what_is_formatted_is_parsed(rotations in vec(rotation(), 0..12)) {
            let mut recent = RecentRotations::default();
            for rotation in &rotations {
                recent = recent.with(rotation.clone());
                let text = recent.format();
                prop_assert!(text.chars().count() <= MAX_CHARS);
                prop_assert_eq!(&RecentRotations::parse(&text), &recent);
            }
            let newest: Vec<_> = rotations.iter().rev().take(MAX_ROTATIONS).cloned().collect();
            prop_assert_eq!(recent.0, newest);
        }

        #[test]
        fn any_text_can_be_parsed(text in "\\PC{0,600}") {
            prop_assert!(RecentRotations::parse(&text).0.len() <= MAX_ROTATIONS);
        }
    }

    #[test]
    fn a_token_is_found_by_its_counter_and_its_jti() {
        let at = Timestamp::from_micros(1_900_000_000_000_000).unwrap();
        let jti = |text: &str| Jti::claimed(text.into());
        let rotation =
            |counter, text: &str| Rotation::new(counter, &jti(text), at, NetworkDigest::unknown());
        let recent = RecentRotations::default()
            .with(rotation(3, "one"))
            .with(rotation(4, "a-much-longer-jti-than-is-stored"));
        assert_eq!(recent.find(3, &jti("one")), Some(&rotation(3, "one")));
        assert_eq!(recent.find(3, &jti("other")), None);
        assert_eq!(recent.find(5, &jti("one")), None);
        assert!(
            recent
                .find(4, &jti("a-much-longer-jti-than-is-stored"))
                .is_some()
        );
        assert!(recent.contains(&jti("one")));
        assert!(!recent.contains(&jti("other")));
    }

    #[test]
    fn rotations_before_the_grace_period_are_dropped() {
        let at = |micros| Timestamp::from_micros(micros).unwrap();
        let rotation = |counter, micros| {
            let jti = Jti::claimed("one".into());
            Rotation::new(counter, &jti, at(micros), NetworkDigest::unknown())
        };
        let recent = RecentRotations::default()
            .with(rotation(3, 1_000))
            .with(rotation(4, 2_000))
            .with(rotation(5, 3_000));
        let newer = RecentRotations::default()
            .with(rotation(4, 2_000))
            .with(rotation(5, 3_000));
        assert_eq!(recent.since(at(2_000)), newer);
    }
}
