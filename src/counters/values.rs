//! What is counted, and by what.

use std::collections::BTreeMap;

use strum::{EnumString, IntoStaticStr};

/// What live sessions are counted by. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Dimension {
    /// All of them; the label is empty.
    All,
    /// The kind of the device.
    Kind,
    /// The browser; the label is empty where it is not known.
    Browser,
    /// The operating system; the label is empty where it is not known.
    Os,
    /// The country of the last use; the label is empty where it is not known.
    Country,
}

impl Dimension {
    /// All dimensions.
    pub const ALL: [Self; 5] = [
        Self::All,
        Self::Kind,
        Self::Browser,
        Self::Os,
        Self::Country,
    ];

    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What is counted by the hour. Its text form is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    /// Sign-ins; the label is empty.
    SignIn,
    /// Ends of sessions; the label is the reason.
    End,
    /// Alerts; the label is the kind.
    Alert,
    /// Refused requests; the label is the kind of their event.
    Refusal,
    /// Throttled tries on an account; the label is the id of the person.
    ThrottledAccount,
    /// Throttled tries from a network; the label is an address of it.
    ThrottledNetwork,
}

impl Metric {
    /// Those whose labels say who was throttled.
    pub(super) const SUBJECTS: [Self; 2] = [Self::ThrottledAccount, Self::ThrottledNetwork];

    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The figures of the live sessions, by dimension and label.
pub type LiveCounts = BTreeMap<(Dimension, String), i64>;
/// The figures of the hours, by hour, metric and label.
pub type HourlyCounts = BTreeMap<(i32, Metric, String), i64>;
