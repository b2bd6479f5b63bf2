//! The last administrator: nothing that an administrator does, and no owner who deletes their own
//! account, leaves the service without one who can sign in. Whatever could takes locks on every
//! administrator, so that two requests at once, on two nodes, can't do it together.

use super::Accounts;
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::events::Origin;
use crate::people::{self, User};
use crate::sessions::Authority;

/// A person whose row is locked, with those of all administrators.
pub(super) struct LockedPerson {
    /// The person.
    pub(super) user: User,
    is_last_admin: bool,
}

impl LockedPerson {
    /// Verifies that there is another administrator, if this is one.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service.
    pub(super) fn require_another_admin(&self) -> Result<()> {
        match self.is_last_admin {
            true => Err(Error::LastAdmin),
            false => Ok(()),
        }
    }
}

impl Accounts {
    /// Locks a person and every administrator, with the sessions of the person and what they ordered,
    /// as a part of a transaction in which an administrator does something to them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person; those of [`Authority::require`].
    pub(super) fn lock_person_for(
        &self,
        c: &mut AnyConnection,
        id: UserId,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(LockedPerson, Authority)> {
        let people = people::store::lock_with_admins(c, id)?;
        // Not one more lock, in another order, for somebody who is none any more.
        let is_found = |by| people.iter().any(|user| user.id == by);
        if !origin.user.is_none_or(is_found) {
            return Err(Error::NoAuthority);
        }
        let authority = Authority::require_over(c, origin, id, now)?;
        Ok((self.judge(people, id)?, authority))
    }

    /// Returns whether nobody but this person can administer the service.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn is_last_admin(&self, id: UserId) -> Result<bool> {
        let accounts = self.clone();
        self.db
            .read(move |c| {
                let people = people::store::list_with_admins(c, id)?;
                accounts.judge(people, id).map(|found| found.is_last_admin)
            })
            .await
    }

    /// Locks a person and every administrator, as a part of a transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub(super) fn lock_person(&self, c: &mut AnyConnection, id: UserId) -> Result<LockedPerson> {
        self.judge(people::store::lock_with_admins(c, id)?, id)
    }

    fn judge(&self, people: Vec<User>, id: UserId) -> Result<LockedPerson> {
        let others = people.iter().filter(|user| user.id != id);
        let has_other = others.into_iter().any(|user| self.can_administer(user));
        let user = people.into_iter().find(|user| user.id == id);
        let user = user.ok_or(Error::NotFound)?;
        Ok(LockedPerson {
            is_last_admin: self.can_administer(&user) && !has_other,
            user,
        })
    }

    /// Returns whether a person is an administrator who can sign in.
    fn can_administer(&self, user: &User) -> bool {
        let is_email_accepted = !self.policy.require_verified_email || user.is_email_accepted();
        user.is_admin
            && user.is_active
            && !user.is_external()
            && !user.is_password_void()
            && is_email_accepted
    }
}
