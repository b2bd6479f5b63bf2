//! Password hashing with Argon2id on a bounded number of threads: however many sign-ins come at
//! once, it uses at most `threads × memory_kib` of memory.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use super::values::PlainPassword;
use crate::error::{Error, Failure, Result};
use crate::settings::PasswordSettings;
use crate::text;

/// The result of verifying a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// The password is wrong, or there is no hash to compare it with.
    Mismatch,
    /// The password is right.
    Match,
    /// The password is right, but its hash has other parameters than the current ones.
    MatchOutdated,
}

/// A hashed password (a PHC string).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Stored in place of a hash where no password opens the account.
pub(super) const NO_PASSWORD: &str = "!";
/// The random bytes of a void password.
const VOID_BYTES: usize = 16;

/// Stored in place of the hash of a password that was taken away. Each is different, as hashes are.
#[derive(Debug, Clone)]
pub struct VoidPassword(String);

impl VoidPassword {
    /// Returns a new one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system provides no randomness.
    pub fn random() -> Result<Self> {
        text::random::<VOID_BYTES>().map(|text| Self(format!("{NO_PASSWORD}{text}")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Hashes and verifies passwords; clones share its threads and queue.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    /// The hash to verify against when there is no such person, so that it takes as long.
    decoy: Arc<str>,
    queue: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

impl Hasher {
    /// Returns a hasher with the parameters in `settings`.
    ///
    /// # Errors
    /// [`Error::Configuration`] when Argon2 does not accept the parameters.
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
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, b"nobody has this password")?;
        let places = settings.threads.saturating_add(settings.queue);
        let places = places.min(Semaphore::MAX_PERMITS);
        Ok(Self {
            argon2,
            decoy: decoy.into(),
            queue: Arc::new(Semaphore::new(places)),
            threads: Arc::new(Semaphore::new(settings.threads.min(places))),
        })
    }

    /// Returns the hash of a password, as a PHC string with a random salt.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many passwords wait to be hashed.
    pub async fn hash(&self, password: PlainPassword) -> Result<PasswordHash> {
        self.work(move |argon2| hash(argon2, password.as_bytes()))
            .await
            .map(PasswordHash)
    }

    /// Verifies `password` against `hash`. Without a hash the result is [`Verification::Mismatch`],
    /// and takes as long.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub async fn verify(
        &self,
        password: PlainPassword,
        hash: Option<String>,
    ) -> Result<Verification> {
        let decoy = self.decoy.clone();
        // What stands for no password is no hash: a mismatch with it would be found at once.
        let hash = hash.filter(|hash| !hash.starts_with(NO_PASSWORD));
        self.work(move |argon2| {
            let verification = verify(
                argon2,
                password.as_bytes(),
                hash.as_deref().unwrap_or(&decoy),
            );
            Ok(if hash.is_some() {
                verification
            } else {
                Verification::Mismatch
            })
        })
        .await
    }

    async fn work<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Argon2<'static>) -> Result<T> + Send + 'static,
    {
        let busy = || Error::Busy {
            retry_after: Duration::from_secs(2),
        };
        let queued = self.queue.clone().try_acquire_owned().map_err(|_| busy())?;
        let running = self
            .threads
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| busy())?;
        let argon2 = self.argon2.clone();
        tokio::task::spawn_blocking(move || {
            let _permits = (queued, running);
            work(&argon2)
        })
        .await
        .map_err(|stopped| Error::Internal(Failure::new("hashing stopped short", stopped)))?
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<String> {
    let hash = argon2
        .hash_password(password)
        .map_err(|err| Error::Internal(Failure::new("hashing failed", err)))?;
    Ok(hash.to_string())
}

fn verify(argon2: &Argon2<'_>, password: &[u8], hash: &str) -> Verification {
    let Ok(hash) = phc::PasswordHash::new(hash) else {
        return Verification::Mismatch;
    };
    if argon2.verify_password(password, &hash).is_err() {
        return Verification::Mismatch;
    }
    let current = argon2.params();
    let is_current = hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && Params::try_from(&hash).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (current.m_cost(), current.t_cost(), current.p_cost())
        });
    if is_current {
        Verification::Match
    } else {
        Verification::MatchOutdated
    }
}
