//! The service's keys: cookie keys, which those of cookies, forms, links and refresh tokens are
//! derived from, and the signing keys of access tokens. There are several of each kind: one is in
//! use, and the others open or verify what they sealed or signed. There is no built-in default.

mod file;
mod key;
mod kind;
mod manage;
mod ring;
mod set;
mod snapshot;
mod store;

pub use self::key::{CookieKey, DerivedKey, Purpose, SigningKey};
pub use self::kind::{JWKS_MAX_AGE, KeyKind, NewKey, RELOAD_INTERVAL, Start};
pub use self::manage::{
    DeletedKey, KeyRow, KeyState, Revocation, Rotation, check, create, create_first,
    is_file_missing, list_keys, missing, revoke_all_keys, revoke_key, rotate,
};
pub use self::ring::{KeyRing, MacKeys};
pub use self::set::KeySet;
pub use self::snapshot::Keys;
