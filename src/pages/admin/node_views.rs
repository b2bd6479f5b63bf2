//! The nodes and their jobs, in words.

use std::collections::BTreeMap;

use super::quantity::{self, signed};
use crate::clock::Timestamp;
use crate::http::reader_clock::ReaderClock;
use crate::nodes::{JobReport, Node};
use crate::pages::words::TimeView;

/// What a job did last, on any node, and does next.
pub struct JobView {
    /// What it does.
    pub name: String,
    /// When it ran last.
    pub started: Option<TimeView>,
    /// How long that took.
    pub took: String,
    /// What it did.
    pub outcome: String,
    /// Whether it failed.
    pub has_failed: bool,
    /// The node on which it ran last.
    pub node: String,
    /// When it is due next on that node.
    pub next: Option<String>,
}

/// A node.
pub struct NodeView {
    /// The name of its host.
    pub name: String,
    /// The address that it listens at.
    pub listen: String,
    /// The version that it runs.
    pub version: String,
    /// When it was started.
    pub started: TimeView,
    /// When it wrote its last heartbeat.
    pub seen: TimeView,
    /// By how much the database's clock is ahead of its own.
    pub offset: String,
}

/// Returns, of each job, the run that any node started last.
pub fn job_views(nodes: &[Node], clock: ReaderClock) -> Vec<JobView> {
    let mut latest: BTreeMap<&str, (&JobReport, &Node)> = BTreeMap::new();
    for node in nodes {
        for report in &node.jobs {
            let is_later =
                |(before, _): &(&JobReport, &Node)| report.started_at() > before.started_at();
            if latest.get(report.name.as_str()).is_none_or(is_later) {
                latest.insert(&report.name, (report, node));
            }
        }
    }
    latest
        .into_values()
        .map(|(report, node)| JobView::new(report, node, clock))
        .collect()
}

impl JobView {
    fn new(report: &JobReport, node: &Node, clock: ReaderClock) -> Self {
        Self {
            name: report.name.clone(),
            started: report.started_at().map(|at| TimeView::ago(at, clock)),
            took: format!("{} ms", quantity::number(report.took_ms)),
            outcome: report.outcome.clone(),
            has_failed: report.has_failed,
            node: format!("{} ({})", node.name, node.listen),
            next: report.next_at().map(|at| until(at, clock.now)),
        }
    }
}

/// Returns how long it is until `at`.
fn until(at: Timestamp, now: Timestamp) -> String {
    match at.since(now).as_secs() {
        0 => "now".into(),
        seconds @ 1..=119 => format!("in {seconds} s"),
        seconds @ 120..=7_199 => format!("in {}", quantity::counted(seconds / 60, "minute")),
        seconds => format!("in {}", quantity::counted(seconds / 3_600, "hour")),
    }
}

impl NodeView {
    /// Returns the view of a node.
    pub fn new(node: &Node, clock: ReaderClock) -> Self {
        Self {
            name: node.name.clone(),
            listen: node.listen.clone(),
            version: node.version.clone(),
            started: TimeView::ago(node.started_at, clock),
            seen: TimeView::ago(node.seen_at, clock),
            offset: format!("{} ms", signed(node.clock_offset_ms)),
        }
    }
}
