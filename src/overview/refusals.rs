//! What was refused: by the hour and by the day, and who was throttled.

use std::collections::{BTreeMap, HashMap};

use super::counted::{LabelCount, Span, sorted};
use super::oddities::Oddity;
use crate::clock::Timestamp;
use crate::counters::{self, Metric, ThrottledSubjects};
use crate::db::{AnyConnection, UserId};
use crate::error::Result;
use crate::events::EventKind;
use crate::people::{self, User};

/// The hours before, of which the mean is what is usual: those of a week.
const USUAL_HOURS: i32 = 7 * 24;
/// The tries of an hour from which on they may be odd.
const ODD_TRIES: i64 = 100;
/// How many times as many as usual they are then.
const ODD_FACTOR: i64 = 10;

/// Refused requests by the hour and by the kind of their event.
type ByHour = BTreeMap<(i32, String), i64>;

/// What was refused, and who was throttled.
#[derive(Debug)]
pub struct RefusalFigures {
    /// When they were read.
    pub at: Timestamp,
    /// The last 24 hours, oldest first.
    pub by_hour: Vec<RefusalPeriod>,
    /// The last 30 days, oldest first.
    pub by_day: Vec<RefusalPeriod>,
    /// The refused requests of the last 24 hours by the kind of their event, the most frequent first.
    pub by_kind: Vec<LabelCount>,
    /// The ten accounts with the most throttled tries of the last 24 hours, the most first.
    pub accounts: Vec<ThrottledAccount>,
    /// The ten networks with the most throttled tries of the last 24 hours, the most first. An IPv4
    /// address is a network by itself.
    pub networks: Vec<LabelCount>,
}

/// What was refused in an hour or on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalPeriod {
    /// When it begins.
    pub from: Timestamp,
    /// Tries with a wrong password, or on an account that can't be signed in to.
    pub failed_passwords: i64,
    /// Tries that were refused since there were too many.
    pub throttled: i64,
    /// Refused forms, tokens and requests for what is for administrators.
    pub others: i64,
    /// The accounts on which tries were throttled.
    pub throttled_accounts: i64,
    /// The networks from which tries were throttled.
    pub throttled_networks: i64,
}

/// An account on which tries were throttled.
#[derive(Debug)]
pub struct ThrottledAccount {
    /// The person's id.
    pub id: UserId,
    /// The person; `None` if the account is deleted.
    pub person: Option<User>,
    /// How many tries were throttled.
    pub tries: i64,
}

impl RefusalFigures {
    /// Returns how many requests were refused in the last 24 hours, of one kind of event.
    #[must_use]
    pub fn last_day(&self, kind: EventKind) -> i64 {
        let mut kinds = self.by_kind.iter();
        let found = kinds.find(|count| count.label == kind.as_str());
        found.map_or(0, |count| count.total)
    }

    /// Returns whether anything was refused in the days that are counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let mut periods = self.by_day.iter().chain(&self.by_hour);
        periods.all(|period| period.all() == 0)
    }
}

impl RefusalPeriod {
    /// Returns how many requests were refused.
    #[must_use]
    pub fn all(&self) -> i64 {
        self.failed_passwords + self.throttled + self.others
    }

    fn new(from: Timestamp, (accounts, networks): (i64, i64)) -> Self {
        Self {
            from,
            failed_passwords: 0,
            throttled: 0,
            others: 0,
            throttled_accounts: accounts,
            throttled_networks: networks,
        }
    }

    fn add(&mut self, kind: &str, total: i64) {
        *match kind.parse() {
            Ok(EventKind::SignInFailed | EventKind::PasswordRefused) => &mut self.failed_passwords,
            Ok(EventKind::Throttled) => &mut self.throttled,
            _ => &mut self.others,
        } += total;
    }
}

/// Reads what was refused, and what is odd about it.
pub(super) fn read(c: &mut AnyConnection, span: &Span) -> Result<(RefusalFigures, Option<Oddity>)> {
    let refused = counters::read_refusals(c, span.first_hour())?;
    let starts: Vec<i32> = span.days.iter().map(|day| day.start).collect();
    let since = (span.hours.start, starts.as_slice());
    let accounts = counters::read_throttled(c, Metric::ThrottledAccount, since)?;
    let networks = counters::read_throttled(c, Metric::ThrottledNetwork, since)?;
    let count = |counts: &BTreeMap<i32, i64>, at: i32| counts.get(&at).copied().unwrap_or(0);
    let by_hour = span.hours.clone().map(|hour| {
        let throttled = (
            count(&accounts.by_hour, hour),
            count(&networks.by_hour, hour),
        );
        period(&refused, hour..hour + 1, throttled)
    });
    let by_day = span.days.iter().map(|day| {
        let start = day.start;
        let throttled = (
            count(&accounts.by_day, start),
            count(&networks.by_day, start),
        );
        period(&refused, day.clone(), throttled)
    });
    let figures = RefusalFigures {
        at: span.now,
        by_hour: by_hour.collect(),
        by_day: by_day.collect(),
        by_kind: by_kind(&refused, span.hours.start),
        accounts: name_accounts(c, &accounts)?,
        networks: networks
            .top
            .into_iter()
            .map(|(label, total)| LabelCount { label, total })
            .collect(),
    };
    let odd = odd_hour(&refused, counters::hour_of(span.now));
    Ok((figures, odd))
}

/// Returns what was refused since an hour by the kind of its event, the most frequent first.
fn by_kind(refused: &ByHour, since: i32) -> Vec<LabelCount> {
    let mut by_kind = BTreeMap::new();
    for ((_, kind), total) in refused.range((since, String::new())..) {
        *by_kind.entry(kind.clone()).or_default() += total;
    }
    sorted(&by_kind)
}

/// Returns what was refused in the hours of a period.
fn period(refused: &ByHour, hours: std::ops::Range<i32>, throttled: (i64, i64)) -> RefusalPeriod {
    let mut period = RefusalPeriod::new(counters::start_of(hours.start), throttled);
    let within = (hours.start, String::new())..(hours.end, String::new());
    for ((_, kind), total) in refused.range(within) {
        period.add(kind, *total);
    }
    period
}

/// Returns the accounts with their people, those that are deleted without.
fn name_accounts(
    c: &mut AnyConnection,
    throttled: &ThrottledSubjects,
) -> Result<Vec<ThrottledAccount>> {
    let ids = || throttled.top.iter().filter_map(|(id, _)| id.parse().ok());
    let users: Vec<UserId> = ids().collect();
    let mut people: HashMap<UserId, User> = match users.is_empty() {
        true => HashMap::new(),
        false => people::store::list_by_ids(c, &users)?
            .into_iter()
            .map(|user| (user.id, user))
            .collect(),
    };
    let named = throttled.top.iter().filter_map(|(id, tries)| {
        let id = id.parse().ok()?;
        Some(ThrottledAccount {
            id,
            person: people.remove(&id),
            tries: *tries,
        })
    });
    Ok(named.collect())
}

/// Returns the present hour or the one before, whichever has more tries that failed or were throttled,
/// if they are many, and many times those of a usual hour: the mean of the week before.
fn odd_hour(refused: &ByHour, hour: i32) -> Option<Oddity> {
    let tries_in = |hours: std::ops::Range<i32>| {
        let period = period(refused, hours, (0, 0));
        period.failed_passwords + period.throttled
    };
    let (hour, tries) = [hour, hour - 1]
        .map(|hour| (hour, tries_in(hour..hour + 1)))
        .into_iter()
        .max_by_key(|(hour, tries)| (*tries, *hour))?;
    let usual = tries_in(hour - USUAL_HOURS..hour);
    let hours = i64::from(USUAL_HOURS);
    let is_odd = tries >= ODD_TRIES && tries * hours >= usual * ODD_FACTOR;
    is_odd.then(|| Oddity::FailedTries {
        from: counters::start_of(hour),
        tries,
        usual: (usual + hours / 2) / hours,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn odd(hours: &[(i32, i64)]) -> Option<(i64, i64)> {
        let kinds = ["sign_in_failed", "throttled"];
        let refused = hours.iter().flat_map(|(hour, tries)| {
            let halves = [tries / 2, tries - tries / 2];
            kinds
                .into_iter()
                .zip(halves)
                .map(|(kind, n)| ((*hour, kind.to_owned()), n))
        });
        match odd_hour(&refused.collect(), 1_000)? {
            Oddity::FailedTries { tries, usual, .. } => Some((tries, usual)),
            _ => None,
        }
    }

    #[test]
    fn an_hour_with_many_times_the_usual_tries_is_odd() {
        assert_eq!(odd(&[]), None);
        assert_eq!(odd(&[(1_000, 99)]), None, "too few");
        assert_eq!(odd(&[(1_000, 100)]), Some((100, 0)));
        assert_eq!(odd(&[(999, 100), (1_000, 3)]), Some((100, 0)), "just now");
        assert_eq!(odd(&[(998, 500), (1_000, 3)]), None, "over");
        let week: Vec<(i32, i64)> = (832..1_000).map(|hour| (hour, 20)).collect();
        let with = |tries| odd(&[week.as_slice(), &[(1_000, tries)]].concat());
        assert_eq!(with(199), None, "not ten times the usual");
        assert_eq!(with(200), Some((200, 20)));
    }

    #[test]
    fn other_refusals_are_no_tries() {
        let tokens = BTreeMap::from([((1_000, "token_refused".to_owned()), 5_000)]);
        assert_eq!(odd_hour(&tokens, 1_000), None);
    }
}
