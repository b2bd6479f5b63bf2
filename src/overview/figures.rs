//! The figures of the overview.

use std::collections::BTreeMap;
use std::ops::Range;

use super::counted::{LabelCount, Span, sorted};
use super::mail_figures::MailFigures;
use super::oddities::Oddity;
use super::refusals::RefusalFigures;
use crate::clock::Timestamp;
use crate::counters::{self, CountedPeople, Counts, Dimension};
use crate::nodes::Node;

/// The labels of a dimension that are named; the others are counted together.
const TOP: usize = 8;

/// How the service is doing.
#[derive(Debug)]
pub struct Figures {
    /// When they were read.
    pub at: Timestamp,
    /// The live sessions. One that has expired counts until the sweep marks it as ended.
    pub live_sessions: i64,
    /// The people with live sessions.
    pub live_people: PeopleCount,
    /// The sign-ins of each of the last 24 hours, oldest first, with the start of the hour.
    pub sign_ins_by_hour: Vec<(Timestamp, i64)>,
    /// The sign-ins of each of the last 30 days, oldest first, with the start of its first hour.
    pub sign_ins_by_day: Vec<(Timestamp, i64)>,
    /// The ends of the last 30 days by reason, the most frequent first.
    pub ends: Vec<LabelCount>,
    /// The alerts of the last 30 days by kind, the most frequent first.
    pub alerts: Vec<LabelCount>,
    /// The live sessions by the kind of their device.
    pub by_kind: Breakdown,
    /// The live sessions by browser.
    pub by_browser: Breakdown,
    /// The live sessions by operating system.
    pub by_os: Breakdown,
    /// The live sessions by the country of their last use.
    pub by_country: Breakdown,
    /// What was refused.
    pub refusals: RefusalFigures,
    /// The mail.
    pub mail: MailFigures,
    /// The nodes that are alive.
    pub nodes: Vec<Node>,
    /// What is odd.
    pub oddities: Vec<Oddity>,
    /// Whether the counters are behind: some of what happened last is missing.
    pub is_behind: bool,
}

/// The number of people with live sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeopleCount {
    /// They were counted for this reading.
    Now(i64),
    /// They were counted earlier.
    Earlier(CountedPeople),
    /// They have not been counted yet.
    Unknown,
}

/// The live sessions by one dimension.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breakdown {
    /// The eight labels with the most sessions, the largest first.
    pub top: Vec<LabelCount>,
    /// The sessions of all other labels.
    pub others: i64,
}

impl Figures {
    /// Returns the figures of one reading.
    pub(super) fn new(
        span: &Span,
        counts: &Counts,
        live_sessions: i64,
        live_people: PeopleCount,
        refusals: RefusalFigures,
        mail: MailFigures,
        (nodes, oddities): (Vec<Node>, Vec<Oddity>),
    ) -> Self {
        let by = |dimension| Breakdown::new(counts, dimension, live_sessions);
        Self {
            at: span.now,
            live_sessions,
            live_people,
            sign_ins_by_hour: periods(
                &counts.sign_ins,
                span.hours.clone().map(|hour| hour..hour + 1),
            ),
            sign_ins_by_day: periods(&counts.sign_ins, span.days.iter().cloned()),
            ends: sorted(&counts.ends),
            alerts: sorted(&counts.alerts),
            by_kind: by(Dimension::Kind),
            by_browser: by(Dimension::Browser),
            by_os: by(Dimension::Os),
            by_country: by(Dimension::Country),
            refusals,
            mail,
            nodes,
            oddities,
            is_behind: counts.is_behind,
        }
    }

    /// Returns the ends of the last 30 days by reuse of a spent refresh token.
    #[must_use]
    pub fn token_reuses(&self) -> i64 {
        let mut ends = self.ends.iter();
        let reuse = ends.find(|end| end.label == "reuse_detected");
        reuse.map_or(0, |end| end.total)
    }
}

impl Breakdown {
    fn new(counts: &Counts, dimension: Dimension, live: i64) -> Self {
        let mut top: Vec<LabelCount> = counts
            .live
            .iter()
            .filter(|((of, _), _)| *of == dimension)
            .map(|((_, label), total)| LabelCount::new(label, *total))
            .collect();
        top.sort_by(LabelCount::largest_first);
        top.truncate(TOP);
        let named: i64 = top.iter().map(|count| count.total).sum();
        Self {
            top,
            others: (live - named).max(0),
        }
    }
}

/// Returns the sign-ins of some hours each, with the start of the first of these.
fn periods(
    sign_ins: &BTreeMap<i32, i64>,
    periods: impl Iterator<Item = Range<i32>>,
) -> Vec<(Timestamp, i64)> {
    periods
        .map(|hours| {
            let start = counters::start_of(hours.start);
            (start, sign_ins.range(hours).map(|(_, n)| n).sum())
        })
        .collect()
}
