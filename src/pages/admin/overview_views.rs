//! The parts of the overview, in words.

use std::collections::BTreeMap;

use chrono::Timelike;
use url::form_urlencoded::Serializer;

use super::chart::{Chart, grouped, length};
use crate::clock::Timestamp;
use crate::nodes::{JobReport, Node};
use crate::overview::{Breakdown, Figures, LabelCount, MAX_MESSAGES, Oddity, PeopleCount};
use crate::pages::words::TimeView;

/// The length of the longest bar in a table.
const LONGEST_BAR: i64 = 120;

/// Something odd, as the banner says it.
pub struct OddityView {
    /// What is odd, and what to do.
    pub words: String,
    /// Where to see more: a path and the words of the link.
    pub link: Option<(String, String)>,
}

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

/// Returns the list of sessions with these filters.
fn sessions(pairs: &[(&str, &str)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/admin/sessions?{query}")
}

/// Returns the words about something odd.
pub fn oddity(oddity: &Oddity) -> OddityView {
    let (words, link) = match oddity {
        Oddity::SharedAddress {
            ip,
            percent,
            compared,
        } => {
            let compared = i64::try_from(*compared).map(grouped).unwrap_or_default();
            let words = format!(
                "{percent} % of sessions share {ip} (of the newest {compared}). Check the trusted proxies: \
                 it may be the address of a proxy in front, which the setting trusted_proxies has to name; \
                 the README has it under “Behind nginx”."
            );
            let link = (sessions(&[("ip", ip)]), "Its sessions".to_owned());
            (words, Some(link))
        }
        Oddity::ClockOff { node, offset_ms } => {
            let words = format!(
                "The clock of {node} is {} than the database’s. Times are corrected by that; set the machine’s clock.",
                offset_words(*offset_ms)
            );
            (words, None)
        }
        Oddity::DifferentVersions(versions) => {
            let words = format!(
                "The nodes run different versions: {}. Update those that are older.",
                versions.join(", ")
            );
            (words, None)
        }
        Oddity::MailFailing { failed, retried } => (mail_words(*failed, *retried), None),
    };
    OddityView { words, link }
}

fn mail_words(failed: usize, retried: usize) -> String {
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("given up within a day: {}", bounded(failed)));
    }
    if retried > 0 {
        parts.push(format!(
            "tried three times or more and waiting: {}",
            bounded(retried)
        ));
    }
    format!(
        "The mail server does not accept messages ({}). The log says why.",
        parts.join("; ")
    )
}

/// Returns by how much a node's clock differs: the offset is how far the database's is ahead.
fn offset_words(offset_ms: i64) -> String {
    let tenths = offset_ms.unsigned_abs() / 100;
    let direction = if offset_ms > 0 { "earlier" } else { "later" };
    format!("{}.{} seconds {direction}", tenths / 10, tenths % 10)
}

/// Returns a number of messages, which are counted up to [`MAX_MESSAGES`].
fn bounded(n: usize) -> String {
    match n {
        n if n > MAX_MESSAGES => format!("more than {}", grouped(to_i64(MAX_MESSAGES))),
        n => grouped(to_i64(n)),
    }
}

fn to_i64(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Returns the figures at the top of the page.
pub fn figures(overview: &Figures) -> Vec<FigureView> {
    let (people, people_hint) = match overview.live_people {
        PeopleCount::Now(n) => (grouped(n), None),
        PeopleCount::Earlier(counted) => (
            grouped(counted.total),
            Some(format!(
                "counted {}",
                counted.at.format("%-d %B, %H:%M UTC")
            )),
        ),
        PeopleCount::Unknown => ("–".into(), Some("not counted yet".into())),
    };
    let last_day: i64 = overview.sign_ins_by_hour.iter().map(|(_, n)| n).sum();
    let alerts: i64 = overview.alerts.iter().map(|count| count.total).sum();
    let mail = overview.mail;
    let view = |name, value, hint, link| FigureView {
        name,
        value,
        hint,
        link,
    };
    let days = || Some("in 30 days".to_owned());
    vec![
        view(
            "Live sessions",
            grouped(overview.live_sessions),
            None,
            Some(sessions(&[("state", "live")])),
        ),
        view(
            "People signed in",
            people,
            people_hint,
            Some("/admin/users".into()),
        ),
        view(
            "Sign-ins",
            grouped(last_day),
            Some("in 24 hours".into()),
            Some(sessions(&[("state", "any"), ("opened_from", "1day")])),
        ),
        view(
            "Token thefts",
            grouped(overview.token_reuses()),
            days(),
            Some(sessions(&[("reason", "reuse_detected")])),
        ),
        view("Alerts", grouped(alerts), days(), None),
        view("Mail waiting", bounded(mail.waiting), None, None),
        view(
            "Mail failed",
            bounded(mail.failed),
            Some("in 24 hours".into()),
            None,
        ),
    ]
}

impl PeriodView {
    /// Returns the sign-ins of the last hours and days.
    pub fn all(overview: &Figures) -> Vec<Self> {
        let hours: Vec<(String, i64)> = overview
            .sign_ins_by_hour
            .iter()
            .map(|(at, n)| (at.format("%H:00").to_string(), *n))
            .collect();
        let days: Vec<(String, i64)> = overview
            .sign_ins_by_day
            .iter()
            .map(|(at, n)| (at.format("%-d %b").to_string(), *n))
            .collect();
        let to_list = |from: &str| sessions(&[("state", "any"), ("opened_from", from)]);
        let first_day = overview.sign_ins_by_day.first().map(|(at, _)| *at);
        let first_day = first_day.unwrap_or(overview.at);
        vec![
            Self {
                chart: Chart::new(
                    ("sign-ins-by-hour", "Sign-ins by hour"),
                    summary(&hours, "hour", overview.at),
                    &hours,
                    4,
                ),
                column: "Hour (UTC)",
                link: to_list("1day"),
            },
            Self {
                chart: Chart::new(
                    ("sign-ins-by-day", "Sign-ins by day"),
                    summary(&days, "day", overview.at),
                    &days,
                    7,
                ),
                column: "Day (UTC)",
                link: to_list(&first_day.format("%Y-%m-%d").to_string()),
            },
        ]
    }
}

fn summary(values: &[(String, i64)], unit: &str, now: Timestamp) -> String {
    let all: i64 = values.iter().map(|(_, n)| n).sum();
    let most = values.iter().max_by_key(|(_, n)| *n);
    let until = format!("until {:02}:{:02} UTC", now.hour(), now.minute());
    match most.filter(|(_, n)| *n > 0) {
        Some((name, n)) => format!(
            "{} in all, {until}; the {unit} with the most is {name}, with {}.",
            grouped(all),
            grouped(*n)
        ),
        None => format!("None, {until}."),
    }
}

/// Returns the ends by reason, and the live sessions by each dimension.
pub fn breakdowns(overview: &Figures) -> Vec<BreakdownView> {
    let live = |id, title, column, filter, breakdown: &Breakdown| BreakdownView {
        id,
        title,
        column,
        counted: "Live sessions",
        rows: live_rows(breakdown, filter),
    };
    vec![
        BreakdownView {
            id: "ends",
            title: "Ended in 30 days, by reason",
            column: "Reason",
            counted: "Sessions",
            rows: end_rows(&overview.ends),
        },
        live(
            "kinds",
            "Live, by kind of device",
            "Kind",
            "kind",
            &overview.by_kind,
        ),
        live(
            "browsers",
            "Live, by browser",
            "Browser",
            "browser",
            &overview.by_browser,
        ),
        live(
            "systems",
            "Live, by system",
            "System",
            "os",
            &overview.by_os,
        ),
        live(
            "countries",
            "Live, by country",
            "Country",
            "country",
            &overview.by_country,
        ),
    ]
}

fn live_rows(breakdown: &Breakdown, filter: &str) -> Vec<RowView> {
    let mut rows: Vec<(String, i64, Option<String>)> = breakdown
        .top
        .iter()
        .map(|LabelCount { label, total }| match label.as_str() {
            "" => ("Not known".into(), *total, None),
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

fn end_rows(ends: &[LabelCount]) -> Vec<RowView> {
    let row = |end: &LabelCount| {
        let link = sessions(&[("reason", &end.label), ("state", "ended")]);
        let link = Some(link).filter(|_| !end.label.is_empty());
        (reason(&end.label), end.total, link)
    };
    to_rows(ends.iter().map(row).collect())
}

fn to_rows(rows: Vec<(String, i64, Option<String>)>) -> Vec<RowView> {
    let all: i64 = rows.iter().map(|(_, n, _)| n).sum();
    let largest = rows.iter().map(|(_, n, _)| *n).max().unwrap_or(0);
    rows.into_iter()
        .map(|(name, n, link)| RowView {
            name,
            value: grouped(n),
            share: percent(n, all),
            length: length(n, largest, LONGEST_BAR),
            link,
        })
        .collect()
}

fn percent(n: i64, all: i64) -> String {
    match i128::from(n) * 100 {
        _ if all <= 0 => String::new(),
        part if part > 0 && part < i128::from(all) => "under 1 %".into(),
        part => format!("{} %", part / i128::from(all)),
    }
}

fn kind(label: &str) -> String {
    match label {
        "tv" => "Television".into(),
        "unknown" => "Not known".into(),
        label => {
            let mut letters = label.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    }
}

fn reason(label: &str) -> String {
    match label {
        "signed_out" => "Signed out on the device",
        "signed_out_remotely" => "Signed out from another device",
        "admin" => "Ended by an administrator",
        "expired" => "Expired",
        "reuse_detected" => "Token theft",
        "password_changed" => "Password changed",
        "account_disabled" => "Account disabled",
        "replaced" => "Replaced by a new sign-in",
        "limit" => "Too many sessions",
        "" => "Not known",
        other => other,
    }
    .to_owned()
}

/// Returns, of each job, the run that any node started last.
pub fn job_views(nodes: &[Node], now: Timestamp) -> Vec<JobView> {
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
        .map(|(report, node)| JobView::new(report, node, now))
        .collect()
}

impl JobView {
    fn new(report: &JobReport, node: &Node, now: Timestamp) -> Self {
        Self {
            name: report.name.clone(),
            started: report.started_at().map(|at| TimeView::ago(at, now)),
            took: format!(
                "{} ms",
                grouped(i64::try_from(report.took_ms).unwrap_or(i64::MAX))
            ),
            outcome: report.outcome.clone(),
            has_failed: report.has_failed,
            node: format!("{} ({})", node.name, node.listen),
            next: report.next_at().map(|at| until(at, now)),
        }
    }
}

/// Returns how long it is until `at`.
fn until(at: Timestamp, now: Timestamp) -> String {
    match at.since(now).as_secs() {
        0 => "now".into(),
        seconds @ 1..=119 => format!("in {seconds} s"),
        seconds @ 120..=7_199 => format!("in {} minutes", seconds / 60),
        seconds => format!("in {} hours", seconds / 3_600),
    }
}

impl NodeView {
    /// Returns the view of a node at `now`.
    pub fn new(node: &Node, now: Timestamp) -> Self {
        Self {
            name: node.name.clone(),
            listen: node.listen.clone(),
            version: node.version.clone(),
            started: TimeView::ago(node.started_at, now),
            seen: TimeView::ago(node.seen_at, now),
            offset: format!("{} ms", grouped(node.clock_offset_ms)),
        }
    }
}
