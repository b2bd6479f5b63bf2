//! What one thread computes Argon2 with: its parameters, and memory that it uses again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::stored_hash::StoredHash;
use crate::error::{Error, Failure, Result};
use crate::people::passwords::PasswordHash;

/// Computes Argon2.
pub(super) struct Worker {
    argon2: Argon2<'static>,
    /// Allocated by the first computation.
    memory: Vec<Block>,
    is_clean: bool,
    computed: Arc<AtomicU64>,
}

impl Worker {
    /// Returns a worker that adds what it computes to `computed`.
    pub(super) fn new(argon2: Argon2<'static>, computed: Arc<AtomicU64>) -> Self {
        Self {
            argon2,
            memory: Vec::new(),
            is_clean: true,
            computed,
        }
    }

    /// Returns the hash of a password with a random salt.
    pub(super) fn hash(&mut self, password: &[u8]) -> Result<PasswordHash> {
        let salt = Salt::generate();
        let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
        let argon2 = self.argon2.clone();
        self.compute(&argon2, password, &salt, &mut bytes)?;
        let hash = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon2.params()).map_err(failed)?,
            salt: Some(salt),
            hash: Some(Output::new(&bytes).map_err(failed)?),
        };
        Ok(PasswordHash::new(hash.to_string()))
    }

    /// Returns whether a hash is of this password.
    pub(super) fn is_match(&mut self, password: &[u8], stored: &StoredHash) -> Result<bool> {
        let mut bytes = [0; Output::MAX_LENGTH];
        let bytes = &mut bytes[..stored.output.len()];
        self.compute(&stored.argon2, password, &stored.salt, bytes)?;
        self.fill_up(&stored.argon2, password, &stored.salt)?;
        // Takes the same time wherever they differ.
        Ok(Output::new(bytes).map_err(failed)? == stored.output)
    }

    /// Computes the rest of what a hash with the current parameters costs, where one with others
    /// cost less: otherwise the time would tell that there is an account, and since when.
    fn fill_up(&mut self, than: &Argon2<'_>, password: &[u8], salt: &Salt) -> Result<()> {
        let cost = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
        let own = self.argon2.params().clone();
        let missing = cost(&own).saturating_sub(cost(than.params())) / u64::from(own.t_cost());
        let Ok(m_cost) = u32::try_from(missing) else {
            return Ok(());
        };
        // Less than Argon2 can take is too little to be measured.
        let Ok(rest) = Params::new(m_cost, own.t_cost(), own.p_cost(), None) else {
            return Ok(());
        };
        self.memory.resize(own.block_count(), Block::new());
        self.is_clean = false;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, rest)
            .fill_memory(password, salt, &mut self.memory)
            .map_err(failed)
    }

    /// Overwrites what the memory has of passwords.
    pub(super) fn wipe(&mut self) {
        if !self.is_clean {
            self.memory.fill(Block::new());
            self.is_clean = true;
        }
    }

    fn compute(
        &mut self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &Salt,
        out: &mut [u8],
    ) -> Result<()> {
        self.computed.fetch_add(1, Ordering::Relaxed);
        let own = self.argon2.params().block_count();
        let needed = argon2.params().block_count();
        if needed > own {
            // A hash from before the setting was lowered.
            let mut memory = vec![Block::new(); needed];
            return argon2
                .hash_password_into_with_memory(password, salt, out, &mut memory)
                .map_err(failed);
        }
        self.memory.resize(own, Block::new());
        self.is_clean = false;
        argon2
            .hash_password_into_with_memory(password, salt, out, &mut self.memory)
            .map_err(failed)
    }
}

fn failed<E: std::error::Error + Send + Sync + 'static>(err: E) -> Error {
    Error::Internal(Failure::new("hashing failed", err))
}
