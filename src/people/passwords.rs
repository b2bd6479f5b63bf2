//! Passwords as Argon2id hashes, worked on by a bounded number of threads: however many sign-ins
//! come at once, memory stays at `threads × memory_kib`.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use super::values::PlainPassword;
use crate::error::{Error, Result};
use crate::settings::PasswordSettings;

/// What a password was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not the one.
    Wrong,
    /// The one.
    Right,
    /// The one, but hashed with other parameters than the ones in force.
    RightButOutdated,
}

/// Hashes and verifies; a clone shares the same threads and queue.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    /// Verified against when there is no such person, so that the answer takes as long.
    decoy: Arc<str>,
    places: Arc<Semaphore>,
    threads: Arc<Semaphore>,
}

impl Hasher {
    /// # Errors
    /// [`Error::Startup`] when Argon2 does not take the parameters.
    pub fn new(settings: &PasswordSettings) -> Result<Self> {
        let params = Params::new(
            settings.memory_kib,
            settings.iterations,
            settings.parallelism,
            None,
        )
        .map_err(|fault| {
            Error::Startup(format!(
                "the [passwords] settings don't fit Argon2: {fault}"
            ))
        })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, b"nobody has this password")?;
        Ok(Self {
            argon2,
            decoy: decoy.into(),
            places: Arc::new(Semaphore::new(settings.threads + settings.queue)),
            threads: Arc::new(Semaphore::new(settings.threads)),
        })
    }

    /// The PHC string of a password to be kept.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already.
    pub async fn hash(&self, password: PlainPassword) -> Result<String> {
        self.work(move |argon2| hash(argon2, password.as_bytes()))
            .await
    }

    /// Whether `password` is the one behind `kept`. Without a `kept` the answer is
    /// [`Verdict::Wrong`], and takes as long.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub async fn verify(&self, password: PlainPassword, kept: Option<String>) -> Result<Verdict> {
        let decoy = self.decoy.clone();
        self.work(move |argon2| {
            let verdict = verify(
                argon2,
                password.as_bytes(),
                kept.as_deref().unwrap_or(&decoy),
            );
            Ok(if kept.is_some() {
                verdict
            } else {
                Verdict::Wrong
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
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let thread = self
            .threads
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| busy())?;
        let argon2 = self.argon2.clone();
        tokio::task::spawn_blocking(move || {
            let _held = (place, thread);
            work(&argon2)
        })
        .await
        .map_err(|stopped| Error::Internal(format!("hashing stopped short: {stopped}")))?
    }
}

fn hash(argon2: &Argon2<'_>, password: &[u8]) -> Result<String> {
    let hash = argon2
        .hash_password(password)
        .map_err(|fault| Error::Internal(format!("hashing failed: {fault}")))?;
    Ok(hash.to_string())
}

fn verify(argon2: &Argon2<'_>, password: &[u8], kept: &str) -> Verdict {
    let Ok(kept) = PasswordHash::new(kept) else {
        return Verdict::Wrong;
    };
    if argon2.verify_password(password, &kept).is_err() {
        return Verdict::Wrong;
    }
    let current = argon2.params();
    let is_current = kept.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && Params::try_from(&kept).is_ok_and(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (current.m_cost(), current.t_cost(), current.p_cost())
        });
    if is_current {
        Verdict::Right
    } else {
        Verdict::RightButOutdated
    }
}
