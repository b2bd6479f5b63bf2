//! What a genuine refresh token gets: the one table that decides, over plain values.

use std::time::Duration;

use super::network::NetworkRelation;

/// A genuine refresh token, compared with the row of its session.
#[derive(Debug, Clone, Copy)]
pub(super) struct PresentedToken {
    /// How its counter relates to the row's.
    pub(super) has_higher_counter: bool,
    /// How its JTI relates to the row's.
    pub(super) lineage: Lineage,
    /// How long ago it was spent; `None` when it is current or when that is not stored any more. A
    /// clock that is behind the one that spent it counts as no time.
    pub(super) spent_for: Option<Duration>,
    /// How its sender's network relates to the one that it was spent from.
    pub(super) network: NetworkRelation,
}

/// How a token relates to the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lineage {
    /// It is the current one.
    Current,
    /// The current one is its direct successor.
    Predecessor {
        /// Whether anybody used that successor.
        is_successor_used: bool,
    },
    /// Neither: an earlier ancestor, or one that was replaced.
    Other,
}

/// What a token gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is spent, for a successor.
    Rotate,
    /// The same successor again: the response that contained it was lost.
    SameSuccessor,
    /// The current token: several tabs, or requests at once, have one token.
    Current,
    /// A new successor, in place of the one that nobody used.
    ReplaceSuccessor,
    /// A successor with a counter above its own: the database is older than the token.
    AcceptHigher,
    /// Nothing: somebody has a copy. The session ends.
    TokenReuse,
}

/// Decides what a genuine token of a live session gets.
pub(super) fn decide(token: PresentedToken, grace: Duration) -> Decision {
    let is_within_grace = token.spent_for.is_some_and(|span| span <= grace);
    match token.lineage {
        Lineage::Current => Decision::Rotate,
        _ if token.has_higher_counter => Decision::AcceptHigher,
        Lineage::Predecessor {
            is_successor_used: false,
        } => match is_within_grace {
            true => Decision::SameSuccessor,
            false => Decision::ReplaceSuccessor,
        },
        Lineage::Predecessor { .. } | Lineage::Other => match token.network {
            NetworkRelation::Same if is_within_grace => Decision::Current,
            _ => Decision::TokenReuse,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);
    const LATER: Duration = Duration::from_micros(10_000_001);

    /// Every cell: for each lineage and age, what a token gets from the same and another network.
    #[test]
    fn every_cell_of_the_table() {
        use Decision::{
            AcceptHigher, Current, ReplaceSuccessor, Rotate, SameSuccessor, TokenReuse,
        };
        let unused = Lineage::Predecessor {
            is_successor_used: false,
        };
        let used = Lineage::Predecessor {
            is_successor_used: true,
        };
        for (lineage, spent_for, same, other) in [
            (Lineage::Current, None, Rotate, Rotate),
            (unused, Some(Duration::ZERO), SameSuccessor, SameSuccessor),
            (unused, Some(GRACE), SameSuccessor, SameSuccessor),
            (unused, Some(LATER), ReplaceSuccessor, ReplaceSuccessor),
            (used, Some(Duration::ZERO), Current, TokenReuse),
            (used, Some(GRACE), Current, TokenReuse),
            (used, Some(LATER), TokenReuse, TokenReuse),
            (Lineage::Other, Some(GRACE), Current, TokenReuse),
            (Lineage::Other, Some(LATER), TokenReuse, TokenReuse),
            (Lineage::Other, None, TokenReuse, TokenReuse),
        ] {
            for (network, expected) in [
                (NetworkRelation::Same, same),
                (NetworkRelation::Other, other),
            ] {
                let token = PresentedToken {
                    has_higher_counter: false,
                    lineage,
                    spent_for,
                    network,
                };
                assert_eq!(decide(token, GRACE), expected, "{token:?}");
            }
        }
        let higher = PresentedToken {
            has_higher_counter: true,
            lineage: Lineage::Other,
            spent_for: None,
            network: NetworkRelation::Other,
        };
        assert_eq!(decide(higher, GRACE), AcceptHigher);
    }
}
