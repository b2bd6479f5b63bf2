//! Sessions that are bound to their browser (Device Bound Session Credentials, W3C). A browser that can makes
//! a key when a password was given, and proves every few minutes that it has it. From the first request with
//! such a proof on, the session cookie alone, which is what can be copied, is no use.
//!
//! The service stores the public key, and what it hands out is signed by itself (`stamps`): any node answers
//! any step.

mod binding;
mod observation;
mod offer;
mod proof;
mod public_key;
mod registration;
mod renewal;
mod requirement;
mod stamps;

pub use self::binding::{Binding, BoundGrant};
pub use self::observation::{UnknownSigner, UnprovenSession};
pub use self::offer::PasswordGiven;
pub use self::proof::SentProof;
pub use self::renewal::Renewal;
pub use self::requirement::CookieProof;
