//! What pages say of a value that is none of those to choose from.

use crate::error::{Error, FieldError};

/// The fields of pages that are chosen from a list, with their labels there.
const CHOSEN: [(&str, &str); 6] = [
    ("idle_limit", "Sign out devices not used for"),
    ("addresses", "Store my IP addresses"),
    ("time_zone", "Show times in"),
    ("when_unused", "When it is not used"),
    ("role", "Role"),
    ("expires", "When it expires"),
];

/// Returns what went wrong, for people: they choose from a list, and need no names of values.
pub(super) fn page_detail(error: &Error) -> String {
    let fields = error.field_errors();
    let label = |err: &FieldError| {
        let found = CHOSEN.iter().find(|(field, _)| *field == err.field);
        found.map(|(_, label)| *label)
    };
    match fields.iter().find_map(label) {
        Some(label) => {
            format!("Nothing was changed. Choose one of the options under “{label}”.")
        }
        None => error.detail(),
    }
}
