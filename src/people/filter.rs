//! What people are found by: the same names in addresses of pages, in the API and on the command line.

use strum::VariantNames;

use super::cursor::PeopleCursor;
use super::values::{AccountState, EmailState, Role};
use crate::db::{ApplicationId, UserId};
use crate::error::{Error, Result};
use crate::listing::{ListKey, PageParts, one_of, short};
use crate::text;

/// A text that people are searched by: 1 to 255 characters. It is compared ignoring case with the
/// e-mail, the stated e-mail, the name and the subject; a whole id finds its person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(String);

impl SearchText {
    /// Characters that a text may have.
    pub const LIMIT: usize = 255;

    /// Parses a text; `None` when it is empty.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is longer than 255 characters.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let text = text::clean(text).to_lowercase();
        match text.chars().count() {
            0 => Ok(None),
            n if n <= Self::LIMIT => Ok(Some(Self(text))),
            _ => Err(Error::field("q", "must have at most 255 characters")),
        }
    }

    /// Returns the text, in lower case.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn id(&self) -> Option<UserId> {
        self.0.parse().ok()
    }

    pub(super) fn is_in(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| text.to_lowercase().contains(&self.0))
    }
}

/// Whom to find. What is `None` is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeopleFilter {
    /// What their e-mail, name, subject or id contains or is.
    pub text: Option<SearchText>,
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they can sign in.
    pub state: Option<AccountState>,
    /// The application that authenticates them.
    pub application: Option<ApplicationId>,
    /// Whether their e-mail was verified. People of applications have none that could be.
    pub email: Option<EmailState>,
}

/// A filter whose application is not looked up yet: only then it finds anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedPeopleFilter {
    /// The name or the id of the application that authenticates them.
    application: Option<String>,
    /// The other parts.
    others: PeopleFilter,
}

impl NamedPeopleFilter {
    /// The names of its parts.
    pub const NAMES: [&str; 5] = ["q", "role", "state", "application", "email"];

    /// Parses named parts, `limit` and `cursor`, such as the query of an address. Empty values say
    /// nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every part that is unknown, given twice or not as it must be.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(Self, PageParts)> {
        let mut filter = Self::default();
        let set = |name: &str, value| filter.set(name, value);
        let page = PageParts::read(pairs, &Self::NAMES, set)?;
        Ok((filter, page))
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let others = &mut self.others;
        match name {
            "q" => {
                let text = SearchText::parse(&value);
                others.text = text.map_err(|err| message(&err))?;
            }
            "role" => others.role = Some(one_of(&value, Role::VARIANTS)?),
            "state" => others.state = Some(one_of(&value, AccountState::VARIANTS)?),
            "application" => self.application = Some(short(value)?),
            "email" => others.email = Some(one_of(&value, EmailState::VARIANTS)?),
            _ => {}
        }
        Ok(())
    }

    /// Returns the name or the id of the application, if people of one are to be found.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        self.application.as_deref()
    }

    /// Returns the filter with the application that was looked up; `None` where it named one and there
    /// is none, so that it finds nobody.
    #[must_use]
    pub fn resolved(self, application: Option<ApplicationId>) -> Option<PeopleFilter> {
        let is_missing = self.application.is_some() && application.is_none();
        (!is_missing).then_some(PeopleFilter {
            application,
            ..self.others
        })
    }
}

impl PeopleFilter {
    /// Returns a cursor of the list of these people as opaque text.
    #[must_use]
    pub fn encode(&self, cursor: &PeopleCursor) -> String {
        self.list_key().seal(cursor)
    }

    /// Parses a cursor.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is none of the list of these people.
    pub fn parse_cursor(&self, cursor: &str) -> Result<PeopleCursor> {
        self.list_key().open(cursor)
    }

    fn list_key(&self) -> ListKey {
        let word = |word: Option<&'static str>| word.unwrap_or_default().to_owned();
        let application = self.application.map(|id| id.to_string());
        let parts = [
            (
                "q",
                self.text.clone().map(|text| text.0).unwrap_or_default(),
            ),
            ("role", word(self.role.map(Role::as_str))),
            ("state", word(self.state.map(AccountState::as_str))),
            ("application", application.unwrap_or_default()),
            ("email", word(self.email.map(Into::into))),
        ];
        ListKey::new("people", &parts)
    }
}

/// Returns the message of an error about one part.
fn message(err: &Error) -> String {
    let messages = err.field_errors().iter().map(|err| err.message.as_str());
    messages.collect::<Vec<_>>().join("; ")
}
