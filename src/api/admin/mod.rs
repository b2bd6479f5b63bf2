//! `/api/v1/admin`: the API of administrators, auditors and applications with a key for it.

pub mod applications;
pub mod events;
pub mod sessions;
