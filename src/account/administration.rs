//! What an administrator does to an account. Each act is recorded on its person, with who did it and
//! the reason they stated; where it was so already, nothing is.

use super::Accounts;
use super::closing::revoke_orders;
use super::emails::{cancel_pending_change, require_free};
use super::last_admin::LockedPerson;
use super::messages::queue_email_replaced;
use crate::alerts::{AlertContext, AlertKind};
use crate::clock::Timestamp;
use crate::db::{AnyConnection, UserId};
use crate::error::{Error, Result};
use crate::events::{self, EventKind, NewEvent, Origin};
use crate::people::{self, AccountState, Email, FullName, NewAccount, PasswordHash, Role, User};
use crate::sessions::bulk::{Stop, StopCause};
use crate::sessions::{self, Authority, EndedReason};
use crate::throttles;

/// The outcome of what an administrator does to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Administered {
    /// It was done.
    Done {
        /// How many sessions it ended.
        ended: usize,
    },
    /// It was so already; nothing was changed.
    Unchanged,
}

/// What an administrator changes of an account. What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct AccountChanges {
    /// The name to call the person by, or none.
    pub full_name: Option<Option<FullName>>,
    /// The e-mail that they sign in with.
    pub email: Option<Email>,
    /// What the account may do.
    pub role: Option<Role>,
}

impl Administered {
    const DONE: Self = Self::Done { ended: 0 };
}

impl Accounts {
    /// Creates an account whose e-mail an administrator vouches for.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when another account has the e-mail, or can still be taken back by it.
    pub async fn create_account(
        &self,
        account: NewAccount,
        hash: PasswordHash,
        origin: Origin,
    ) -> Result<User> {
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let authority = Authority::require(c, &origin, now)?;
                let user = people::create_user(c, &account, &hash, now)?;
                let kind = EventKind::AccountCreated;
                let event = NewEvent::for_person(user.id, kind, authority.origin(), now);
                let event = event.with_detail(account.role.as_str());
                events::record_events(c, &[event])?;
                Ok(user)
            })
            .await
    }

    /// Disables an account, so that its owner can't sign in; ends all their sessions, voids the links
    /// that set a password, theirs and those that they made, cancels a pending change of e-mail, and
    /// stops what they ordered.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service; [`Error::NotFound`] when
    /// there is no such person.
    pub async fn disable(&self, id: UserId, origin: Origin) -> Result<Administered> {
        const REASON: EndedReason = EndedReason::AccountDisabled;

        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (person, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                if !person.user.is_active {
                    return Ok(Administered::Unchanged);
                }
                person.require_another_admin()?;
                people::store::update_state(c, id, AccountState::Disabled, now)?;
                people::store::delete_resets(c, id)?;
                let origin = authority.origin();
                cancel_pending_change(c, &person.user, origin, now)?;
                let cause = StopCause::Disabled;
                revoke_orders(c, id, Stop { cause, origin }, now)?;
                let ended = sessions::end_all(c, id, REASON, origin, now)?.len();
                record(c, id, EventKind::Disabled, &authority, now)?;
                accounts.notify(c, &person.user, EventKind::Disabled, (origin, now))?;
                Ok(Administered::Done { ended })
            })
            .await
    }

    /// Enables an account that was disabled. Its sessions stay ended.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn enable(&self, id: UserId, origin: Origin) -> Result<Administered> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (person, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                if person.user.is_active {
                    return Ok(Administered::Unchanged);
                }
                people::store::update_state(c, id, AccountState::Active, now)?;
                record(c, id, EventKind::Enabled, &authority, now)?;
                let done = (authority.origin(), now);
                accounts.notify(c, &person.user, EventKind::Enabled, done)?;
                Ok(Administered::DONE)
            })
            .await
    }

    /// Changes several things of an account at once, or none of them.
    ///
    /// # Errors
    /// As [`Accounts::set_role`] and [`Accounts::admin_set_email`].
    pub async fn update_account(
        &self,
        id: UserId,
        changes: AccountChanges,
        origin: Origin,
    ) -> Result<Administered> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (person, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                let mut outcomes = Vec::new();
                if let Some(role) = changes.role {
                    let changed = change_role(c, &person, role, &authority, now)?;
                    if changed == Administered::DONE {
                        let done = (authority.origin(), now);
                        accounts.notify(c, &person.user, EventKind::RoleChanged, done)?;
                    }
                    outcomes.push(changed);
                }
                if let Some(name) = &changes.full_name {
                    outcomes.push(change_name(
                        c,
                        &person.user,
                        name.as_ref(),
                        &authority,
                        now,
                    )?);
                }
                if let Some(email) = &changes.email {
                    outcomes.push(accounts.change_own_email(
                        c,
                        &person.user,
                        email,
                        (&authority, now),
                    )?);
                }
                match outcomes.contains(&Administered::DONE) {
                    true => Ok(Administered::DONE),
                    false => Ok(Administered::Unchanged),
                }
            })
            .await
    }

    /// Changes what an account may do. What an administrator ordered stops with their role, and the
    /// links that they made are void.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] when nobody else could administer the service; [`Error::Invalid`] for a
    /// person whom an application authenticates, since it could do as they may; [`Error::NotFound`]
    /// when there is no such person.
    pub async fn set_role(&self, id: UserId, role: Role, origin: Origin) -> Result<Administered> {
        let changes = AccountChanges {
            role: Some(role),
            ..AccountChanges::default()
        };
        self.update_account(id, changes, origin).await
    }

    /// Sets a person's e-mail on behalf of an administrator, who vouches for it. It opens no window
    /// for the former one, which is told if it was verified, and closes open ones.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when another account has it, or can still be taken back by it;
    /// [`Error::NotFound`] when there is no such person; [`Error::Invalid`] for a person whom an
    /// application authenticates.
    pub async fn admin_set_email(
        &self,
        id: UserId,
        email: Email,
        origin: Origin,
    ) -> Result<Administered> {
        let changes = AccountChanges {
            email: Some(email),
            ..AccountChanges::default()
        };
        self.update_account(id, changes, origin).await
    }

    /// Sets the name to call a person by, on behalf of an administrator.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn admin_set_name(
        &self,
        id: UserId,
        name: Option<FullName>,
        origin: Origin,
    ) -> Result<Administered> {
        let changes = AccountChanges {
            full_name: Some(name),
            ..AccountChanges::default()
        };
        self.update_account(id, changes, origin).await
    }

    /// Changes the e-mail of a person, as the last part of a transaction.
    fn change_own_email(
        &self,
        c: &mut AnyConnection,
        before: &User,
        email: &Email,
        (authority, now): (&Authority, Timestamp),
    ) -> Result<Administered> {
        let id = before.id;
        require_own_email(before)?;
        if before.email == email.as_str() {
            return vouch(c, before, authority, now);
        }
        require_free(c, email, id, now)?;
        people::store::update_email(c, id, email, now)?;
        people::store::close_former_emails(c, id)?;
        people::store::delete_verifications(c, id)?;
        people::store::delete_resets(c, id)?;
        let origin = authority.origin();
        let changed = NewEvent::for_person(id, EventKind::EmailChanged, origin, now);
        let detail = format!("{} → {}", before.email, email.as_str());
        events::record_events(c, &[changed.with_detail(detail)])?;
        self.notify(c, before, EventKind::EmailChanged, (origin, now))?;
        // No window is open for the former address; it is to know all the same.
        if self.sends_mail() && before.email_verified_at.is_some() && before.has_mailbox() {
            queue_email_replaced(c, before, now)?;
        }
        Ok(Administered::DONE)
    }

    /// Lifts the delay after wrong passwords, in every lane of a person.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn lift_delay(&self, id: UserId, origin: Origin) -> Result<Administered> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (_, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                if throttles::lift(c, id)? == 0 {
                    return Ok(Administered::Unchanged);
                }
                record(c, id, EventKind::DelayLifted, &authority, now)?;
                Ok(Administered::DONE)
            })
            .await
    }

    /// Marks the e-mail of a person as verified: an administrator vouches for it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a person whom an application authenticates, and for an e-mail that can
    /// have no mailbox; [`Error::NotFound`] when there is no such person.
    pub async fn vouch_email(&self, id: UserId, origin: Origin) -> Result<Administered> {
        let now = self.clock.now();
        let accounts = self.clone();
        self.db
            .transaction(move |c| {
                let (person, authority) = accounts.lock_person_for(c, id, &origin, now)?;
                let vouched = vouch(c, &person.user, &authority, now)?;
                if vouched == Administered::DONE {
                    let done = (authority.origin(), now);
                    accounts.notify(c, &person.user, EventKind::EmailVouched, done)?;
                }
                Ok(vouched)
            })
            .await
    }

    /// Raises the notice of what was done to the account of `before`, as a part of its transaction.
    /// Of what they did themselves only another e-mail is reported: somebody else may have done it,
    /// in a session of theirs.
    fn notify(
        &self,
        c: &mut AnyConnection,
        before: &User,
        kind: EventKind,
        (origin, now): (&Origin, Timestamp),
    ) -> Result<()> {
        if origin.user == Some(before.id) && kind != EventKind::EmailChanged {
            return Ok(());
        }
        let context = AlertContext::administrator(kind, origin);
        self.alerts
            .raise(c, before, (AlertKind::Administered, context), now)
    }
}

fn change_role(
    c: &mut AnyConnection,
    person: &LockedPerson,
    role: Role,
    authority: &Authority,
    now: Timestamp,
) -> Result<Administered> {
    let user = &person.user;
    if user.role() == role {
        return Ok(Administered::Unchanged);
    }
    if user.is_external() && role != Role::Person {
        let message = "must be person: an application authenticates them";
        return Err(Error::field("role", message));
    }
    person.require_another_admin()?;
    people::store::update_role(c, user.id, role, now)?;
    if user.role() == Role::Admin {
        let stop = Stop {
            cause: StopCause::Demoted,
            origin: authority.origin(),
        };
        revoke_orders(c, user.id, stop, now)?;
    }
    let event = NewEvent::for_person(user.id, EventKind::RoleChanged, authority.origin(), now);
    events::record_events(c, &[event.with_detail(role.as_str())])?;
    Ok(Administered::DONE)
}

fn change_name(
    c: &mut AnyConnection,
    user: &User,
    name: Option<&FullName>,
    authority: &Authority,
    now: Timestamp,
) -> Result<Administered> {
    if user.full_name.as_deref() == name.map(FullName::as_str) {
        return Ok(Administered::Unchanged);
    }
    people::store::update_full_name(c, user.id, name, now)?;
    record(c, user.id, EventKind::NameChanged, authority, now)?;
    Ok(Administered::DONE)
}

fn vouch(
    c: &mut AnyConnection,
    user: &User,
    authority: &Authority,
    now: Timestamp,
) -> Result<Administered> {
    require_own_email(user)?;
    if user.email_verified_at.is_some() {
        return Ok(Administered::Unchanged);
    }
    if !user.has_mailbox() {
        return Err(Error::field("email", "can have no mailbox"));
    }
    people::store::mark_email_verified(c, user.id, now)?;
    record(c, user.id, EventKind::EmailVouched, authority, now)?;
    Ok(Administered::DONE)
}

/// Verifies that a person signs in with an e-mail.
fn require_own_email(user: &User) -> Result<()> {
    match user.is_external() {
        true => Err(Error::field(
            "email",
            "is stated by the person's application",
        )),
        false => Ok(()),
    }
}

/// Records what an administrator did to a person, as a part of the transaction of what it describes.
pub(super) fn record(
    c: &mut AnyConnection,
    id: UserId,
    kind: EventKind,
    authority: &Authority,
    now: Timestamp,
) -> Result<()> {
    let event = NewEvent::for_person(id, kind, authority.origin(), now);
    events::record_events(c, &[event])
}
