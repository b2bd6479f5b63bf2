//! The filters of the list of people: what the address says, and the form that shows it.

use url::form_urlencoded::{self, Serializer};

use super::fields::{self, Field};
use crate::applications::Application;
use crate::error::{Error, FieldError, Result};
use crate::people::{PeopleCursor, PeopleFilter, SearchText};

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
    ("", "any"),
    ("admin", "Administrators"),
    ("auditor", "Auditors"),
    ("person", "People without a role"),
];
const STATES: [(&str, &str); 3] = [("", "any"), ("active", "Active"), ("disabled", "Disabled")];
const EMAILS: [(&str, &str); 3] = [
    ("", "any"),
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

    /// Returns the filter.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every part that is not valid, and every name that is no filter.
    pub(super) fn filter(&self) -> Result<PeopleFilter> {
        let mut errors: Vec<FieldError> = self
            .unknown
            .iter()
            .map(|name| FieldError::new(name.clone(), "is not a filter of this list"))
            .collect();
        let filter = PeopleFilter {
            text: taken(SearchText::parse(&self.q), &mut errors).flatten(),
            role: taken(parse(&self.role), &mut errors).flatten(),
            state: taken(parse(&self.state), &mut errors).flatten(),
            application: match self.application.as_str() {
                "" => None,
                id => {
                    let words = "must be the id of an application";
                    let id = id.parse().map_err(|_| Error::field("application", words));
                    taken(id, &mut errors)
                }
            },
            email: taken(parse(&self.email), &mut errors).flatten(),
        };
        match errors.is_empty() {
            true => Ok(filter),
            false => Err(Error::Invalid(errors)),
        }
    }

    /// Returns where the page begins.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is no place in the list.
    pub(super) fn cursor(&self) -> Result<Option<PeopleCursor>> {
        parse(&self.cursor)
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
    let any = ("".to_owned(), "any");
    let applications = applications
        .iter()
        .map(|application| (application.id.to_string(), application.name.as_str()));
    let filters = vec![
        Field::select("role", "Role", form.role.clone(), ROLES),
        Field::select("state", "State", form.state.clone(), STATES),
        Field::select(
            "application",
            "Application that signs them in",
            form.application.clone(),
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

/// Parses a value; `None` when it is empty.
fn parse<T: std::str::FromStr<Err = Error>>(text: &str) -> Result<Option<T>> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some),
    }
}

/// Returns the value, or adds what is wrong with it to `errors`.
fn taken<T>(result: Result<T>, errors: &mut Vec<FieldError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(err) => {
            errors.extend_from_slice(err.field_errors());
            None
        }
    }
}

fn address<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    match query.is_empty() {
        true => "/admin/users".into(),
        false => format!("/admin/users?{query}"),
    }
}
