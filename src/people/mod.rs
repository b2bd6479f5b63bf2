//! People: their accounts and passwords. A wrong password, an unknown e-mail and a disabled
//! account get the same answer at the same cost.

mod part;
mod passwords;
mod store;
mod values;

pub(crate) use self::part::{
    address_keeping, address_keepings, by_id, deactivate, hold, restore_email, set_address_keeping,
    set_email, set_idle_limit, set_password,
};
pub use self::passwords::{Hasher, Verdict};
use self::store::NewUser;
pub use self::store::User;
pub use self::values::{Email, FullName, IdleLimit, PlainPassword, Subject};
use crate::clock::Clock;
use crate::db::{AnyConnection, Db, Timestamp, UserId};
use crate::error::{Error, Result};

impl User {
    /// How to address the person: by name, else by e-mail.
    pub fn display_name(&self) -> &str {
        self.full_name.as_deref().unwrap_or(&self.email)
    }

    /// The password's hash: another one whenever the password is set.
    pub(crate) fn kept_password(&self) -> &str {
        &self.password_hash
    }

    /// Whether a password opens the account.
    pub fn has_password(&self) -> bool {
        self.password_hash != NO_PASSWORD
    }

    /// Whether there may be a mailbox behind their e-mail.
    pub fn has_mailbox(&self) -> bool {
        !self.email.ends_with(".invalid")
    }

    /// How long they let their devices go unused, if they chose.
    pub fn idle_limit(&self) -> Option<IdleLimit> {
        let chosen = u64::try_from(self.idle_limit_seconds?).ok()?;
        IdleLimit::ALL
            .into_iter()
            .find(|limit| limit.span().as_secs() == chosen)
    }
}

/// A hashed password (a PHC string), ready to be kept.
pub struct PasswordHash(String);

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sees their own devices.
    Person,
    /// Sees everybody's.
    Admin,
}

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    /// Unique among all.
    pub email: Email,
    /// May be left out.
    pub full_name: Option<FullName>,
    /// Already checked for its length.
    pub password: PlainPassword,
    /// What the account may do.
    pub role: Role,
}

/// Somebody whom an application signs in itself.
#[derive(Debug)]
pub struct ExternalPerson {
    /// What the application calls them.
    pub subject: Subject,
    /// Unique among all; an address that nobody has if the application tells none.
    pub email: Option<Email>,
    /// May be left out.
    pub full_name: Option<FullName>,
}

/// Kept where a hash would be, and the hash of no password.
const NO_PASSWORD: &str = "!";

/// The accounts of the service.
#[derive(Clone)]
pub struct People {
    db: Db,
    clock: Clock,
    hasher: Hasher,
}

impl People {
    /// Accounts kept in `db`.
    pub fn new(db: Db, clock: Clock, hasher: Hasher) -> Self {
        Self { db, clock, hasher }
    }

    /// Makes an account.
    ///
    /// # Errors
    /// [`Error::EmailTaken`].
    pub async fn register(&self, account: NewAccount) -> Result<User> {
        let hash = self.hasher.hash(account.password.clone()).await?;
        let now = self.clock.now();
        self.db
            .transaction(move |c| insert(c, &account, &hash, now))
            .await
    }

    /// Makes the first administrator; [`Error::NotFound`] once there is one.
    ///
    /// # Errors
    /// As [`People::register`].
    pub async fn register_first_admin(&self, account: NewAccount) -> Result<User> {
        let hash = self.hasher.hash(account.password.clone()).await?;
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                if store::admins(c)? > 0 {
                    return Err(Error::NotFound);
                }
                insert(
                    c,
                    &NewAccount {
                        role: Role::Admin,
                        ..account
                    },
                    &hash,
                    now,
                )
            })
            .await
    }

    /// The account of somebody whom an application signs in itself; made when they are met for the
    /// first time. No password opens it.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when the e-mail is somebody else's.
    pub async fn meet(&self, person: ExternalPerson) -> Result<User> {
        let now = self.clock.now();
        let subject = person.subject.clone();
        let met = self
            .db
            .transaction(move |c| match store::by_subject(c, &person.subject)? {
                Some(user) => Ok(user),
                None => insert_external(c, &person, now),
            })
            .await;
        match met {
            // Perhaps it was this very person, met at the same time.
            Err(Error::EmailTaken) => match self.met(subject).await {
                Err(Error::NotFound) => Err(Error::EmailTaken),
                known => known,
            },
            met => met,
        }
    }

    /// Somebody whom an application has signed in before.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it has not.
    pub async fn met(&self, subject: Subject) -> Result<User> {
        self.db
            .read(move |c| store::by_subject(c, &subject)?.ok_or(Error::NotFound))
            .await
    }

    /// Whether anybody is an administrator yet.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn has_admin(&self) -> Result<bool> {
        self.db.read(|c| Ok(store::admins(c)? > 0)).await
    }

    /// The person whose e-mail and password these are. A password kept under outdated parameters
    /// is hashed anew.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`], whatever of it is wrong.
    pub async fn authenticate(&self, email: &str, password: PlainPassword) -> Result<User> {
        let email: Option<Email> = email.parse().ok();
        let user = match email {
            Some(email) => self.db.read(move |c| store::by_email(c, &email)).await?,
            None => None,
        };
        let kept = user.as_ref().map(|user| user.password_hash.clone());
        let verdict = self.hasher.verify(password.clone(), kept).await?;
        match (user, verdict) {
            (Some(user), Verdict::Right | Verdict::RightButOutdated) if user.is_active => {
                if verdict == Verdict::RightButOutdated {
                    self.rehash(&user, password).await?;
                }
                Ok(user)
            }
            _ => Err(Error::InvalidCredentials),
        }
    }

    /// Whether `password` is this person's.
    ///
    /// # Errors
    /// [`Error::InvalidCredentials`] when it is not.
    pub async fn confirm(&self, user: &User, password: PlainPassword) -> Result<()> {
        match self
            .hasher
            .verify(password, Some(user.password_hash.clone()))
            .await?
        {
            Verdict::Wrong => Err(Error::InvalidCredentials),
            Verdict::Right | Verdict::RightButOutdated => Ok(()),
        }
    }

    /// A password as it is kept. What else its change brings is the business of
    /// [`Sessions::change_password`](crate::sessions::Sessions::change_password).
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub async fn hash(&self, password: PlainPassword) -> Result<PasswordHash> {
        self.hasher.hash(password).await.map(PasswordHash)
    }

    /// Changes how a person wants to be called.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn rename(&self, id: UserId, name: Option<FullName>) -> Result<()> {
        let now = self.clock.now();
        self.db
            .write(move |c| existing(store::set_full_name(c, id, name.as_ref(), now)?))
            .await
    }

    /// Changes whether alerts are sent to a person's e-mail, too.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn want_alert_emails(&self, id: UserId, wanted: bool) -> Result<()> {
        let now = self.clock.now();
        self.db
            .write(move |c| existing(store::set_alert_emails(c, id, wanted, now)?))
            .await
    }

    /// Deletes a person, and with them all their sessions and what happened to them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such person.
    pub async fn delete(&self, id: UserId) -> Result<()> {
        self.db
            .write(move |c| existing(store::delete(c, id)?))
            .await
    }

    /// The person with that e-mail.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn find(&self, email: Email) -> Result<User> {
        self.db
            .read(move |c| store::by_email(c, &email)?.ok_or(Error::NotFound))
            .await
    }

    /// The person with that id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn by_id(&self, id: UserId) -> Result<User> {
        self.db.read(move |c| store::by_id(c, id)).await
    }

    /// Everybody, in the order of their e-mails.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn all(&self) -> Result<Vec<User>> {
        self.db.read(store::all).await
    }

    async fn rehash(&self, user: &User, password: PlainPassword) -> Result<()> {
        let new = self.hasher.hash(password).await?;
        let (id, old) = (user.id, user.password_hash.clone());
        self.db
            .write(move |c| store::rehash(c, id, &old, &new).map(drop))
            .await
    }
}

fn insert(c: &mut AnyConnection, account: &NewAccount, hash: &str, now: Timestamp) -> Result<User> {
    let id = UserId::new(now);
    let user = NewUser {
        id,
        email: account.email.as_str(),
        full_name: account.full_name.as_ref().map(FullName::as_str),
        password_hash: hash,
        external_subject: None,
        is_admin: account.role == Role::Admin,
        created_at: now,
        updated_at: now,
        password_changed_at: now,
    };
    store::insert(c, &user)?;
    store::by_id(c, id)
}

fn insert_external(c: &mut AnyConnection, person: &ExternalPerson, now: Timestamp) -> Result<User> {
    let id = UserId::new(now);
    // `.invalid` is no domain of anybody's (RFC 2606).
    let unknown = format!("{id}@external.invalid");
    let user = NewUser {
        id,
        email: person.email.as_ref().map_or(&unknown, Email::as_str),
        full_name: person.full_name.as_ref().map(FullName::as_str),
        password_hash: NO_PASSWORD,
        external_subject: Some(person.subject.as_str()),
        is_admin: false,
        created_at: now,
        updated_at: now,
        password_changed_at: now,
    };
    store::insert(c, &user)?;
    store::by_id(c, id)
}

fn existing(rows: usize) -> Result<()> {
    if rows == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}
