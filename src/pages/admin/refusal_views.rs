//! What was refused, as the overview and the list of events show it.

use super::overview_banner::events;
use super::periods::{Unit, filter_time};
use super::quantity::{counted, signed};
use super::stacked_chart::{SERIES, StackedChart};
use crate::clock::Timestamp;
use crate::db::UserId;
use crate::events::EventKind;
use crate::http::reader_clock::ReaderClock;
use crate::net::display_stored_ip;
use crate::overview::{RefusalFigures, RefusalPeriod, ThrottledAccount};
use crate::people::Role;

/// What the parts of a bar are.
const LEGEND: [&str; SERIES] = ["Failed passwords", "Throttled attempts", "Other refusals"];

/// What was refused.
pub struct RefusalsView {
    /// Whether nothing was, in the days that are counted.
    pub is_empty: bool,
    /// What was refused in 24 hours, in short.
    pub summary: String,
    /// The hours and the days.
    pub periods: Vec<RefusalPeriodView>,
    /// The accounts with the most throttled tries.
    pub accounts: Vec<AccountView>,
    /// The networks with the most throttled tries.
    pub networks: Vec<NetworkView>,
    /// Whether the reader can lift a delay.
    pub can_lift: bool,
}

/// What was refused in the hours or on the days, as a chart and as a table.
pub struct RefusalPeriodView {
    /// The chart.
    pub chart: StackedChart,
    /// What the first column of the table is.
    pub column: &'static str,
    /// The rows: the name of the hour or of the day; failed passwords, throttled tries, other refusals;
    /// accounts and networks on or from which tries were throttled.
    pub rows: Vec<(String, [String; 5])>,
    /// The path of the list of the events.
    pub link: String,
}

/// An account on which tries were throttled.
pub struct AccountView {
    /// The name, or words for who is deleted.
    pub name: String,
    /// What is said of it besides.
    pub hint: Option<String>,
    /// The path of the person's page, if there is one.
    pub href: Option<String>,
    /// How many tries were throttled.
    pub tries: String,
    /// The path of the list of these.
    pub events: String,
    /// Whether the next try may have to wait.
    pub may_wait: bool,
    /// The path of the page that lifts the delay.
    pub lift: String,
}

/// A network from which tries were throttled.
pub struct NetworkView {
    /// The address or the network.
    pub name: String,
    /// How many tries were throttled.
    pub tries: String,
    /// The path of the list of these.
    pub events: String,
}

impl RefusalsView {
    /// Returns the figures for a reader with that role; the next try on `delayed` accounts may have to
    /// wait.
    pub fn new(
        figures: &RefusalFigures,
        delayed: &[UserId],
        role: Role,
        clock: ReaderClock,
    ) -> Self {
        let since = first_hour(figures);
        let account = |account: &ThrottledAccount| AccountView::new(account, delayed, &since);
        Self {
            is_empty: figures.is_empty(),
            summary: summarize(figures),
            periods: vec![hours(figures, clock), days(figures, clock)],
            accounts: figures.accounts.iter().map(account).collect(),
            networks: figures
                .networks
                .iter()
                .map(|network| NetworkView {
                    name: display_stored_ip(&network.label),
                    tries: signed(network.total),
                    events: throttled(("ip", &network.label), &since),
                })
                .collect(),
            can_lift: role == Role::Admin,
        }
    }
}

impl AccountView {
    fn new(account: &ThrottledAccount, delayed: &[UserId], since: &str) -> Self {
        let id = account.id.to_string();
        let (name, hint) = match &account.person {
            Some(person) => {
                let known_by = person.known_by();
                let name = person.full_name.clone().unwrap_or_else(|| known_by.clone());
                let hint = Some(known_by).filter(|known_by| *known_by != name);
                (name, hint)
            }
            None => ("a deleted account".into(), None),
        };
        Self {
            name,
            hint,
            href: account
                .person
                .as_ref()
                .map(|_| format!("/admin/users/{id}")),
            tries: signed(account.tries),
            events: throttled(("user", &id), since),
            may_wait: delayed.contains(&account.id),
            lift: format!("/admin/users/{id}/lift-delay"),
        }
    }
}

/// Returns the list of the throttled tries on an account or from a network.
fn throttled(of: (&str, &str), since: &str) -> String {
    let kind = EventKind::Throttled.as_str();
    events(&[("kind", kind), of, ("from", since)])
}

/// Returns the list of the refusals of one kind in the last 24 hours.
pub(super) fn last_day(figures: &RefusalFigures, kind: EventKind) -> String {
    events(&[("kind", kind.as_str()), ("from", &first_hour(figures))])
}

/// Returns the start of the first hour that is counted.
fn first_hour(figures: &RefusalFigures) -> String {
    let first = figures.by_hour.first().map_or(figures.at, |hour| hour.from);
    first.format("%Y-%m-%dT%H:00:00Z").to_string()
}

fn hours(figures: &RefusalFigures, clock: ReaderClock) -> RefusalPeriodView {
    RefusalPeriodView::new(
        ("refusals-by-hour", "Refused by hour"),
        (&figures.by_hour, Unit::Hour),
        &first_hour(figures),
        clock,
    )
}

fn days(figures: &RefusalFigures, clock: ReaderClock) -> RefusalPeriodView {
    let first = figures.by_day.first().map_or(figures.at, |day| day.from);
    RefusalPeriodView::new(
        ("refusals-by-day", "Refused by day"),
        (&figures.by_day, Unit::Day),
        &filter_time(first),
        clock,
    )
}

impl RefusalPeriodView {
    fn new(
        title: (&'static str, &'static str),
        (periods, unit): (&[RefusalPeriod], Unit),
        since: &str,
        clock: ReaderClock,
    ) -> Self {
        let starts: Vec<Timestamp> = periods.iter().map(|period| period.from).collect();
        let names = || unit.names(&starts, clock).into_iter();
        let parts = |it: &RefusalPeriod| [it.failed_passwords, it.throttled, it.others];
        let values: Vec<_> = names().zip(periods.iter().map(parts)).collect();
        let sums: Vec<_> = names()
            .zip(periods.iter().map(RefusalPeriod::all))
            .collect();
        let summary = unit.summary(&sums, &starts, clock, signed);
        Self {
            chart: StackedChart::new(title, summary, LEGEND, &values, unit.step()),
            column: unit.column(),
            rows: names().zip(periods).map(row).collect(),
            link: events(&[("kind", "refusals"), ("from", since)]),
        }
    }
}

fn row((name, period): (String, &RefusalPeriod)) -> (String, [String; 5]) {
    let figures = [
        period.failed_passwords,
        period.throttled,
        period.others,
        period.throttled_accounts,
        period.throttled_networks,
    ];
    (name, figures.map(signed))
}

/// Returns what was refused in 24 hours: "12 failed passwords, 3 throttled attempts, 1 other refusal".
fn summarize(figures: &RefusalFigures) -> String {
    let sum = |of: fn(&RefusalPeriod) -> i64| figures.by_hour.iter().map(of).sum::<i64>();
    let parts = [
        (sum(|hour| hour.failed_passwords), "failed password"),
        (sum(|hour| hour.throttled), "throttled attempt"),
        (sum(|hour| hour.others), "other refusal"),
    ];
    let [passwords, throttled, others] = parts.map(|(n, unit)| counted(n.unsigned_abs(), unit));
    format!("{passwords}, {throttled}, {others}")
}
