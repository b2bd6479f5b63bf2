//! The public key of a browser: a point on P-256, and what it has signed (ECDSA with SHA-256).

use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint, PointConversionForm};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::Public;
use sha2::{Digest, Sha256};

/// Bytes of a coordinate, and of either half of a signature.
pub(super) const COORDINATE: usize = 32;
/// Bytes of a digest of a key.
const DIGEST: usize = 8;

/// A public key on P-256.
pub(super) struct PublicKey(EcKey<Public>);

/// The start of a key's SHA-256, which tells the keys of a session apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDigest([u8; DIGEST]);

impl PublicKey {
    /// Returns the key of these coordinates; `None` when they are not those of a point on the curve.
    pub(super) fn from_coordinates(x: &[u8; COORDINATE], y: &[u8; COORDINATE]) -> Option<Self> {
        let key = || -> Result<EcKey<Public>, ErrorStack> {
            let (x, y) = (BigNum::from_slice(x)?, BigNum::from_slice(y)?);
            let key = EcKey::from_public_key_affine_coordinates(&*p256()?, &x, &y)?;
            key.check_key()?;
            Ok(key)
        };
        key().ok().map(Self)
    }

    /// Returns the key of a compressed point; `None` when that is none of the curve.
    pub(super) fn from_stored(bytes: &[u8]) -> Option<Self> {
        let key = || -> Result<EcKey<Public>, ErrorStack> {
            let group = p256()?;
            let point = EcPoint::from_bytes(&group, bytes, &mut *BigNumContext::new()?)?;
            let key = EcKey::from_public_key(&group, &point)?;
            key.check_key()?;
            Ok(key)
        };
        key().ok().map(Self)
    }

    /// Returns the compressed point.
    pub(super) fn to_stored(&self) -> Option<Vec<u8>> {
        let bytes = || -> Result<Vec<u8>, ErrorStack> {
            let form = PointConversionForm::COMPRESSED;
            let mut context = BigNumContext::new()?;
            self.0
                .public_key()
                .to_bytes(self.0.group(), form, &mut context)
        };
        bytes().ok()
    }

    /// Returns whether it has signed `text`.
    pub(super) fn verifies(&self, text: &[u8], signature: &[u8; 2 * COORDINATE]) -> bool {
        let (r, s) = signature.split_at(COORDINATE);
        let verified = || -> Result<bool, ErrorStack> {
            let (r, s) = (BigNum::from_slice(r)?, BigNum::from_slice(s)?);
            let signature = EcdsaSig::from_private_components(r, s)?;
            signature.verify(&Sha256::digest(text), &self.0)
        };
        verified().unwrap_or(false)
    }
}

impl KeyDigest {
    /// Returns the digest of a compressed point.
    pub(super) fn of(stored: &[u8]) -> Self {
        let whole: [u8; 32] = Sha256::digest(stored).into();
        let mut start = [0; DIGEST];
        start.copy_from_slice(&whole[..DIGEST]);
        Self(start)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn p256() -> Result<EcGroup, ErrorStack> {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)
}
