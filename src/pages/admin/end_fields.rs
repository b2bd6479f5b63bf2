//! The fields of the two forms that end sessions: which sessions, and what is asked besides.

use super::back::{self, Back, List};
use crate::clock::Timestamp;
use crate::db::SessionId;
use crate::error::{Error, Result};
use crate::sessions::bulk::{OrderTicket, Selection};
use crate::sessions::search::SessionFilter;

/// A ticked session; repeated.
const TICKED: &str = "session";
/// Present for all that the filter finds.
const ALL: &str = "all";
/// The reason to state. The filter has a `reason` of its own.
const STATED_REASON: &str = "stated_reason";
/// Present if the caller's own sessions are ended as well.
const INCLUDE_OWN: &str = "include_own";
/// The ticket of the order.
const ORDER: &str = "order";
/// What else these forms and the page that asks for the password send.
const OTHERS: [&str; 4] = ["csrf", "password", "act", "next"];

/// The form, as it was filled in.
#[derive(Debug)]
pub(super) struct EndFields {
    /// Which sessions; `None` where none is ticked.
    pub(super) selection: Option<Selection>,
    /// The reason, as typed.
    pub(super) stated_reason: String,
    /// Whether the caller's own are ended as well.
    pub(super) includes_own: bool,
    /// The ticket of the order, if the form is that of a page that says what would be ended.
    pub(super) ticket: Option<OrderTicket>,
    /// The list that they were chosen in.
    pub(super) back: Back,
}

impl EndFields {
    /// Parses the fields of a form. Spans before now are times from here on, so that the sessions are
    /// the same once they are confirmed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a field is unknown, since leaving out a part of a filter would end
    /// more; when the filter finds only ended sessions; when a ticked session is none; or when a
    /// field that says yes says something else.
    pub(super) fn parse(fields: &[(String, String)], now: Timestamp) -> Result<Self> {
        let value = |name: &str| fields.iter().find(|(field, _)| field == name);
        let (mut ticked, mut filter) = (Vec::new(), Vec::new());
        for (name, value) in fields {
            match name.as_str() {
                TICKED => ticked.push(value.parse::<SessionId>().map_err(|_| unknown_session())?),
                ALL if value != "1" => return Err(Error::field(ALL, "must be 1")),
                INCLUDE_OWN if value != "on" => {
                    return Err(Error::field(INCLUDE_OWN, "must be on"));
                }
                ALL | STATED_REASON | INCLUDE_OWN | ORDER | back::NAME => {}
                name if OTHERS.contains(&name) => {}
                name => filter.push((name, value.as_str())),
            }
        }
        let selection = match value(ALL) {
            Some(_) => Some(Selection::matching(&SessionFilter::parse(filter)?, now)?),
            None if ticked.is_empty() => None,
            None => Some(Selection::listed(ticked)?),
        };
        Ok(Self {
            selection,
            stated_reason: value(STATED_REASON)
                .map_or_else(String::new, |(_, reason)| reason.clone()),
            includes_own: value(INCLUDE_OWN).is_some(),
            ticket: value(ORDER).map(|(_, ticket)| ticket.parse()).transpose()?,
            back: value(back::NAME)
                .and_then(|(_, address)| Back::parse(address))
                .unwrap_or(Back {
                    is_given: true,
                    ..Back::to(List::Sessions)
                }),
        })
    }
}

/// Returns whether a field is none of those that name the sessions, but what is typed and what the page adds.
pub(super) fn is_typed(name: &str) -> bool {
    matches!(name, STATED_REASON | INCLUDE_OWN | ORDER)
}

/// Returns the hidden fields that name a selection, the list that it was chosen in, and the ticket.
pub(super) fn hidden_fields(
    selection: &Selection,
    back: &Back,
    ticket: OrderTicket,
) -> Vec<(&'static str, String)> {
    let mut fields: Vec<_> = match selection {
        Selection::Matching(filter) => std::iter::once((ALL, "1".to_owned()))
            .chain(filter.to_pairs())
            .collect(),
        Selection::Listed(ids) => ids.iter().map(|id| (TICKED, id.to_string())).collect(),
    };
    fields.push((back::NAME, back.href.clone()));
    fields.push((ORDER, ticket.to_string()));
    fields
}

fn unknown_session() -> Error {
    Error::field(TICKED, "must be the id of a session")
}
