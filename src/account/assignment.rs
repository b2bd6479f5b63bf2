//! Assigning the people of "Earlier" to the applications that authenticate them, and with them their
//! sessions.

use super::Accounts;
use crate::db::{AnyConnection, ApplicationId};
use crate::error::{Error, Result};
use crate::people::{Subject, store as people};
use crate::sessions::store as sessions;

/// The most people that one transaction moves.
const BATCH: i64 = 500;
/// The most subjects that an [`Assignment`] names.
const NAMED_SUBJECTS: i64 = 20;

/// What became of a request to assign everybody of "Earlier".
#[derive(Debug, Clone)]
pub struct Assignment {
    /// How many were moved.
    pub moved: usize,
    /// How many stay, because the application has people with the same subjects.
    pub refused: i64,
    /// The first of those subjects.
    pub subjects: Vec<String>,
}

impl Accounts {
    /// Moves the person of "Earlier" with that subject to an application, with their sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`] when "Earlier" has no such person; [`Error::Conflict`] when the
    /// application has one.
    pub async fn assign_person(&self, subject: Subject, to: ApplicationId) -> Result<()> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let moved = people::assign_subject(c, &subject, to, now)?;
                let person = moved.ok_or(Error::NotFound)?;
                sessions::update_application(c, &[person], to)?;
                Ok(())
            })
            .await
    }

    /// Moves everybody of "Earlier" to an application, except those whose subject it has already.
    /// Each moves together with their sessions, some hundred people in a transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond; [`Error::Conflict`] when a person
    /// with one of the subjects was created meanwhile. Then those who were moved stay so, and the
    /// others are in "Earlier".
    pub async fn assign_everybody(&self, to: ApplicationId) -> Result<Assignment> {
        let now = self.clock.now();
        let batch = move |c: &mut AnyConnection| {
            let people = people::assign_unclaimed(c, to, BATCH, now)?;
            sessions::update_application(c, &people, to)?;
            Ok(people.len())
        };
        let mut moved = 0;
        loop {
            match self.db.transaction(batch).await? {
                0 => break,
                people => moved += people,
            }
        }
        self.db
            .read(move |c| {
                Ok(Assignment {
                    moved,
                    refused: people::count_of_application(c, ApplicationId::EARLIER)?,
                    subjects: people::list_earlier_subjects(c, NAMED_SUBJECTS)?,
                })
            })
            .await
    }
}
