//! The figures of the overview, in words.

use super::chart::{Chart, length};
use super::overview_banner::{describe_count, events, sessions};
use super::periods::{Unit, filter_time};
use super::quantity::signed;
use super::{refusal_views, session_words};
use crate::clock::Timestamp;
use crate::events::EventKind;
use crate::http::reader_clock::ReaderClock;
use crate::overview::{Breakdown, Figures, LabelCount, PeopleCount};

const IN_30_DAYS: &str = "in 30 days";
/// The length of the longest bar in a table.
const LONGEST_BAR: i64 = 120;

/// A figure, which leads to what it counts.
pub struct FigureView {
    /// What it counts.
    pub name: &'static str,
    /// The number.
    pub value: String,
    /// What else is to be said of it.
    pub hint: Option<String>,
    /// The path of the list of what it counts, if there is one.
    pub link: Option<String>,
}

/// The sign-ins of a period, as a chart and as a table.
pub struct PeriodView {
    /// The chart.
    pub chart: Chart,
    /// What the first column of the table is.
    pub column: &'static str,
    /// The path of the list of the sessions.
    pub link: String,
}

/// Counts by label, as a table with a bar in each row.
pub struct BreakdownView {
    /// The id of its heading.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What the first column is.
    pub column: &'static str,
    /// What the second column counts.
    pub counted: &'static str,
    /// The rows.
    pub rows: Vec<RowView>,
}

/// A row of a breakdown.
pub struct RowView {
    /// The label in words.
    pub name: String,
    /// The number.
    pub value: String,
    /// The share of all, in words.
    pub share: String,
    /// The length of the bar.
    pub length: String,
    /// The path of the list of the sessions, if there is a filter for them.
    pub link: Option<String>,
}

/// Returns the figures at the top of the page.
pub fn figures(overview: &Figures, clock: ReaderClock) -> Vec<FigureView> {
    let last_day: i64 = overview.sign_ins_by_hour.iter().map(|(_, n)| n).sum();
    let alerts: i64 = overview.alerts.iter().map(|count| count.total).sum();
    let mail = overview.mail;
    vec![
        FigureView::new("Live sessions", signed(overview.live_sessions))
            .with_link(sessions(&[("state", "live")])),
        people(overview.live_people, clock),
        FigureView::new("Sign-ins", signed(last_day))
            .with_hint(format!(
                "since {}, including deleted people",
                moment(first_hour_at(overview), clock)
            ))
            .with_link(opened_from(&first_hour(overview))),
        refused("Failed sign-ins", EventKind::SignInFailed, overview),
        refused("Throttled attempts", EventKind::Throttled, overview),
        FigureView::new("Token reuse", signed(overview.token_reuses()))
            .with_hint(IN_30_DAYS)
            .with_link(ended("reuse_detected", overview)),
        FigureView::new("Alerts", signed(alerts)).with_hint(IN_30_DAYS),
        FigureView::new("Mail waiting", describe_count(mail.waiting)),
        FigureView::new("Mail failed", describe_count(mail.failed)).with_hint("in 24 hours"),
    ]
}

/// Returns the figure of what was refused in 24 hours, as a kind of event.
fn refused(name: &'static str, kind: EventKind, overview: &Figures) -> FigureView {
    FigureView::new(name, signed(overview.refusals.last_day(kind)))
        .with_hint("in 24 hours")
        .with_link(refusal_views::last_day(&overview.refusals, kind))
}

fn people(live: PeopleCount, clock: ReaderClock) -> FigureView {
    const NAME: &str = "People signed in";

    match live {
        PeopleCount::Now(n) => FigureView::new(NAME, signed(n)),
        PeopleCount::Earlier(counted) => FigureView::new(NAME, signed(counted.total))
            .with_hint(format!("counted {}", moment(counted.at, clock))),
        PeopleCount::Unknown => FigureView::new(NAME, "–".into()).with_hint("not counted yet"),
    }
}

/// Returns a time of these days: "17 May, 08:30 CEST".
fn moment(at: Timestamp, clock: ReaderClock) -> String {
    let day = clock.zone.local(at).format("%-d %B");
    format!("{day}, {}", clock.zone.time_of_day(at))
}

impl FigureView {
    fn new(name: &'static str, value: String) -> Self {
        Self {
            name,
            value,
            hint: None,
            link: None,
        }
    }

    fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    fn with_link(self, link: String) -> Self {
        Self {
            link: Some(link),
            ..self
        }
    }
}

impl PeriodView {
    /// Returns the sign-ins of the last hours and days.
    pub fn all(overview: &Figures, clock: ReaderClock) -> Vec<Self> {
        vec![
            Self::new(
                ("sign-ins-by-hour", "Sign-ins by hour"),
                (&overview.sign_ins_by_hour, Unit::Hour),
                opened_from(&first_hour(overview)),
                clock,
            ),
            Self::new(
                ("sign-ins-by-day", "Sign-ins by day"),
                (&overview.sign_ins_by_day, Unit::Day),
                opened_from(&filter_time(first_day(overview))),
                clock,
            ),
        ]
    }

    fn new(
        title: (&'static str, &'static str),
        (sign_ins, unit): (&[(Timestamp, i64)], Unit),
        link: String,
        clock: ReaderClock,
    ) -> Self {
        let (starts, counts): (Vec<Timestamp>, Vec<i64>) = sign_ins.iter().copied().unzip();
        let names = unit.names(&starts, clock);
        let values: Vec<(String, i64)> = names.into_iter().zip(counts).collect();
        let summary = unit.summary(&values, &starts, clock, signed);
        Self {
            chart: Chart::new(title, summary, &values, unit.step()),
            column: unit.column(),
            link,
        }
    }
}

/// Returns the list of the sessions that began at a time or later.
fn opened_from(time: &str) -> String {
    sessions(&[("state", "any"), ("opened_from", time)])
}

/// Returns the log of the sessions that ended for a reason in the days that are counted. It has them
/// also when they are purged.
fn ended(reason: &str, overview: &Figures) -> String {
    let from = filter_time(first_day(overview));
    events(&[("kind", "ended"), ("reason", reason), ("from", &from)])
}

/// Returns the start of the first day that is counted.
fn first_day(overview: &Figures) -> Timestamp {
    let first = overview.sign_ins_by_day.first().map(|(at, _)| *at);
    first.unwrap_or(overview.at)
}

/// Returns the start of the first hour that is counted.
fn first_hour_at(overview: &Figures) -> Timestamp {
    let first = overview.sign_ins_by_hour.first().map(|(at, _)| *at);
    first.unwrap_or(overview.at)
}

fn first_hour(overview: &Figures) -> String {
    first_hour_at(overview)
        .format("%Y-%m-%dT%H:00:00Z")
        .to_string()
}

/// Returns the ends by reason, and the live sessions by each dimension.
pub fn breakdowns(overview: &Figures) -> Vec<BreakdownView> {
    let view = |id, title, column, rows| BreakdownView {
        id,
        title,
        column,
        counted: "Sessions",
        rows,
    };
    let kinds = live_rows(&overview.by_kind, "kind");
    let browsers = live_rows(&overview.by_browser, "browser");
    let systems = live_rows(&overview.by_os, "os");
    let countries = live_rows(&overview.by_country, "country");
    vec![
        view(
            "ends",
            "Ended in 30 days, by reason",
            "Reason",
            end_rows(overview),
        ),
        view("kinds", "Live, by kind of device", "Kind", kinds),
        view("browsers", "Live, by browser", "Browser", browsers),
        view("systems", "Live, by system", "System", systems),
        view("countries", "Live, by country", "Country", countries),
    ]
}

fn live_rows(breakdown: &Breakdown, filter: &str) -> Vec<RowView> {
    let mut rows: Vec<(String, i64, Option<String>)> = breakdown
        .top
        .iter()
        .map(|LabelCount { label, total }| match label.as_str() {
            "" => ("Unknown".into(), *total, None),
            label => {
                let name = if filter == "kind" {
                    kind(label)
                } else {
                    label.to_owned()
                };
                (name, *total, Some(sessions(&[(filter, label)])))
            }
        })
        .collect();
    if breakdown.others > 0 {
        rows.push(("Others".into(), breakdown.others, None));
    }
    to_rows(rows)
}

fn end_rows(overview: &Figures) -> Vec<RowView> {
    let row = |end: &LabelCount| {
        let link = (!end.label.is_empty()).then(|| ended(&end.label, overview));
        (reason(&end.label), end.total, link)
    };
    to_rows(overview.ends.iter().map(row).collect())
}

fn to_rows(rows: Vec<(String, i64, Option<String>)>) -> Vec<RowView> {
    let all: i64 = rows.iter().map(|(_, n, _)| n).sum();
    let largest = rows.iter().map(|(_, n, _)| *n).max().unwrap_or(0);
    rows.into_iter()
        .map(|(name, n, link)| RowView {
            name,
            value: signed(n),
            share: percent(n, all),
            length: length(n, largest, LONGEST_BAR),
            link,
        })
        .collect()
}

fn percent(n: i64, all: i64) -> String {
    match i128::from(n) * 100 {
        _ if all <= 0 => String::new(),
        part if part > 0 && part < i128::from(all) => "< 1 %".into(),
        part => {
            let all = i128::from(all);
            format!("{} %", (part + all / 2) / all)
        }
    }
}

fn kind(label: &str) -> String {
    match label.parse() {
        Ok(kind) => session_words::kind(kind).to_owned(),
        Err(_) => label.to_owned(),
    }
}

fn reason(label: &str) -> String {
    match label.parse() {
        Ok(reason) => session_words::reason(reason).to_owned(),
        Err(_) if label.is_empty() => "Unknown".to_owned(),
        Err(_) => label.to_owned(),
    }
}
