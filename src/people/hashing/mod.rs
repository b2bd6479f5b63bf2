//! Password hashing with Argon2id on threads of its own, which allocate their memory once: however
//! many sign-ins come at once, it uses `threads × memory_kib`.

mod fair_queue;
mod requester;
mod stored_hash;
mod threads;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Params, Version};

pub use self::requester::HashRequester;
use self::stored_hash::StoredHash;
use self::threads::Threads;
use self::worker::Worker;
use super::guessable_words::GuessableWords;
use super::new_password::NewPassword;
use super::passwords::PasswordHash;
use super::values::PlainPassword;
use crate::error::{Error, Failure, Result};
use crate::settings::PasswordSettings;

/// The result of verifying a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The password is wrong, or there is no hash to compare it with.
    Mismatch,
    /// The password is right.
    Match,
    /// The password is right, but its hash is not what it would be now; this is.
    MatchOutdated(PasswordHash),
}

/// Hashes and verifies passwords; clones share its threads and queue.
#[derive(Clone)]
pub struct Hasher {
    threads: Arc<Threads>,
    params: Params,
    /// The hash to verify against when there is no such person, so that it takes as long.
    decoy: StoredHash,
    computed: Arc<AtomicU64>,
}

impl Hasher {
    /// Returns a hasher with the parameters in `settings`.
    ///
    /// # Errors
    /// [`Error::Configuration`] when Argon2 does not accept the parameters; [`Error::Startup`] when
    /// the system has no thread.
    pub fn new(settings: &PasswordSettings) -> Result<Self> {
        let params = Params::new(
            settings.memory_kib,
            settings.iterations,
            settings.parallelism,
            None,
        )
        .map_err(|err| {
            Error::Configuration(Failure::new(
                "the [passwords] settings don't fit Argon2",
                err,
            ))
        })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let computed = Arc::new(AtomicU64::new(0));
        let worker = |_| Worker::new(argon2.clone(), computed.clone());
        let workers = (0..settings.threads).map(worker).collect();
        Ok(Self {
            threads: Arc::new(Threads::start(workers, settings.queue)?),
            decoy: StoredHash::decoy(&params)?,
            params,
            computed,
        })
    }

    /// Returns how many hashes were computed, to set a password or to compare one.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// Verifies that a password is hard to guess, without hashing it.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub(super) async fn verify_strength(
        &self,
        requester: HashRequester,
        password: NewPassword,
        words: GuessableWords,
    ) -> Result<()> {
        self.threads
            .run(requester, move |_| password.require_hard_to_guess(&words))
            .await
    }

    /// Returns the hash of a password, as a PHC string with a random salt.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is easy to guess, also from `words`; [`Error::Busy`] when too many
    /// passwords wait to be hashed, or too many of this requester.
    pub(super) async fn hash(
        &self,
        requester: HashRequester,
        password: NewPassword,
        words: GuessableWords,
    ) -> Result<PasswordHash> {
        self.threads
            .run(requester, move |worker| {
                password.require_hard_to_guess(&words)?;
                worker.hash(password.as_bytes())
            })
            .await
    }

    /// Returns the hash of a password that replaces the one with the hash `replaced`, if there is one:
    /// the same one again is refused with `refusal`, what is said of the field.
    ///
    /// # Errors
    /// As [`Hasher::hash`]; [`Error::Invalid`] also when it is the one to be replaced.
    pub(super) async fn hash_replacement(
        &self,
        requester: HashRequester,
        (password, words): (NewPassword, GuessableWords),
        replaced: &str,
        refusal: &'static str,
    ) -> Result<PasswordHash> {
        let Some(replaced) = StoredHash::parse(replaced) else {
            return self.hash(requester, password, words).await;
        };
        self.threads
            .run(requester, move |worker| {
                password.require_hard_to_guess(&words)?;
                match worker.is_match(password.as_bytes(), &replaced)? {
                    true => Err(Error::field(password.field(), refusal)),
                    false => worker.hash(password.as_bytes()),
                }
            })
            .await
    }

    /// Verifies `password` against `hash`. Without a hash the result is [`Verification::Mismatch`],
    /// and takes as long: how much is computed depends on what was typed alone.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub(super) async fn verify(
        &self,
        requester: HashRequester,
        password: PlainPassword,
        hash: Option<String>,
    ) -> Result<Verification> {
        let stored = hash.as_deref().and_then(StoredHash::parse);
        let compared = stored.clone().unwrap_or_else(|| self.decoy.clone());
        let is_current = compared.is_current(&self.params);
        self.threads
            .run(requester, move |worker| {
                let forms = password.forms();
                let is_match = worker.is_match(forms.current(), &compared)?;
                let is_former_match = match forms.former() {
                    Some(former) => worker.is_match(former, &compared)?,
                    None => false,
                };
                if stored.is_none() || !(is_match || is_former_match) {
                    return Ok(Verification::Mismatch);
                }
                match is_match && is_current {
                    true => Ok(Verification::Match),
                    false => worker
                        .hash(forms.current())
                        .map(Verification::MatchOutdated),
                }
            })
            .await
    }
}
