//! The query of *Your devices*: what its list is narrowed to, what is selected on it, and to which list the
//! selection goes.

use serde::Deserialize;
use url::form_urlencoded;

use super::device_list::list_url;
use super::narrowing::{DEVICE, Narrowing, Selection};
use crate::db::SessionId;

/// The query of `GET /devices`. It may have the field of a selected device besides, several times.
#[derive(Default, Deserialize)]
pub struct DevicesQuery {
    /// The cursor at which the list of ended sessions continues.
    pub(super) ended: Option<String>,
    /// The words that the other devices are searched for.
    pub(super) q: Option<String>,
    /// The days that the other devices have not been used for.
    pub(super) unused: Option<String>,
    /// The time that the other devices were last used at: the id of a group.
    pub(super) used: Option<String>,
    /// After how many of the devices the list begins.
    pub(super) after: Option<String>,
    /// Which are selected: "all" or "none".
    pub(super) select: Option<String>,
    /// The fields of another list, of a button that takes the selection there.
    pub(super) list: Option<String>,
    /// Present if the list is searched anew, with the selection.
    pub(super) find: Option<String>,
}

impl DevicesQuery {
    /// Returns the query for the list that the form with these fields selects from.
    pub(super) fn narrowed(fields: &[(String, String)]) -> Self {
        let field = |name| {
            let found = fields.iter().find(|(field, _)| field == name);
            found.map(|(_, value)| value.clone())
        };
        Self {
            q: field("q"),
            unused: field("unused"),
            used: field("used"),
            after: field("after"),
            ..Self::default()
        }
    }

    /// Returns the address of another list that it asks for, with the devices that are selected.
    pub(super) fn another_list(&self, selected: &[SessionId]) -> Option<String> {
        let (query, select) = match (&self.list, &self.find) {
            (Some(list), _) => {
                let fields: Vec<_> = form_urlencoded::parse(list.as_bytes())
                    .into_owned()
                    .collect();
                let select = fields.iter().find(|(name, _)| name == "select");
                (
                    Self::narrowed(&fields),
                    select.map(|(_, choice)| choice.clone()),
                )
            }
            (None, Some(_)) => {
                let q = self.q.clone();
                (
                    Self {
                        q,
                        ..Self::default()
                    },
                    None,
                )
            }
            (None, None) => return None,
        };
        let mut fields = query.narrowing().fields();
        let is_none = select.as_deref() == Some("none");
        fields.extend(select.map(|choice| ("select", choice)));
        if !is_none {
            fields.extend(selected.iter().map(|id| (DEVICE, id.to_string())));
        }
        Some(list_url(&fields))
    }

    /// Returns what is selected of the list, with the devices that were selected on the page.
    pub(super) fn selection(&self, selected: Vec<SessionId>) -> Selection {
        Selection::new(self.select.as_deref(), selected)
    }

    /// Returns what it narrows the list to.
    pub(super) fn narrowing(&self) -> Narrowing {
        Narrowing::new(
            self.q.as_deref(),
            self.unused.as_deref(),
            self.used.as_deref(),
        )
        .after(self.after.as_deref())
    }
}
