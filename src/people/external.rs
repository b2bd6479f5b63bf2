//! People whom applications authenticate themselves. Each is found by a subject in a [`Realm`]; no
//! password opens their accounts.

use super::passwords::NO_PASSWORD;
use super::store::{self, NewUser};
use super::{Email, FullName, People, Realm, Subject, User};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};

/// A person whom an application authenticates itself.
#[derive(Debug)]
pub struct ExternalPerson {
    /// The application's identifier of the person.
    pub subject: Subject,
    /// The e-mail that the application states: shown, but neither unique nor for signing in.
    pub email: Option<Email>,
    /// The name to call the person by.
    pub full_name: Option<FullName>,
}

impl People {
    /// Finds the account of a person whom an application authenticates itself, or creates it as one
    /// of the application's own. No password opens such an account.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_or_create_external(
        &self,
        realm: Realm,
        person: ExternalPerson,
    ) -> Result<User> {
        let now = self.clock.now();
        let subject = person.subject.clone();
        let found = self
            .db
            .transaction(
                move |c| match store::find_by_subject(c, &person.subject, realm)? {
                    Some(user) => Ok(user),
                    None => insert(c, realm, &person, now),
                },
            )
            .await;
        match found {
            // The conflict is with the same person, created at the same time.
            Err(Error::EmailTaken) => self
                .find_external(realm, subject)
                .await?
                .ok_or(Error::EmailTaken),
            found => found,
        }
    }

    /// Finds a person whom an application has authenticated before.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn find_external(&self, realm: Realm, subject: Subject) -> Result<Option<User>> {
        self.db
            .read(move |c| store::find_by_subject(c, &subject, realm))
            .await
    }

    /// Returns whether a person is one of those whom the applications of a realm authenticate.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn is_in_realm(&self, id: UserId, realm: Realm) -> Result<bool> {
        self.db
            .read(move |c| store::is_in_realm(c, id, realm))
            .await
    }
}

fn insert(
    c: &mut AnyConnection,
    realm: Realm,
    person: &ExternalPerson,
    now: Timestamp,
) -> Result<User> {
    let id = UserId::new(now);
    // `.invalid` is reserved, so nobody has this address (RFC 2606).
    let unknown = format!("{id}@external.invalid");
    let user = NewUser {
        id,
        email: &unknown,
        full_name: person.full_name.as_ref().map(FullName::as_str),
        password_hash: NO_PASSWORD,
        external_subject: Some(person.subject.as_str()),
        application_id: Some(realm.own),
        stated_email: person.email.as_ref().map(Email::as_str),
        email_verified_at: None,
        is_admin: false,
        is_auditor: false,
        created_at: now,
        updated_at: now,
        password_changed_at: now,
    };
    store::insert(c, &user)?;
    store::get(c, id)
}
