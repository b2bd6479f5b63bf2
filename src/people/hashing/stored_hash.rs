//! A hash to compare a password with.

use argon2::password_hash::phc::{Output, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::error::{Error, Failure, Result};

/// A hash to compare a password with, and how it was computed.
#[derive(Clone)]
pub(super) struct StoredHash {
    pub(super) argon2: Argon2<'static>,
    pub(super) salt: Salt,
    pub(super) output: Output,
    parameters: Parameters,
}

/// What a hash depends on beside password and salt.
type Parameters = (Algorithm, Version, u32, u32, u32);

impl StoredHash {
    /// Parses what is stored as a hash. `None` for what stands for no password, and for anything
    /// else that Argon2 can't compute.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = Phc::new(text).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = match hash.version {
            Some(version) => Version::try_from(version).ok()?,
            None => Version::V0x13,
        };
        let params = Params::try_from(&hash).ok()?;
        Some(Self {
            parameters: parameters(algorithm, version, &params),
            argon2: Argon2::new(algorithm, version, params),
            salt: hash.salt?,
            output: hash.hash?,
        })
    }

    /// Returns a hash with these parameters that no password matches.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system provides no randomness.
    pub(super) fn decoy(params: &Params) -> Result<Self> {
        let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
        getrandom::fill(&mut bytes)
            .map_err(|err| Error::Internal(Failure::new("no randomness", err)))?;
        let output = Output::new(&bytes)
            .map_err(|err| Error::Internal(Failure::new("hashing failed", err)))?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        Ok(Self {
            argon2: Argon2::new(algorithm, version, params.clone()),
            salt: Salt::generate(),
            output,
            parameters: parameters(algorithm, version, params),
        })
    }

    /// Returns whether it was computed with these parameters, as new hashes are.
    pub(super) fn is_current(&self, params: &Params) -> bool {
        self.parameters == parameters(Algorithm::Argon2id, Version::V0x13, params)
    }
}

fn parameters(algorithm: Algorithm, version: Version, params: &Params) -> Parameters {
    (
        algorithm,
        version,
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
    )
}
