//! Assigning the people of "Earlier" to the applications that authenticate them, and with them their
//! sessions.

use super::Accounts;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, ApplicationId, UserId};
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
                let person = people::find_earlier(c, &subject)?.ok_or(Error::NotFound)?;
                match assign(c, &[person], to, now)? {
                    0 => Err(Error::NotFound),
                    _ => Ok(()),
                }
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
            let people = people::list_unclaimed(c, to, BATCH)?;
            // Another administrator may have moved some of them meanwhile, or all.
            let moved = assign(c, &people, to, now)?;
            Ok((people.is_empty(), moved))
        };
        let mut moved = 0;
        loop {
            match self.db.transaction(batch).await? {
                (true, _) => break,
                (false, people) => moved += people,
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

/// Moves those of `people` who are of "Earlier" to an application, with their sessions. Returns how
/// many.
fn assign(
    c: &mut AnyConnection,
    people: &[UserId],
    to: ApplicationId,
    now: Timestamp,
) -> Result<usize> {
    people::lock_several(c, people)?;
    sessions::lock_of_people(c, people)?;
    let moved = people::assign(c, people, to, now)?;
    sessions::update_application(c, &moved, to)?;
    Ok(moved.len())
}
