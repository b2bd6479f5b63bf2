//! People: their accounts and passwords. A wrong password, an unknown e-mail and a disabled account
//! get the same response in the same time.

mod create;
mod cursor;
mod external;
mod filter;
mod guessable_words;
mod hashing;
pub(crate) mod mailbox;
mod new_password;
mod passwords;
mod purge;
mod record;
mod search;
pub(crate) mod store;
mod user;
mod values;

pub use self::create::{EmailTrust, Invitee, NewAccount};
pub(crate) use self::create::{create_invited, create_user, find_holder, find_other_holder};
pub use self::cursor::PeopleCursor;
pub use self::external::ExternalPerson;
pub use self::filter::{NamedPeopleFilter, PeopleFilter, SearchText};
use self::guessable_words::GuessableWords;
pub use self::hashing::{HashRequester, Hasher, Verification};
pub use self::new_password::NewPassword;
pub use self::passwords::{MAX_FAILURES, MAX_FAILURES_IN_WORDS, PasswordHash, VoidPassword};
pub use self::record::UserRecord;
pub use self::search::{PeoplePage, PeopleQuery};
pub use self::store::{LinkAct, UsedLink, User};
pub use self::user::known_by;
pub use self::values::{
    AccountState, Email, EmailState, FullName, IdleLimit, PlainPassword, Realm, Role, Subject,
};
use crate::clock::Clock;
use crate::db::{Db, SessionId, UserId};
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::throttles::{Lane, Purpose, Requester, Throttles};

/// Whether a password is a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It is.
    Right,
    /// It is not.
    Wrong {
        /// How many were wrong in the same lane, without a right one between them.
        failures: u32,
    },
}

/// What became of signing in.
#[derive(Debug)]
pub enum SignIn {
    /// E-mail and password are those of a person who may sign in.
    Right(Box<User>),
    /// They are not.
    Refused {
        /// The live session of the person that the try counted in.
        session: Option<SessionId>,
        /// How many were wrong in the same lane, without a right one between them.
        failures: u32,
    },
}

/// The accounts of the service; clones share its database.
#[derive(Clone)]
pub struct People {
    db: Db,
    clock: Clock,
    hasher: Hasher,
    throttles: Throttles,
    /// What no password may be made of, whoever's it is.
    service_words: GuessableWords,
    require_verified_email: bool,
    purge_batch: u32,
}

impl People {
    /// Returns whether sign-in requires a verified e-mail.
    #[must_use]
    pub fn requires_verified_email(&self) -> bool {
        self.require_verified_email
    }

    /// Returns the accounts in `db`.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Clock,
        hasher: Hasher,
        throttles: Throttles,
        settings: &Settings,
    ) -> Self {
        let host = settings.public_url.as_ref().and_then(|url| url.host_str());
        Self {
            db,
            clock,
            hasher,
            throttles,
            service_words: GuessableWords::of_service(host),
            require_verified_email: settings.accounts.require_verified_email,
            purge_batch: settings.jobs.sweep_batch,
        }
    }

    /// Creates an account.
    ///
    /// # Errors
    /// [`Error::EmailTaken`] when another account has the e-mail; otherwise as
    /// [`People::hash_first_password`].
    pub async fn create_user(&self, requester: HashRequester, account: NewAccount) -> Result<User> {
        let hash = self.hash_first_password(requester, &account).await?;
        let now = self.clock.now();
        self.db
            .transaction(move |c| create_user(c, &account, &hash, now))
            .await
    }

    /// Creates accounts that have the same password, which is hashed once: that of the first.
    ///
    /// # Errors
    /// As [`People::create_user`]; then none is created.
    pub async fn create_several(
        &self,
        requester: HashRequester,
        accounts: Vec<NewAccount>,
    ) -> Result<Vec<User>> {
        let Some(first) = accounts.first() else {
            return Ok(Vec::new());
        };
        let hash = self.hash_first_password(requester, first).await?;
        let now = self.clock.now();
        self.db
            .transaction(move |c| {
                let created = accounts
                    .iter()
                    .map(|account| create_user(c, account, &hash, now));
                created.collect()
            })
            .await
    }

    /// Creates the first administrator.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is one already; otherwise as [`People::create_user`].
    pub async fn create_first_admin(
        &self,
        requester: HashRequester,
        account: NewAccount,
    ) -> Result<User> {
        let hash = self.hash_first_password(requester, &account).await?;
        let now = self.clock.now();
        let account = NewAccount {
            role: Role::Admin,
            ..account
        };
        self.db
            .transaction(move |c| match store::count_admins(c)? {
                0 => create_user(c, &account, &hash, now),
                _ => Err(Error::NotFound),
            })
            .await
    }

    /// Returns whether there is an administrator.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn has_admin(&self) -> Result<bool> {
        self.db.read(|c| Ok(store::count_admins(c)? > 0)).await
    }

    /// Returns whether a person may sign in: where the service requires it, only with an e-mail
    /// that is verified or from before addresses were verified.
    fn may_sign_in(&self, user: &User) -> bool {
        !self.require_verified_email || user.is_email_accepted()
    }

    /// Returns the person with this e-mail and password. They are refused when either is wrong or the
    /// account is disabled, and also where sign-in requires a verified e-mail and this one is not:
    /// whoever signed up with an address that has an account can't tell. A password hashed with
    /// outdated parameters is hashed again.
    ///
    /// # Errors
    /// [`Error::TooManyTries`] when no try is allowed now; [`Error::Busy`] when too many passwords wait
    /// to be hashed.
    pub async fn authenticate(
        &self,
        requester: &Requester,
        email: &str,
        password: PlainPassword,
    ) -> Result<SignIn> {
        let address = self.throttles.digest(email);
        let email: Option<Email> = email.parse().ok();
        let user = match email {
            Some(email) => {
                self.db
                    .read(move |c| store::find_by_email(c, &email))
                    .await?
            }
            None => None,
        };
        let lane = match &user {
            Some(user) => Lane::of_password(requester, user.as_known()),
            None => Lane::Address(address),
        };
        let session = lane.session();
        let hash_requester = HashRequester::of(requester, &lane);
        let taken = self
            .throttles
            .take(Purpose::SignIn, requester, lane)
            .await?;
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let verification = match self.hasher.verify(hash_requester, password, hash).await {
            Ok(verification) => verification,
            Err(err) => {
                taken.undecided().await;
                return Err(err);
            }
        };
        let user = user
            .filter(|user| user.is_active && verification != Verification::Mismatch)
            .filter(|user| self.may_sign_in(user));
        let Some(user) = user else {
            let failures = taken.wrong();
            return Ok(SignIn::Refused { session, failures });
        };
        taken.right().await?;
        if let Verification::MatchOutdated(new) = verification {
            self.update_hash(&user, new).await?;
        }
        Ok(SignIn::Right(Box::new(user)))
    }

    /// Verifies that `password` is this person's. The try counts in `lane`.
    ///
    /// # Errors
    /// [`Error::TooManyTries`] when no try is allowed now; [`Error::Busy`] when too many passwords
    /// wait to be hashed.
    pub async fn verify_password(
        &self,
        (purpose, requester, lane): (Purpose, &Requester, Lane),
        user: &User,
        password: PlainPassword,
    ) -> Result<PasswordCheck> {
        let hash_requester = HashRequester::of(requester, &lane);
        let taken = self.throttles.take(purpose, requester, lane).await?;
        let hash = Some(user.password_hash.clone());
        match self.hasher.verify(hash_requester, password, hash).await {
            Ok(Verification::Mismatch) => Ok(PasswordCheck::Wrong {
                failures: taken.wrong(),
            }),
            Ok(Verification::Match | Verification::MatchOutdated(_)) => {
                taken.right().await?;
                Ok(PasswordCheck::Right)
            }
            Err(err) => {
                taken.undecided().await;
                Err(err)
            }
        }
    }

    /// Verifies that the password of an account to be created is hard to guess, before anything is
    /// counted.
    ///
    /// # Errors
    /// As [`People::hash_first_password`].
    pub async fn verify_first_password(
        &self,
        requester: HashRequester,
        account: &NewAccount,
    ) -> Result<()> {
        let words = self.words_of(account);
        let password = account.password.clone();
        self.hasher
            .verify_strength(requester, password, words)
            .await
    }

    /// Returns the hash of the password of an account to be created.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is easy to guess; [`Error::Busy`] when too many passwords wait to be hashed.
    pub async fn hash_first_password(
        &self,
        requester: HashRequester,
        account: &NewAccount,
    ) -> Result<PasswordHash> {
        let words = self.words_of(account);
        self.hasher
            .hash(requester, account.password.clone(), words)
            .await
    }

    fn words_of(&self, account: &NewAccount) -> GuessableWords {
        let words = self.service_words.clone();
        let full_name = account.full_name.as_ref().map(FullName::as_str);
        words.with_person(account.email.as_str(), full_name)
    }

    /// Returns the hash of a password to be set for a person. The one that they have is none: whoever
    /// knows it would know the new one.
    ///
    /// # Errors
    /// As [`People::hash_first_password`]; [`Error::Invalid`] also when it is the person's password.
    pub async fn hash_new_password(
        &self,
        requester: HashRequester,
        user: &User,
        password: NewPassword,
    ) -> Result<PasswordHash> {
        let words = self.service_words.clone();
        let words = words.with_person(&user.email, user.full_name.as_deref());
        let refusal = match requester {
            HashRequester::Service => "is the person’s password already. Choose another one",
            _ => "is your password already. Choose another one",
        };
        let typed = (password, words);
        let hash = &user.password_hash;
        self.hasher
            .hash_replacement(requester, typed, hash, refusal)
            .await
    }

    /// Returns how many hashes were computed since the start.
    #[must_use]
    pub fn hashes_computed(&self) -> u64 {
        self.hasher.computed()
    }

    /// Returns the person with that e-mail.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn get_by_email(&self, email: Email) -> Result<User> {
        self.db
            .read(move |c| store::find_by_email(c, &email)?.ok_or(Error::NotFound))
            .await
    }

    /// Returns the person with that id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn get(&self, id: UserId) -> Result<User> {
        self.db.read(move |c| store::get(c, id)).await
    }

    /// Marks the e-mails from before addresses were verified as verified, except those that were
    /// declined: an administrator vouches for them. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn mark_all_emails_verified(&self) -> Result<usize> {
        let now = self.clock.now();
        self.db
            .write(move |c| store::mark_all_emails_verified(c, now))
            .await
    }

    /// Lists these people; those that don't exist are left out. The caller bounds their number.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database doesn't respond.
    pub async fn list_by_ids(&self, ids: Vec<UserId>) -> Result<Vec<User>> {
        match ids.is_empty() {
            true => Ok(Vec::new()),
            false => self.db.read(move |c| store::list_by_ids(c, &ids)).await,
        }
    }

    async fn update_hash(&self, user: &User, new: PasswordHash) -> Result<()> {
        let (id, old) = (user.id, user.password_hash.clone());
        self.db
            .write(move |c| store::update_hash(c, id, &old, &new).map(drop))
            .await
    }
}
