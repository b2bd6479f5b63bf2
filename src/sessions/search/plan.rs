//! Chooses the indexes by which a search finds its rows.

use super::criteria::{Criteria, Driver, Lane, Part, Spellings};
use super::filter::SortKey;
use super::resolve::parts;
use crate::db::AnyConnection;
use crate::error::Result;
use crate::sessions::store::search as store;

/// The rows that are sorted here when no index has them in the order of the list.
pub(super) const FEW: i64 = 10_000;
/// Of indexes that all have the order, the rows are counted up to so many to find the one with the fewest.
const SOME: i64 = 50_000;
/// So few that no other index is tried.
const VERY_FEW: i64 = 500;

/// Chooses the lanes of a list in the order of `key`: those of the filter's part that has few rows;
/// else of one whose index has the order; else the order's own index.
///
/// # Errors
/// Those of the database.
pub(super) fn plan(c: &mut AnyConnection, criteria: &Criteria, key: SortKey) -> Result<Vec<Lane>> {
    let mut choices = choices(criteria, key);
    if let [only] = &mut choices[..]
        && has_order(only, key)
    {
        return Ok(std::mem::take(only));
    }
    let mut best = None;
    for choice in &choices {
        let rows = count(c, choice, criteria, FEW)?;
        if rows <= best.map_or(FEW, |(least, _)| least - 1) {
            best = Some((rows, choice));
        }
        if rows <= VERY_FEW {
            break;
        }
    }
    if let Some((_, few)) = best {
        let is_sorted = has_order(few, key);
        let lane = |lane: &Lane| Lane {
            is_sorted,
            ..lane.clone()
        };
        return Ok(few.iter().map(lane).collect());
    }
    choices.retain(|choice| has_order(choice, key));
    let in_order = fewest(c, choices, criteria)?;
    Ok(in_order.unwrap_or_else(|| lanes(criteria, vec![Driver::Order])))
}

/// Chooses the lanes by which the fewest rows are read, in whatever order.
///
/// # Errors
/// Those of the database.
pub(super) fn plan_to_count(c: &mut AnyConnection, criteria: &Criteria) -> Result<Vec<Lane>> {
    let key = SortKey::Used;
    let best = plan(c, criteria, key)?;
    if best.iter().all(|lane| lane.driver != Driver::Order) {
        return Ok(best);
    }
    // None has few rows; one that doesn't have the order still has fewer than all.
    let is_walkable = |lanes: &Vec<Lane>| lanes.iter().all(|lane| lane.own_key().is_some());
    let mut choices = choices(criteria, key);
    choices.retain(is_walkable);
    Ok(fewest(c, choices, criteria)?.unwrap_or(best))
}

/// Returns the choice with the fewest rows, or the first one where all have more than [`SOME`].
fn fewest(
    c: &mut AnyConnection,
    choices: Vec<Vec<Lane>>,
    criteria: &Criteria,
) -> Result<Option<Vec<Lane>>> {
    if choices.len() < 2 {
        return Ok(choices.into_iter().next());
    }
    let mut best = None;
    let mut least = i64::MAX;
    for choice in choices {
        let rows = count(c, &choice, criteria, SOME.min(least))?;
        if rows < least {
            (least, best) = (rows, Some(choice));
        }
    }
    Ok(best)
}

fn has_order(lanes: &[Lane], key: SortKey) -> bool {
    lanes.iter().all(|lane| lane.has_order(key))
}

/// Counts the rows of all lanes, to one more than `most`.
fn count(c: &mut AnyConnection, lanes: &[Lane], criteria: &Criteria, most: i64) -> Result<i64> {
    let mut rows = 0;
    for lane in lanes {
        rows += store::count(c, lane, criteria, most + 1 - rows)?;
        if rows > most {
            break;
        }
    }
    Ok(rows)
}

/// Returns the lanes of each part of the filter that has an index, those that as a rule have the
/// fewest rows first.
fn choices(criteria: &Criteria, key: SortKey) -> Vec<Vec<Lane>> {
    let one = |driver: Driver| vec![driver];
    let users = criteria.users.clone();
    let ip = criteria.ip.clone().map(|range| {
        one(match range.first == range.last {
            true => Driver::Ip(range.first),
            false => Driver::IpRange(range.first, range.last),
        })
    });
    let by_time = |range: super::criteria::TimeRange, own: SortKey, driver: Driver| {
        (!range.is_whole() && key != own).then(|| one(driver))
    };
    let choices = [
        users.map(|users| users.into_iter().map(Driver::User).collect()),
        ip,
        criteria.application.map(|id| one(Driver::Application(id))),
        criteria.mark.map(|mark| one(Driver::Mark(mark))),
        criteria.reason.map(|reason| one(Driver::Reason(reason))),
        spelled(criteria.country.as_ref(), Driver::Country),
        by_time(criteria.used, SortKey::Used, Driver::Used),
        by_time(criteria.opened, SortKey::Opened, Driver::Opened),
        spelled(criteria.os.as_ref(), Driver::Os),
        spelled(criteria.browser.as_ref(), Driver::Browser),
        criteria.kind.map(|kind| one(Driver::Kind(kind))),
    ];
    let choices = choices.into_iter().flatten();
    let choices = choices.map(|drivers| lanes(criteria, drivers));
    choices.filter(|lanes| !lanes.is_empty()).collect()
}

fn spelled(spellings: Option<&Spellings>, driver: fn(String) -> Driver) -> Option<Vec<Driver>> {
    match spellings? {
        Spellings::Known(names) => Some(names.iter().cloned().map(driver).collect()),
        Spellings::Unknown(_) => None,
    }
}

/// Returns a lane for each driver in each part of the table that the sessions may be in.
fn lanes(criteria: &Criteria, drivers: Vec<Driver>) -> Vec<Lane> {
    let lane = |part: Part, driver: Driver| Lane {
        part,
        driver,
        is_sorted: true,
    };
    let mut lanes = Vec::new();
    for driver in drivers {
        let parts = match driver {
            // The marks have an index each, over all sessions.
            Driver::Mark(_) => &[Part::Both][..],
            // Only ended sessions have a reason.
            Driver::Reason(_) => &[Part::Ended],
            _ => parts(criteria.state),
        };
        lanes.extend(parts.iter().map(|part| lane(*part, driver.clone())));
    }
    lanes
}
