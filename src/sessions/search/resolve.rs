//! Resolves the names in a filter to what the rows contain.

use super::criteria::{Criteria, Part, Spellings};
use super::filter::{SessionFilter, StateFilter};
use crate::applications;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::people::{self, Email};
use crate::sessions::store::search as store;

/// The different texts of a column that are compared with a name. A column with more is compared row
/// by row.
const MAX_VALUES: i64 = 400;

/// Resolves a filter; `None` when it names somebody or something that there is not, so that no
/// session satisfies it.
///
/// # Errors
/// Those of the database.
pub(super) fn resolve(
    c: &mut AnyConnection,
    filter: &SessionFilter,
    now: Timestamp,
) -> Result<Option<Criteria>> {
    let mut criteria = Criteria::of(filter, now);
    if let Some(text) = &filter.user {
        let people = list_people(c, text)?;
        if people.is_empty() {
            return Ok(None);
        }
        criteria.users = Some(people);
    }
    if let Some(text) = &filter.application {
        let Some(id) = applications::store::find_application_id(c, text)? else {
            return Ok(None);
        };
        criteria.application = Some(id);
    }
    let columns = [
        ("browser", &filter.browser, &mut criteria.browser),
        ("os", &filter.os, &mut criteria.os),
        ("location_country", &filter.country, &mut criteria.country),
    ];
    for (column, name, spellings) in columns {
        let Some(name) = name else { continue };
        let found = list_spellings(c, column, name, criteria.state)?;
        if matches!(&found, Spellings::Known(names) if names.is_empty()) {
            return Ok(None);
        }
        *spellings = Some(found);
    }
    Ok(Some(criteria))
}

/// Returns `filter` with ids in place of what may come to be another's: the name of an application,
/// and the e-mail of its owner. `None` when several people have that e-mail.
///
/// # Errors
/// [`Error::Invalid`] when it names somebody or something that there is not, or too many people.
pub(in crate::sessions) fn with_ids(
    c: &mut AnyConnection,
    filter: &SessionFilter,
) -> Result<Option<SessionFilter>> {
    let mut filter = filter.clone();
    if let Some(text) = &filter.application {
        let id = applications::store::find_application_id(c, text)?;
        let id = id.ok_or_else(|| Error::field("application", "there is no such application"))?;
        filter.application = Some(id.to_string());
    }
    if let Some(text) = &filter.user {
        filter.user = match list_people(c, text)?.as_slice() {
            [] => return Err(Error::field("user", "nobody has that e-mail or id")),
            [one] => Some(one.to_string()),
            many if many.len() > people::store::MAX_STATED_ALIKE => {
                return Err(Error::field(
                    "user",
                    "too many people have that e-mail; give their ids",
                ));
            }
            _ => return Ok(None),
        };
    }
    Ok(Some(filter))
}

/// Returns whether there is what a filter names: the application, and a person with the e-mail.
///
/// # Errors
/// Those of the database.
pub(in crate::sessions) fn names_exist(
    c: &mut AnyConnection,
    filter: &SessionFilter,
) -> Result<bool> {
    let application = match &filter.application {
        Some(text) => applications::store::find_application_id(c, text)?.is_some(),
        None => true,
    };
    let user = match &filter.user {
        Some(text) => !list_people(c, text)?.is_empty(),
        None => true,
    };
    Ok(application && user)
}

/// Lists the people with that id or e-mail; several may have one e-mail that their applications state.
fn list_people(c: &mut AnyConnection, text: &str) -> Result<Vec<UserId>> {
    if let Ok(id) = text.parse::<UserId>() {
        return Ok(vec![id]);
    }
    let mut people = people::store::list_by_stated_email(c, &text.to_lowercase())?;
    if let Ok(email) = text.parse::<Email>() {
        let user = people::store::find_by_email(c, &email)?;
        people.extend(user.map(|user| user.id));
    }
    people.sort_unstable();
    people.dedup();
    Ok(people)
}

fn list_spellings(
    c: &mut AnyConnection,
    column: &'static str,
    name: &str,
    state: StateFilter,
) -> Result<Spellings> {
    let name = name.to_lowercase();
    let mut names = Vec::new();
    for part in parts(state) {
        let values = store::list_values(c, column, *part, MAX_VALUES)?;
        if values.len() as i64 >= MAX_VALUES - 1 {
            return Ok(Spellings::Unknown(name));
        }
        names.extend(values);
    }
    names.retain(|value| value.to_lowercase() == name);
    names.sort_unstable();
    names.dedup();
    Ok(Spellings::Known(names))
}

/// Returns the parts of the table that have the sessions of a state.
pub(super) fn parts(state: StateFilter) -> &'static [Part] {
    match state {
        StateFilter::Live => &[Part::Live],
        StateFilter::Ended => &[Part::Ended],
        StateFilter::Any => &[Part::Live, Part::Ended],
    }
}
