//! Reports of the periodic jobs of this node: what each did last, and when it runs next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// What a job did last and does next. Times are microseconds since the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReport {
    /// The job's name.
    pub name: String,
    /// When its last run started, if there was one.
    started_at: Option<i64>,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
    /// What it did, in a few words.
    pub outcome: String,
    /// Whether it failed.
    pub has_failed: bool,
    /// When it is due.
    next_at: Option<i64>,
}

impl JobReport {
    /// Returns when the last run started, if there was one.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.started_at.and_then(Timestamp::from_micros)
    }

    /// Returns when the job is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.next_at.and_then(Timestamp::from_micros)
    }
}

/// The outcome of a job's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it did, in a few words.
    pub words: String,
    /// Whether it failed.
    pub has_failed: bool,
}

impl Outcome {
    /// Returns that the run did this.
    #[must_use]
    pub fn done(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            has_failed: false,
        }
    }

    /// Returns that the run failed.
    #[must_use]
    pub fn failed() -> Self {
        Self {
            words: "failed: see the log".into(),
            has_failed: true,
        }
    }

    /// Returns that the run changed so many of something: "3 messages sent".
    #[must_use]
    pub fn count(n: usize, one: &str, many: &str) -> Self {
        match n {
            0 => Self::done("nothing to do"),
            1 => Self::done(format!("1 {one}")),
            n => Self::done(format!("{n} {many}")),
        }
    }
}

/// The reports of this node's jobs, one for each job; clones share them.
#[derive(Debug, Clone, Default)]
pub struct JobReports(Arc<Mutex<BTreeMap<&'static str, JobReport>>>);

impl JobReports {
    /// Records a run.
    pub fn record(&self, job: &'static str, started: Timestamp, took: Duration, outcome: Outcome) {
        let mut reports = self.lock();
        let report = reports.entry(job).or_default();
        report.started_at = Some(started.timestamp_micros());
        report.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        report.outcome = outcome.words;
        report.has_failed = outcome.has_failed;
    }

    /// Records when a job is due.
    pub fn schedule(&self, job: &'static str, at: Timestamp) {
        self.lock().entry(job).or_default().next_at = Some(at.timestamp_micros());
    }

    /// Lists the reports.
    #[must_use]
    pub fn list(&self) -> Vec<JobReport> {
        let named = |(name, report): (&&'static str, &JobReport)| JobReport {
            name: (*name).into(),
            ..report.clone()
        };
        self.lock().iter().map(named).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, JobReport>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
