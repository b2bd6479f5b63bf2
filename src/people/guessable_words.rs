//! The words that somebody tries first who knows a person and the service.

use super::create::NewAccount;
use super::store::User;

/// The name of the service.
const SERVICE: &str = "rollcall";
/// A shorter word says too little to be tried.
const MIN_CHARS: usize = 3;
/// Parts of a name that are combined with each other.
const MAX_PARTS: usize = 4;
/// What stands between the parts of a name.
const SEPARATORS: [&str; 5] = ["", " ", ".", "-", "_"];

/// The words that somebody tries first who knows a person and the service.
#[derive(Debug, Clone, Default)]
pub(super) struct GuessableWords(Vec<String>);

impl GuessableWords {
    /// Returns the name of the service, and the host that it has.
    pub(super) fn of_service(host: Option<&str>) -> Self {
        let mut words = Self::default();
        words.add(SERVICE);
        words.add_parts(host.unwrap_or_default());
        words
    }

    /// Adds those of an account to be created.
    pub(super) fn with_account(mut self, account: &NewAccount) -> Self {
        self.add_email(account.email.as_str());
        if let Some(name) = &account.full_name {
            self.add_name(name.as_str());
        }
        self
    }

    /// Adds those of a person.
    pub(super) fn with_person(mut self, user: &User) -> Self {
        self.add_email(&user.email);
        self.add_name(user.full_name.as_deref().unwrap_or_default());
        self
    }

    pub(super) fn as_strs(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    pub(super) fn add_email(&mut self, email: &str) {
        let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
        self.add(email);
        self.add_parts(local);
        self.add_parts(domain);
    }

    pub(super) fn add_name(&mut self, name: &str) {
        self.add_parts(name);
        let parts = || {
            let parts = name.split_whitespace();
            parts.take(MAX_PARTS)
        };
        for first in parts() {
            for second in parts().filter(|second| *second != first) {
                for separator in SEPARATORS {
                    self.add(&format!("{first}{separator}{second}"));
                }
            }
        }
    }

    /// Adds a text and its words.
    fn add_parts(&mut self, text: &str) {
        self.add(text);
        let parts = text.split(|c: char| !c.is_alphanumeric());
        for part in parts.filter(|part| *part != text) {
            self.add(part);
        }
    }

    fn add(&mut self, word: &str) {
        if word.chars().count() >= MIN_CHARS {
            self.0.push(word.to_owned());
        }
    }
}
