//! The filters of the list of people: what the address says, and the form that shows it.

use url::form_urlencoded::{self, Serializer};

use super::fields::{self, Field};
use crate::applications::Application;
use crate::error::{Error, FieldError, Result};
use crate::listing::together;
use crate::people::{NamedPeopleFilter, PeopleCursor, PeopleFilter};

/// The filters as they were typed or chosen.
#[derive(Default)]
pub(super) struct FilterForm {
    q: String,
    role: String,
    state: String,
    application: String,
    email: String,
    cursor: String,
    /// Names in the query that are no filters.
    unknown: Vec<String>,
}

/// A link to a list that is often wanted.
pub(super) struct PresetView {
    /// Its address.
    pub(super) href: String,
    /// Its words.
    pub(super) words: &'static str,
    /// Whether it is the list shown.
    pub(super) is_chosen: bool,
}

const ROLES: [(&str, &str); 4] = [
    ("", "Any"),
    ("admin", "Administrators"),
    ("auditor", "Auditors"),
    ("person", "People without a role"),
];
const STATES: [(&str, &str); 3] = [("", "Any"), ("active", "Active"), ("disabled", "Disabled")];
const EMAILS: [(&str, &str); 3] = [
    ("", "Any"),
    ("verified", "Verified"),
    ("unverified", "Not verified"),
];

/// The lists that are often wanted: the filter, its value, and the words.
const PRESETS: [(&str, &str, &str); 5] = [
    ("", "", "Everybody"),
    ("role", "admin", "Administrators"),
    ("role", "auditor", "Auditors"),
    ("state", "disabled", "Disabled"),
    ("email", "unverified", "E-mail not verified"),
];

impl FilterForm {
    /// Returns the filters in a query.
    pub(super) fn from_query(query: &str) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match form.field(&name) {
                Some(field) => *field = value.trim().to_owned(),
                None => form.unknown.push(name.into_owned()),
            }
        }
        form
    }

    fn field(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "q" => &mut self.q,
            "role" => &mut self.role,
            "state" => &mut self.state,
            "application" => &mut self.application,
            "email" => &mut self.email,
            "cursor" => &mut self.cursor,
            _ => return None,
        })
    }

    /// Returns the filters in their order: name and value.
    fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            ("q", &self.q),
            ("role", &self.role),
            ("state", &self.state),
            ("application", &self.application),
            ("email", &self.email),
        ]
    }

    /// Returns the address of this page of the list.
    pub(super) fn here(&self) -> String {
        self.href(Some(self.cursor.as_str()).filter(|cursor| !cursor.is_empty()))
    }

    /// Returns whether no filter is set.
    pub(super) fn is_empty(&self) -> bool {
        self.pairs().iter().all(|(_, value)| value.is_empty())
    }

    /// Returns whether a text is searched for.
    pub(super) fn has_text(&self) -> bool {
        !self.q.is_empty()
    }

    /// Returns the name or the id of the application, if one is chosen.
    pub(super) fn application(&self) -> Option<&str> {
        Some(self.application.as_str()).filter(|text| !text.is_empty())
    }

    /// Returns the filter.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every part that is not valid, and every name that is no filter.
    pub(super) fn filter(&self) -> Result<NamedPeopleFilter> {
        let unknown = self.unknown.iter();
        let unknown: Vec<FieldError> = unknown
            .map(|name| FieldError::new(name.clone(), "is not a filter of this list"))
            .collect();
        let known = match unknown.is_empty() {
            true => Ok(()),
            false => Err(Error::Invalid(unknown)),
        };
        let (_, (filter, _)) = together(known, NamedPeopleFilter::parse(self.pairs()))?;
        Ok(filter)
    }

    /// Returns where the page begins.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is no place in the list of that filter.
    pub(super) fn cursor(&self, filter: &PeopleFilter) -> Result<Option<PeopleCursor>> {
        let cursor = Some(self.cursor.as_str()).filter(|cursor| !cursor.is_empty());
        cursor.map(|cursor| filter.parse_cursor(cursor)).transpose()
    }

    /// Returns the address of the list, or of a page of it.
    pub(super) fn href(&self, cursor: Option<&str>) -> String {
        let set = self
            .pairs()
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        let cursor = cursor.map(|cursor| ("cursor", cursor));
        address(set.chain(cursor))
    }

    /// Returns the lists that are often wanted.
    pub(super) fn presets(&self) -> Vec<PresetView> {
        let preset = |(name, value, words): (&'static str, &'static str, &'static str)| {
            let own = (!name.is_empty()).then_some((name, value));
            let href = address(own.into_iter());
            PresetView {
                is_chosen: self.unknown.is_empty() && self.href(None) == href,
                href,
                words,
            }
        };
        PRESETS.into_iter().map(preset).collect()
    }
}

/// Returns the text field, and the form with the other filters.
pub(super) fn fields(
    form: &FilterForm,
    applications: &[Application],
) -> (Field, fields::FilterForm) {
    let text = Field::text("q", "Find somebody", form.q.clone());
    // One may be named in the address.
    let named = applications
        .iter()
        .find(|other| other.name == form.application);
    let chosen = named.map_or(form.application.clone(), |named| named.id.to_string());
    let any = (String::new(), "Any");
    let applications = applications
        .iter()
        .map(|application| (application.id.to_string(), application.name.as_str()));
    let filters = vec![
        Field::select("role", "Role", form.role.clone(), ROLES),
        Field::select("state", "State", form.state.clone(), STATES),
        Field::select(
            "application",
            "Application that signs them in",
            chosen,
            std::iter::once(any).chain(applications),
        ),
        Field::select("email", "E-mail", form.email.clone(), EMAILS),
    ];
    let filters = fields::FilterForm {
        fields: filters,
        suggestions: Vec::new(),
    };
    (text, filters)
}

fn address<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    match query.is_empty() {
        true => "/admin/users".into(),
        false => format!("/admin/users?{query}"),
    }
}
