//! The wording of the page that asks before sessions are ended.

use super::quantity;
use crate::sessions::bulk::EndPreview;

/// The caller's own sessions among them.
pub(super) struct OwnView {
    /// How many, and what happens to them.
    pub(super) words: String,
    /// The label of the checkbox that ends them as well.
    pub(super) label: String,
    pub(super) is_chosen: bool,
    /// Whether there are no others.
    pub(super) is_all: bool,
}

impl OwnView {
    /// Returns the caller's own sessions in words, if there are any.
    pub(super) fn new(words: &EndWords, is_chosen: bool) -> Option<Self> {
        let text = match (words.own, words.is_own_only) {
            (0, _) => return None,
            (1, true) => {
                "This is your own session. It stays signed in unless you tick this.".into()
            }
            (_, true) => {
                "These are your own sessions. They stay signed in unless you tick this.".into()
            }
            (1, false) => {
                "One of your own sessions also matches. It stays signed in unless you tick this."
                    .into()
            }
            (own, false) => format!(
                "{} of your own sessions also match. They stay signed in unless you tick this.",
                quantity::number(own)
            ),
        };
        Some(Self {
            words: text,
            label: match (words.own, words.is_own_only) {
                (1, true) => "End mine; you may be signed out here".into(),
                (1, false) => "End mine as well; you may be signed out here".into(),
                (own, true) => format!(
                    "End all {} of mine; you may be signed out here",
                    quantity::number(own)
                ),
                (own, false) => format!(
                    "End all {} of mine as well; you may be signed out here",
                    quantity::number(own)
                ),
            },
            is_chosen,
            is_all: words.is_own_only,
        })
    }
}

/// The numbers that the page speaks of.
pub(super) struct EndWords {
    /// The sessions that are named and counted in the question: those of others or, where there are
    /// none, the caller's own.
    pub(super) shown: u64,
    /// Their owners.
    people: u64,
    /// The caller's own sessions.
    own: u64,
    is_own_only: bool,
    is_exact: bool,
}

impl EndWords {
    /// Returns the numbers of what was found.
    pub(super) fn new(found: &EndPreview) -> Self {
        let others = found.sessions.saturating_sub(found.own);
        let is_own_only = others == 0 && found.own > 0;
        Self {
            shown: if is_own_only { found.own } else { others },
            people: match is_own_only {
                true => 1,
                false => found.people.saturating_sub(u64::from(found.own > 0)),
            },
            own: found.own,
            is_own_only,
            is_exact: found.is_exact,
        }
    }

    /// Returns the question that the page asks.
    pub(super) fn question(&self) -> String {
        match (self.shown, self.is_own_only) {
            (0, _) if self.is_exact => "All of these sessions have already ended".into(),
            (1, true) => "End your own session?".into(),
            (1, false) if self.is_exact => "End this session?".into(),
            (n, true) => format!("End your own {}?", quantity::sessions(n)),
            (n, false) if self.is_exact => format!(
                "End {} of {}?",
                quantity::sessions(n),
                quantity::people(self.people)
            ),
            (n, false) => format!(
                "End about {} of at least {}?",
                quantity::sessions(quantity::rounded(n)),
                quantity::people(quantity::at_least(self.people))
            ),
        }
    }

    /// Says how many are not among the `named` ones.
    pub(super) fn more(&self, named: u64) -> Option<String> {
        let rest = self.shown.saturating_sub(named);
        match (rest, self.is_exact) {
            (0, _) => None,
            (n, true) => Some(format!("and {} more", quantity::sessions(n))),
            (n, false) => Some(format!(
                "and about {} more",
                quantity::sessions(quantity::rounded(n))
            )),
        }
    }

    /// Returns the label of the button, with a number where that is what it ends in any case.
    pub(super) fn button(&self) -> Option<String> {
        match (self.shown, self.own) {
            (0, _) if self.is_exact => None,
            (1, 0) => Some("End this session".into()),
            (n, 0) if self.is_exact => Some(format!("End {}", quantity::sessions(n))),
            (n, 0) => Some(format!(
                "End about {}",
                quantity::sessions(quantity::rounded(n))
            )),
            (1, _) if self.is_own_only => Some("End it".into()),
            // With the caller's own, if these are ticked.
            (1, _) => Some("End".into()),
            _ => Some("End them".into()),
        }
    }
}
